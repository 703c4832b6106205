"""GraphQL in front of Django: its requests do not pass through Django's middleware."""

import os

from fraiseql.asgi import GraphQLApplication

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog.settings")

application = GraphQLApplication()

"""The site as a server loads it."""

import os

from fraiseql.asgi import GraphQLApplication

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.integration.edges.site.settings")

application = GraphQLApplication()

"""The site as a server loads it."""

import os

from django.core.asgi import get_asgi_application

from fraiseql.asgi import GraphQLApplication

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.integration.edges.site.settings")

application = GraphQLApplication()
behind = get_asgi_application()
"""Every request passes through Django's middleware to its view."""

"""The ASGI application, in front of Django as in the project template."""

from fraiseql.asgi import GraphQLApplication

application = GraphQLApplication()

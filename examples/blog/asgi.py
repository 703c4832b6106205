"""GraphQL in front of Django: its requests do not pass through Django's middleware."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog.settings")
django = get_asgi_application()

from fraiseql.asgi import mount  # noqa: E402 - after Django is set up

application = mount(django, path="/graphql/")

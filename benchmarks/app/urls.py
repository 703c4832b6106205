"""GraphQL only, for what the ASGI application hands to Django."""

from django.urls import include, path

urlpatterns = [path("graphql/", include("fraiseql.urls"))]

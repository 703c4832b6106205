"""GraphQL only."""

from django.urls import path
from strawberry.django.views import GraphQLView

from benchmarks.peers.strawberry_django.schema import schema

urlpatterns = [path("graphql/", GraphQLView.as_view(schema=schema))]

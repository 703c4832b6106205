"""GraphQL only."""

from django.http import HttpRequest
from django.urls import path
from graphene_django.views import GraphQLView
from graphql_sync_dataloaders import DeferredExecutionContext

from benchmarks.peers.graphene_django.schema import Loaders, schema


class View(GraphQLView):
    """Graphene's view, with data loaders that live as long as the request."""

    def get_context(self, request: HttpRequest) -> HttpRequest:
        request.loaders = Loaders()
        return request


view = View.as_view(schema=schema, execution_context_class=DeferredExecutionContext)
urlpatterns = [path("graphql/", view)]

"""Both edges with production settings: what one answers, the other answers byte for byte."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from fraiseql.db import catalog
from fraiseql.testing import isolated
from tests.integration.edges.conftest import Edges, edges, site_database

__all__ = ["edges", "site_database"]

MakeEdges = Callable[..., Edges]


@pytest.fixture
def configured(edges: Edges, settings: Settings) -> MakeEdges:
    """Return both edges of a server with these settings of FRAISEQL."""

    def configure(**values: Any) -> Edges:
        settings.FRAISEQL = values
        return Edges()

    return configure


@pytest.fixture
def legacy(configured: MakeEdges) -> Edges:
    """Both edges, with the shop's graphene mutations in the schema."""
    return configured(GRAPHENE_SCHEMAS=["tests.shop.legacy.schema"])


@pytest.fixture
def declared() -> Iterator[None]:
    """An empty schema, for declarations of the test's own."""
    with isolated():
        yield
    catalog.forget("default")


@pytest.fixture
def sql(db: None) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run SQL in the test's transaction and return its rows."""

    def run(text: str, *params: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(text, params or None)
            catalog.forget("default")
            return cursor.fetchall() if cursor.description else []

    yield run
    catalog.forget("default")

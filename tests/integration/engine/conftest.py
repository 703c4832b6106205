"""The shop's data are in its migration; what a test adds is rolled back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from fraiseql.db import catalog
from fraiseql.testing import Client, Result

Ask = Callable[..., Any]


@pytest.fixture
def ask(db: None) -> Ask:
    """Run a query with variables and return its data; errors fail the test."""

    def run(query: str, **variables: Any) -> Any:
        return Client().query(query, variables).assert_ok()

    return run


@pytest.fixture
def answer(db: None) -> Callable[..., Result]:
    """Run a query with variables and return the whole answer."""

    def run(query: str, **variables: Any) -> Result:
        return Client().query(query, variables)

    return run


@pytest.fixture
def sql(db: None) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Run SQL in the test's transaction and return its rows; what it made or dropped is forgotten."""

    def run(text: str, *params: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(text, params or None)
            return cursor.fetchall() if cursor.description else []

    yield run
    catalog.forget("default")

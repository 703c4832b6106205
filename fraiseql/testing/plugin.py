"""
Fixtures for pytest: ``pytest_plugins = ["fraiseql.testing.plugin"]`` in conftest.py. Needs pytest-django.
"""

from collections.abc import Iterator

import pytest

from fraiseql.schema.registry import Registry
from fraiseql.testing import AsyncClient, Client, isolated


@pytest.fixture
def graphql(db: None) -> Client:
    """A client whose operations see what the test wrote."""
    return Client()


@pytest.fixture
def async_graphql(transactional_db: None) -> AsyncClient:
    """
    A client on the asynchronous path.

    A coroutine under pytest has its connections in another thread than the test's transaction, so what
    the test writes is committed, and removed afterwards.
    """
    return AsyncClient()


@pytest.fixture
def isolated_schema() -> Iterator[Registry]:
    """An empty schema: the test declares its own types, and they are forgotten afterwards."""
    with isolated() as declared:
        yield declared

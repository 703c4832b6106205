"""Schemas of a test's own."""

from collections.abc import Iterator

import pytest

from fraiseql.schema.registry import Registry, isolated


@pytest.fixture
def declared() -> Iterator[Registry]:
    """An empty registry, in place for the test."""
    with isolated() as registry:
        yield registry

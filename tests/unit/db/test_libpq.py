"""The function of libpq that psycopg leaves out."""

import sys

import pytest
from psycopg import pq

from fraiseql.db import libpq


@pytest.mark.parametrize("wrapper", [libpq.__file__, None])
def test_without_a_compiled_wrapper_there_is_none(wrapper: str | None) -> None:
    assert libpq.send_sync_of(wrapper) is None


def test_a_library_that_is_not_the_wrappers_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pq, "version", lambda: 90000)

    wrapper = sys.modules[pq.PGconn.__module__].__file__
    assert libpq.send_sync_of(wrapper) is None


def test_rows_are_read_in_place_where_the_wrapper_is_compiled() -> None:
    assert len(libpq.readers) == (len(libpq.READERS) if pq.__impl__ != "python" else 0)
    assert libpq.readers_of(None) == ()

"""Stored operations in one process with many threads, and in PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection, connections
from pytest_django import Settings

from fraiseql.db.statement import numbered
from fraiseql.engine import pipeline
from fraiseql.engine.document import persisted
from fraiseql.engine.document.persisted import Count
from fraiseql.engine.document.request import GraphQLRequest, from_payload
from fraiseql.engine.pipeline import execute
from fraiseql.engine.statistics import Statistics, statistics
from tests.integration.edges.served import until

TEXT = "{ makers { name } }"


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    """Nothing is in memory, before and after."""
    statistics._counts = {}
    pipeline._engine.cache_clear()
    yield
    pipeline._engine.cache_clear()


@pytest.fixture
def store(transactional_db: None) -> Iterator[None]:
    """The store as all connections see it, emptied afterwards."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE tb_persisted_operation CASCADE")


def automatic(text: str, *, with_text: bool = True) -> GraphQLRequest:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": persisted.hash_of(text)}}
    return from_payload({"query": text if with_text else None, "extensions": extensions})


def rows(query: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@pytest.mark.usefixtures("store")
def test_twenty_clients_store_one_operation_at_once() -> None:
    def ask(number: int) -> bytes:
        pipeline._engine.cache_clear()  # Each is a process of its own.
        try:
            return execute(automatic(TEXT)).body
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as threads:
        answers = set(threads.map(ask, range(20)))
    statistics.flush()

    assert len(answers) == 1
    assert rows("SELECT text, uses, errors FROM tb_persisted_operation") == [(TEXT, 20, 0)]


@pytest.mark.usefixtures("store")
def test_a_client_that_stores_without_end_fills_nothing(settings: Settings) -> None:
    settings.FRAISEQL = {"APQ_MAX_PER_MINUTE": 0, "APQ_MAX_STORED": 50}

    def ask(first: int) -> None:
        try:
            for number in range(first, first + 100):
                assert not execute(automatic(f"{TEXT} # {number}")).has_errors
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(ask, range(0, 400, 100)))

    # Those that store at the same moment do not see one another; the next one makes up for them.
    assert execute(automatic(f"{TEXT} # last")).has_errors is False
    assert rows("SELECT count(*) FROM tb_persisted_operation") == [(50,)]


@pytest.mark.usefixtures("store")
def test_statistics_add_up_after_concurrent_use() -> None:
    failing = "query Q($n: Int!) { makers(limit: $n) { name } }"
    execute(automatic(TEXT))
    execute(automatic(failing)._replace(variables={"n": 1}))

    def ask(_: int) -> None:
        try:
            for _each in range(5):
                execute(automatic(TEXT, with_text=False))
                execute(automatic(failing, with_text=False))
                statistics.flush()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(8)))
    statistics.flush()

    counted = rows(
        "SELECT text, uses, errors, max_ms > 0, total_ms >= max_ms, last_used_at > created_at"
        "  FROM tb_persisted_operation ORDER BY errors"
    )
    assert counted == [(TEXT, 41, 0, True, True, True), (failing, 41, 40, True, True, True)]


@pytest.mark.django_db
def test_statistics_can_be_switched_off(settings: Settings) -> None:
    settings.FRAISEQL = {"OPERATION_STATISTICS": False}
    execute(automatic(TEXT))

    assert statistics._counts == {}


@pytest.mark.django_db
def test_statistics_that_cannot_be_written_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    counted = Statistics()
    counted.note("default", ("", "a" * 64), 2.5, False)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tb_persisted_operation RENAME TO elsewhere")
    counted.flush()
    counted.note("default", ("", "a" * 64), 1.5, True)

    assert counted._counts == {("default", ("", "a" * 64)): Count(2, 1, 4.0, 2.5)}
    assert "are not written" in caplog.text


@pytest.mark.usefixtures("store")
def test_outside_of_tests_counts_are_written_in_the_background(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute(automatic(TEXT))
    monkeypatch.delattr(mail, "outbox")
    monkeypatch.setattr("fraiseql.engine.statistics.INTERVAL_S", 0.01)
    counted = Statistics()
    for _ in range(3):
        counted.note("default", ("", persisted.hash_of(TEXT)), 5.0, False)
    until(lambda: rows("SELECT uses FROM tb_persisted_operation") == [(3,)])
    counted.close()
    until(lambda: counted._writer is not None and not counted._writer.is_alive())


@pytest.mark.django_db(transaction=True)
def test_the_store_is_made_and_removed_by_migrations() -> None:
    try:
        call_command("migrate", "fraiseql", "zero", verbosity=0)
        assert rows("SELECT to_regclass('tb_persisted_operation')") == [(None,)]
    finally:
        # All: what depends on it, the shop's functions, went with it.
        call_command("migrate", verbosity=0)

    assert rows("SELECT count(*) FROM tb_persisted_operation_id") == [(0,)]


def test_every_statement_is_one_that_postgresql_prepares(server_uri: str) -> None:
    folder = files("fraiseql").joinpath("sql", "tables")
    with psycopg.connect(server_uri, autocommit=True) as client:
        for name in ("operation", "operation_last_used_at_idx", "operation_id"):
            client.execute(folder.joinpath(f"tb_persisted_{name}.sql").read_bytes())
        for name in ("find", "store", "registered", "count"):
            text = persisted.sql(name)
            client.execute(b"DEALLOCATE ALL")
            client.pgconn.prepare(b"one", numbered(text))

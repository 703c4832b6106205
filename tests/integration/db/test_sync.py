"""Statements on Django's connection belong to the caller's transaction and are counted."""

import psycopg
import pytest
from django.db import DataError, connection, connections, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from fraiseql.db import pool, sync
from fraiseql.db.embedded import EmbeddedServer
from fraiseql.db.statement import Statement
from fraiseql.errors import BadUserInput, Conflict, DatabaseFault, ServiceUnavailable, StaleCatalog

PID = Statement("SELECT pg_backend_pid()")
NAME = Statement("SELECT current_setting('app.name', true)")


def _terminate(server: EmbeddedServer, pid: str) -> None:
    with psycopg.connect(server.uri(), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


class InATestCase(TestCase):
    """The transaction of a ``TestCase`` is the one that both ways read."""

    def setUp(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE visible (name text); INSERT INTO visible VALUES ('here')")

    def test_sync_sees_it_and_is_counted(self) -> None:
        with self.assertNumQueries(1):
            rows = sync.fetch(Statement("SELECT name FROM visible"))

        assert rows.column(0) == [b"here"]

    def test_a_failed_statement_is_undone_alone(self) -> None:
        with self.assertNumQueries(3):
            with pytest.raises(BadUserInput):
                sync.fetch(Statement("SELECT 1 / 0"))
            with pytest.raises(StaleCatalog):
                sync.fetch(Statement("SELECT * FROM invisible"))
            rows = sync.fetch(Statement("SELECT name FROM visible"))

        assert rows.column(0) == [b"here"]

    def test_each_statement_of_a_flight_is_counted_and_its_settings_are_not(self) -> None:
        with self.assertNumQueries(2):
            flight = [Statement("SELECT name FROM visible"), NAME]
            rows = sync.fetch_all(flight, session=(("app.name", "A"),))

        assert [answer.column(0) for answer in rows] == [[b"here"], [b"A"]]

    async def test_async_flies_in_it(self) -> None:
        flight = [Statement("SELECT name FROM visible"), NAME]
        rows = await pool.fetch_all(flight, session=(("app.name", "A"),))

        assert [answer.column(0) for answer in rows] == [[b"here"], [b"A"]]

    async def test_async_sees_it(self) -> None:
        rows = await pool.fetch(Statement("SELECT name FROM visible WHERE name = %s", ("here",)))

        assert rows.column(0) == [b"here"]


@pytest.mark.django_db
def test_values_come_as_postgresql_prints_them() -> None:
    statement = Statement(
        """SELECT '{"a": "\\u00e9", "n": 1.10}'::jsonb, NULL, '2024-01-02 03:04Z'::timestamptz, 5 %% 3
            UNION ALL SELECT %s::jsonb, %s, NULL, NULL""",
        ('"ä\\\\"', None),
    )

    rows = sync.fetch(statement)

    assert len(rows) == 2
    assert rows.column(0) == ['{"a": "é", "n": 1.10}'.encode(), '"ä\\\\"'.encode()]
    assert rows.column(1) == [None, None]
    assert rows.column(2) == [b"2024-01-02 03:04:00+00", None]
    assert rows.column(3) == [b"2", None]
    with pytest.raises(IndexError, match="4 columns"):
        rows.column(4)


@pytest.mark.django_db
def test_the_query_log_has_the_statement() -> None:
    with CaptureQueriesContext(connection) as captured:
        sync.fetch(Statement("SELECT %s::int", ("7",)))

    assert [query["sql"] for query in captured] == ["SELECT '7'::int"]


def test_a_read_on_a_connection_gone_stale_is_sent_again(
    own_alias: str, own_server: EmbeddedServer
) -> None:
    pid = sync.fetch(PID, own_alias).column(0)[0]
    assert pid is not None
    _terminate(own_server, pid.decode())

    assert sync.fetch(PID, own_alias).column(0) != [pid]


def test_a_write_on_a_connection_gone_stale_is_not_sent_again(
    own_alias: str, own_server: EmbeddedServer
) -> None:
    pid = sync.fetch(PID, own_alias).column(0)[0]
    assert pid is not None
    _terminate(own_server, pid.decode())

    with pytest.raises(ServiceUnavailable):
        sync.fetch(PID._replace(writes=True), own_alias)
    assert sync.fetch(PID, own_alias).column(0) != [pid]


def test_inside_a_transaction_nothing_is_sent_again(
    own_alias: str, own_server: EmbeddedServer
) -> None:
    def read_across_a_lost_connection() -> None:
        with transaction.atomic(own_alias):
            pid = sync.fetch(PID, own_alias).column(0)[0]
            assert pid is not None
            _terminate(own_server, pid.decode())
            sync.fetch(PID, own_alias)

    with pytest.raises(ServiceUnavailable):
        read_across_a_lost_connection()
    assert len(sync.fetch(PID, own_alias)) == 1


def test_what_a_transaction_wrote_is_not_committed_by_reading(own_alias: str) -> None:
    table = Statement("SELECT to_regclass('unwanted')")
    with transaction.atomic(own_alias):
        sync.fetch(Statement("SELECT 1"), own_alias)
        sync.fetch(Statement("CREATE TABLE unwanted (a int)", writes=True), own_alias)
        assert sync.fetch(table, own_alias).column(0) == [b"unwanted"]
        transaction.set_rollback(True, using=own_alias)

    assert sync.fetch(table, own_alias).column(0) == [None]


def test_a_transaction_that_failed_already_is_a_fault(own_alias: str) -> None:
    with transaction.atomic(own_alias):
        with connections[own_alias].cursor() as cursor, pytest.raises(DataError):
            cursor.execute("SELECT 1 / 0")
        with pytest.raises(DatabaseFault, match="25P02"):
            sync.fetch(Statement("SELECT 1"), own_alias)
        transaction.set_rollback(True, using=own_alias)


def test_a_lost_race_is_run_again_once(alias: str, client: psycopg.Connection) -> None:
    client.execute(
        """
        CREATE SEQUENCE IF NOT EXISTS tries;
        CREATE OR REPLACE FUNCTION lose(times int) RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE try bigint := nextval('tries');
        BEGIN
            IF try <= times THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF;
            RETURN try;
        END $$"""
    )
    client.execute("ALTER SEQUENCE tries RESTART")

    assert sync.fetch(Statement("SELECT lose(1)"), alias).column(0) == [b"2"]

    client.execute("ALTER SEQUENCE tries RESTART")
    with pytest.raises(Conflict):
        sync.fetch(Statement("SELECT lose(2)"), alias)


def test_a_server_that_is_down_is_named_at_once(own_alias: str, own_server: EmbeddedServer) -> None:
    connections[own_alias].close()
    own_server.stop()

    with pytest.raises(ServiceUnavailable) as caught:
        sync.fetch(PID, own_alias)
    own_server.start()

    assert caught.value.hint
    assert len(sync.fetch(PID, own_alias)) == 1

"""Several statements in one round trip: one transaction, all or nothing, on both ways."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import psycopg
import pytest
from django.db import connections, transaction

from fraiseql.db import pool, sync
from fraiseql.db.flight import Session
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.errors import BadUserInput, Conflict, DatabaseFault, ServiceUnavailable

Fly = Callable[..., list[Rows]]

COUNT = Statement("SELECT count(*) FROM flown")
INSERT = Statement("INSERT INTO flown VALUES (%s)", ("1",), writes=True)
NAME = Statement("SELECT current_setting('app.name', true)")
A: Session = (("app.name", "A"),)


def _by_pool(statements: Sequence[Statement], using: str, session: Session = ()) -> list[Rows]:
    return asyncio.run(pool.fetch_all(statements, using, session))


def _in_transaction(
    statements: Sequence[Statement], using: str, session: Session = ()
) -> list[Rows]:
    with transaction.atomic(using):
        return sync.fetch_all(statements, using, session)


@pytest.fixture(params=[_by_pool, sync.fetch_all, _in_transaction])
def fly(request: pytest.FixtureRequest, as_served: None) -> Fly:
    """``fetch_all`` on each way."""
    made: Fly = request.param
    return made


@pytest.fixture(autouse=True)
def table(client: psycopg.Connection) -> None:
    client.execute(
        """
        DROP TABLE IF EXISTS flown;
        CREATE TABLE flown (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)"""
    )


def test_each_statement_sees_what_those_before_it_did(fly: Fly, alias: str) -> None:
    answers = fly([COUNT, INSERT, COUNT], alias)

    assert [rows.column(0) for rows in (answers[0], answers[2])] == [[b"0"], [b"1"]]
    assert len(answers[1]) == 0
    assert fly([COUNT], alias)[0].column(0) == [b"1"]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("text", ["SELECT 1 / %s::int", "SELECT * FROM nowhere WHERE n = %s"])
def test_one_that_fails_undoes_all_and_is_named(
    place: int, text: str, fly: Fly, alias: str, caplog: pytest.LogCaptureFixture
) -> None:
    statements = [INSERT, COUNT]
    statements.insert(place, Statement(text, ("0",)))

    with caplog.at_level(logging.WARNING, "psycopg"):
        for session in ((), A):
            with pytest.raises((BadUserInput, DatabaseFault)) as caught:
                fly(statements, alias, session)

            assert caught.value.statement == place
            assert caught.value.__cause__ is not None
    assert fly([COUNT], alias)[0].column(0) == [b"0"]
    assert not caplog.records


def test_what_fails_at_the_commit_is_no_statements_fault(
    fly: Fly, alias: str, request: pytest.FixtureRequest
) -> None:
    if "_in_transaction" in request.node.callspec.id:
        pytest.skip("the caller's commit")
    with pytest.raises(Conflict) as caught:
        fly([INSERT, INSERT, COUNT], alias)

    assert caught.value.statement is None
    assert fly([COUNT], alias)[0].column(0) == [b"0"]


def test_settings_hold_for_the_flight_alone(fly: Fly, alias: str) -> None:
    assert fly([NAME, NAME], alias, A)[1].column(0) == [b"A"]
    assert fly([NAME], alias)[0].column(0) in ([b""], [None])


def test_settings_of_a_flight_that_fails_are_gone(fly: Fly, alias: str) -> None:
    with pytest.raises(BadUserInput):
        fly([Statement("SELECT 1 / 0"), NAME], alias, A)

    assert fly([NAME], alias)[0].column(0) in ([b""], [None])


def test_a_setting_that_postgresql_refuses_is_no_statements_fault(fly: Fly, alias: str) -> None:
    with pytest.raises(DatabaseFault, match="42704") as caught:
        fly([COUNT], alias, (("no_such_setting", "1"),))

    assert caught.value.statement is None


def test_the_callers_transaction_gets_its_own_settings_back(alias: str) -> None:
    with transaction.atomic(alias):
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT set_config('app.name', 'mine', true)")
            cursor.execute("SET LOCAL statement_timeout = '7min'")
        assert sync.fetch(NAME, alias, A).column(0) == [b"A"]
        with pytest.raises(BadUserInput):
            sync.fetch(Statement("SELECT 1 / 0"), alias, A)
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('app.name'), current_setting('statement_timeout')"
            )
            assert cursor.fetchone() == ("mine", "7min")


@pytest.mark.usefixtures("as_served")
def test_a_text_is_prepared_once_in_a_flight_of_many(
    alias: str, configure: Callable[..., object]
) -> None:
    configure(POOL_MAX_SIZE=1)
    prepared = Statement("SELECT count(*) FROM pg_prepared_statements")

    async def scenario() -> list[bytes | None]:
        await pool.fetch_all([NAME, NAME, prepared], alias, A)
        return (await pool.fetch(prepared, alias)).column(0)

    assert asyncio.run(scenario()) == [b"3"]  # Two texts and the session's.


@pytest.mark.usefixtures("as_served")
def test_a_flight_that_writes_is_not_sent_again(
    alias: str, client: psycopg.Connection, configure: Callable[..., object]
) -> None:
    configure(POOL_MAX_SIZE=1)
    end = Statement("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(ServiceUnavailable):
        asyncio.run(pool.fetch_all([INSERT, end], alias))
    assert asyncio.run(pool.fetch(COUNT, alias)).column(0) == [b"0"]


def test_a_lost_race_is_run_again_as_a_whole(
    fly: Fly, alias: str, client: psycopg.Connection, request: pytest.FixtureRequest
) -> None:
    client.execute(
        """
        CREATE SEQUENCE IF NOT EXISTS tries;
        CREATE OR REPLACE FUNCTION lose(times int) RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE try bigint := nextval('tries');
        BEGIN
            IF try <= times THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF;
            RETURN try;
        END $$;
        ALTER SEQUENCE tries RESTART"""
    )
    flight = [INSERT, Statement("SELECT lose(1)", writes=True), COUNT]
    if "_in_transaction" in request.node.callspec.id:
        with pytest.raises(Conflict):  # The caller's transaction may have done more.
            fly(flight, alias)
        return

    assert [rows.column(0) for rows in fly(flight, alias)[1:]] == [[b"2"], [b"1"]]

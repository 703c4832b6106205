"""The asynchronous pool: bounded, patient, and well again by itself."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
import uvloop
from django.db import connections

from fraiseql.db import connections as connections_module
from fraiseql.db import link as link_module
from fraiseql.db import pool
from fraiseql.db.connections import parameters
from fraiseql.db.embedded import EmbeddedServer
from fraiseql.db.flight import Flight, step_of
from fraiseql.db.link import Link
from fraiseql.db.statement import Statement
from fraiseql.errors import (
    BadUserInput,
    ConfigurationError,
    Conflict,
    FraiseQLError,
    ServiceUnavailable,
    StaleCatalog,
    Timeout,
)

pytestmark = pytest.mark.usefixtures("as_served", "way")

Configure = Callable[..., object]

PID = Statement("SELECT pg_backend_pid()")
SLEEP = Statement("SELECT pg_sleep(%s)", ("60",))


async def _value(statement: Statement, using: str) -> bytes | None:
    return (await pool.fetch(statement, using)).column(0)[0]


async def _until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.02)


def _sleeping(client: psycopg.Connection) -> int:
    row = client.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(%'"
        " AND pid <> pg_backend_pid()"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _clients(client: psycopg.Connection) -> int:
    row = client.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'fraiseql'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_200_statements_at_once_share_four_connections(
    alias: str, client: psycopg.Connection, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=4)
    client.execute("CREATE TABLE IF NOT EXISTS answers AS SELECT generate_series(0, 199) AS n")
    statement = "SELECT n, pg_backend_pid(), pg_sleep(0.002) FROM answers WHERE n = %s"

    async def scenario() -> set[bytes | None]:
        results = await asyncio.gather(
            *(pool.fetch(Statement(statement, (str(n),)), alias) for n in range(200))
        )
        assert [rows.column(0) for rows in results] == [[str(n).encode()] for n in range(200)]
        return {rows.column(1)[0] for rows in results}

    assert len(asyncio.run(scenario())) == 4


def test_its_figures_say_what_it_holds(alias: str, configure: Configure) -> None:
    configure(POOL_MAX_SIZE=2)

    async def scenario() -> tuple[pool.Figures, pool.Figures]:
        for _ in range(3):
            await _value(PID, alias)
        unused = pool.figures()[alias]
        running = [asyncio.create_task(_value(SLEEP, alias)) for _ in range(4)]
        await _until(lambda: pool.figures()[alias].waiting > 0)
        used = pool.figures()[alias]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return unused, used

    unused, used = asyncio.run(scenario())

    assert (unused.lanes + unused.idle, unused.busy, unused.waiting) == (1, 0, 0)
    assert (used.lanes + used.busy, used.idle) == (2, 0)
    assert used.waiting == 4 - used.busy


def test_the_session_has_djangos_zone_and_the_timeout(alias: str, configure: Configure) -> None:
    configure(STATEMENT_TIMEOUT_MS=12_000)
    statement = Statement(
        "SELECT current_setting('TimeZone') || ' ' || current_setting('statement_timeout')"
        " || ' ' || current_setting('application_name')"
    )

    assert asyncio.run(_value(statement, alias)) == b"UTC 12s fraiseql"


def test_a_role_to_assume_is_assumed(alias: str, client: psycopg.Connection) -> None:
    client.execute(
        "DO $$ BEGIN CREATE ROLE narrow; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "GRANT narrow TO CURRENT_USER"
    )
    connections.settings[alias]["OPTIONS"] = {"assume_role": "narrow"}

    assert asyncio.run(_value(Statement("SELECT current_user"), alias)) == b"narrow"


def test_another_engine_than_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lite = connections.configure_settings(
        {"default": {}, "lite": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    )
    monkeypatch.setitem(connections.settings, "lite", lite["lite"])

    with pytest.raises(ConfigurationError, match="SQLite, not PostgreSQL"):
        asyncio.run(pool.fetch(PID, "lite"))


def test_a_large_parameter_and_a_large_result_pass(alias: str) -> None:
    text = "é" * 8_000_000

    async def scenario() -> bytes | None:
        return await _value(Statement("SELECT %s::text || '!'", (text,)), alias)

    assert asyncio.run(scenario()) == f"{text}!".encode()


def test_what_is_no_result_has_no_rows(alias: str) -> None:
    async def scenario() -> list[int]:
        return [
            len(await pool.fetch(Statement(text), alias))
            for text in ("CREATE TEMP TABLE t (a int)", "", "SELECT 1 WHERE false")
        ]

    assert asyncio.run(scenario()) == [0, 0, 0]


def test_copy_is_refused_and_the_next_statement_served(alias: str) -> None:
    async def scenario() -> bytes | None:
        with pytest.raises(FraiseQLError):
            await pool.fetch(Statement("COPY (SELECT 1) TO STDOUT"), alias)
        return await _value(Statement("SELECT 1"), alias)

    assert asyncio.run(scenario()) == b"1"


def test_a_statement_too_slow_is_a_timeout_and_ends_in_the_server(
    alias: str, client: psycopg.Connection, configure: Configure
) -> None:
    configure(STATEMENT_TIMEOUT_MS=100, POOL_MAX_SIZE=1)

    async def scenario() -> tuple[bytes | None, bytes | None]:
        before = await _value(PID, alias)
        with pytest.raises(Timeout):
            await pool.fetch(SLEEP, alias)
        await _until(lambda: not _sleeping(client))
        return before, await _value(PID, alias)

    before, after = asyncio.run(scenario())
    assert before == after


def test_a_server_that_falls_silent_is_a_timeout(
    alias: str,
    client: psycopg.Connection,
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(STATEMENT_TIMEOUT_MS=100)
    monkeypatch.setattr(pool, "TEND_S", 0.05)
    monkeypatch.setattr(pool, "SILENCE_S", 0.2)
    # A server that does not keep to its own timeout stands for one that cannot be heard.
    lift = Statement("SELECT set_config('statement_timeout', '0', false)")

    async def scenario() -> bytes | None:
        await pool.fetch(lift, alias)
        with pytest.raises(Timeout):
            await pool.fetch(SLEEP, alias)
        return await _value(Statement("SELECT 1"), alias)

    assert asyncio.run(scenario()) == b"1"
    client.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name = 'fraiseql' AND query LIKE '%pg_sleep%'"
    )


def test_without_a_free_connection_the_wait_is_bounded(
    alias: str, client: psycopg.Connection, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=1, POOL_TIMEOUT_MS=100)

    async def scenario() -> float:
        slow = asyncio.create_task(pool.fetch(Statement("SELECT pg_sleep(3)"), alias))
        await _until(lambda: _sleeping(client) == 1)
        start = time.monotonic()
        with pytest.raises(ServiceUnavailable, match="All 1 connections") as caught:
            await pool.fetch(PID, alias)
        assert caught.value.hint is not None
        assert "POOL_MAX_SIZE" in caught.value.hint
        waited = time.monotonic() - start
        slow.cancel()
        await pool.fetch(PID, alias)
        return waited

    assert 0.09 < asyncio.run(scenario()) < 2


def test_a_client_that_leaves_ends_its_statement_and_the_connection_serves_on(
    alias: str, client: psycopg.Connection, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=1)

    async def scenario() -> tuple[bytes | None, bytes | None]:
        before = await _value(PID, alias)
        await pool.fetch(SLEEP._replace(params=("0",)), alias)
        for _ in range(3):
            request = asyncio.create_task(pool.fetch(SLEEP, alias))
            await _until(lambda: _sleeping(client) == 1)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request
        after = await _value(PID, alias)
        assert _sleeping(client) == 0
        return before, after

    before, after = asyncio.run(scenario())
    assert before == after


def test_clients_that_leave_at_any_moment_do_no_harm(alias: str, configure: Configure) -> None:
    configure(POOL_MAX_SIZE=3)

    async def scenario() -> None:
        for delay in range(60):
            tasks = [
                asyncio.create_task(
                    pool.fetch(Statement("SELECT %s::int, pg_sleep(0.003)", (str(n),)), alias)
                )
                for n in range(12)
            ]
            await asyncio.sleep(delay / 5000)
            for task in tasks[::2]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            kept = [rows.column(0) for rows in results[1::2] if not isinstance(rows, BaseException)]
            assert kept == [[str(n).encode()] for n in range(1, 12, 2)]

    asyncio.run(scenario())


def test_a_statement_that_cannot_be_cancelled_costs_its_connection_only(
    own_alias: str,
    own_server: EmbeddedServer,
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(POOL_MAX_SIZE=1)
    monkeypatch.setattr(pool, "CANCEL_S", 0.2)

    async def scenario() -> tuple[bytes | None, bytes | None]:
        deaf = Statement("SELECT deaf_sleep() -- as pg_sleep() but deaf")
        with psycopg.connect(own_server.uri(), autocommit=True) as other:
            other.execute(
                """CREATE OR REPLACE FUNCTION deaf_sleep() RETURNS void LANGUAGE plpgsql AS $$
                BEGIN
                    FOR n IN 1..20 LOOP
                        BEGIN PERFORM pg_sleep(0.1);
                        EXCEPTION WHEN query_canceled THEN NULL; END;
                    END LOOP;
                END $$"""
            )
            await _until(lambda: not _sleeping(other))
            before = await _value(PID, own_alias)
            request = asyncio.create_task(pool.fetch(deaf, own_alias))
            await _until(lambda: _sleeping(other) == 1)
            request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        return before, await _value(PID, own_alias)

    before, after = asyncio.run(scenario())
    assert before != after


def test_a_broken_connection_is_replaced_and_a_read_sent_again(
    alias: str, client: psycopg.Connection, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=1)

    async def scenario() -> None:
        pid = await _value(PID, alias)
        reading = asyncio.create_task(
            pool.fetch(Statement("SELECT pg_sleep(1)::text || 'x'"), alias)
        )
        await _until(lambda: _sleeping(client) == 1)
        client.execute("SELECT pg_terminate_backend(%s)", (pid and pid.decode(),))

        assert (await reading).column(0) == [b"x"]
        assert await _value(PID, alias) != pid

    asyncio.run(scenario())


def test_a_write_on_a_broken_connection_is_not_sent_again(
    alias: str, client: psycopg.Connection, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=1)

    async def scenario() -> None:
        pid = await _value(PID, alias)
        writing = asyncio.create_task(
            pool.fetch(Statement("SELECT pg_sleep(5)", writes=True), alias)
        )
        await _until(lambda: _sleeping(client) == 1)
        client.execute("SELECT pg_terminate_backend(%s)", (pid and pid.decode(),))
        with pytest.raises(ServiceUnavailable) as caught:
            await writing
        assert isinstance(caught.value.__cause__, psycopg.errors.AdminShutdown)

    asyncio.run(scenario())


def test_a_connection_that_breaks_while_free_is_noticed_at_once(
    alias: str, client: psycopg.Connection
) -> None:
    async def scenario() -> None:
        pid = await _value(PID, alias)
        client.execute("SELECT pg_terminate_backend(%s, 5000)", (pid and pid.decode(),))
        await asyncio.sleep(0.1)
        writing = Statement("SELECT 1", writes=True)

        assert await _value(writing, alias) == b"1"

    asyncio.run(scenario())


def test_a_restarted_server_serves_the_next_request(
    own_alias: str, own_server: EmbeddedServer
) -> None:
    async def scenario() -> None:
        assert await _value(Statement("SELECT 1"), own_alias) == b"1"
        await asyncio.to_thread(own_server.stop)
        start = time.monotonic()
        results = await asyncio.gather(
            *(pool.fetch(PID, own_alias) for _ in range(50)), return_exceptions=True
        )
        assert all(isinstance(error, ServiceUnavailable) for error in results)
        assert time.monotonic() - start < 4
        await asyncio.to_thread(own_server.start)

        assert await _value(Statement("SELECT 1"), own_alias) == b"1"

    asyncio.run(scenario())


def test_statements_go_on_across_a_restart(own_alias: str, own_server: EmbeddedServer) -> None:
    """Under way and in the queue while the server stops: each ends, with rows or with an error."""

    async def scenario() -> None:
        stop = False
        outcomes: list[str] = []

        async def client() -> None:
            while not stop:
                try:
                    await pool.fetch(Statement("SELECT pg_sleep(0.01)"), own_alias)
                    outcomes.append("rows")
                except ServiceUnavailable:
                    outcomes.append("unavailable")
                    await asyncio.sleep(0.01)

        clients = [asyncio.create_task(client()) for _ in range(20)]
        await asyncio.sleep(0.3)
        await asyncio.to_thread(own_server.stop)
        await asyncio.to_thread(own_server.start)
        outcomes.clear()
        await _until(lambda: outcomes.count("rows") > 50)
        stop = True
        await asyncio.gather(*clients)
        assert outcomes[-20:] == ["rows"] * 20

    asyncio.run(scenario())


@asynccontextmanager
async def _mute_server() -> AsyncIterator[int]:
    """A server that takes connections and never says a word."""
    closing = asyncio.Event()

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await closing.wait()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        closing.set()
        server.close()
        await server.wait_closed()


def test_once_a_mute_server_is_known_requests_do_not_wait_their_whole_time(
    alias: str, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(POOL_TIMEOUT_MS=20_000)
    monkeypatch.setattr(pool, "PATIENCE_S", 0.1)

    async def scenario() -> tuple[float, float]:
        async with _mute_server() as port:
            connections.settings[alias] |= {"HOST": "127.0.0.1", "PORT": str(port)}
            connections.settings[alias]["OPTIONS"] = {"connect_timeout": 2}
            times = []
            for _ in range(2):
                start = time.monotonic()
                with pytest.raises(ServiceUnavailable):
                    await pool.fetch(PID, alias)
                times.append(time.monotonic() - start)
            return times[0], times[1]

    first, second = asyncio.run(scenario())
    assert first < 15
    assert second < 1.5


def test_more_connections_than_the_server_takes_queue_for_those_there_are(
    alias: str, client: psycopg.Connection, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=8)
    client.execute("DROP ROLE IF EXISTS pair; CREATE ROLE pair LOGIN CONNECTION LIMIT 2")
    connections.settings[alias]["USER"] = "pair"

    async def scenario() -> set[bytes | None]:
        statement = Statement("SELECT pg_backend_pid(), pg_sleep(0.05)")
        results = await asyncio.gather(*(pool.fetch(statement, alias) for _ in range(20)))
        return {rows.column(0)[0] for rows in results}

    assert len(asyncio.run(scenario())) == 2


def test_a_changed_view_is_reported_once_and_read_by_new_connections(
    alias: str, client: psycopg.Connection
) -> None:
    client.execute("DROP VIEW IF EXISTS changing; CREATE VIEW changing AS SELECT 1 AS a")
    # Each waits for the lock, so that all four connections have prepared it before one is free again.
    statement = Statement("SELECT a FROM changing, pg_advisory_xact_lock_shared(435)")
    waiting = "SELECT count(*) = 4 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

    async def scenario() -> bytes | None:
        client.execute("SELECT pg_advisory_lock(435)")
        fetches = asyncio.gather(*(pool.fetch(statement, alias) for _ in range(4)))
        await _until(lambda: bool((client.execute(waiting).fetchone() or [False])[0]))
        client.execute("SELECT pg_advisory_unlock(435)")
        await fetches
        client.execute("DROP VIEW changing; CREATE VIEW changing AS SELECT 'one' AS a")
        with pytest.raises(StaleCatalog):
            await pool.fetch(statement, alias)
        return await _value(statement, alias)

    assert asyncio.run(scenario()) == b"one"


def test_statements_deallocated_behind_our_back_are_prepared_again(
    alias: str, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=1)

    async def scenario() -> bytes | None:
        await pool.fetch(Statement("SELECT 1"), alias)
        await pool.fetch(Statement("DEALLOCATE ALL"), alias)
        with pytest.raises(StaleCatalog):
            await pool.fetch(Statement("SELECT 1"), alias)
        return await _value(Statement("SELECT 1"), alias)

    assert asyncio.run(scenario()) == b"1"


def test_a_text_is_prepared_once_and_a_connection_with_too_many_replaced(
    alias: str, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(POOL_MAX_SIZE=1)
    monkeypatch.setattr(link_module, "MAX_PREPARED", 3)
    prepared = Statement("SELECT count(*) FROM pg_prepared_statements")

    async def scenario() -> list[bytes | None]:
        pid = await _value(PID, alias)
        assert await _value(PID, alias) == pid
        counts = [await _value(prepared, alias), await _value(prepared, alias)]
        assert await _value(PID, alias) == pid
        await pool.fetch(Statement("SELECT 3"), alias)
        assert await _value(PID, alias) != pid
        return counts

    assert asyncio.run(scenario()) == [b"2", b"2"]


def test_nothing_is_prepared_where_django_is_told_of_a_pooler(
    alias: str, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=1)
    connections.settings[alias]["DISABLE_SERVER_SIDE_CURSORS"] = True
    prepared = Statement("SELECT count(*), %s::text FROM pg_prepared_statements", ("50%",))

    async def scenario() -> list[bytes | None]:
        rows = [await pool.fetch(prepared, alias) for _ in range(2)]
        return rows[0].column(0) + rows[1].column(0) + rows[1].column(1)

    assert asyncio.run(scenario()) == [b"0", b"0", b"50%"]


def test_a_statement_that_fails_to_prepare_leaves_the_connection_in_use(
    alias: str, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=1)

    async def scenario() -> tuple[bytes | None, bytes | None]:
        before = await _value(PID, alias)
        with pytest.raises(BadUserInput):
            await pool.fetch(Statement("SELECT 'x'::date"), alias)
        return before, await _value(PID, alias)

    before, after = asyncio.run(scenario())
    assert before == after


def test_connections_unused_or_old_are_closed(
    alias: str, client: psycopg.Connection, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(POOL_MIN_SIZE=1, POOL_MAX_SIZE=4, POOL_MAX_IDLE_S=0)
    monkeypatch.setattr(pool, "TEND_S", 0.05)

    async def scenario() -> None:
        await asyncio.gather(
            *(pool.fetch(Statement("SELECT pg_sleep(0.1)"), alias) for _ in range(4))
        )
        assert _clients(client) == 4
        await _until(lambda: _clients(client) == 1)

    asyncio.run(scenario())


def test_the_fewest_connections_are_opened_without_being_asked_for(
    alias: str, client: psycopg.Connection, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(POOL_MIN_SIZE=3, POOL_MAX_SIZE=4)
    monkeypatch.setattr(pool, "TEND_S", 0.05)

    async def scenario() -> None:
        assert await _value(Statement("SELECT 1"), alias) == b"1"
        await _until(lambda: _clients(client) == 3)
        client.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database()"
        )
        await _until(lambda: _clients(client) == 3)

    asyncio.run(scenario())


def test_connections_are_replaced_when_they_are_old_one_after_the_other(
    alias: str, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(POOL_MIN_SIZE=2, POOL_MAX_SIZE=2, POOL_MAX_LIFETIME_S=1)
    monkeypatch.setattr(pool, "TEND_S", 0.05)

    async def scenario() -> set[bytes | None]:
        seen: set[bytes | None] = set()
        async with asyncio.timeout(20):
            while len(seen) < 4:
                seen.add(await _value(PID, alias))
        return seen

    assert len(asyncio.run(scenario())) == 4


@pytest.mark.parametrize("runner", ["asyncio.run", "close_pools", "abandoned"])
def test_no_connection_outlives_its_loop(
    runner: str, alias: str, client: psycopg.Connection
) -> None:
    async def scenario() -> None:
        await pool.fetch(PID, alias)
        assert _clients(client) == 1
        if runner == "close_pools":
            await pool.close_pools()
            await _until(lambda: _clients(client) == 0)
            await pool.fetch(PID, alias)

    if runner == "abandoned":
        # Not closed as asyncio would have it: the next loop's pool finds out.
        loop = asyncio.new_event_loop()
        loop.run_until_complete(scenario())
        loop.close()
        asyncio.run(scenario_of(pool.fetch, alias))
    else:
        asyncio.run(scenario())
    deadline = time.monotonic() + 5
    while _clients(client):
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def scenario_of(fetch: Callable[..., Coroutine[Any, Any, Any]], alias: str) -> None:
    """Open a pool in this loop."""
    await fetch(PID, alias)


def test_closing_refuses_who_waits_and_ends_what_runs(
    alias: str, client: psycopg.Connection, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=1)

    async def scenario() -> None:
        tasks = [asyncio.create_task(pool.fetch(SLEEP, alias)) for _ in range(3)]
        await _until(lambda: _sleeping(client) == 1)
        await pool.close_pools()
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert [type(error) for error in results] == [Timeout] + [ServiceUnavailable] * 2
        assert _sleeping(client) == 0

    asyncio.run(scenario())


def test_closing_lets_go_of_what_cannot_be_ended(
    alias: str, client: psycopg.Connection, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(POOL_MAX_SIZE=1)
    monkeypatch.setattr(pool, "CANCEL_S", 1e-9)

    async def scenario() -> None:
        task = asyncio.create_task(pool.fetch(SLEEP, alias))
        await _until(lambda: _sleeping(client) == 1)
        await pool.close_pools()
        with pytest.raises((ServiceUnavailable, Timeout)):
            await task

    asyncio.run(scenario())
    client.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name = 'fraiseql' AND query LIKE '%pg_sleep%'"
    )


def test_closing_ends_attempts_to_connect(alias: str) -> None:
    async def scenario() -> None:
        async with _mute_server() as port:
            connections.settings[alias] |= {"HOST": "127.0.0.1", "PORT": str(port)}
            task = asyncio.create_task(pool.fetch(PID, alias))
            await asyncio.sleep(0.1)
            await pool.close_pools()
            with pytest.raises(ServiceUnavailable):
                await task

    asyncio.run(scenario())


def test_a_session_that_cannot_be_set_up_is_unavailable_and_logged_once(
    alias: str, caplog: pytest.LogCaptureFixture
) -> None:
    connections.settings[alias]["OPTIONS"] = {"assume_role": "nobody_of_that_name"}

    async def scenario() -> None:
        for _ in range(3):
            with pytest.raises(ServiceUnavailable) as caught:
                await pool.fetch(PID, alias)
            assert "nobody_of_that_name" not in str(caught.value)

    asyncio.run(scenario())
    assert [record.name for record in caplog.records] == ["fraiseql.db"]
    assert "nobody_of_that_name" in caplog.text


def test_a_statement_sent_on_a_closed_connection_fails_and_tells(alias: str) -> None:
    lost: list[Link] = []

    async def scenario() -> None:
        link = await Link.open(parameters(alias), lost.append)
        link.close()
        with pytest.raises(psycopg.OperationalError):
            await link.send(Flight([("SELECT 1", ())]))
        assert lost == [link]

    asyncio.run(scenario())


def test_a_statement_that_cannot_be_written_fails_and_tells(alias: str) -> None:
    lost: list[Link] = []

    async def scenario() -> None:
        link = await Link.open(parameters(alias), lost.append)
        with socket.socket(fileno=os.dup(link._socket)) as shared:
            shared.shutdown(socket.SHUT_RDWR)
        with pytest.raises(psycopg.OperationalError):
            await link.send(Flight([("SELECT 1", ())]))
        assert lost == [link]

    asyncio.run(scenario())


def test_what_is_not_yet_sent_when_its_connection_closes_fails_and_tells(alias: str) -> None:
    lost: list[Link] = []

    async def scenario() -> None:
        link = await Link.open(parameters(alias), lost.append)
        sent = link.send(Flight([("SELECT 1", ())]))
        link._pgconn.finish()
        with pytest.raises(psycopg.OperationalError):
            await sent
        assert lost == [link]

    asyncio.run(scenario())


def test_a_connection_that_is_of_no_use_is_closed(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "WIDEN", "SELECT 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        asyncio.run(Link.open(parameters(alias), lambda _: None))


def test_a_long_result_that_is_there_is_read_in_one_go(
    alias: str, client: psycopg.Connection
) -> None:
    async def scenario() -> None:
        link = await Link.open(parameters(alias), lambda _: None)
        text = "SELECT repeat('x', 5000) FROM generate_series(1, 8)"
        sent = link.send(Flight([(text, ())]))
        link._flush()
        has_ended = (
            "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query = %s AND state = 'idle'"
        )
        while not client.execute(has_ended, (link._pgconn.backend_pid, text)).fetchone():
            pass
        link.proceed()
        assert len(sent.result()[0]) == 8
        link.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("count", [0, 50])
def test_a_backend_that_ends_with_something_unread_is_noticed(
    count: int, alias: str, client: psycopg.Connection
) -> None:
    """libuv stops watching such a socket."""
    lost: list[Link] = []
    wide = Statement("SELECT %s::text", ("x" * 9000,))

    async def scenario() -> None:
        link = await Link.open(parameters(alias), lost.append)
        sent = [
            link.send(Flight([step_of(one)])) for one in ([SLEEP, *[wide] * count] if count else [])
        ]
        if count:
            await _until(lambda: _sleeping(client) == 1)
        client.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'fraiseql' AND datname = current_database()"
        )
        await _until(lambda: lost == [link])
        ended = await asyncio.gather(*sent, return_exceptions=True)
        assert all(isinstance(error, psycopg.OperationalError) for error in ended)

    uvloop.run(scenario())


def test_loops_have_pools_of_their_own(alias: str) -> None:
    async def scenario() -> bytes | None:
        return await _value(PID, alias)

    async def both() -> tuple[bytes | None, bytes | None]:
        here = await scenario()
        return here, await asyncio.to_thread(asyncio.run, scenario())

    here, there = asyncio.run(both())
    assert here != there


def test_a_lost_race_is_run_again_once(alias: str, client: psycopg.Connection) -> None:
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

    assert asyncio.run(_value(Statement("SELECT lose(1)", writes=True), alias)) == b"2"

    client.execute("ALTER SEQUENCE tries RESTART")
    with pytest.raises(Conflict):
        asyncio.run(pool.fetch(Statement("SELECT lose(2)"), alias))


@pytest.mark.parametrize("certain", [True, False])
def test_an_error_does_not_keep_the_connection(
    certain: bool, alias: str, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=1, POOL_TIMEOUT_MS=1000)

    async def scenario() -> None:
        for _ in range(5):
            with pytest.raises(BadUserInput):
                await pool.fetch(
                    Statement("SELECT 1 / %s::int", ("0" if certain else "a\0",)), alias
                )
        assert await _value(Statement("SELECT 1"), alias) == b"1"

    asyncio.run(scenario())


def test_the_server_watches_whether_its_client_is_still_there(
    alias: str, client: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections_module, "CHECK_MS", 50)

    async def scenario() -> None:
        link = await Link.open(parameters(alias), lambda _: None)
        link.send(Flight([step_of(SLEEP)]))
        await _until(lambda: _sleeping(client) == 1)
        link.close()  # As the end of a process does: nothing is cancelled.
        await _until(lambda: _sleeping(client) == 0)

    asyncio.run(scenario())


def test_a_server_that_cannot_watch_serves_unwatched(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections_module, "CHECK_MS", -1)  # Refused, as elsewhere any value is.
    statement = Statement("SHOW client_connection_check_interval")

    assert asyncio.run(_value(statement, alias)) == b"0"


def test_a_free_connection_has_nothing_to_cancel(alias: str) -> None:
    async def scenario() -> bytes | None:
        link = await Link.open(parameters(alias), lambda _: None)
        await link.cancel(60)
        (rows,) = await link.send(Flight([("SELECT 1", ())]))
        link.close()
        return rows.column(0)[0]

    assert asyncio.run(scenario()) == b"1"


def test_an_answer_that_is_there_within_the_turn_leaves_the_connection_free(alias: str) -> None:
    async def scenario() -> float:
        link = await Link.open(parameters(alias), lambda _: None)
        answer = link.send(Flight([("SELECT 1", ())]))
        while not answer.done():
            link.proceed()  # Which sends what there is to send, as libpq does when it reads.
        await asyncio.sleep(0.01)
        found = link.busy_s
        link.close()
        return found

    assert asyncio.run(scenario()) == 0


def test_options_of_the_project_are_kept(alias: str) -> None:
    connections.settings[alias]["OPTIONS"] = {"options": "-c app.name=a\\ shop"}
    statement = Statement("SELECT current_setting('app.name')")

    assert asyncio.run(_value(statement, alias)) == b"a shop"

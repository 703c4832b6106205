"""Nothing of one request's session variables is ever seen by the next, on any way."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import psycopg
import pytest
from django.db import connections, transaction

from fraiseql.db import catalog, pool, sync
from fraiseql.db.flight import DEFAULTS, Session
from fraiseql.db.horizon import POSITION, UNKNOWN, Horizon, position
from fraiseql.db.link import PoolerFound
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.engine.session import session_of
from fraiseql.engine.viewer import ANONYMOUS, Viewer
from fraiseql.errors import BadUserInput, ServiceUnavailable, Timeout

pytestmark = pytest.mark.usefixtures("as_served", "way")

Read = Callable[[str, Session], list[bytes | None]]

ROWS = Statement("SELECT secret FROM secrets ORDER BY 1")
DIVIDE = Statement("SELECT 1 / count(*) FROM secrets WHERE secret = 'none'")
SLEEP = Statement("SELECT pg_sleep(60)")

SCHEMA = """
DROP TABLE IF EXISTS secrets;
CREATE TABLE secrets (tenant text, secret text);
INSERT INTO secrets VALUES ('A', 'of A'), ('B', 'of B'), ('', 'of nobody');
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON secrets
    USING (tenant = nullif(current_setting('app.tenant_id', true), ''))
"""


def _of(tenant: str) -> Session:
    return session_of(Viewer(user_id="1", session=(("app.tenant_id", tenant),)))


@pytest.fixture(params=["direct", "pooled"])
def reader(
    request: pytest.FixtureRequest,
    alias: str,
    client: psycopg.Connection,
    configure: Callable[..., object],
) -> str:
    """An alias with one connection, of a role that forced policies hold for."""
    client.execute(SCHEMA)
    configure(POOL_MAX_SIZE=1, STATEMENT_TIMEOUT_MS=150)
    if request.param == "direct":
        return alias
    pooled: str = request.getfixturevalue("pooled_alias")
    return pooled


@pytest.mark.parametrize("before", ["served", "failed", "timed out", "left"])
def test_through_the_pool_b_never_sees_what_is_as(before: str, reader: str) -> None:
    async def scenario() -> list[list[bytes | None]]:
        if before == "served":
            assert (await pool.fetch(ROWS, reader, _of("A"))).column(0) == [b"of A"]
        elif before == "failed":
            with pytest.raises(BadUserInput):
                await pool.fetch_all([ROWS, DIVIDE], reader, _of("A"))
        elif before == "timed out":
            with pytest.raises(Timeout):
                await pool.fetch_all([ROWS, SLEEP], reader, _of("A"))
        else:
            task = asyncio.create_task(pool.fetch(SLEEP, reader, _of("A")))
            await asyncio.sleep(0.1)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        sessions = ((), session_of(ANONYMOUS), _of("B"), ())
        return [(await pool.fetch(ROWS, reader, session)).column(0) for session in sessions]

    assert asyncio.run(scenario()) == [[], [], [b"of B"], []]


@pytest.mark.parametrize("before", ["served", "failed", "timed out"])
@pytest.mark.parametrize("is_inside", [False, True])
def test_on_djangos_connection_b_never_sees_what_is_as(
    before: str, is_inside: bool, reader: str
) -> None:
    flight = {"served": [ROWS], "failed": [ROWS, DIVIDE], "timed out": [ROWS, SLEEP]}[before]

    def scenario() -> list[list[bytes | None]]:
        with suppress(BadUserInput, Timeout):
            rows = sync.fetch_all(flight, reader, _of("A"))
            assert rows[0].column(0) == [b"of A"]
        sessions = ((), session_of(ANONYMOUS), _of("B"), ())
        return [sync.fetch(ROWS, reader, session).column(0) for session in sessions]

    if is_inside:
        with transaction.atomic(reader):
            found = scenario()
    else:
        found = scenario()
    assert found == [[], [], [b"of B"], []]


def test_behind_a_pooler_each_flight_has_djangos_zone_and_the_timeout(
    pooled_alias: str, configure: Callable[..., object]
) -> None:
    configure(STATEMENT_TIMEOUT_MS=12_000)
    statement = Statement(
        "SELECT current_setting('TimeZone') || ' ' || current_setting('statement_timeout')"
    )

    async def scenario() -> list[list[bytes | None]]:
        return [(await pool.fetch(statement, pooled_alias)).column(0) for _ in range(2)]

    assert asyncio.run(scenario()) == [[b"UTC 12s"]] * 2


@pytest.mark.parametrize("pooled_alias", ["", "ignore_startup_parameters = options"], indirect=True)
def test_a_pooler_that_settings_do_not_name_is_found(
    pooled_alias: str, caplog: pytest.LogCaptureFixture
) -> None:
    connections.settings[pooled_alias]["DISABLE_SERVER_SIDE_CURSORS"] = False
    statement = Statement("SELECT current_setting('TimeZone'), %s::text", ("1",))

    async def scenario() -> list[Rows]:
        with pytest.raises(ServiceUnavailable) as refused:
            await asyncio.gather(*(pool.fetch(statement, pooled_alias) for _ in range(3)))
        assert isinstance(refused.value.__cause__, PoolerFound)
        return await asyncio.gather(*(pool.fetch(statement, pooled_alias) for _ in range(20)))

    found = asyncio.run(scenario())
    assert [rows.column(0) + rows.column(1) for rows in found] == [[b"UTC", b"1"]] * 20
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "DISABLE_SERVER_SIDE_CURSORS" in caplog.text


def test_options_that_a_pooler_refuses_are_an_error_once(
    pooled_alias: str, caplog: pytest.LogCaptureFixture
) -> None:
    connections.settings[pooled_alias]["OPTIONS"] = {"options": "-c app.name=shop"}

    async def scenario() -> None:
        for _ in range(3):
            with pytest.raises(ServiceUnavailable):
                await pool.fetch(Statement("SELECT 1"), pooled_alias)

    asyncio.run(scenario())
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "unsupported startup parameter" in caplog.text


def test_behind_a_pooler_views_are_found(pooled_alias: str, client: psycopg.Connection) -> None:
    client.execute("DROP VIEW IF EXISTS found; CREATE VIEW found AS SELECT 1 AS id")

    assert catalog.relations(["found"], pooled_alias)["found"].columns.keys() == {"id"}


def test_behind_a_pooler_a_commit_is_found(pooled_alias: str, client: psycopg.Connection) -> None:
    horizon = Horizon()
    client.execute("CREATE TABLE IF NOT EXISTS entry (a int)")
    before = client.execute(POSITION.text.encode()).fetchone()
    write = Statement("INSERT INTO entry VALUES (1)", writes=True)

    async def scenario() -> None:
        await pool.fetch_all((write,), pooled_alias, (), horizon)

    asyncio.run(scenario())

    assert before is not None
    assert position(before[0]) < horizon.lsn < UNKNOWN


def test_behind_a_pooler_statements_are_cancelled_too(
    pooled_alias: str, client: psycopg.Connection
) -> None:
    async def scenario() -> bytes | None:
        task = asyncio.create_task(pool.fetch(SLEEP, pooled_alias))
        await asyncio.sleep(0.2)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return (await pool.fetch(Statement("SELECT 1"), pooled_alias)).column(0)[0]

    assert asyncio.run(scenario()) == b"1"
    row = client.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%sleep(60)'"
    ).fetchone()
    assert row == (0,)


def test_an_anonymous_viewer_has_its_values_from_the_connections_start(reader: str) -> None:
    names = ", ".join(f"current_setting('{name}')" for name, _ in DEFAULTS)
    statement = Statement(f"SELECT {names}, (SELECT count(*) FROM pg_prepared_statements)")

    async def scenario() -> list[bytes | None]:
        assert session_of(Viewer()) is not DEFAULTS
        rows = await pool.fetch(statement, reader, session_of(Viewer()))
        return [rows.column(place)[0] for place in range(len(DEFAULTS) + 1)]

    *values, prepared = asyncio.run(scenario())
    assert values == [value.encode() for _, value in DEFAULTS]
    assert prepared == (b"0" if reader == "pooled" else b"1")  # None that sets them.


@pytest.mark.parametrize("ending", ["served", "failed"])
def test_what_a_writing_function_sets_for_the_session_is_undone(
    ending: str, reader: str, client: psycopg.Connection
) -> None:
    client.execute("CREATE TABLE IF NOT EXISTS written (a int)")
    write = Statement(
        "INSERT INTO written SELECT 1 / %s::int FROM set_config('app.tenant_id', 'A', false)"
        " RETURNING current_setting('app.tenant_id')",
        ("1" if ending == "served" else "0",),
        writes=True,
    )

    async def scenario() -> None:
        for session in ((), _of("B")):
            with suppress(BadUserInput):
                rows = await pool.fetch(write, reader, session)
                assert rows.column(0) == [b"A"]
            for viewer in (session_of(ANONYMOUS), session_of(Viewer(user_id="2"))):
                assert (await pool.fetch(ROWS, reader, viewer)).column(0) == []

    asyncio.run(scenario())

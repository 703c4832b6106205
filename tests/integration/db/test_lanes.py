"""Statements that share connections: errors, time, settings and clients stay apart."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest

from fraiseql.db import costs, lanes, pool
from fraiseql.db.embedded import EmbeddedServer
from fraiseql.db.flight import Session, step_of
from fraiseql.db.pool import Pool
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.errors import BadUserInput, ServiceUnavailable, StaleCatalog, Timeout
from tests.conftest import POOL

pytestmark = [
    pytest.mark.usefixtures("as_served"),
    pytest.mark.skipif(POOL == "simple", reason="this run has no lanes"),
]

Configure = Callable[..., object]

# The same text whatever it does: quick, slow or wrong.
TEXT = (
    "SELECT %s::int, pg_backend_pid(), current_setting('app.name', true), 1 / %s::int, pg_sleep(%s)"
)


def _ask(number: int = 0, divisor: int = 1, seconds: float = 0) -> Statement:
    return Statement(TEXT, (str(number), str(divisor), str(seconds)))


@pytest.fixture(autouse=True)
def lane_for_all(monkeypatch: pytest.MonkeyPatch, configure: Configure) -> None:
    """One run makes a text cheap, and nothing is slow unless it sleeps."""
    configure(POOL_MAX_SIZE=4)
    monkeypatch.setattr(costs, "TRIALS", 1)
    monkeypatch.setattr(costs, "CHEAP_S", 5)
    monkeypatch.setattr(lanes, "SLOW_S", 0.2)


@asynccontextmanager
async def _learned(using: str) -> AsyncIterator[Pool]:
    """Have ``TEXT`` known as cheap, and both lanes open."""
    await pool.fetch(_ask(), using)
    found = pool._pools[asyncio.get_running_loop(), using]
    async with asyncio.timeout(5):
        while len(_lanes(found)) < 2:
            await asyncio.gather(*(pool.fetch(_ask(), using) for _ in range(20)))
    yield found


def _lanes(found: Pool) -> lanes.Lanes:
    assert found._lanes is not None
    return found._lanes


async def _until(condition: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def _active(client: psycopg.Connection) -> int:
    row = client.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep($%'"
        " AND pid <> pg_backend_pid()"
    ).fetchone()
    assert row is not None
    return int(row[0])


def _number(rows: Rows) -> int:
    return int(rows.column(0)[0] or b"-1")


@pytest.mark.parametrize("way", ["coalesced", "one by one"])
def test_many_share_two_connections_and_each_gets_its_own_answer(
    way: str, alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "one by one":  # As before libpq 17.
        monkeypatch.setattr("fraiseql.db.libpq.send_sync", None)

    async def scenario() -> set[bytes | None]:
        async with _learned(alias):
            found = await asyncio.gather(*(pool.fetch(_ask(n), alias) for n in range(500)))
            assert [_number(rows) for rows in found] == list(range(500))
            return {rows.column(1)[0] for rows in found}

    assert len(asyncio.run(scenario())) == 2


def test_one_that_fails_among_a_thousand_spoils_itself_alone(alias: str) -> None:
    async def scenario() -> None:
        async with _learned(alias):
            found = await asyncio.gather(
                *(pool.fetch(_ask(n, 0 if n == 500 else 1), alias) for n in range(1000)),
                return_exceptions=True,
            )
        errors = [answer for answer in found if isinstance(answer, BaseException)]
        assert [type(error) for error in errors] == [BadUserInput]
        assert isinstance(found[500], BadUserInput)
        assert [_number(rows) for rows in found if isinstance(rows, Rows)] == [
            n for n in range(1000) if n != 500
        ]

    asyncio.run(scenario())


def test_a_step_is_read_as_a_statement_is(alias: str) -> None:
    """First, alone and in a lane."""
    step, session = step_of(_ask(3)), (("app.name", "me"),)

    async def scenario() -> None:
        for _ in range(3):
            (rows,) = await pool.read(step, alias, session)
            assert (_number(rows), rows.column(2)) == (3, [b"me"])
        with pytest.raises(BadUserInput) as caught:
            await pool.read(step_of(_ask(1, 0)), alias, ())
        assert caught.value.statement == 0

    asyncio.run(scenario())


def test_200_tenants_at_once_see_their_own_settings_alone(alias: str) -> None:
    async def tenant(number: int) -> None:
        session: Session = (("app.name", f"tenant {number}"),) if number % 4 else ()
        expected = f"tenant {number}".encode() if number % 4 else b""
        for _ in range(20):
            divisor = 1 if number % 7 else 0
            with suppress(BadUserInput):
                rows = await pool.fetch(_ask(number, divisor), alias, session)
                assert (_number(rows), rows.column(2)[0] or b"") == (number, expected)

    async def scenario() -> None:
        async with _learned(alias):
            await asyncio.gather(*(tenant(number) for number in range(200)))

    asyncio.run(scenario())


def test_a_slow_one_gets_the_lane_for_itself_and_those_behind_it_move_on(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SLOW_S", 0.05)
    monkeypatch.setattr(lanes, "DEPTH", 6)

    async def scenario() -> None:
        async with _learned(alias) as found:
            slow = [asyncio.create_task(pool.fetch(_ask(7, 1, 2), alias)) for _ in range(2)]
            await asyncio.sleep(0)
            quick = await asyncio.gather(*(pool.fetch(_ask(n), alias) for n in range(50)))
            assert [_number(rows) for rows in quick] == list(range(50))
            assert not any(task.done() for task in slow)
            assert [_number(await task) for task in slow] == [7, 7]
            # The text has to prove itself again, and the lanes are connections like others.
            assert TEXT not in found._costs.shares
            await _until(lambda: len(found._idle) + len(_lanes(found)) == len(found._links))

    asyncio.run(scenario())


def test_who_waits_gets_the_places_of_those_that_moved_on(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "DEPTH", 2)

    async def scenario() -> None:
        async with _learned(alias):
            slow = asyncio.create_task(pool.fetch(_ask(7, 1, 2), alias))
            await asyncio.sleep(0)
            quick = await asyncio.gather(*(pool.fetch(_ask(n, 1, 0.02), alias) for n in range(60)))
            assert [_number(rows) for rows in quick] == list(range(60))
            assert _number(await slow) == 7

    asyncio.run(scenario())


def test_without_a_connection_for_a_lane_the_wait_is_bounded(
    alias: str, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=2, POOL_TIMEOUT_MS=200)

    async def scenario() -> None:
        await pool.fetch(_ask(), alias)
        alone = _ask(1, 1, 1)._replace(writes=True)
        tasks = [asyncio.create_task(pool.fetch(alone, alias)) for _ in range(2)]
        await asyncio.sleep(0.1)
        with pytest.raises(ServiceUnavailable):
            await pool.fetch(_ask(), alias)
        assert [_number(await task) for task in tasks] == [1, 1]
        assert _number(await pool.fetch(_ask(2), alias)) == 2

    asyncio.run(scenario())


def test_lanes_with_nothing_to_do_are_lent_but_for_the_last(
    alias: str, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=4, POOL_TIMEOUT_MS=5000)
    alone = _ask(1, 1, 0.5)._replace(writes=True)

    async def scenario() -> None:
        async with _learned(alias) as found:
            tasks = [asyncio.create_task(pool.fetch(alone, alias)) for _ in range(6)]
            await _until(lambda: found.waiting == 3)
            quick = await asyncio.gather(*(pool.fetch(_ask(n), alias) for n in range(100)))
            assert [_number(rows) for rows in quick] == list(range(100))
            assert not any(task.done() for task in tasks)
            assert [_number(await task) for task in tasks] == [1] * 6
            await _until(lambda: len(found._links) == 4)

    asyncio.run(scenario())


def test_a_busy_lane_is_lent_when_it_is_free(alias: str, configure: Configure) -> None:
    configure(POOL_MAX_SIZE=4)
    alone = _ask(1, 1, 0.3)._replace(writes=True)

    async def scenario() -> None:
        async with _learned(alias) as found:
            quick = [asyncio.create_task(pool.fetch(_ask(n, 1, 0.02), alias)) for n in range(9)]
            await asyncio.sleep(0)
            tasks = [asyncio.create_task(pool.fetch(alone, alias)) for _ in range(4)]
            await _until(lambda: found.waiting == 2)
            await _until(lambda: len(_lanes(found)) == 1)
            assert not any(task.done() for task in tasks)
            assert [_number(await task) for task in (*quick, *tasks)] == [*range(9), 1, 1, 1, 1]

    asyncio.run(scenario())


def test_a_timeout_in_a_lane_is_that_statements_alone(alias: str, configure: Configure) -> None:
    configure(POOL_MAX_SIZE=4, STATEMENT_TIMEOUT_MS=100)

    async def scenario() -> None:
        async with _learned(alias):
            slow = asyncio.create_task(pool.fetch(_ask(1, 1, 30), alias))
            await asyncio.sleep(0)
            quick = await asyncio.gather(*(pool.fetch(_ask(n), alias) for n in range(50)))
            assert [_number(rows) for rows in quick] == list(range(50))
            with pytest.raises(Timeout):
                await slow

    asyncio.run(scenario())


@pytest.mark.parametrize("moment", [0.01, 0.4])
def test_a_slow_one_whose_client_left_is_cancelled(
    moment: float, alias: str, client: psycopg.Connection
) -> None:
    """Before and after its lane was found to be held up."""

    async def scenario() -> None:
        async with _learned(alias):
            slow = asyncio.create_task(pool.fetch(_ask(1, 1, 30), alias))
            await asyncio.sleep(0)
            behind = [asyncio.create_task(pool.fetch(_ask(n), alias)) for n in range(20)]
            await _until(lambda: _active(client) == 1)
            await asyncio.sleep(moment)
            slow.cancel()
            assert [_number(rows) for rows in await asyncio.gather(*behind)] == list(range(20))
            await _until(lambda: _active(client) == 0)
            assert _number(await pool.fetch(_ask(3), alias)) == 3

    asyncio.run(scenario())


def test_clients_that_leave_at_any_moment_do_no_harm(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "DEPTH", 3)

    async def scenario() -> None:
        async with _learned(alias):
            for turn in range(40):
                tasks = [asyncio.create_task(pool.fetch(_ask(n), alias)) for n in range(40)]
                for _ in range(turn % 8):
                    await asyncio.sleep(0)
                for task in tasks[::2]:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
                kept = [_number(rows) for rows in results[1::2] if isinstance(rows, Rows)]
                assert kept == list(range(1, 40, 2))

    asyncio.run(scenario())


def test_a_lane_that_breaks_loses_no_read(alias: str, client: psycopg.Connection) -> None:
    async def scenario() -> None:
        async with _learned(alias):
            for _ in range(3):
                tasks = [asyncio.create_task(pool.fetch(_ask(n), alias)) for n in range(300)]
                await asyncio.sleep(0)
                client.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'fraiseql' AND datname = current_database()"
                )
                assert [_number(rows) for rows in await asyncio.gather(*tasks)] == list(range(300))

    asyncio.run(scenario())


def test_reads_that_lost_their_lane_end_with_the_pool(alias: str) -> None:
    async def scenario() -> None:
        async with _learned(alias) as found:
            tasks = [asyncio.ensure_future(pool.send((_ask(n),), alias)) for n in range(50)]
            for link in tuple(found._links):
                link.fail(psycopg.OperationalError("gone"))
            found.close()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(answer, ServiceUnavailable) for answer in ended)

    asyncio.run(scenario())


def test_a_view_made_anew_is_reported_and_read(alias: str, client: psycopg.Connection) -> None:
    client.execute("DROP VIEW IF EXISTS remade; CREATE VIEW remade AS SELECT 1 AS a")
    statement = Statement("SELECT a FROM remade")

    async def read() -> bytes | None:
        try:
            return (await pool.fetch(statement, alias)).column(0)[0]
        except StaleCatalog:
            return await read()

    async def scenario() -> None:
        async with _learned(alias):
            assert set(await asyncio.gather(*(read() for _ in range(100)))) == {b"1"}
            client.execute("DROP VIEW remade; CREATE VIEW remade AS SELECT 'one' AS a")
            assert set(await asyncio.gather(*(read() for _ in range(100)))) == {b"one"}

    asyncio.run(scenario())


def test_a_text_that_cannot_be_prepared_is_wrong_for_each_alike(
    alias: str, client: psycopg.Connection
) -> None:
    client.execute("DROP TABLE IF EXISTS going; CREATE TABLE going (a int)")
    statement = Statement("SELECT count(*) FROM going")

    async def scenario() -> None:
        async with _learned(alias):
            await pool.fetch(statement, alias)
            client.execute("DROP TABLE going")
            pool._pools[asyncio.get_running_loop(), alias]._costs.forget = lambda: None  # type: ignore[method-assign]  # still cheap, on new connections
            pool._pools[asyncio.get_running_loop(), alias].renew()
            found = await asyncio.gather(
                *(pool.fetch(statement, alias) for _ in range(20)), return_exceptions=True
            )
            assert {type(error) for error in found} == {StaleCatalog}

    asyncio.run(scenario())


def test_writes_and_flights_of_many_have_connections_of_their_own(alias: str) -> None:
    async def scenario() -> None:
        async with _learned(alias):
            shared = {(await pool.fetch(_ask(n), alias)).column(1)[0] for n in range(3)}
            alone = (await pool.fetch(_ask()._replace(writes=True), alias)).column(1)[0]
            flight = await pool.fetch_all([_ask(), _ask()], alias)
            assert not shared & {alone, flight[0].column(1)[0]}

    asyncio.run(scenario())


def test_more_than_the_lanes_hold_wait_their_turn_or_are_refused(
    alias: str, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(POOL_MAX_SIZE=4, POOL_MAX_WAITING=50)
    monkeypatch.setattr(lanes, "DEPTH", 10)

    async def scenario() -> None:
        async with _learned(alias):
            found = await asyncio.gather(
                *(pool.fetch(_ask(n), alias) for n in range(200)), return_exceptions=True
            )
        served = [_number(rows) for rows in found if isinstance(rows, Rows)]
        assert served[:70] == list(range(70))
        assert all(isinstance(answer, Rows | ServiceUnavailable) for answer in found)
        assert len(served) < 200

    asyncio.run(scenario())


def test_prepared_statements_are_bounded(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fraiseql.db.link.MAX_PREPARED", 4)

    async def scenario() -> set[bytes | None]:
        async with _learned(alias):
            pids = set()
            for number in range(12):
                statement = Statement(f"SELECT {number}, pg_backend_pid()")
                for _ in range(3):
                    pids.add((await pool.fetch(statement, alias)).column(1)[0])
            return pids

    assert len(asyncio.run(scenario())) > 3


def test_texts_that_never_come_again_are_forgotten(
    alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "MAX_TEXTS", 5)

    async def scenario() -> int:
        async with _learned(alias) as found:
            for number in range(20):
                await pool.fetch(Statement(f"SELECT {number}"), alias)
            return len(found._costs._costs)

    assert asyncio.run(scenario()) <= 5


def test_lanes_unused_or_old_are_closed(alias: str, configure: Configure) -> None:
    configure(POOL_MAX_SIZE=4, POOL_MAX_IDLE_S=0)

    async def scenario() -> None:
        async with _learned(alias) as found:
            found._tend()
            assert len(_lanes(found)) == 0
            assert _number(await pool.fetch(_ask(5), alias)) == 5

    asyncio.run(scenario())


def test_service_resumes_by_itself_after_a_restart(
    own_alias: str, own_server: EmbeddedServer
) -> None:
    async def scenario() -> None:
        stop = False
        answers: list[int] = []

        async def client(number: int) -> None:
            while not stop:
                with suppress(ServiceUnavailable):
                    answers.append(_number(await pool.fetch(_ask(number), own_alias)) - number)
                await asyncio.sleep(0.005)

        async with _learned(own_alias):
            clients = [asyncio.create_task(client(number)) for number in range(20)]
            await asyncio.sleep(0.2)
            await asyncio.to_thread(own_server.stop)
            await asyncio.to_thread(own_server.start)
            answers.clear()
            await _until(lambda: len(answers) > 100)
            stop = True
            await asyncio.gather(*clients)
            assert set(answers) == {0}

    asyncio.run(scenario())


def test_closing_ends_what_is_under_way(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "CANCEL_S", 0.5)

    async def scenario() -> None:
        async with _learned(alias):
            tasks = [asyncio.create_task(pool.fetch(_ask(1, 1, 30), alias)) for _ in range(3)]
            await asyncio.sleep(0.05)
            await pool.close_pools()
            found = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
            assert all(isinstance(error, Timeout | ServiceUnavailable) for error in found)

    asyncio.run(scenario())

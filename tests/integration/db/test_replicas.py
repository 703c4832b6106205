"""Reads on a standby that streams from its primary, two real servers."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker

from fraiseql.db import pool, replicas, sync
from fraiseql.db.embedded.programs import orphans
from fraiseql.db.horizon import UNKNOWN, Horizon, position
from fraiseql.db.statement import Statement
from fraiseql.errors import StaleCatalog
from tests.integration.db.conftest import add_alias, remove_alias
from tests.standbys import Pair

Configure = Callable[..., object]
Read = Callable[[Statement, Horizon], bytes | None]

WHERE = Statement("SELECT pg_is_in_recovery()")
COUNT = Statement("SELECT count(*) FROM note")
WRITE = Statement("INSERT INTO note VALUES (1)", writes=True)
STANDBY, PRIMARY = b"t", b"f"


@pytest.fixture
def pair_alias(
    pair: Pair,
    django_db_blocker: DjangoDbBlocker,
    configure: Configure,
    as_served: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The primary's alias; the standby's is ``copy``. Both are asked often."""
    monkeypatch.setattr(replicas, "EVERY_S", 0.03)
    monkeypatch.setattr(replicas, "AGAIN_S", 0.1)
    pair.standby.start()
    pair.resume()
    add_alias("main", pair.primary.uri())
    add_alias("copy", pair.standby.uri())
    pair.run("DROP TABLE IF EXISTS note; CREATE TABLE note (a int); GRANT ALL ON note TO fraiseql")
    configure(DATABASE="main", REPLICAS=["copy"], REPLICA_MAX_LAG_MS=60_000)
    with django_db_blocker.unblock():
        yield "main"
        replicas.stop()
        for alias in ("main", "copy"):
            remove_alias(alias)


@pytest.fixture(params=["threads", "multiplexed", "simple"])
def read(
    request: pytest.FixtureRequest, pair_alias: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Read]:
    """Each way to read: returns the first value."""
    if request.param == "simple":
        monkeypatch.setattr(pool, "lanes_of", lambda *_: 0)
    with asyncio.Runner() as runner:

        async def fetch(statement: Statement, horizon: Horizon) -> bytes | None:
            return (await replicas.fetch_async(statement, "main", (), horizon)).column(0)[0]

        def by_pool(statement: Statement, horizon: Horizon) -> bytes | None:
            return runner.run(fetch(statement, horizon))

        def by_django(statement: Statement, horizon: Horizon) -> bytes | None:
            return replicas.fetch(statement, "main", (), horizon).column(0)[0]

        yield by_django if request.param == "threads" else by_pool
        runner.run(pool.close_pools())


def until(holds: Callable[[], Any]) -> None:
    """Wait until it is true; fail if that takes too long."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def write() -> Horizon:
    """Write a row and return what its writer has to see."""
    horizon = Horizon()

    async def scenario() -> None:
        await pool.fetch_all((WRITE,), "main", (), horizon)
        await pool.close_pools()

    asyncio.run(scenario())
    return horizon


def test_queries_go_to_the_replica_and_what_must_be_current_or_writes_to_the_primary(
    read: Read,
) -> None:
    until(lambda: read(WHERE, Horizon()) == STANDBY)

    assert read(WHERE._replace(current=True), Horizon()) == PRIMARY
    assert read(WHERE._replace(writes=True), Horizon()) == PRIMARY


def test_who_wrote_sees_it_while_the_replica_has_not_replayed_it(read: Read, pair: Pair) -> None:
    until(lambda: read(COUNT, Horizon()) == b"0" and read(WHERE, Horizon()) == STANDBY)
    pair.pause()
    writer = write()
    seen = [
        read(COUNT, writer),
        read(WHERE, writer),
        read(COUNT, Horizon()),
        read(WHERE, Horizon()),
    ]
    pair.resume()

    assert writer.has_moved
    assert seen == [b"1", PRIMARY, b"0", STANDBY]
    until(lambda: read(WHERE, writer) == STANDBY)
    assert read(COUNT, writer) == b"1"


def test_a_commit_on_djangos_connection_is_found_too(read: Read, pair: Pair) -> None:
    until(lambda: read(WHERE, Horizon()) == STANDBY)
    pair.pause()
    sync.fetch(WRITE, "main")
    writer = Horizon(sync.last_commit("main"))
    seen = read(COUNT, writer)
    pair.resume()

    assert seen == b"1"
    until(lambda: read(WHERE, writer) == STANDBY)
    assert read(COUNT, writer) == b"1"


def test_a_replica_that_is_killed_costs_no_answer_and_is_used_again(read: Read, pair: Pair) -> None:
    until(lambda: read(WHERE, Horizon()) == STANDBY)
    pair.kill()
    answers = [read(COUNT, Horizon()) for _ in range(50)]
    until(lambda: read(WHERE, Horizon()) == PRIMARY)
    pair.standby.start()

    assert answers == [b"0"] * 50
    until(lambda: read(WHERE, Horizon()) == STANDBY)


def test_what_is_under_way_on_a_replica_that_falls_silent_is_read_from_the_primary(
    pair: Pair, pair_alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "SILENCE_S", 0.3)

    async def scenario() -> bytes | None:
        while await _fetched(WHERE) != STANDBY:
            await asyncio.sleep(0.02)
        with ExitStack() as stack:
            for process in orphans(pair.standby.directory / "data"):
                os.kill(process, signal.SIGSTOP)
                stack.callback(os.kill, process, signal.SIGCONT)
            found = await asyncio.wait_for(_fetched(WHERE), 20)
        while await _fetched(WHERE) != STANDBY:
            await asyncio.sleep(0.02)
        await pool.close_pools()
        return found

    assert asyncio.run(scenario()) == PRIMARY


def test_a_replica_too_far_behind_is_left_out_until_it_has_caught_up(
    read: Read, pair: Pair, configure: Configure
) -> None:
    until(lambda: read(WHERE, Horizon()) == STANDBY)
    configure(DATABASE="main", REPLICAS=["copy"], REPLICA_MAX_LAG_MS=600)
    until(lambda: read(WHERE, Horizon()) == STANDBY)
    pair.pause()
    write()
    until(lambda: read(WHERE, Horizon()) == PRIMARY)
    (known,) = replicas._watches["main"].replicas
    fault = known.fault
    pair.resume()

    assert "s behind" in fault
    until(lambda: read(WHERE, Horizon()) == STANDBY)


def test_a_query_in_the_way_of_replay_is_answered_by_the_primary(
    read: Read, pair: Pair, pair_alias: str
) -> None:
    slow = Statement(
        "SELECT CASE WHEN pg_is_in_recovery() THEN (SELECT 'late' FROM pg_sleep(30))"
        " ELSE 'primary' END FROM (SELECT count(*) FROM note) AS n"
    )
    until(lambda: read(WHERE, Horizon()) == STANDBY)

    def truncate() -> None:
        with psycopg.connect(pair.standby.uri(user="postgres"), autocommit=True) as standby:
            text = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%%late%%' AND pid <> %s"
            until(lambda: standby.execute(text, [standby.info.backend_pid]).fetchall())
        pair.run("TRUNCATE note")

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(truncate)
        found = read(slow, Horizon())
        done.result()

    assert found == b"primary"


def test_what_a_replica_cannot_do_the_primary_does(read: Read, pair: Pair) -> None:
    pair.run("DROP SEQUENCE IF EXISTS s; CREATE SEQUENCE s; GRANT ALL ON s TO fraiseql")
    until(lambda: read(WHERE, Horizon()) == STANDBY)

    assert read(Statement("SELECT nextval('s')"), Horizon()) == b"1"


def test_a_view_that_the_replica_does_not_have_yet_is_read_from_the_primary(
    read: Read, pair: Pair
) -> None:
    until(lambda: read(WHERE, Horizon()) == STANDBY)
    pair.pause()
    pair.run("CREATE VIEW fresh AS SELECT 7 AS a; GRANT SELECT ON fresh TO fraiseql")
    found = read(Statement("SELECT a FROM fresh"), Horizon())
    pair.run("DROP VIEW fresh")
    with pytest.raises(StaleCatalog):
        read(Statement("SELECT a FROM fresh"), Horizon())
    pair.resume()

    assert found == b"7"


def test_what_the_client_is_to_blame_for_is_not_asked_again(read: Read) -> None:
    until(lambda: read(WHERE, Horizon()) == STANDBY)

    with pytest.raises(Exception, match="division by zero"):
        read(Statement("SELECT 1 / 0"), Horizon())


def test_queries_are_answered_while_the_primary_is_away(read: Read, pair: Pair) -> None:
    until(lambda: read(WHERE, Horizon()) == STANDBY)
    pair.primary.stop()
    answers = [read(WHERE, Horizon()) for _ in range(10)]
    pair.primary.start()

    assert answers == [STANDBY] * 10


def test_a_replica_with_enough_to_do_is_helped_by_the_primary(
    pair_alias: str, configure: Configure
) -> None:
    configure(DATABASE="main", REPLICAS=["copy"], POOL_MAX_SIZE=1, POOL_TIMEOUT_MS=200)

    async def scenario() -> bytes | None:
        while await _fetched(WHERE) != STANDBY:
            await asyncio.sleep(0.02)
        slow = asyncio.create_task(_fetched(Statement("SELECT pg_sleep(30)")))
        while (found := await _fetched(WHERE)) != PRIMARY:
            await asyncio.sleep(0.02)
        is_usable = replicas._watches["main"].choose(0)
        slow.cancel()
        await pool.close_pools()
        assert is_usable == "copy"
        return found

    assert asyncio.run(scenario()) == PRIMARY


def test_inside_a_transaction_the_primary_is_read(pair_alias: str) -> None:
    until(lambda: replicas.fetch(WHERE, "main", (), Horizon()).column(0)[0] == STANDBY)

    with transaction.atomic("main"):
        sync.fetch(WRITE, "main")
        seen = replicas.fetch(COUNT, "main", (), Horizon()).column(0)

    assert seen == [b"1"]


def test_what_is_no_standby_is_not_read(
    pair_alias: str, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    connections.settings["copy"] |= {"HOST": connections.settings["main"]["HOST"]}
    configure(DATABASE="main", REPLICAS=["copy"])

    assert replicas.fetch(WHERE, "main", (), Horizon()).column(0) == [PRIMARY]
    (known,) = replicas._watches["main"].replicas
    until(lambda: known.fault == "it is no standby")
    assert replicas.fetch(WHERE, "main", (), Horizon()).column(0) == [PRIMARY]


def test_another_database_has_no_replicas(pair_alias: str) -> None:
    assert replicas.fetch(WHERE, "copy", (), Horizon()).column(0) == [STANDBY]
    assert not replicas._watches


def test_a_commit_that_cannot_be_looked_for_is_behind_no_replica(
    pair: Pair, pair_alias: str
) -> None:
    pair.run("REVOKE EXECUTE ON FUNCTION pg_current_wal_insert_lsn() FROM PUBLIC")
    try:
        assert write().lsn == UNKNOWN
        assert sync.last_commit("main") == UNKNOWN
    finally:
        pair.run("GRANT EXECUTE ON FUNCTION pg_current_wal_insert_lsn() TO PUBLIC")


def test_a_write_that_fails_moves_nothing(pair_alias: str) -> None:
    horizon = Horizon()
    wrong = Statement("INSERT INTO note SELECT 1 / 0", writes=True)

    async def scenario() -> None:
        with pytest.raises(Exception, match="division by zero"):
            await pool.fetch_all((wrong,), "main", (), horizon)
        await pool.close_pools()

    asyncio.run(scenario())

    assert not horizon.has_moved


def test_a_position_behind_a_pages_header_is_the_pages_start() -> None:
    assert position("0/4000028") == position("0/4000018") == position("0/4000000") == 0x4000000
    assert position("1/4000030") == 0x1_0400_0030


async def _fetched(statement: Statement) -> bytes | None:
    return (await replicas.fetch_async(statement, "main", (), Horizon())).column(0)[0]


@pytest.mark.django_db
def test_in_djangos_tests_what_the_test_wrote_is_read(configure: Configure) -> None:
    configure(REPLICAS=["nowhere"])
    sync.fetch(Statement("CREATE TABLE written (a int)", writes=True))
    sync.fetch(Statement("INSERT INTO written VALUES (1)", writes=True))
    count = Statement("SELECT count(*) FROM written")

    async def scenario() -> bytes | None:
        return (await replicas.fetch_async(count, "default", (), Horizon())).column(0)[0]

    assert async_to_sync(scenario)() == b"1"
    assert replicas.fetch(count, "default", (), Horizon()).column(0) == [b"1"]
    assert not replicas._watches

"""Writers in processes of their own, and servers that die: nothing is lost, and nothing happens twice."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.edges.conftest import JSON_BODY
from tests.integration.edges.served import Served, serve, until

STALL = "11111111-0000-4000-8000-000000000001"
RENAME = """mutation ($name: String!) { renameStall(input: {
    id: "11111111-0000-4000-8000-000000000001", name: $name, expectedVersion: 1}) {
    stall { name } current { name version } errors { code } } }"""
EXTEND = """mutation { extendStall(input: {id: "11111111-0000-4000-8000-000000000001", by: 1}) {
    stall { capacity } errors { code } } }"""
EXTENDED = {"data": {"extendStall": {"stall": {"capacity": 11}, "errors": []}}}
# Waits for its turn, so that all begin at once.
CLIENT = """
import sys, urllib.request
url, key, body = sys.argv[1:]
headers = {"Content-Type": "application/json", "Idempotency-Key": key}
request = urllib.request.Request(url, body.encode(), headers)
sys.stdin.readline()
print(urllib.request.urlopen(request, timeout=60).read().decode())
"""


@pytest.fixture
def stall(site_database: str) -> Iterator[psycopg.Connection]:
    """One stall with room for 10, and a connection to look at it."""
    with psycopg.connect(site_database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO tb_stall (id, identifier, name) VALUES (%s, 'first', 'First')", [STALL]
        )
        yield connection
        connection.execute("TRUNCATE tb_stall, tb_idempotency_key")


@pytest.fixture(scope="module")
def pair(site_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Served]]:
    """Two servers over one database."""
    logs = tmp_path_factory.mktemp("servers")
    with ExitStack() as stack:
        yield [
            # A busy machine may have fifty wait long for ten connections.
            stack.enter_context(
                serve("uvicorn", site_database, logs / name, POOL_TIMEOUT_MS=60_000)
            )
            for name in ("a", "b")
        ]


def stored(connection: psycopg.Connection, column: str) -> Any:
    (row,) = connection.execute(f"SELECT {column} FROM tb_stall").fetchall()
    return row[0]


def is_waited_for(connection: psycopg.Connection) -> bool:
    return bool(connection.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall())


def test_of_fifty_writers_at_two_servers_one_is_first_and_the_others_are_told(
    pair: list[Served], stall: psycopg.Connection
) -> None:
    def rename(number: int) -> Any:
        body = {"query": RENAME, "variables": {"name": f"Name {number}"}}
        url = pair[number % 2].url
        return httpx.post(url, json=body, timeout=60).json()["data"]["renameStall"]

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(rename, range(50)))

    (winner,) = [answer["stall"]["name"] for answer in answers if answer["stall"]]
    lost = {
        "stall": None,
        "current": {"name": winner, "version": 2},
        "errors": [{"code": "CONFLICT"}],
    }
    assert [answer for answer in answers if answer["stall"] is None] == [lost] * 49
    assert (stored(stall, "name"), stored(stall, "version")) == (winner, 2)


def test_one_key_from_twenty_processes_has_one_effect_and_one_answer(
    pair: list[Served], stall: psycopg.Connection
) -> None:
    body = json.dumps({"query": EXTEND})
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-S", "-c", CLIENT, pair[number % 2].url, "k", body],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(20)
        ]
        for client in clients:
            assert client.stdin is not None
            client.stdin.write("\n")
            client.stdin.flush()
        answers = [client.communicate(timeout=60)[0] for client in clients]

    assert [json.loads(answer) for answer in answers] == [EXTENDED] * 20
    assert stored(stall, "capacity") == 11


def test_the_same_mutation_at_two_servers_at_once_happens_twice(
    pair: list[Served], stall: psycopg.Connection
) -> None:
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda served: served.ask(EXTEND), pair))

    assert sorted(each["data"]["extendStall"]["stall"]["capacity"] for each in answers) == [11, 12]
    assert stored(stall, "capacity") == 12


def test_a_key_holds_although_the_server_was_killed(
    site_database: str, stall: psycopg.Connection, tmp_path: Path
) -> None:
    def ask(served: Served, key: str) -> Any:
        headers = {**JSON_BODY, "Idempotency-Key": key}
        return httpx.post(served.url, json={"query": EXTEND}, headers=headers, timeout=60).json()

    with (
        psycopg.connect(site_database) as other,
        ThreadPoolExecutor(1) as thread,
        serve("uvicorn", site_database, tmp_path / "killed") as first,
    ):
        assert ask(first, "done") == EXTENDED
        other.execute("SELECT FROM tb_stall FOR UPDATE")
        under_way = thread.submit(ask, first, "under way")
        until(lambda: is_waited_for(stall))
        first.process.kill()
        with pytest.raises(httpx.TransportError):
            under_way.result()
    # What the dead server had sent may be done or not; PostgreSQL has to be through with it.
    until(lambda: not is_waited_for(stall))

    with serve("uvicorn", site_database, tmp_path / "next") as second:
        answers = [ask(second, "under way") for _ in range(2)]
        assert ask(second, "done") == EXTENDED
    assert answers[0] == answers[1]
    assert answers[0]["data"]["extendStall"] == {"stall": {"capacity": 12}, "errors": []}
    assert stored(stall, "capacity") == 12


def test_a_function_that_was_renamed_under_a_server_is_an_error_until_it_is_back(
    pair: list[Served], stall: psycopg.Connection
) -> None:
    assert pair[0].ask(EXTEND) == EXTENDED
    stall.execute("ALTER FUNCTION fn_extend_stall(uuid, integer) RENAME TO fn_gone")
    try:
        assert pair[0].codes(EXTEND) == ["INTERNAL_SERVER_ERROR"]
        assert "there is no function 'fn_extend_stall'" in pair[0].log.read_text()
    finally:
        stall.execute("ALTER FUNCTION fn_gone(uuid, integer) RENAME TO fn_extend_stall")

    assert pair[0].ask(EXTEND)["data"]["extendStall"]["stall"] == {"capacity": 12}

"""What the database does to a running server: the answer says so, and the next one is right."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from fraiseql.db.embedded import EmbeddedServer, find_binaries
from tests.integration.edges.served import Served, furnish, running, serve, until

pytestmark = pytest.mark.slow

# One that runs in front of Django, on the pool, and one that runs behind, on Django's connection.
IN_FRONT, BEHIND = "{ makers { name } }", "{ viewer makers { name } }"
DOWN = "SERVICE_UNAVAILABLE"


@pytest.fixture(scope="module")
def own_server(short_directory: Path, django_server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A PostgreSQL server that tests may stop."""
    binaries = find_binaries(str(django_server.binaries.major))
    server = EmbeddedServer(short_directory / "edges", binaries, options={"fsync": "off"})
    server.start()
    furnish(server.uri())
    yield server
    server.stop()


@pytest.fixture(params=["uvicorn", "daphne"])
def served(
    request: pytest.FixtureRequest, own_server: EmbeddedServer, tmp_path: Path
) -> Iterator[Served]:
    """The site on the server that tests may stop."""
    pytest.importorskip(request.param)
    with serve(request.param, own_server.uri(), tmp_path / "log", POOL_TIMEOUT_MS=2_000) as found:
        yield found


def execute(uri: str, *statements: sql.SQL) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def names(answer: dict[str, object]) -> list[str]:
    data = answer["data"]
    assert isinstance(data, dict)
    return [maker["name"] for maker in data["makers"]]


def test_a_database_that_is_down_is_told_and_found_when_it_is_back(
    served: Served, own_server: EmbeddedServer
) -> None:
    before = [names(served.ask(query)) for query in (IN_FRONT, BEHIND)]
    own_server.stop()
    try:
        told = [served.codes(query) for query in (IN_FRONT, BEHIND, IN_FRONT)]
        error = served.ask(IN_FRONT)["errors"][0]
    finally:
        own_server.start()
    after = [names(served.ask(query)) for query in (IN_FRONT, BEHIND)]

    assert told == [[DOWN]] * 3
    assert error["message"] == "The database cannot be reached."
    assert "hint" in error["extensions"]
    assert before == after == [["Anvil & Sons", "Birch Bücher", "Cobalt"]] * 2


def test_a_restart_between_two_requests_is_not_noticed(
    served: Served, own_server: EmbeddedServer
) -> None:
    for query in (IN_FRONT, BEHIND):
        names(served.ask(query))
    own_server.stop()
    own_server.start()

    assert [len(names(served.ask(query))) for query in (IN_FRONT, BEHIND)] == [3, 3]


def test_a_server_starts_without_its_database(own_server: EmbeddedServer, tmp_path: Path) -> None:
    own_server.stop()
    try:
        with serve("daphne", own_server.uri(), tmp_path / "log") as served:
            told = [served.codes(query) for query in (IN_FRONT, BEHIND)]
            own_server.start()
            after = [len(names(served.ask(query))) for query in (IN_FRONT, BEHIND)]
    finally:
        own_server.start()

    assert told == [[DOWN]] * 2
    assert after == [3, 3]


def test_requests_whose_backends_are_terminated_are_answered(
    served: Served, own_server: EmbeddedServer
) -> None:
    query = "{ naps(where: {id: {eq: 2}}) { note } }"
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(served.ask, query) for _ in range(3)]
        until(lambda: len(running(own_server.uri())) == 3)
        execute(
            own_server.uri(),
            sql.SQL(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ),
        )
        answers = [future.result() for future in waiting]

    # A read is sent once more.
    assert answers == [{"data": {"naps": [{"note": "rested"}]}}] * 3
    assert len(names(served.ask(BEHIND))) == 3


GAUGE = sql.SQL(
    "CREATE VIEW v_gauge AS SELECT 1 AS id, jsonb_build_object('id', 1, 'reading', 7) AS data"
)
OTHER_GAUGE = sql.SQL("CREATE VIEW v_gauge AS SELECT 9::text AS reading_of, 8 AS reading, 2 AS id")
DROP_GAUGE = sql.SQL("DROP VIEW v_gauge")


@pytest.mark.parametrize("root", ["", "viewer "], ids=["in front", "behind"])
def test_a_view_may_change_under_the_server(
    served: Served, own_server: EmbeddedServer, root: str
) -> None:
    query = f"{{ {root}gauges {{ id reading }} }}"
    uri = own_server.uri()
    answers = [served.ask(query)]
    try:
        execute(uri, DROP_GAUGE, OTHER_GAUGE)
        answers.append(served.ask(query))
        execute(uri, DROP_GAUGE)
        gone = served.codes(query)
        others = served.codes(IN_FRONT)
        execute(uri, OTHER_GAUGE)
        answers.append(served.ask(query))
    finally:
        execute(uri, sql.SQL("DROP VIEW IF EXISTS v_gauge"), GAUGE)
    answers.append(served.ask(query))

    assert gone == ["INTERNAL_SERVER_ERROR"]
    assert others == []
    assert [answer["data"]["gauges"] for answer in answers] == [
        [{"id": "1", "reading": 7}],
        [{"id": "2", "reading": 8}],
        [{"id": "2", "reading": 8}],
        [{"id": "1", "reading": 7}],
    ]


def test_a_view_that_is_missing_is_an_error_of_its_field(
    served: Served, own_server: EmbeddedServer
) -> None:
    alone = served.ask("{ nowhere { id } }")
    beside = served.ask('{ maker(identifier: "birch") { name } nowhere { id } }')
    execute(own_server.uri(), sql.SQL("CREATE VIEW v_nowhere AS SELECT 1 AS id"))
    try:
        made = served.ask("{ nowhere { id } }")
    finally:
        execute(own_server.uri(), sql.SQL("DROP VIEW v_nowhere"))

    assert alone["data"] is beside["data"] is None
    for answer in (alone, beside):
        (error,) = answer["errors"]
        assert error["message"] == "Internal error"
        assert error["path"] == ["nowhere"]
        assert error["extensions"]["id"] in served.log.read_text()
    assert "v_nowhere" in served.log.read_text()
    assert made == {"data": {"nowhere": [{"id": "1"}]}}


def test_a_statement_has_its_time(own_server: EmbeddedServer, tmp_path: Path) -> None:
    with serve("daphne", own_server.uri(), tmp_path / "log", STATEMENT_TIMEOUT_MS=300) as served:
        answer = served.ask("{ naps(where: {id: {eq: 3}}) { note } }", timeout=5)
        next_one = served.ask(IN_FRONT)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["TIMEOUT"]
    assert len(names(next_one)) == 3
    assert not running(own_server.uri())


def test_who_waits_too_long_for_a_connection_is_told(
    own_server: EmbeddedServer, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"POOL_MAX_SIZE": 1, "POOL_TIMEOUT_MS": 200}
    with serve("daphne", own_server.uri(), tmp_path / "log", **settings) as served:
        with served.send("{ naps(where: {id: {eq: 3}}) { note } }"):
            until(lambda: running(own_server.uri()))
            told = httpx.post(served.url, json={"query": IN_FRONT}, timeout=20)
        until(lambda: not running(own_server.uri()))
        after = served.codes(IN_FRONT)

    assert told.json()["errors"][0]["extensions"]["code"] == DOWN
    assert (told.status_code, after) == (503, [])
    assert int(told.headers["retry-after"]) >= 1

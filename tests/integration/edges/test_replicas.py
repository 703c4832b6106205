"""Clients of a site with a standby: each sees what it wrote, the others are read for elsewhere."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.edges.served import Served, database, serve, until
from tests.standbys import Pair

pytestmark = pytest.mark.slow

OPEN = """mutation Open($name: String!) { openStall(input: {identifier: $name, name: $name}) {
    stall { name } errors { message } } }"""
# With a resolver in the selection: Django's view runs it, on Django's connection.
OPEN_IN_PYTHON = OPEN.replace("stall { name }", "stall { name shout }")
LOOK = (
    "query Look($name: String!) { origin(id: 1) { isStandby } stall(identifier: $name) { name } }"
)
HEADER, COOKIE = "x-fraiseql-lsn", "fraiseql_lsn"
# A page of another origin: Django judges it, and its view answers.
BEHIND = {"Origin": "http://elsewhere"}


@pytest.fixture(scope="module")
def site(pair: Pair) -> Iterator[tuple[str, str]]:
    """The site's database on both servers."""
    pair.standby.start()
    with database(pair.primary.uri) as uri:
        name = httpx.URL(uri).path.removeprefix("/")
        yield uri, pair.standby.uri(database=name)


@pytest.fixture(scope="module")
def served(site: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The site with a replica."""
    log = tmp_path_factory.mktemp("server") / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SITE_REPLICA", site[1])
        with serve(
            "uvicorn", site[0], log, REPLICAS=["replica"], MAX_BATCH=3, SSE_HEARTBEAT_MS=0
        ) as found:
            until(lambda: is_standby(found.url, {}))
            until(lambda: is_standby(found.url, BEHIND))
            yield found


@pytest.fixture(params=["in front", "behind"])
def edge(request: pytest.FixtureRequest) -> dict[str, str]:
    """Headers that have one edge answer."""
    return {} if request.param == "in front" else BEHIND


def is_standby(url: str, edge: dict[str, str]) -> bool:
    answer = httpx.post(url, json={"query": LOOK, "variables": {"name": ""}}, headers=edge)
    return bool(answer.json()["data"]["origin"]["isStandby"])


def looked(client: httpx.Client, url: str, name: str, **headers: str) -> tuple[bool, bool]:
    """Return whether the standby answered, and whether the stall is there."""
    body = {"query": LOOK, "variables": {"name": name}}
    data = client.post(url, json=body, headers=headers).json()["data"]
    return data["origin"]["isStandby"], data["stall"] is not None


@pytest.mark.parametrize("mutation", [OPEN, OPEN_IN_PYTHON], ids=["bound", "python"])
def test_a_client_that_keeps_cookies_sees_what_it_wrote_and_the_others_do_not_wait(
    served: Served, pair: Pair, edge: dict[str, str], mutation: str
) -> None:
    name = f"{len(edge)}-{len(mutation)}"
    with httpx.Client() as writer, httpx.Client() as other:
        pair.pause()
        body = {"query": mutation, "variables": {"name": name}}
        wrote = writer.post(served.url, json=body, headers=edge)
        seen = looked(writer, served.url, name, **edge)
        seen_by_other = looked(other, served.url, name, **edge)
        pair.resume()

        assert wrote.json()["data"]["openStall"]["stall"]["name"] == name
        assert (seen, seen_by_other) == ((False, True), (True, False))
        until(lambda: looked(writer, served.url, name, **edge) == (True, True))


def test_the_cookie_goes_where_the_session_goes_and_no_script_reads_it(served: Served) -> None:
    body = {"query": OPEN, "variables": {"name": "cookie"}}
    answer = httpx.post(served.url, json=body)
    cookie = answer.headers["set-cookie"]
    token, *attributes = cookie.split("; ")

    assert token == f"{COOKIE}={answer.headers[HEADER]}"
    assert sorted(attributes) == ["HttpOnly", "Max-Age=60", "Path=/", "SameSite=Lax"]
    assert "x-fraiseql-lsn" not in httpx.post(served.url, json={"query": "{ __typename }"}).headers


def test_a_program_without_cookies_sends_the_header_back(served: Served, pair: Pair) -> None:
    pair.pause()
    body = {"query": OPEN, "variables": {"name": "program"}}
    token = httpx.post(served.url, json=body).headers[HEADER]
    with httpx.Client() as fresh:
        seen = looked(fresh, served.url, "program", **{HEADER: token})
    pair.resume()

    assert seen == (False, True)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_batches_and_events_move_it_too(
    served: Served, pair: Pair, edge: dict[str, str], accept: str
) -> None:
    name = f"{accept}{len(edge)}"
    one: Any = {"query": OPEN, "variables": {"name": name}}
    body = one if "event" in accept else [one, {"query": "{ __typename }"}]
    with httpx.Client() as writer:
        pair.pause()
        answer = writer.post(served.url, json=body, headers={**edge, "Accept": accept})
        seen = looked(writer, served.url, name, **edge)
        pair.resume()

    assert answer.status_code == 200
    assert json.dumps(name) in answer.text
    assert seen == (False, True)


@pytest.mark.parametrize(
    "token", ["FFFFFFFFFFFFFFFF", "x" * 5_000, "FFFFFFFF:1abcde:forged", ":", "é;", '"', "0:0:0"]
)
def test_what_is_forged_says_nothing(served: Served, edge: dict[str, str], token: str) -> None:
    sent = {"Cookie": f"{COOKIE}={token}", HEADER: token}
    headers = {name.encode(): value.encode() for name, value in (sent | edge).items()}
    body = {"query": LOOK, "variables": {"name": ""}}

    def ask() -> bool:
        answer = httpx.post(served.url, json=body, headers=headers)
        assert answer.status_code == 200
        return bool(answer.json()["data"]["origin"]["isStandby"])

    until(ask)


def test_the_cookie_alone_makes_no_get_of_another_site_suspect(served: Served) -> None:
    query = {"query": "{ __typename }"}
    alone = httpx.get(served.url, params=query, headers={"Cookie": f"{COOKIE}=1"})
    beside = httpx.get(served.url, params=query, headers={"Cookie": f"{COOKIE}=1; sessionid=x"})

    assert (alone.status_code, beside.status_code) == (200, 400)


def test_under_atomic_requests_the_commit_is_that_of_the_request(
    site: tuple[str, str], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_REPLICA", site[1])
    monkeypatch.setenv("SITE_ATOMIC", "1")
    body = {"query": OPEN, "variables": {"name": "atomic"}}
    with serve(
        "uvicorn", site[0], tmp_path / "log", application="behind", REPLICAS=["replica"]
    ) as served:
        answer = httpx.post(served.url, json=body)

    assert answer.headers[HEADER] in answer.headers["set-cookie"]

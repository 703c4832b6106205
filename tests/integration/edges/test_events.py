"""GraphQL over Server-Sent Events, at both edges."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.db import connection
from pytest_django import Settings

import fraiseql
from fraiseql.db import catalog
from fraiseql.testing import isolated
from tests.integration.edges.conftest import ENDPOINT, JSON_BODY, Answer, Edges
from tests.integration.edges.served import Served

EVENTS = JSON_BODY | {"Accept": "text/event-stream"}
COMPLETE = "event: complete\ndata: \n\n"
BOUND = "{ makers(limit: 1) { name } }"
RESOLVER = "{ viewer makers(limit: 1) { name } }"


class Listener:
    """Asks for events: of the view under WSGI, in front of Django, and behind it under ASGI."""

    def __init__(self, edges: Edges) -> None:
        self._edges = edges

    def ask(self, query: str, **more: Any) -> list[Answer]:
        body = json.dumps({"query": query, **more}).encode()
        return self.send(body)

    def send(self, body: bytes, headers: dict[str, str] = EVENTS) -> list[Answer]:
        given = httpx.Headers({"Host": "testserver"} | headers)
        return [
            self._edges.view("POST", ENDPOINT, given, body),
            self._edges.asgi("POST", ENDPOINT, given, body),
        ]


@pytest.fixture
def listener(edges: Edges) -> Listener:
    return Listener(edges)


def answer_in(answer: Answer) -> Any:
    """Return the one response in events, signs of life passed over; fail if they are not as they should be."""
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["cache-control"] == "private, no-store"
    assert set(answer.headers["vary"].split(", ")) == {"Accept", "Cookie"}
    text = answer.body.decode().replace(":\n\n", "")
    assert text.endswith(COMPLETE)
    first, _, data = text.removesuffix(COMPLETE).partition("\n")
    assert first == "event: next"
    assert data.endswith("\n\n")
    assert "\n" not in data[:-2]
    return json.loads(data.removeprefix("data: "))


@pytest.mark.parametrize(
    ("query", "data"),
    [
        (BOUND, {"makers": [{"name": "Anvil & Sons"}]}),
        (RESOLVER, {"viewer": "AnonymousUser", "makers": [{"name": "Anvil & Sons"}]}),
    ],
    ids=["bound", "resolver"],
)
def test_an_answer_is_one_event_and_its_end(listener: Listener, query: str, data: Any) -> None:
    assert [answer_in(answer) for answer in listener.ask(query)] == [{"data": data}] * 2


@pytest.mark.parametrize("query", ["{", "{ nothing }", "{ makers(limit: -1) { name } }"])
def test_what_is_refused_is_an_event_too(listener: Listener, query: str) -> None:
    found = [answer_in(answer) for answer in listener.ask(query)]

    assert found[0] == found[1]
    assert found[0]["errors"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", EVENTS, 400),
        (b"nonsense", EVENTS, 400),
        (b"{}", EVENTS | {"Content-Type": "text/plain"}, 415),
    ],
)
def test_what_is_no_request_has_its_status(
    listener: Listener, body: bytes, headers: dict[str, str], status: int
) -> None:
    for answer in listener.send(body, headers):
        assert (answer.status, answer.codes) == (status, ["BAD_REQUEST"])
        assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("accept", ["text/event-stream, application/json", "*/*", "text/*"])
def test_those_who_like_json_as_well_get_json(edges: Edges, accept: str) -> None:
    body = json.dumps({"query": BOUND}).encode()
    answer = edges.send(headers=JSON_BODY | {"Accept": accept}, body=body)

    assert answer.headers["content-type"].startswith("application/json")
    assert answer.status == (406 if accept == "text/*" else 200)


def test_events_come_by_get_too(edges: Edges) -> None:
    headers = httpx.Headers({"Host": "testserver", "Accept": "text/event-stream"})
    path = ENDPOINT + "?query=%7B__typename%7D"
    answers = [edges.view("GET", path, headers, b""), edges.asgi("GET", path, headers, b"")]

    assert [answer_in(answer) for answer in answers] == [{"data": {"__typename": "Query"}}] * 2


@pytest.fixture
def slow(edges: Edges) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE VIEW v_slow AS SELECT 1 AS id,"
            " json_build_object('id', 1, 'void', pg_sleep(0.3), E'a\\n', E'\\n') AS data"
        )
    catalog.forget("default")
    with isolated():

        @fraiseql.type(view="v_slow")
        class Slow:
            id: int

        class Query(fraiseql.Query):
            slow = fraiseql.many(Slow)

        @fraiseql.query
        def now(info: Any) -> int:
            return 1

        yield
    catalog.forget("default")


@pytest.mark.parametrize("query", ["{ slow { id } }", "{ slow { id } now }"])
def test_signs_of_life_come_while_a_statement_runs(
    listener: Listener, slow: None, settings: Settings, query: str
) -> None:
    settings.FRAISEQL = {"SSE_HEARTBEAT_MS": 10}
    whole, streamed = listener.ask(query)
    settings.FRAISEQL = {"SSE_HEARTBEAT_MS": 0}
    _, silent = listener.ask(query)

    assert streamed.body.startswith(b":\n\n:\n\n")
    assert answer_in(streamed) == answer_in(whole) == answer_in(silent)
    assert b":\n\n" not in silent.body.replace(b"data: \n\n", b"")


def test_what_breaks_inside_is_an_id_to_clients(
    edges: Edges,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("canary-4711")

    with isolated():

        @fraiseql.query
        def failing(info: Any) -> int | None:
            raise ValueError("canary-4711")

        found = [answer_in(answer) for answer in listener.ask("{ failing }")]
    monkeypatch.setattr("fraiseql.asgi.execute_async", broken)
    found.append(answer_in(listener.ask(BOUND)[1]))

    for shown in found:
        (error,) = shown["errors"]
        (record,) = [each for each in caplog.records if error["extensions"]["id"] in each.message]
        assert error["message"] == "Internal error"
        assert "canary-4711" in logging.Formatter().format(record)
        assert "canary" not in json.dumps(shown)


CLIENT = """
import { createClient } from 'graphql-sse';

const [, , url, query] = process.argv;
const client = createClient({ url, retryAttempts: 0 });
const ask = (query) => new Promise((resolve, reject) => {
  const results = [];
  client.subscribe({ query }, {
    next: (result) => results.push(result), error: reject, complete: () => resolve(results),
  });
});
const found = [await ask(query), await ask('{ nothing }'), await ask('{ failingNow }')];
console.log(JSON.stringify(found));
client.dispose();
"""


@pytest.mark.slow
def test_the_protocols_own_client_listens(introspected: Served, node: Callable[..., Any]) -> None:
    answered, refused, failed = node(CLIENT, introspected.url, BOUND)

    assert answered == [{"data": {"makers": [{"name": "Anvil & Sons"}]}}]
    assert refused[0]["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert failed[0]["errors"][0]["message"] == "Internal error"

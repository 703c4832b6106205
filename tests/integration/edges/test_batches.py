"""Several operations in one request, at both edges."""

import json
from typing import Any

import httpx
import pytest
from django.core.handlers.asgi import ASGIHandler
from pytest_django import Settings

from fraiseql import batch
from fraiseql.engine import pipeline
from tests.integration.edges.conftest import ENDPOINT, JSON_BODY, Answer, Edges

JSON, GRAPHQL = "application/json", "application/graphql-response+json"
MAKER = {"query": "query ($id: String) { maker(identifier: $id) { name } }"}
BIRCH, ANVIL = ({**MAKER, "variables": {"id": name}} for name in ("birch", "anvil"))
VIEWER = {"query": "{ viewer }"}
WRONG = {"query": "{ nothing }"}
FAILED = {"query": '{ maker(id: "x") { name } }'}


@pytest.fixture
def edges(edges: Edges, settings: Settings) -> Edges:
    settings.FRAISEQL = {"MAX_BATCH": 6}
    return edges


def send(edges: Edges, *items: Any, accept: str = JSON) -> Answer:
    return edges.send(headers=JSON_BODY | {"Accept": accept}, body=json.dumps(items).encode())


def codes(answer: Answer) -> list[list[str]]:
    return [
        [error["extensions"]["code"] for error in item.get("errors", [])] for item in answer.json
    ]


def test_each_is_answered_by_itself_and_in_order(edges: Edges) -> None:
    answer = send(edges, BIRCH, WRONG, ANVIL, {"query": 7}, FAILED, BIRCH)

    assert answer.status == 200
    assert [item.get("data") for item in answer.json] == [
        {"maker": {"name": "Birch Bücher"}},
        None,
        {"maker": {"name": "Anvil & Sons"}},
        None,
        {"maker": None},
        {"maker": {"name": "Birch Bücher"}},
    ]
    assert codes(answer) == [
        [],
        ["GRAPHQL_VALIDATION_FAILED"],
        [],
        ["BAD_REQUEST"],
        ["BAD_USER_INPUT"],
        [],
    ]
    assert answer.headers["cache-control"] == "private, no-cache, must-revalidate"


def test_one_that_needs_python_takes_the_others_to_django(edges: Edges) -> None:
    answer = send(edges, BIRCH, VIEWER, WRONG)

    assert answer.json[:2] == [
        {"data": {"maker": {"name": "Birch Bücher"}}},
        {"data": {"viewer": "AnonymousUser"}},
    ]
    assert codes(answer) == [[], [], ["GRAPHQL_VALIDATION_FAILED"]]


def test_in_front_of_django_they_are_answered_without_it(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unexpected(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(ASGIHandler, "__call__", unexpected)
    headers = httpx.Headers({"Host": "testserver"} | JSON_BODY)
    body = json.dumps([BIRCH, WRONG, ANVIL, {}]).encode()

    assert len(edges.asgi("POST", ENDPOINT, headers, body).json) == 4


def test_no_more_than_a_few_run_at_a_time(edges: Edges, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0

    async def counted(*arguments: Any, **more: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await pipeline.execute_async(*arguments, **more)
        finally:
            running -= 1

    monkeypatch.setattr(batch, "execute_async", counted)
    monkeypatch.setattr(batch, "AT_ONCE", 2)
    send(edges, *[BIRCH, ANVIL] * 3)

    assert most == 2


@pytest.mark.parametrize("items", [[], [BIRCH] * 7], ids=["none", "too many"])
def test_their_number_is_bounded(edges: Edges, items: list[Any]) -> None:
    answer = send(edges, *items)

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])
    assert "1 to 6" in answer.errors[0]["message"]


def test_without_the_setting_there_is_none(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {}
    answer = send(edges, BIRCH)

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


def test_a_batch_in_a_batch_is_no_request(edges: Edges) -> None:
    assert codes(send(edges, [BIRCH], BIRCH, None)) == [["BAD_REQUEST"], [], ["BAD_REQUEST"]]


@pytest.mark.parametrize(
    ("profile", "accept", "items", "status"),
    [
        ("compat", JSON, [WRONG, WRONG], 200),
        ("compat", GRAPHQL, [WRONG, WRONG], 400),
        ("compat", GRAPHQL, [WRONG, BIRCH], 200),
        ("compat", JSON, [{}, {}], 400),
        ("draft-2026", GRAPHQL, [WRONG, {}], 422),
        ("draft-2026", GRAPHQL, [{"query": "{"}] * 2, 400),
        ("draft-2026", GRAPHQL, [WRONG, BIRCH], 294),
        ("draft-2026", GRAPHQL, [ANVIL, BIRCH], 200),
    ],
)
def test_the_status_is_what_holds_for_all(
    edges: Edges, settings: Settings, profile: str, accept: str, items: list[Any], status: int
) -> None:
    settings.FRAISEQL = {"MAX_BATCH": 6, "HTTP_PROFILE": profile}

    assert send(edges, *items, accept=accept).status == status


def test_their_costs_are_summed(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"MAX_BATCH": 6, "MAX_COST": 100}
    many = {"query": "{ makers(limit: 40) { name } }"}
    answer = send(edges, many, many, many, BIRCH, {"query": "{ makers(limit: 400) { name } }"})

    assert codes(answer) == [[], [], ["COST_EXCEEDED"], [], ["COST_EXCEEDED"]]
    settings.FRAISEQL = {"MAX_BATCH": 6, "MAX_COST": 0}
    assert codes(send(edges, many, many, many)) == [[], [], []]


def test_a_hash_in_a_batch_is_looked_up(edges: Edges) -> None:
    unknown = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}
    answer = send(edges, unknown, BIRCH)

    assert codes(answer) == [["PERSISTED_QUERY_NOT_FOUND"], []]


def test_events_are_not_for_batches(edges: Edges) -> None:
    headers = JSON_BODY | {"Accept": "text/event-stream"}
    answer = edges.send(headers=headers, body=json.dumps([BIRCH]).encode())

    assert (answer.status, answer.codes) == (406, ["BAD_REQUEST"])


def test_writes_are_written_in_turn(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"MAX_BATCH": 6, "GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"]}
    writes = [
        {"query": f'mutation {{ writeNote(text: "{text}") {{ note {{ text }} }} }}'}
        for text in "ab"
    ]
    answer = send(Edges(), *writes)

    assert [item["data"]["writeNote"]["note"]["text"] for item in answer.json] == ["a", "b"]

"""The two profiles of statuses; what clients of either may cache, and when they may come back."""

import json

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from fraiseql.db import catalog, pool, sync
from fraiseql.errors import BadUserInput, ServiceUnavailable
from tests.integration.edges.conftest import JSON_BODY, Edges
from tests.integration.edges.test_authentication import cookie_of

JSON, GRAPHQL = "application/json", "application/graphql-response+json"
GET = "/graphql/?query=%7B__typename%7D"


def body(query: str, **more: object) -> bytes:
    return json.dumps({"query": query, **more}).encode()


REQUESTS = {
    "no JSON": b"NONSENSE",
    "no query": b'{"qeury": "{ __typename }"}',
    "wrong variables": body("{ __typename }", variables=[7]),
    "a list": b"[]",
    "no document": body("{"),
    "an invalid document": body("{ nothing }"),
    "no operation": body("{ __typename }", operationName="B"),
    "wrong values": body("query ($n: Int!) { makers(limit: $n) { name } }", variables={"n": "x"}),
    "a subscription": body("subscription { __typename }"),
    "an error in a field": body('{ maker(id: "x") { name } }'),
    "data": body("{ __typename }"),
}
COMPAT_JSON = [400, 400, 400, 400, 200, 200, 200, 200, 400, 200, 200]
COMPAT_GRAPHQL = [400] * 9 + [200, 200]
DRAFT = [400, 422, 422, 422, 400, 422, 422, 422, 400, 294, 200]


@pytest.mark.parametrize(
    ("profile", "accept", "statuses"),
    [
        ("compat", JSON, COMPAT_JSON),
        ("compat", GRAPHQL, COMPAT_GRAPHQL),
        ("draft-2026", JSON, DRAFT),
        ("draft-2026", GRAPHQL, DRAFT),
    ],
)
def test_the_statuses_of_a_profile(
    edges: Edges, settings: Settings, profile: str, accept: str, statuses: list[int]
) -> None:
    settings.FRAISEQL = {"HTTP_PROFILE": profile}
    answers = [
        edges.send(headers=JSON_BODY | {"Accept": accept}, body=sent) for sent in REQUESTS.values()
    ]

    assert dict(zip(REQUESTS, [answer.status for answer in answers], strict=True)) == dict(
        zip(REQUESTS, statuses, strict=True)
    )
    for answer in answers:
        assert ("data" in answer.json) or profile == "compat" or answer.status >= 400


def test_the_draft_answers_failures_in_the_type_clients_can_trust(
    edges: Edges, settings: Settings
) -> None:
    settings.FRAISEQL = {"HTTP_PROFILE": "draft-2026"}
    types = {
        accept: [
            edges.send(headers=JSON_BODY | {"Accept": accept}, body=REQUESTS[name])
            .headers["content-type"]
            .partition(";")[0]
            for name in ("data", "an error in a field", "no document")
        ]
        for accept in (JSON, "*/*", f"{GRAPHQL};q=0.5, {JSON}")
    }

    assert types == {
        JSON: [JSON, JSON, GRAPHQL],
        "*/*": [GRAPHQL] * 3,
        f"{GRAPHQL};q=0.5, {JSON}": [JSON, JSON, GRAPHQL],
    }


@pytest.mark.parametrize("profile", ["compat", "draft-2026"])
def test_a_mutation_by_get_is_405_and_nothing_acceptable_406(
    edges: Edges, settings: Settings, profile: str
) -> None:
    settings.FRAISEQL = {"HTTP_PROFILE": profile, "GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"]}
    path = "/graphql/?query=mutation%7BwriteNote(text%3A%22x%22)%7B__typename%7D%7D"
    mutation = Edges().send("GET", path, headers={})
    nothing = Edges().send(headers=JSON_BODY | {"Accept": "text/plain"}, body=REQUESTS["data"])

    assert (mutation.status, mutation.headers["allow"]) == (405, "GET, POST")
    assert nothing.status == 406


# Caches


def test_only_what_nobody_in_particular_gets_may_be_kept(edges: Edges, db: None) -> None:
    cookie = cookie_of(User.objects.create(username="ada")) | {"GraphQL-Require-Preflight": "1"}
    by_get = edges.send("GET", GET, headers={})
    own = edges.send("GET", GET, headers=cookie)
    by_post = edges.send(body=REQUESTS["data"])
    failed = edges.send("GET", "/graphql/?query=%7Bmaker%7Bname%7D%7D", headers={})
    refused = edges.send("GET", "/graphql/?query=%7Bnothing%7D", headers={})

    assert "cache-control" not in by_get.headers
    assert own.headers["cache-control"] == by_post.headers["cache-control"] == "private, no-store"
    for answer in (failed, refused):
        assert answer.headers["cache-control"] == "private, no-cache, must-revalidate"
    assert by_get.headers["vary"] == own.headers["vary"] == "Accept, Cookie"


# A database that cannot answer


@pytest.mark.parametrize("retry_after_s", [0.2, 6.5])
@pytest.mark.parametrize("accept", [JSON, GRAPHQL])
def test_an_overloaded_database_is_503_and_says_when_to_come_back(
    edges: Edges, monkeypatch: pytest.MonkeyPatch, retry_after_s: float, accept: str
) -> None:
    error = ServiceUnavailable("Too much at once.", retry_after_s=retry_after_s)

    def shed(*_: object) -> None:
        raise error

    async def shed_async(*_: object) -> None:
        raise error

    for name, module in (("fetch", sync), ("fetch_all", sync), ("relations", catalog)):
        monkeypatch.setattr(module, name, shed)
    for name, module in (("fetch", pool), ("fetch_all", pool), ("relations_async", catalog)):
        monkeypatch.setattr(module, name, shed_async)
    answer = edges.send(headers=JSON_BODY | {"Accept": accept}, body=body("{ makers { name } }"))

    assert (answer.status, answer.codes) == (503, ["SERVICE_UNAVAILABLE"])
    assert "data" not in answer.json
    assert answer.headers.get("retry-after") == {0.2: "1", 6.5: "7"}[retry_after_s]


def test_other_errors_of_fields_are_200(edges: Edges, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BadUserInput("No.")

    async def refuse_async(*_: object) -> None:
        raise BadUserInput("No.")

    for name in ("fetch", "fetch_all"):
        monkeypatch.setattr(sync, name, refuse)
        monkeypatch.setattr(pool, name, refuse_async)
    answer = edges.post('{ maker(identifier: "anvil") { name } }')

    assert (answer.status, answer.json["data"]) == (200, {"maker": None})


# Introspection


SCHEMA = body("{ __schema { queryType { name } } }")
TYPE = body('{ makers(limit: 1) { name } t: __type(name: "Maker") { name } }')


@pytest.mark.parametrize(
    ("policy", "of_nobody", "of_ada"),
    [("public", True, True), ("authenticated", False, True), ("off", False, False)],
)
@pytest.mark.parametrize("asks", [SCHEMA, TYPE], ids=["__schema", "__type"])
def test_the_schema_is_for_those_the_policy_names(
    db: None,
    edges: Edges,
    settings: Settings,
    policy: str,
    of_nobody: bool,
    of_ada: bool,
    asks: bytes,
) -> None:
    settings.FRAISEQL = {"INTROSPECTION": policy}
    ada = JSON_BODY | cookie_of(User.objects.create(username="ada"))
    # Twice: what is compiled for one is not for the other.
    answers = [edges.send(headers=headers, body=asks) for headers in [JSON_BODY, ada] * 2]

    assert [not answer.errors for answer in answers] == [of_nobody, of_ada] * 2
    for answer in answers:
        assert set(answer.codes) <= {"GRAPHQL_VALIDATION_FAILED"}
        assert not answer.errors or "data" not in answer.json
    assert edges.send(body=REQUESTS["data"]).json == {"data": {"__typename": "Query"}}

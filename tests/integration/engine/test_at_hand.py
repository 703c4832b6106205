"""Queries of which all is known but their rows: answered as any other, or not at hand."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import override_settings

import fraiseql
from fraiseql.db import sync
from fraiseql.db.statement import Statement
from fraiseql.engine import pipeline
from fraiseql.engine.document.request import Budget, GraphQLRequest, from_payload
from fraiseql.testing import assert_statements, isolated

ASK = async_to_sync(pipeline.execute_async)
MAKER = GraphQLRequest(
    "query M($key: String) { maker(identifier: $key) { name } }", "M", {"key": "birch"}
)


def at_hand(request: GraphQLRequest) -> bool:
    """Tell whether a request is, once it has been asked twice."""
    ASK(request)
    ASK(request)
    return pipeline.get_engine().at_hand(request) is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "request_",
    [
        MAKER,
        GraphQLRequest("{ makers(limit: 2) { name } }"),
        GraphQLRequest("{ makers(limit: 2) { name } other: makers { id } __typename }"),
        GraphQLRequest("{ makerFeed(first: 2) { edges { node { name } } } }"),
    ],
    ids=["one", "many", "several", "connection"],
)
def test_what_is_at_hand_is_answered_as_before(request_: GraphQLRequest) -> None:
    assert at_hand(request_)

    with assert_statements(1):
        again = ASK(request_)

    assert again == pipeline.execute(request_)


NAMED = "query M($key: String) { maker(identifier: $key) { name } }"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "payload",
    [
        {"query": "{ makers { name } }"},
        {"query": "{ makers { name } }", "variables": {}},
        {"query": "{ makers { name } }", "variables": None, "operationName": None},
        {"query": NAMED, "variables": {"key": "birch"}},
        {"query": NAMED, "operationName": "M", "variables": {"key": "birch"}},
        {"variables": {"key": "birch"}, "query": NAMED, "extensions": {}},
        {"query": NAMED, "variables": {"key": None}, "extensions": None, "id": "1", "more": [1]},
        {"query": NAMED, "extensions": {"clientLibrary": {"name": "x"}, "persistedQuery": None}},
    ],
    ids=str,
)
def test_a_body_is_ready_for_what_is_at_hand(payload: dict[str, Any]) -> None:
    request = from_payload(payload)
    is_known = at_hand(request)
    ready = pipeline.get_engine().ready(json.dumps(payload).encode())

    assert (ready is not None) == is_known
    if ready is not None:
        text, params = ready.step
        statement = Statement(
            text, tuple(None if each is None else each.decode() for each in params)
        )

        answer = pipeline.get_engine().finish(ready, sync.fetch(statement))

        assert answer == pipeline.execute(request)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "request_",
    [
        GraphQLRequest(
            "query($s: Boolean!) { makers { name @skip(if: $s) id } }", None, {"s": True}
        ),
        GraphQLRequest("{ makers { label } }"),
        GraphQLRequest("{ nothing }"),
        MAKER._replace(document_id="x" * 64),
        MAKER._replace(budget=Budget(1_000)),
        MAKER._replace(variables={"key": ["birch", {}]}),
    ],
    ids=["skip", "executor", "invalid", "stored", "batch", "variables"],
)
def test_what_has_to_be_found_out_is_not_at_hand(request_: GraphQLRequest) -> None:
    assert not at_hand(request_)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given",
    [
        {"INTROSPECTION": "authenticated"},
        {"MAX_PLAN_COST": 1_000_000},
        {"PERSISTED_OPERATIONS": "log"},
    ],
)
def test_settings_that_look_at_each_request_keep_nothing_at_hand(given: dict[str, Any]) -> None:
    with override_settings(FRAISEQL=given):
        assert not at_hand(MAKER)


@pytest.mark.django_db
def test_what_variables_could_make_too_expensive_is_not_at_hand() -> None:
    query = GraphQLRequest("query($n: Int) { makers(limit: $n) { name } }", None, {"n": 2})

    assert at_hand(query)
    with override_settings(FRAISEQL={"MAX_COST": 100}):
        assert not at_hand(query)


@pytest.mark.django_db
def test_a_view_made_anew_is_looked_at_again() -> None:
    with isolated():

        @fraiseql.type(view="v_word")
        class Word:
            id: int

        class Query(fraiseql.Query):
            words = fraiseql.many(Word)

        query = GraphQLRequest("{ words { id } }")
        with connection.cursor() as cursor:
            cursor.execute("CREATE VIEW v_word AS SELECT 1 AS id, '{\"id\": 1}'::jsonb AS data")
            assert at_hand(query)
            cursor.execute("DROP VIEW v_word")
            cursor.execute("CREATE VIEW v_word AS SELECT 2 AS id")
        bodies = [json.loads(ASK(query).body) for _ in range(3)]

        assert bodies == [{"data": {"words": [{"id": "2"}]}}] * 3
        assert pipeline.get_engine().at_hand(query) is not None


@pytest.mark.django_db
def test_a_null_where_none_may_be_is_told_as_before() -> None:
    with isolated():

        @fraiseql.type(view="v_gap")
        class Gap:
            id: int
            name: str

        class Query(fraiseql.Query):
            gaps = fraiseql.many(Gap)

        query = GraphQLRequest("{ gaps { name } }")
        with connection.cursor() as cursor:
            cursor.execute("CREATE VIEW v_gap AS SELECT 1 AS id, '{\"id\": 1}'::jsonb AS data")
        assert at_hand(query)
        told = [json.loads(each.body) for each in (ASK(query), pipeline.execute(query))]

    for each in told:
        each["errors"][0]["extensions"].pop("id", None)
    assert told[0] == told[1]
    assert told[0]["errors"][0]["path"] == ["gaps", 0, "name"]


@pytest.mark.django_db
def test_a_failed_statement_is_told_and_not_sent_again() -> None:
    with isolated():

        @fraiseql.type(view="v_frail")
        class Frail:
            id: int

        class Query(fraiseql.Query):
            frails = fraiseql.many(Frail)

        query = GraphQLRequest("{ frails { id } }")
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE tb_frail AS SELECT 1 AS id")
            cursor.execute(
                "CREATE VIEW v_frail AS SELECT id, jsonb_build_object('id', 1 / id) AS data FROM tb_frail"
            )
            assert at_hand(query)
            cursor.execute("UPDATE tb_frail SET id = 0")
        with assert_statements(1):
            answer = json.loads(ASK(query).body)

    assert answer["data"] is None
    assert answer["errors"][0]["path"] == ["frails"]

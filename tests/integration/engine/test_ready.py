"""Bodies of queries of which all is known but their rows: answered as any other, or not ready."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import override_settings

import fraiseql
from fraiseql.engine import pipeline
from fraiseql.engine.document.request import from_json
from fraiseql.engine.result.envelope import Response
from fraiseql.engine.viewer import ANONYMOUS
from fraiseql.errors import FraiseQLError
from fraiseql.testing import assert_statements, isolated

Payload = dict[str, Any]
NAMED = "query M($key: String) { maker(identifier: $key) { name } }"
MAKER: Payload = {"query": NAMED, "variables": {"key": "birch"}}


@async_to_sync
async def ask(payload: Payload) -> Response:
    """Return the answer as the ASGI edge finds it."""
    engine, body = pipeline.get_engine(), json.dumps(payload).encode()
    ready = engine.ready(body)
    if ready is None:
        return await pipeline.execute_async(from_json(body))
    try:
        (rows,) = await engine.ask(ready, ANONYMOUS, None, asyncio.get_running_loop())
    except FraiseQLError as error:
        engine.unsettle(ready, error)
        return await pipeline.execute_async(from_json(body), failed=error)
    data = engine.respond(ready, rows)
    return engine.finish(ready, rows) if data is None else Response(data)


def is_ready(payload: Payload) -> bool:
    """Tell whether a body is, once it has been asked twice."""
    ask(payload)
    ask(payload)
    return pipeline.get_engine().ready(json.dumps(payload).encode()) is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "payload",
    [
        MAKER,
        {"query": "{ makers(limit: 2) { name } }"},
        {"query": "{ makers(limit: 2) { name } }", "variables": {}},
        {"query": "{ makers(limit: 2) { name } }", "variables": None, "operationName": None},
        {"query": "{ makers(limit: 2) { name } other: makers { id } __typename }"},
        {"query": "{ makerFeed(first: 2) { edges { node { name } } } }"},
        {**MAKER, "operationName": "M"},
        {"variables": {"key": "elm"}, "query": NAMED, "extensions": {}},
        {**MAKER, "extensions": None, "id": "1", "more": [1]},
        {**MAKER, "extensions": {"clientLibrary": {"name": "x"}, "persistedQuery": None}},
    ],
    ids=str,
)
def test_what_is_ready_is_answered_as_before(payload: Payload) -> None:
    assert is_ready(payload)

    with assert_statements(1):
        again = ask(payload)

    assert again == pipeline.execute(from_json(json.dumps(payload).encode()))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "payload",
    [
        {
            "query": "query($s: Boolean!) { makers { name @skip(if: $s) id } }",
            "variables": {"s": True},
        },
        {"query": "{ makers { label } }"},
        {"query": "{ nothing }"},
        {**MAKER, "variables": {"key": ["birch", {}]}},
        {**MAKER, "variables": {"key": None}},
    ],
    ids=["skip", "executor", "invalid", "variables", "null"],
)
def test_what_has_to_be_found_out_is_not_ready(payload: Payload) -> None:
    assert not is_ready(payload)


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"query": 5}', b"\xff"])
def test_what_is_no_request_is_not_ready(body: bytes) -> None:
    assert pipeline.get_engine().ready(body) is None


@pytest.mark.django_db
def test_the_id_of_a_document_is_looked_up() -> None:
    digest = "a" * 64
    automatic = {"persistedQuery": {"version": 1, "sha256Hash": digest}}

    assert is_ready(MAKER)
    for payload in ({"documentId": digest}, {**MAKER, "extensions": automatic}):
        assert pipeline.get_engine().ready(json.dumps(payload).encode()) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "given",
    [
        {"INTROSPECTION": "authenticated"},
        {"MAX_PLAN_COST": 1_000_000},
        {"PERSISTED_OPERATIONS": "log"},
    ],
)
def test_settings_that_look_at_each_request_keep_nothing_ready(given: dict[str, Any]) -> None:
    with override_settings(FRAISEQL=given):
        assert not is_ready(MAKER)


@pytest.mark.django_db
def test_what_variables_could_make_too_expensive_is_not_ready() -> None:
    query = {"query": "query($n: Int) { makers(limit: $n) { name } }", "variables": {"n": 2}}

    assert is_ready(query)
    with override_settings(FRAISEQL={"MAX_COST": 100}):
        assert not is_ready(query)


@pytest.mark.django_db
def test_a_view_made_anew_is_looked_at_again() -> None:
    with isolated():

        @fraiseql.type(view="v_word")
        class Word:
            id: int

        class Query(fraiseql.Query):
            words = fraiseql.many(Word)

        query = {"query": "{ words { id } }"}
        with connection.cursor() as cursor:
            cursor.execute("CREATE VIEW v_word AS SELECT 1 AS id, '{\"id\": 1}'::jsonb AS data")
            assert is_ready(query)
            cursor.execute("DROP VIEW v_word")
            cursor.execute("CREATE VIEW v_word AS SELECT 2 AS id")
        bodies = [json.loads(ask(query).body) for _ in range(3)]

        assert bodies == [{"data": {"words": [{"id": "2"}]}}] * 3
        assert is_ready(query)


@pytest.mark.django_db
def test_a_null_where_none_may_be_is_told_as_before() -> None:
    with isolated():

        @fraiseql.type(view="v_gap")
        class Gap:
            id: int
            name: str

        class Query(fraiseql.Query):
            gaps = fraiseql.many(Gap)

        query = {"query": "{ gaps { name } }"}
        with connection.cursor() as cursor:
            cursor.execute("CREATE VIEW v_gap AS SELECT 1 AS id, '{\"id\": 1}'::jsonb AS data")
        assert is_ready(query)
        request = from_json(json.dumps(query).encode())
        told = [json.loads(each.body) for each in (ask(query), pipeline.execute(request))]

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

        query = {"query": "{ frails { id } }"}
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE tb_frail AS SELECT 1 AS id")
            cursor.execute(
                "CREATE VIEW v_frail AS SELECT id, jsonb_build_object('id', 1 / id) AS data FROM tb_frail"
            )
            assert is_ready(query)
            cursor.execute("UPDATE tb_frail SET id = 0")
        with assert_statements(1):
            answer = json.loads(ask(query).body)

    assert answer["data"] is None
    assert answer["errors"][0]["path"] == ["frails"]

"""Requests through all rooms: selection, conditions, variables, errors."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connection
from django.test import override_settings

import fraiseql
from fraiseql.db import catalog, sync
from fraiseql.engine import operation, pipeline
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.errors import ServiceUnavailable
from fraiseql.testing import AsyncClient, Client, Result, assert_statements, isolated

Ask = Callable[..., Any]
Answer = Callable[..., Result]


def body(query: str, **variables: Any) -> str:
    """Return the response's bytes as text: what order keys stand in matters."""
    return pipeline.execute(GraphQLRequest(query, None, variables)).body.decode()


@contextmanager
def settings(**given: Any) -> Iterator[None]:
    """Settings of ``settings.FRAISEQL``."""
    with override_settings(FRAISEQL=given):
        yield


# Selections


@pytest.mark.django_db
def test_fields_come_in_the_order_of_the_selection() -> None:
    text = body("""{ maker(identifier: "birch") {
        name ...More country: __typename ... { founded } id name } }
        fragment More on Maker { identifier office { dns1Id } name }""")

    assert text == (
        '{"data":{"maker":{"name":"Birch Bücher","identifier":"birch","office":null,"country":"Maker",'
        '"founded":1950,"id":"00000000-0000-4000-8000-0000000000a2"}}}'
    )


@pytest.mark.django_db
def test_the_executor_answers_in_the_same_order() -> None:
    query = '{ %s b: maker(identifier: "birch") { name label } a: __typename }'

    text = pipeline.execute(GraphQLRequest(query % "viewer"), Client().request).body.decode()

    assert text == (
        '{"data":{"viewer":"AnonymousUser","b":{"name":"Birch Bücher","label":"Birch Bücher (DE)"},"a":"Query"}}'
    )


def test_aliases_of_one_field_have_selections_of_their_own(ask: Ask) -> None:
    found = ask("""{ maker(identifier: "anvil") {
        first: office { addressLine1 } second: office { dns1Id a: dns1Id } office { __typename } } }""")

    assert found["maker"] == {
        "first": {"addressLine1": '1 Quay "North"'},
        "second": {"dns1Id": 53, "a": 53},
        "office": {"__typename": "Office"},
    }


def test_merged_fields_have_all_their_selections(ask: Ask) -> None:
    found = ask("""{ maker(identifier: "anvil") { office { dns1Id } ...O wares { name } }
        maker(identifier: "anvil") { wares { ... on Tool { watts } stock } name } }
        fragment O on Maker { office { openedOn dns1Id } }""")

    assert found["maker"]["office"] == {"dns1Id": 53, "openedOn": "1899-05-01"}
    assert found["maker"]["wares"][2] == {"name": "Drill", "watts": 850, "stock": 3}


def test_fragments_on_interfaces_and_types_nest(ask: Ask) -> None:
    found = ask("""{ wares(limit: 2, orderBy: [{name: ASC}]) { ...W } books(limit: 1) { ...W } }
        fragment W on Ware { ...T ... on Book { ... on Ware { name } pages } __typename }
        fragment T on Tool { watts tool: __typename }""")

    assert found == {
        "wares": [
            {"name": "Atlas", "pages": 320, "__typename": "Book"},
            {"watts": None, "tool": "Tool", "__typename": "Tool"},
        ],
        "books": [{"name": "Atlas", "pages": 320, "__typename": "Book"}],
    }


@pytest.mark.parametrize(
    ("skip", "include", "keys"),
    [
        (True, True, ["c"]),
        (False, True, ["a", "b", "c", "d"]),
        (False, False, ["a", "c"]),
    ],
)
def test_skip_and_include(ask: Ask, skip: bool, include: bool, keys: list[str]) -> None:
    found = ask(
        """query ($s: Boolean!, $i: Boolean = true) { maker(identifier: "anvil") {
            a: name @skip(if: $s) b: name @skip(if: $s) @include(if: $i) c: name @include(if: true)
            ... @include(if: $i) { ...D @skip(if: $s) } } }
            fragment D on Maker { d: name }""",
        s=skip,
        i=include,
    )

    assert list(found["maker"]) == keys


def test_defaults_decide_conditions_too(ask: Ask) -> None:
    query = """query ($i: Boolean = false) { maker(identifier: "anvil") { name @include(if: $i) id } }"""

    assert list(ask(query)["maker"]) == ["id"]
    assert list(ask(query, i=True)["maker"]) == ["name", "id"]
    assert list(ask(query)["maker"]) == ["id"]


def test_a_root_field_that_is_skipped_is_not_read(ask: Ask) -> None:
    query = "query ($s: Boolean!) { makers @skip(if: $s) { name } __typename @skip(if: $s) x: __typename }"

    with assert_statements(0):
        assert ask(query, s=True) == {"x": "Query"}
    with assert_statements(1):
        assert list(ask(query, s=False)) == ["makers", "__typename", "x"]


def test_typename_alone_needs_no_statement(ask: Ask) -> None:
    with assert_statements(0):
        assert ask("{ __typename other: __typename }") == {"__typename": "Query", "other": "Query"}


@pytest.mark.django_db
def test_outlines_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "MAX_OUTLINES", 1)
    query = "query ($s: Boolean!) { makers(limit: 1) { name @skip(if: $s) id } }"
    answers = [
        len(Client().query(query, {"s": value}).data["makers"][0]) for value in (True, False, True)
    ]

    assert answers == [1, 2, 1]


@pytest.mark.django_db
def test_kept_statements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "MAX_TEMPLATES", 2)
    query = "query ($l: Int) { makers(limit: $l) { id } }"
    counts = [len(Client().query(query, {"l": limit}).data["makers"]) for limit in (1, 2, 3, 1, 2)]

    assert counts == [1, 2, 3, 1, 2]


# Variables


def test_defaults_of_variables(ask: Ask) -> None:
    query = """query ($name: String = "birch", $limit: Int! = 2) {
        maker(identifier: $name) { name } makers(limit: $limit) { id } }"""

    found = ask(query)
    assert found["maker"] == {"name": "Birch Bücher"}
    assert len(found["makers"]) == 2
    assert ask(query, name="cobalt", limit=1)["maker"] == {"name": "Cobalt"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "Variable '$l' is required and was not sent."),
        ({"l": None}, "Variable '$l' has a wrong value: Int! may not be null."),
        ({"l": "1"}, "Variable '$l' has a wrong value: it is not a Int."),
        ({"l": True}, "Variable '$l' has a wrong value: it is not a Int."),
        ({"l": 2147483648}, "Variable '$l' has a wrong value: it is not a Int."),
        ({"l": 1.5}, "Variable '$l' has a wrong value: it is not a Int."),
    ],
)
def test_wrong_variables_are_refused(answer: Answer, variables: Any, message: str) -> None:
    result = answer("query ($l: Int!) { makers(limit: $l) { id } }", **variables)

    assert (result.data, result.codes, result.status) == (None, ["BAD_USER_INPUT"], 400)
    assert result.errors[0]["message"] == message
    assert result.errors[0]["locations"] == [{"line": 1, "column": 8}]


def test_an_integral_float_is_an_integer(ask: Ask) -> None:
    assert len(ask("query ($l: Int!) { makers(limit: $l) { id } }", l=1.0)["makers"]) == 1


# Requests that are not executed


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ makers { nme } }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Maker { name }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"),
        ("{ __schema { types { name } } }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_refused_requests_have_no_data(answer: Answer, query: str, code: str) -> None:
    result = answer(query)

    assert set(result.codes) == {code}
    assert result.status == 400
    assert '"data"' not in body(query)


def test_names_are_not_suggested_to_strangers(answer: Answer) -> None:
    assert answer("{ makers { nme } }").errors[0]["message"] == (
        "Cannot query field 'nme' on type 'Maker'."
    )


@pytest.mark.django_db
def test_an_operation_is_chosen_by_name() -> None:
    query = "query A { a: __typename } query B { b: __typename }"

    assert Client().query(query, operation_name="B").data == {"b": "Query"}
    assert Client().query(query, operation_name="C").codes == ["OPERATION_RESOLUTION_FAILURE"]
    assert Client().query(query, operation_name="").codes == ["OPERATION_RESOLUTION_FAILURE"]


@pytest.mark.django_db
def test_introspection_is_a_setting() -> None:
    with settings(INTROSPECTION="public"):
        data = Client().query('{ __type(name: "Maker") { name kind } makers { id } }').assert_ok()

    assert data["__type"] == {"name": "Maker", "kind": "OBJECT"}


@pytest.mark.django_db
def test_debug_shows_more() -> None:
    with override_settings(DEBUG=True):
        suggested = Client().query("{ makers { nme } }").errors[0]["message"]
        raised = Client().query("{ failing }").errors[0]["message"]

    assert suggested.endswith("Did you mean 'name'?")
    assert raised == "secret 4711"


@pytest.mark.django_db
def test_long_documents_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MAX_CACHED_TEXT", 5)
    request = GraphQLRequest("{ __typename }")
    engine = pipeline.get_engine()

    assert engine.operation(request) is not engine.operation(request)


@pytest.mark.django_db
def test_a_subscription_needs_another_transport() -> None:
    result = Client().query("subscription { x }")

    assert result.codes == ["BAD_REQUEST"]
    assert result.errors[0]["message"] == "A subscription needs a WebSocket."


@pytest.mark.django_db
def test_a_mutation_without_mutations_is_refused() -> None:
    with isolated():

        @fraiseql.query
        def one(info: Any) -> int:
            return 1

        result = Client().query("mutation { x }")

    assert (result.data, result.status) == (None, 400)
    assert result.codes == ["BAD_USER_INPUT"]


# Errors of fields


FAILING_VIEW = """
CREATE OR REPLACE VIEW v_category AS
SELECT 1 / (c.id - c.id) AS id, NULL::json AS data FROM tb_category c"""
NULL_NAME = "Cannot return null for non-nullable field Flawed.name."
WRONG = "{} holds a value its type does not allow."


@pytest.mark.parametrize("extra", ["", " viewer"])
@pytest.mark.parametrize(
    ("query", "data", "errors"),
    [
        (
            "{ flawed(id: 2) { id name } }",
            {"flawed": None},
            [(NULL_NAME, ["flawed", "name"])],
        ),
        (
            "{ f: flawed(id: 2) { id n: name } }",
            {"f": None},
            [(NULL_NAME, ["f", "n"])],
        ),
        (
            "{ flawed(id: 4) { part { label } } }",
            {"flawed": None},
            [("Cannot return null for non-nullable field Flawed.part.", ["flawed", "part"])],
        ),
        (
            "{ flawed(id: 3) { name number } }",
            {"flawed": None},
            [(WRONG.format("Flawed.number"), ["flawed", "number"])],
        ),
        (
            "{ flawed(id: 3) { name at kind } }",
            {"flawed": {"name": "wrong", "at": None, "kind": None}},
            [
                (WRONG.format("Flawed.at"), ["flawed", "at"]),
                (WRONG.format("Flawed.kind"), ["flawed", "kind"]),
            ],
        ),
        (
            "{ flawed(id: 3) { someParts { label } } }",
            {"flawed": {"someParts": [{"label": "q"}, None, None]}},
            [
                (
                    "Cannot return null for non-nullable field Part.label.",
                    ["flawed", "someParts", 1, "label"],
                )
            ],
        ),
        (
            "{ flawed(id: 3) { parts { label } } }",
            {"flawed": None},
            [
                (
                    "Cannot return null for non-nullable field Part.label.",
                    ["flawed", "parts", 1, "label"],
                )
            ],
        ),
        (
            "{ flawed(id: 3) { part { sizes } } }",
            {"flawed": None},
            [(WRONG.format("Part.sizes"), ["flawed", "part", "sizes", 1])],
        ),
        (
            "{ flawed(id: 5) { name spare { label } someParts { label } at kind } }",
            {"flawed": {"name": "types", "spare": None, "someParts": None, "at": None, "kind": None}},
            [
                (WRONG.format("Flawed.spare"), ["flawed", "spare"]),
                (WRONG.format("Flawed.someParts"), ["flawed", "someParts"]),
                (WRONG.format("Flawed.at"), ["flawed", "at"]),
                (WRONG.format("Flawed.kind"), ["flawed", "kind"]),
            ],
        ),
        (
            "{ maker(identifier: \"anvil\") { name } flaws { id name } }",
            None,
            [(NULL_NAME, ["flaws", 1, "name"])],
        ),
        (
            "{ flawFeed(first: 3) { edges { node { name } } } }",
            None,
            [(NULL_NAME, ["flawFeed", "edges", 1, "node", "name"])],
        ),
    ],
)  # fmt: skip
def test_a_broken_promise_is_an_error_with_its_path(
    answer: Answer, query: str, data: Any, errors: list[Any], extra: str
) -> None:
    result = answer(query[:-2] + extra + " }")
    if result.data:
        result.data.pop("viewer", None)

    assert result.data == data
    assert [(error["message"], error["path"]) for error in result.errors] == errors
    assert set(result.codes) == {"INTERNAL_SERVER_ERROR"}
    assert all(error["locations"] for error in result.errors)


def test_one_root_field_failing_leaves_the_others(answer: Answer) -> None:
    result = answer("""{ a: maker(identifier: "anvil") { name } b: maker { name }
        c: maker(identifier: "birch") { name } }""")

    assert result.data == {"a": {"name": "Anvil & Sons"}, "b": None, "c": {"name": "Birch Bücher"}}
    assert [error["path"] for error in result.errors] == [["b"]]
    assert result.errors[0]["locations"] == [{"line": 1, "column": 42}]


def test_a_statement_that_fails_spoils_one_root_field(answer: Answer, sql: Any) -> None:
    sql(FAILING_VIEW)
    with assert_statements(4):
        result = answer("""{ maker(identifier: "anvil") { name } category(id: 1) { name }
            other: category(id: 2) { name } }""")

    assert result.data == {"maker": {"name": "Anvil & Sons"}, "category": None, "other": None}
    assert [error["path"] for error in result.errors] == [["category"], ["other"]]
    assert result.codes == ["BAD_USER_INPUT"] * 2


def test_refused_and_failing_fields_beside_each_other(answer: Answer, sql: Any) -> None:
    sql(FAILING_VIEW)
    result = answer(
        """{ maker { name } category(id: 1) { name } good: maker(identifier: "anvil") { name } }"""
    )

    assert result.data == {"maker": None, "category": None, "good": {"name": "Anvil & Sons"}}
    assert sorted(error["path"][0] for error in result.errors) == ["category", "maker"]


def test_failures_on_the_executor_read_alike(answer: Answer) -> None:
    result = answer("{ viewer maker { name } failing(public: true) }")

    assert result.data is None
    assert [error["path"] for error in result.errors] == [["maker"], ["failing"]]
    assert result.errors[1]["message"] == "Taken."
    assert result.errors[1]["extensions"] == {"code": "CONFLICT", "hint": "Take another."}


def test_an_unexpected_failure_is_told_by_an_id_that_is_in_the_log(
    answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="fraiseql.errors"):
        result = answer("{ failing }")

    (error,) = result.errors
    assert error["message"] == "Internal error"
    assert "4711" not in json.dumps(result.errors)
    assert error["extensions"]["id"] in caplog.text
    assert "secret 4711" in caplog.text


def test_a_missing_view_is_an_internal_error(caplog: pytest.LogCaptureFixture, db: None) -> None:
    with isolated():

        @fraiseql.type(view="v_gone")
        class Gone:
            id: int

        class Query(fraiseql.Query):
            gone = fraiseql.one(Gone)

        result = Client().query("{ gone(id: 1) { id } }")

    assert result.data == {"gone": None}
    assert result.errors[0]["message"] == "Internal error"
    assert "'v_gone' of Gone does not exist" in caplog.text


def test_a_missing_column_is_an_internal_error(caplog: pytest.LogCaptureFixture, db: None) -> None:
    with isolated():

        @fraiseql.type(view="tb_courier")
        class Courier:
            id: int
            nickname: str

        class Query(fraiseql.Query):
            couriers = fraiseql.many(Courier)

        result = Client().query("{ couriers { nickname } }")
        filtered = Client().query('{ couriers(where: {nickname: {eq: "x"}}) { id } }')

    assert result.codes == filtered.codes == ["INTERNAL_SERVER_ERROR"]
    assert "has no column 'nickname'" in caplog.text


def test_a_view_replaced_under_a_running_server_is_looked_at_again(ask: Ask, sql: Any) -> None:
    query = "{ turnovers(limit: 1) { total } couriers { name } }"
    ask(query)
    sql("DROP MATERIALIZED VIEW mv_turnover")
    sql("CREATE VIEW mv_turnover AS SELECT jsonb_build_object('total', 7) AS data")
    with assert_statements(2):
        found = ask(query)

    assert found["turnovers"] == [{"total": "7"}]
    catalog.forget("default")


def test_a_view_dropped_under_a_running_server_fails_its_fields(answer: Answer, sql: Any) -> None:
    query = '{ maker(identifier: "anvil") { name } turnover(day: "2024-01-01") { total } }'
    answer(query).assert_ok()
    sql("DROP MATERIALIZED VIEW mv_turnover")
    result = answer(query)
    catalog.forget("default")

    assert result.data == {"maker": {"name": "Anvil & Sons"}, "turnover": None}
    assert result.codes == ["INTERNAL_SERVER_ERROR"]


def test_a_row_that_is_no_json_fails_its_field(db: None) -> None:
    with isolated():

        @fraiseql.type(view="v_text")
        class Text:
            id: int

        class Query(fraiseql.Query):
            texts = fraiseql.many(Text)

        with connection.cursor() as cursor:
            cursor.execute("CREATE VIEW v_text AS SELECT 'nonsense'::text AS data, 1 AS id")
        found = Client().query("{ texts { id } }")

    assert found.assert_ok() == {"texts": [{"id": "1"}]}, "data is no JSON column: columns are read"


# Who runs it


@pytest.mark.django_db
def test_the_hot_path_forwards_what_needs_the_executor() -> None:
    run = async_to_sync(pipeline.execute_async)

    assert run(GraphQLRequest("{ viewer }"), fast_only=True) is pipeline.FORWARD
    assert run(GraphQLRequest("{ makers { label } }"), fast_only=True) is pipeline.FORWARD
    assert b'"Query"' in run(GraphQLRequest("{ __typename }"), fast_only=True).body


@pytest.mark.django_db
def test_get_is_for_queries() -> None:
    with settings(GRAPHENE_SCHEMAS=["tests.shop.legacy.schema"]):
        mutation = GraphQLRequest('mutation { writeNote(text: "x") { note { id } } }')
        refused = pipeline.execute(mutation, read_only=True)
        forwarded = async_to_sync(pipeline.execute_async)(mutation, fast_only=True)

    assert b"GET is for queries only." in refused.body
    assert forwarded is pipeline.FORWARD


@pytest.mark.django_db
def test_asynchronous_failures_are_the_same(sql: Any) -> None:
    sql(FAILING_VIEW)
    query = """{ maker(identifier: "anvil") { name } category(id: 1) { name } }"""
    result = async_to_sync(AsyncClient().query)(query)

    assert result.data == {"maker": {"name": "Anvil & Sons"}, "category": None}
    assert result.codes == ["BAD_USER_INPUT"]


@pytest.mark.django_db
def test_a_database_that_is_down_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def down(*_: Any) -> Any:
        asked.append(1)
        raise ServiceUnavailable("The database cannot be reached.")

    monkeypatch.setattr(sync, "fetch", down)
    result = Client().query("{ makers { name } couriers { name } }")

    assert (len(asked), result.data) == (1, None)
    assert result.codes == ["SERVICE_UNAVAILABLE"]


@pytest.mark.django_db
def test_requests_at_once_see_only_themselves() -> None:
    names = [f"user {number}" for number in range(40)]

    async def scenario() -> list[Result]:
        asked = (
            AsyncClient(user=User(username=name)).query("{ viewer makers { label } }")
            for name in names
        )
        return await asyncio.gather(*asked)

    answers = [result.assert_ok() for result in async_to_sync(scenario)()]

    assert [answer["viewer"] for answer in answers] == names
    assert all(len(answer["makers"]) == 3 for answer in answers)


@pytest.mark.django_db(transaction=True)
def test_threads_share_an_engine() -> None:
    query = "query ($l: Int, $s: Boolean!) { makers(limit: $l) { name @skip(if: $s) id } }"

    def ask(number: int) -> int:
        try:
            result = Client().query(query, {"l": number % 4, "s": bool(number % 2)})
            return len(result.assert_ok()["makers"])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(ask, range(200)))

    assert counts == [min(3, number % 4) for number in range(200)]

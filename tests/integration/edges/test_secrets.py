"""What fails inside: clients get an id, the log gets the rest."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.db import connection
from graphene.types.generic import GenericScalar
from graphql import GraphQLError
from pytest_django import Settings

import fraiseql
from fraiseql import scalars
from fraiseql.asgi import GraphQLApplication
from fraiseql.db import catalog
from fraiseql.errors import ConfigurationError, FraiseQLError
from fraiseql.testing import isolated
from tests.integration.edges.conftest import ENDPOINT, JSON_BODY, Answer, Edges
from tests.shop.models import Note

CANARY = "canary-4711"


@pytest.fixture
def declared() -> Iterator[None]:
    """An empty schema."""
    with isolated():
        yield
    catalog.forget("default")


@pytest.fixture
def sql(db: None) -> Callable[[str], None]:
    """Run SQL in the test's transaction."""

    def run(text: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(text)
        catalog.forget("default")

    return run


def raising(error: Exception, is_async: bool = False) -> None:
    """Declare a query that raises ``error``, and one that does not."""
    if is_async:

        @fraiseql.query
        async def broken(info: Any) -> int | None:
            raise error
    else:

        @fraiseql.query(name="broken")
        def broken_now(info: Any) -> int | None:
            raise error

    @fraiseql.query
    def whole(info: Any) -> int:
        return 1


def assert_secret(answer: Answer, caplog: pytest.LogCaptureFixture) -> None:
    """Fail unless the answer has an id, the log has the same, and only the log has the canary."""
    (error,) = answer.errors
    logged = [record for record in caplog.records if error["extensions"]["id"] in record.message]

    assert CANARY not in answer.body.decode()
    assert "Traceback" not in answer.body.decode()
    assert (error["message"], set(error["extensions"])) == ("Internal error", {"code", "id"})
    assert [record.name for record in logged] == ["fraiseql.errors"]
    assert CANARY in logging.Formatter().format(logged[0])


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    "error",
    [ValueError(CANARY), KeyError(CANARY), RuntimeError(CANARY), FraiseQLError(CANARY, hint=CANARY),
     ExceptionGroup(CANARY, [ValueError(CANARY)]), OSError(13, CANARY, CANARY)],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_a_resolvers_exception_is_for_the_log(
    declared: None, edges: Edges, caplog: pytest.LogCaptureFixture, error: Exception, is_async: bool
) -> None:
    raising(error, is_async)
    answer = edges.post("{ broken whole }")

    assert answer.json["data"] == {"broken": None, "whole": 1}
    assert answer.errors[0]["path"] == ["broken"]
    assert_secret(answer, caplog)


def test_what_a_resolver_tells_clients_reaches_them(declared: None, edges: Edges) -> None:
    raising(GraphQLError("Not on Sundays.", extensions={"code": "FORBIDDEN"}))
    answer = edges.post("{ broken }")

    assert answer.errors[0]["message"] == "Not on Sundays."
    assert answer.codes == ["FORBIDDEN"]


def test_a_resolvers_wrong_value_is_for_the_log(
    declared: None, edges: Edges, caplog: pytest.LogCaptureFixture
) -> None:
    @fraiseql.query
    def number(info: Any) -> int | None:
        return CANARY  # type: ignore[return-value]  # the mistake

    @fraiseql.query
    def numbers(info: Any) -> list[int]:
        return CANARY  # type: ignore[return-value]  # another one

    assert_secret(edges.post("{ number }"), caplog)
    assert CANARY not in edges.post("{ numbers }").body.decode()


def test_numbers_that_are_none_in_json_are_for_the_log(
    declared: None, edges: Edges, caplog: pytest.LogCaptureFixture
) -> None:
    @fraiseql.query
    def echo(info: Any, value: scalars.JSON) -> scalars.JSON | None:
        return value

    body = b'{"query": "query ($v: JSON!) { echo(value: $v) }", "variables": {"v": [1e999]}}'
    answer = edges.send(body=body)

    assert answer.status == 200
    assert answer.codes in (["BAD_USER_INPUT"], ["INTERNAL_SERVER_ERROR"])


def test_what_postgresql_says_of_a_bound_view_is_for_the_log(
    declared: None, edges: Edges, sql: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    sql(
        f"""CREATE FUNCTION fn_break() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
            RAISE 'broken' USING ERRCODE = 'XX000', DETAIL = '{CANARY}', HINT = '{CANARY}',
                                 CONSTRAINT = '{CANARY}';
            END $$"""
    )
    sql("CREATE VIEW v_break AS SELECT 1 AS id, fn_break() AS data")

    @fraiseql.type(view="v_break")
    class Broken:
        id: int

    class Query(fraiseql.Query):
        broken = fraiseql.one(Broken)

    assert_secret(edges.post("{ broken(id: 1) { id } }"), caplog)


def test_what_a_function_raises_for_users_comes_without_its_details(
    declared: None, edges: Edges, sql: Callable[[str], None]
) -> None:
    sql(
        f"""CREATE FUNCTION fn_refuse() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
            RAISE 'Not on Sundays.' USING DETAIL = '{CANARY}', HINT = '{CANARY}';
            END $$"""
    )
    sql("CREATE VIEW v_refuse AS SELECT 1 AS id, fn_refuse() AS data")

    @fraiseql.type(view="v_refuse")
    class Refused:
        id: int

    class Query(fraiseql.Query):
        refused = fraiseql.one(Refused)

    answer = edges.post("{ refused(id: 1) { id } }")

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["message"] == "Not on Sundays."
    assert CANARY not in answer.body.decode()


def test_a_constraints_name_is_for_the_log(
    declared: None, edges: Edges, sql: Callable[[str], None], caplog: pytest.LogCaptureFixture
) -> None:
    sql(f'CREATE TABLE tb_pet (name text CONSTRAINT "{CANARY}" UNIQUE)')
    sql(f"INSERT INTO tb_pet VALUES ('{CANARY}')")

    @fraiseql.query
    def add(info: Any) -> int | None:
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT before")
            try:
                cursor.execute("INSERT INTO tb_pet VALUES (%s)", [CANARY])
            finally:
                cursor.execute("ROLLBACK TO before")
        return 1

    assert_secret(edges.post("{ add }"), caplog)


def test_names_of_views_and_columns_are_for_the_log(
    declared: None, edges: Edges, caplog: pytest.LogCaptureFixture
) -> None:
    @fraiseql.type(view="v_canary_4711")
    class Missing:
        id: int

    class Query(fraiseql.Query):
        missing = fraiseql.one(Missing)

    answer = edges.post("{ missing(id: 1) { id } }")

    assert answer.json["data"] == {"missing": None}
    assert answer.codes == ["INTERNAL_SERVER_ERROR"]
    assert "canary" not in answer.body.decode()
    assert "v_canary_4711" in caplog.text


def test_nothing_is_suggested_to_strangers(edges: Edges) -> None:
    queries = [
        "{ maker_ { name } }", "{ makers { nam } }", "{ makers(limi: 1) { name } }",
        "{ makers(where: {nam: {eq: 1}}) { name } }", "{ makers { ...on Makr { name } } }",
        "query ($v: Makr) { makers { name } }", "{ makers @inclde { name } }",
        "{ wares(where: {status: {eq: ON_SAL}}) { name } }", "{ makers(orderBy: [{name: AS}]) { name } }",
    ]  # fmt: skip
    answers = [edges.post(query) for query in queries]
    variables = [
        edges.post("query ($v: MakerWhereInput) { makers(where: $v) { id } }", {"v": {"nam": {}}}),
        edges.post(
            "query ($v: Status) { wares(where: {status: {eq: $v}}) { id } }", {"v": "ON_SAL"}
        ),
    ]

    for answer in answers + variables:
        assert answer.errors
        assert b"Did you mean" not in answer.body


def test_debug_shows_developers_what_broke(
    declared: None, edges: Edges, settings: Settings
) -> None:
    settings.DEBUG = True
    raising(ValueError(CANARY))
    answer = edges.post("{ broken }")

    assert answer.errors[0]["message"] == CANARY
    assert "Traceback" not in answer.body.decode()


def test_a_fault_of_the_server_is_500_and_no_page(
    edges: Edges, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.FRAISEQL = {"GRAPHENE_SCHEMAS": [f"no.such.module.{CANARY}"]}
    headers = httpx.Headers({"Host": "testserver"} | JSON_BODY)
    answer = edges.view("POST", ENDPOINT, headers, b'{"query": "{ __typename }"}')

    assert answer.status == 500
    assert_secret(answer, caplog)
    with pytest.raises(ConfigurationError, match=CANARY):
        GraphQLApplication()


def test_a_fault_in_front_of_django_is_500_too(
    edges: Edges, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr("fraiseql.asgi.execute_async", broken)
    headers = httpx.Headers({"Host": "testserver"} | JSON_BODY)
    answer = edges.asgi("POST", ENDPOINT, headers, b'{"query": "{ __typename }"}')

    assert answer.status == 500
    assert_secret(answer, caplog)


def test_nothing_is_suggested_by_resolvers_either(declared: None, edges: Edges) -> None:
    raising(GraphQLError("No field 'nam'. Did you mean 'name'?"))
    answer = edges.post("{ broken }")

    assert answer.errors[0]["message"] == "No field 'nam'."


def test_a_fault_after_a_write_undoes_it_where_requests_are_atomic(
    declared: None, edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    @fraiseql.query
    def written(info: Any) -> GenericScalar:
        Note.objects.create(text="x")
        return object()  # Nothing JSON can hold.

    headers = httpx.Headers({"Host": "testserver"} | JSON_BODY)
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    answer = edges.view("POST", ENDPOINT, headers, b'{"query": "{ written }"}')

    assert (answer.status, answer.codes) == (500, ["INTERNAL_SERVER_ERROR"])
    assert not Note.objects.exists()


def test_introspection_is_for_those_who_may(edges: Edges, settings: Settings) -> None:
    questions = ["{ __schema { types { name } } }", '{ __type(name: "Maker") { name } }']
    refused = [edges.post(question).codes for question in questions]
    settings.FRAISEQL = {"INTROSPECTION": "public"}
    answered = [edges.post(question).codes for question in questions]

    assert [set(codes) for codes in refused] == [{"GRAPHQL_VALIDATION_FAILED"}] * 2
    assert answered == [[], []]
    assert json.loads(edges.post("{ __typename }").body) == {"data": {"__typename": "Query"}}

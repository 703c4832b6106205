"""What an error says: lines 25 to 27."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

import fraiseql
from fraiseql.db import catalog
from fraiseql.testing import AsyncClient, Client, isolated
from tests.integration.edges.conftest import CODES, Edges

CANARY = "canary-4711"
WAYS = pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
# Raises what the row's id names; counts how often it was asked, which no rollback undoes.
FUNCTION = f"""
    CREATE SEQUENCE asked;
    CREATE FUNCTION fn_fault(state text) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$ BEGIN
        PERFORM nextval('asked');
        RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'Not on Sundays.', DETAIL = '{CANARY}',
                              CONSTRAINT = '{CANARY}', TABLE = '{CANARY}', HINT = '{CANARY}';
    END $$;
    CREATE VIEW v_fault AS SELECT n.id, fn_fault(n.id) AS data
      FROM unnest(ARRAY['23505','23503','23502','23514','22003','42501','40001','40P01','57014',
                        '53300','57P03','P0001','XX000']) AS n (id)
"""


@pytest.fixture
def faults(declared: None, sql: Callable[..., Any]) -> None:
    """Bind a view whose rows fail, each with the SQLSTATE that is its id."""
    sql(FUNCTION)
    bind()


def bind() -> None:
    @fraiseql.type(view="v_fault")
    class Fault:
        id: str

    class Query(fraiseql.Query):
        fault = fraiseql.one(Fault)


@pytest.mark.parametrize(
    "query",
    [
        "{", "{ nothing }", "{ maker(id: 1.5) { name } }", '{ maker(id: "x") { name } }',
        "query A { viewer } query B { viewer }", "{ flaws { number } }", "{ failing }",
        "{ failing(public: true) }", "{ wares(limit: 99999) { name } }", "{ __schema { types { name } } }",
        "subscription { x }", "query ($v: Int!) { makers(limit: $v) { name } }",
    ],
)  # fmt: skip
def test_25_an_error_has_four_keys_and_a_code_from_the_closed_list(
    edges: Edges, query: str
) -> None:
    answer = edges.post(query)

    assert answer.json["errors"]
    for error in answer.json["errors"]:
        assert {"message", "extensions"} <= set(error)
        assert set(error) <= {"message", "locations", "path", "extensions"}
        assert error["extensions"]["code"] in CODES
        assert ("path" in error) is ("data" in answer.json)
        for location in error.get("locations", []):
            assert set(location) == {"line", "column"}
            assert min(location.values()) >= 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ maker(id: "x") { name } }', "BAD_USER_INPUT"),
        ("query A { viewer } query B { viewer }", "OPERATION_RESOLUTION_FAILURE"),
        ("", "BAD_REQUEST"), ("{ failing }", "INTERNAL_SERVER_ERROR"), ("{ failing(public: true) }", "CONFLICT"),
    ],
)  # fmt: skip
def test_25_codes_are_apollos_names(edges: Edges, query: str, code: str) -> None:
    assert set(edges.post(query).codes) == {code}


@WAYS
def test_25_an_error_tells_its_place_and_its_path(edges: Edges, viewer: str) -> None:
    query = f"{{\n  flaws(limit: 3, orderBy: [{{id: ASC}}]) {{\n    some: someParts {{ label }} }} {viewer} }}"
    (error,) = edges.post(query).errors

    assert error["path"] == ["flaws", 2, "some", 1, "label"]
    assert error["locations"] == [{"line": 3, "column": 23}]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("23505", "CONFLICT"), ("23503", "BAD_USER_INPUT"), ("23502", "BAD_USER_INPUT"),
        ("23514", "BAD_USER_INPUT"), ("22003", "BAD_USER_INPUT"), ("42501", "FORBIDDEN"),
        ("40001", "CONFLICT"), ("40P01", "CONFLICT"), ("57014", "TIMEOUT"),
        ("53300", "SERVICE_UNAVAILABLE"), ("57P03", "SERVICE_UNAVAILABLE"), ("P0001", "BAD_USER_INPUT"),
        ("XX000", "INTERNAL_SERVER_ERROR"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("faults")
def test_26_each_sqlstate_has_its_code_and_keeps_its_details(
    edges: Edges, state: str, code: str
) -> None:
    answer = edges.post(f'{{ fault(id: "{state}") {{ id }} }}')

    assert answer.codes == [code]
    assert CANARY not in answer.body.decode()
    assert ("Not on Sundays." in answer.body.decode()) is (state == "P0001")


@pytest.fixture
def lasting_faults(transactional_db: None) -> Iterator[None]:
    """The same outside a transaction: only there may a statement be sent once more."""
    with connection.cursor() as cursor, isolated():
        cursor.execute(FUNCTION)
        catalog.forget("default")
        bind()
        yield
        cursor.execute("DROP VIEW v_fault; DROP FUNCTION fn_fault; DROP SEQUENCE asked")
    catalog.forget("default")


@pytest.mark.parametrize("state", ["40001", "40P01"])
@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.usefixtures("lasting_faults")
def test_26_a_transaction_that_lost_is_tried_once_more(client: Any, state: str) -> None:
    query = f'{{ fault(id: "{state}") {{ id }} }}'
    ask = client().query
    result = async_to_sync(ask)(query) if client is AsyncClient else ask(query)
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM asked")
        asked = cursor.fetchone()[0]

    assert result.codes == ["CONFLICT"]
    assert asked == 2


@WAYS
def test_27_an_answer_has_at_most_a_hundred_errors(
    edges: Edges, viewer: str, sql: Callable[..., Any]
) -> None:
    sql("""CREATE OR REPLACE VIEW v_flawed AS
           SELECT n AS id, jsonb_build_object('id', n, 'at', 'never') AS data
             FROM generate_series(1, 300) AS n""")
    answer = edges.post(f"{{ flaws(limit: 300) {{ id at }} {viewer} }}")

    assert len(answer.errors) == 100
    assert len(answer.json["data"]["flaws"]) == 300

"""Bound mutations: what functions are given, what they return, and what clients hear of failures."""

import enum
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import override_settings
from django.utils import translation

import fraiseql
from fraiseql import scalars
from fraiseql.checks.functions import check_functions
from fraiseql.db import catalog
from fraiseql.testing import AsyncClient, Client, Result, assert_statements, isolated

Ask = Callable[..., Any]
Answer = Callable[..., Result]

OPEN = """mutation ($input: OpenStallInput!) { openStall(input: $input) {
    stall { id identifier name note capacity tags openedAt version maker { name } }
    errors { field code status message identifier index } } }"""
RENAME = """mutation ($id: UUID!, $name: String!, $version: Int!) {
    renameStall(input: {id: $id, name: $name, expectedVersion: $version}) {
      stall { name version } current { name version } errors { field code message } } }"""
CHANGE = """mutation ($input: ChangeStallInput!) { changeStall(input: $input) {
    stall { name note version } status message updatedFields
    errors { field code status message identifier } } }"""
MAKER = "00000000-0000-4000-8000-0000000000a2"
NO_REFERENCE = "This refers to something that does not exist, or that is still in use."
NOBODY = "00000000-0000-4000-8000-0000000000ff"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What the catalog has learnt of functions that a test replaced does not outlive it."""
    yield
    catalog.forget("default")


@pytest.fixture
def opened(ask: Ask) -> Callable[..., dict[str, Any]]:
    """Open a stall and return it."""

    def open_stall(identifier: str = "first", **more: Any) -> dict[str, Any]:
        given = {"identifier": identifier, "name": identifier.title(), **more}
        found: dict[str, Any] = ask(OPEN, input=given)["openStall"]
        assert found["errors"] == []
        stall: dict[str, Any] = found["stall"]
        return stall

    return open_stall


def stored(sql: Callable[..., Any], text: str = "count(*)") -> Any:
    return sql(f"SELECT {text} FROM tb_stall")[0][0]


# Arguments


def test_the_row_written_is_read_from_its_view_in_the_same_flight(answer: Answer) -> None:
    given = {"identifier": "a", "name": "A", "makerId": MAKER, "openedAt": "2024-05-01T12:00:00Z"}
    answer(OPEN, input={**given, "identifier": "b"})

    with assert_statements(2):
        found = answer(OPEN, input=given).assert_ok()["openStall"]["stall"]

    assert found.pop("id")
    assert found == {
        "identifier": "a",
        "name": "A",
        "note": "none",
        "capacity": 10,
        "tags": ["new"],
        "openedAt": "2024-05-01T12:00:00+00:00",
        "version": 1,
        "maker": {"name": "Birch Bücher"},
    }


def test_what_is_left_out_has_the_functions_default_and_null_is_null(opened: Any) -> None:
    left_out, null = opened("a"), opened("b", note=None)

    assert (left_out["note"], null["note"]) == ("none", None)


def test_a_default_of_the_declaration_is_one_of_graphql(ask: Ask) -> None:
    with override_settings(FRAISEQL={"INTROSPECTION": True}):
        found = ask('{ __type(name: "OpenStallInput") { inputFields { name defaultValue } } }')

    defaults = {f["name"]: f["defaultValue"] for f in found["__type"]["inputFields"]}
    assert defaults == dict.fromkeys(defaults) | {"capacity": "10"}


def test_an_empty_text_is_null_where_null_may_be_and_refused_elsewhere(
    opened: Any, answer: Answer, sql: Callable[..., Any]
) -> None:
    assert opened("a", note="")["note"] is None

    found = answer(OPEN, input={"identifier": "", "name": ""}).assert_ok()["openStall"]
    assert [(e["field"], e["identifier"], e["code"]) for e in found["errors"]] == [
        ("identifier", "empty", "BAD_USER_INPUT"),
        ("name", "empty", "BAD_USER_INPUT"),
    ]
    assert stored(sql) == 1


def test_every_kind_of_value_arrives(opened: Any) -> None:
    tags = ['a,"b"', "{c}", "\\", "", "NULL", "é"]
    found = opened("a", tags=tags, capacity=3, openedAt="2024-05-01T14:00:00+02:00")

    assert found["tags"] == tags
    assert found["openedAt"] == "2024-05-01T12:00:00+00:00"


def test_one_jsonb_has_only_the_keys_that_were_sent(opened: Any, ask: Ask) -> None:
    stall = opened("a", note="kept")
    first = ask(CHANGE, input={"id": stall["id"], "name": "New"})["changeStall"]
    second = ask(CHANGE, input={"id": stall["id"], "note": None})["changeStall"]

    assert first["stall"] == {"name": "New", "note": "kept", "version": 2}
    assert second["stall"] == {"name": "New", "note": None, "version": 3}
    assert (first["message"], first["updatedFields"]) == ("Changed id, name", ["name"])
    assert (second["status"], second["updatedFields"]) == ("updated", ["note"])


def test_literals_and_variables_inside_them_are_given_alike(opened: Any, ask: Ask) -> None:
    found = ask(
        """mutation ($name: String!, $note: String, $tag: String!) {
            openStall(input: {identifier: "x", name: $name, note: $note, tags: [$tag, "b"]}) {
              stall { name note tags } } }""",
        name="N",
        tag="a",
    )

    assert found["openStall"]["stall"] == {"name": "N", "note": "none", "tags": ["a", "b"]}


# What functions return


def test_a_function_may_return_the_payload_itself(opened: Any, ask: Ask) -> None:
    stall = opened("a")
    query = (
        "mutation ($id: UUID!) { closeStall(input: {id: $id}) { closed { identifier version } } }"
    )

    assert ask(query, id=stall["id"]) == {
        "closeStall": {"closed": {"identifier": "a", "version": 1}}
    }
    assert ask(query, id=stall["id"]) == {"closeStall": {"closed": None}}


def test_rows_come_in_the_order_in_which_the_function_returned_them(opened: Any, ask: Ask) -> None:
    a, b, c = opened("a")["id"], opened("b")["id"], opened("c")["id"]
    found = ask(
        """mutation ($ids: [UUID!]!) { doubleStalls(input: {ids: $ids}) { results { identifier capacity } }
            allStalls { results { identifier } } }""",
        ids=[c, a, NOBODY, b],
    )

    assert found["doubleStalls"]["results"] == [
        {"identifier": "c", "capacity": 20},
        {"identifier": "a", "capacity": 20},
        {"identifier": "b", "capacity": 20},
    ]
    assert [item["identifier"] for item in found["allStalls"]["results"]] == ["c", "b", "a"]


def test_rows_of_columns_numbers_and_nothing(ask: Ask) -> None:
    found = ask(
        """mutation { seal(input: {label: "l", sizes: [1, 2]}) { parts { label sizes } }
            none: seal(input: {label: "none", sizes: []}) { parts { label } }
            countStalls(input: {}) { result } more: countStalls(input: {more: 7}) { result }
            ring { errors { message } } __typename }"""
    )

    assert found == {
        "seal": {"parts": [{"label": "l", "sizes": [1, 2]}]},
        "none": {"parts": []},
        "countStalls": {"result": "0"},
        "more": {"result": "7"},
        "ring": {"errors": []},
        "__typename": "Mutation",
    }


@pytest.mark.parametrize(
    ("given", "status", "errors"),
    [
        (
            {"id": NOBODY},
            "not_found:stall",
            [(None, "NOT_FOUND", 404, "There is no such thing.", "stall")],
        ),
        (
            {"name": "same"},
            "noop:unchanged",
            [("name", "BAD_USER_INPUT", 422, "Nothing to change.", "unchanged")],
        ),
        (
            {"tags": ["bad"]},
            "validation:tags",
            [
                ("tags", "BAD_USER_INPUT", 422, "No bad tags.", "bad"),
                (None, "BAD_USER_INPUT", 422, "Nor others.", None),
            ],
        ),
    ],
)
def test_a_mutation_response_says_why_nothing_was_changed(
    opened: Any, ask: Ask, given: dict[str, Any], status: str, errors: list[Any]
) -> None:
    found = ask(CHANGE, input={"id": opened("a")["id"], **given})["changeStall"]

    assert (found["status"], found["stall"]) == (status, None)
    assert [
        (e["field"], e["code"], e["status"], e["message"], e["identifier"]) for e in found["errors"]
    ] == errors


def test_a_cascade_is_made_only_when_it_is_asked_for(opened: Any, ask: Ask) -> None:
    stall = opened("a")
    query = """mutation ($id: UUID!) { changeStall(input: {id: $id, name: "n"}) { cascade {
        updated { type id entity } deleted { type id } invalidated } } }"""
    sent: list[str] = []
    with connection.execute_wrapper(_noting(sent)):
        found = ask(query, id=stall["id"])
        ask(query.replace("cascade {", "stall {").replace("updated { type id entity }", "name")
            .replace("deleted { type id } invalidated", ""), id=stall["id"])  # fmt: skip

    assert found["changeStall"]["cascade"] == {
        "updated": [{"type": "Maker", "id": "1", "entity": {"n": 1.5}}],
        "deleted": [],
        "invalidated": ["stalls"],
    }
    assert [('r."cascade"' in text) for text in sent if "fn_change" in text] == [True, False]


def _noting(sent: list[str]) -> Callable[..., Any]:
    def note(execute: Callable[..., Any], text: str, *rest: Any) -> Any:
        sent.append(text)
        return execute(text, *rest)

    return note


def test_a_batch_tells_which_of_its_items_failed(opened: Any, ask: Ask) -> None:
    opened("taken")
    found = ask(
        """mutation ($input: [ImportStallsInput!]!) { importStalls(input: $input) {
            results { identifier capacity } errors { index field code message } } }""",
        input=[
            {"identifier": "a", "name": "A"},
            {"identifier": "taken", "name": "B"},
            {"identifier": "c", "name": "C", "capacity": 4},
        ],
    )["importStalls"]

    assert found["results"] == [
        {"identifier": "a", "capacity": 1},
        {"identifier": "c", "capacity": 4},
    ]
    assert found["errors"] == [
        {"index": 1, "field": "identifier", "code": "CONFLICT", "message": "Taken."}
    ]


def test_a_batch_of_which_an_item_is_empty_is_refused_as_a_whole(
    ask: Ask, sql: Callable[..., Any]
) -> None:
    found = ask(
        """mutation { importStalls(input: [{identifier: "a", name: "A"}, {identifier: "b", name: ""}]) {
            results { identifier } errors { index field identifier } } }"""
    )["importStalls"]

    assert found == {
        "results": None,
        "errors": [{"index": 1, "field": "name", "identifier": "empty"}],
    }
    assert stored(sql) == 0


def test_a_batch_without_items_and_one_where_all_fail(opened: Any, ask: Ask) -> None:
    opened("taken")
    query = """mutation ($input: [ImportStallsInput!]!) { importStalls(input: $input) {
        results { identifier } errors { index } } }"""

    assert ask(query, input=[])["importStalls"] == {"results": [], "errors": []}
    # A single item is a list of one.
    assert ask(query, input={"identifier": "taken", "name": "B"})["importStalls"] == {
        "results": None,
        "errors": [{"index": 0}],
    }


# Failures


@pytest.mark.parametrize(
    ("given", "field", "code", "message"),
    [
        ({"identifier": "taken"}, "identifier", "CONFLICT", "This is taken already."),
        ({"makerId": NOBODY}, "makerId", "BAD_USER_INPUT", NO_REFERENCE),
        ({"tags": None}, "tags", "BAD_USER_INPUT", "A value is required."),
        ({"capacity": 0}, "capacity", "BAD_USER_INPUT", "This value is not allowed."),
    ],
)  # fmt: skip
def test_a_violated_constraint_names_the_input_field(
    opened: Any, answer: Answer, given: dict[str, Any], field: str, code: str, message: str
) -> None:
    opened("taken")
    result = answer(OPEN, input={"identifier": "new", "name": "canary name", **given})

    (error,) = result.assert_ok()["openStall"]["errors"]
    assert (error["field"], error["code"], error["message"]) == (field, code, message)
    assert "canary" not in json.dumps(result.data)


def test_messages_are_translatable(answer: Answer) -> None:
    with translation.override("de"), override_settings(LOCALE_PATHS=[]):
        found = answer(OPEN, input={"identifier": "a", "name": "A", "capacity": 0}).assert_ok()

    # There is no catalog of ours; gettext was asked and gave the words back.
    assert found["openStall"]["errors"][0]["message"] == "This value is not allowed."


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("raise", "BAD_USER_INPUT", "You may not."),
        ("denied", "FORBIDDEN", "The database does not allow this."),
        ("strict", "NOT_FOUND", "There is no such thing."),
        ("serialization", "CONFLICT", "Another transaction changed the same data."),
        ("1/0", "BAD_USER_INPUT", "A division by zero."),
    ],
)
def test_what_the_user_did_wrong_stands_in_the_payload(
    answer: Answer, how: str, code: str, message: str
) -> None:
    query = (
        "mutation ($how: String!) { fail(input: {how: $how}) { errors { code message field } } }"
    )
    result = answer(query, how=how)

    assert result.assert_ok()["fail"]["errors"] == [
        {"code": code, "message": message, "field": None}
    ]


@pytest.mark.parametrize("how", ["missing", "internal"])
def test_what_went_wrong_here_is_an_error_of_graphql(answer: Answer, how: str) -> None:
    query = "mutation ($how: String!) { fail(input: {how: $how}) { errors { code } } }"
    result = answer(query, how=how)

    assert result.data is None
    assert result.codes == ["INTERNAL_SERVER_ERROR"]
    assert result.errors[0]["message"] == "Internal error"
    assert result.errors[0]["path"] == ["fail"]
    assert "canary" not in json.dumps(result.errors)


def test_a_text_that_postgresql_cannot_store_is_the_users_error(answer: Answer) -> None:
    given = {"how": "raise", "data": {"a": b"b\\u0000".decode("unicode_escape")}}
    result = answer("mutation ($i: FailInput!) { fail(input: $i) { errors { code } } }", i=given)

    assert result.codes == ["BAD_USER_INPUT"] or result.data["fail"]["errors"]


# Versions


def test_who_was_slower_is_shown_the_row_as_it_is(opened: Any, ask: Ask) -> None:
    stall = opened("a")
    first = ask(RENAME, id=stall["id"], name="Mine", version=1)["renameStall"]
    second = ask(RENAME, id=stall["id"], name="Yours", version=1)["renameStall"]
    nobody = ask(RENAME, id=NOBODY, name="Yours", version=1)["renameStall"]

    assert first == {"stall": {"name": "Mine", "version": 2}, "current": None, "errors": []}
    assert second == {
        "stall": None,
        "current": {"name": "Mine", "version": 2},
        "errors": [{"field": None, "code": "CONFLICT", "message": "The stall has changed."}],
    }
    assert nobody["errors"] == [
        {"field": None, "code": "NOT_FOUND", "message": "There is no such stall."}
    ]


# Several in one operation

SEVERAL = """mutation { a: openStall(input: {identifier: "a", name: "A"}) { ...O }
    b: openStall(input: {identifier: "a", name: "B"}) { ...O }
    c: openStall(input: {identifier: "c", name: "C"}) { ...O } %s }
    fragment O on OpenStallPayload { stall { identifier %s } errors { field code identifier } }"""
SLOW = ('renameMaker(identifier: "anvil", name: "New") { name }', "")
COMPUTED = ("", "shout")


@pytest.mark.parametrize("more", [("", ""), SLOW, COMPUTED])
def test_each_is_a_transaction_of_its_own(
    ask: Ask, sql: Callable[..., Any], more: tuple[str, str]
) -> None:
    found = ask(SEVERAL % more)

    assert [found[key]["errors"] for key in "abc"] == [
        [], [{"field": "identifier", "code": "CONFLICT", "identifier": None}], []
    ]  # fmt: skip
    assert stored(sql, "string_agg(identifier, ',' ORDER BY identifier)") == "a,c"


def test_all_are_one_transaction_if_the_setting_says_so(ask: Ask, sql: Callable[..., Any]) -> None:
    undone = {
        "stall": None,
        "errors": [{"field": None, "code": "CONFLICT", "identifier": "undone"}],
    }
    with override_settings(FRAISEQL={"MUTATION_TRANSACTION": "operation"}):
        found = ask(SEVERAL % ("", ""))
        whole = ask(
            """mutation { a: openStall(input: {identifier: "x", name: "A"}) { stall { identifier } }
                b: openStall(input: {identifier: "y", name: "B"}) { stall { identifier } } }"""
        )

    assert [found["a"], found["c"]] == [undone, undone]
    assert found["b"]["errors"][0]["field"] == "identifier"
    assert whole == {"a": {"stall": {"identifier": "x"}}, "b": {"stall": {"identifier": "y"}}}
    assert stored(sql, "string_agg(identifier, ',' ORDER BY identifier)") == "x,y"


def test_an_empty_text_undoes_the_whole_operation_too(ask: Ask, sql: Callable[..., Any]) -> None:
    with override_settings(FRAISEQL={"MUTATION_TRANSACTION": "operation"}):
        found = ask(
            """mutation { a: openStall(input: {identifier: "x", name: "A"}) { errors { identifier } }
                b: openStall(input: {identifier: "y", name: ""}) { errors { identifier } } }"""
        )

    assert [found[key]["errors"][0]["identifier"] for key in "ab"] == ["undone", "empty"]
    assert stored(sql) == 0


@pytest.mark.parametrize("more", [SLOW, COMPUTED])
def test_one_transaction_with_python_in_it_is_undone_as_a_whole(
    answer: Answer, sql: Callable[..., Any], more: tuple[str, str]
) -> None:
    with override_settings(FRAISEQL={"MUTATION_TRANSACTION": "operation"}):
        result = answer(SEVERAL % more)

    assert result.data is None
    assert result.codes == ["CONFLICT"]
    assert stored(sql) == 0
    assert sql("SELECT name FROM tb_maker WHERE identifier = 'anvil'") != [("New",)]


def test_one_transaction_with_python_in_it_succeeds(ask: Ask) -> None:
    with override_settings(FRAISEQL={"MUTATION_TRANSACTION": "operation"}):
        found = ask("""mutation { openStall(input: {identifier: "x", name: "A"}) { stall { name } }
            renameMaker(identifier: "anvil", name: "New") { name label } }""")

    assert found == {
        "openStall": {"stall": {"name": "A"}},
        "renameMaker": {"name": "New", "label": "New (NO)"},
    }


def test_an_error_of_one_takes_the_data_of_all(answer: Answer) -> None:
    result = answer("""mutation { a: openStall(input: {identifier: "x", name: "A"}) { stall { name } }
        fail(input: {how: "internal"}) { errors { code } } }""")

    # openStall happened, and says so to nobody: its field is not null, as GraphQL has it.
    assert result.data is None
    assert result.codes == ["INTERNAL_SERVER_ERROR"]


def test_skipped_mutations_do_not_run(ask: Ask, sql: Callable[..., Any]) -> None:
    query = """mutation ($no: Boolean!) { ring { __typename }
        a: openStall(input: {identifier: "x", name: "A"}) @skip(if: $no) { stall { name } } }"""

    assert ask(query, no=True) == {"ring": {"__typename": "RingPayload"}}
    assert stored(sql) == 0
    assert ask(query, no=False)["a"] == {"stall": {"name": "A"}}


# Both ways


EVERYTHING = """mutation {
    a: openStall(input: {identifier: "a", name: "A"}) { stall { name tags maker { name } %s } errors { code } }
    b: openStall(input: {identifier: "a", name: "B"}) { stall { name } errors { field code message index } }
    ring { __typename errors { code } }
    seal(input: {label: "l", sizes: [2]}) { parts { label sizes __typename } status cascade { invalidated } }
    countStalls(input: {}) { result } }"""


@pytest.mark.django_db
@pytest.mark.parametrize("more", ["", "loud: shout"])
def test_the_executor_and_the_pool_answer_alike(more: str) -> None:
    threaded = Client().query(EVERYTHING % more).assert_ok()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tb_stall")
    awaited = async_to_sync(AsyncClient().query)(EVERYTHING % more).assert_ok()

    assert threaded == awaited
    assert threaded["a"]["stall"].pop("loud", "A") == "A"
    assert threaded == {
        "a": {"stall": {"name": "A", "tags": ["new"], "maker": None}, "errors": []},
        "b": {
            "stall": None,
            "errors": [
                {
                    "field": "identifier",
                    "code": "CONFLICT",
                    "message": "This is taken already.",
                    "index": None,
                }
            ],
        },
        "ring": {"__typename": "RingPayload", "errors": []},
        "seal": {
            "parts": [{"label": "l", "sizes": [2], "__typename": "Part"}],
            "status": None,
            "cascade": None,
        },
        "countStalls": {"result": "1"},
    }


UNION = """mutation ($input: OpenStallInput!) { openStall(input: $input) { __typename
    ... on OpenStallSuccess { stall { name %s } }
    ... on OpenStallError { message code errors { field } } ... on OpenStallResult { __typename } } }"""


@pytest.mark.parametrize("more", ["", "shout"])
def test_the_payload_may_be_a_union(ask: Ask, more: str) -> None:
    given = {"identifier": "a", "name": "A"}
    with override_settings(FRAISEQL={"MUTATION_PAYLOAD": "union"}):
        first, second = ask(UNION % more, input=given), ask(UNION % more, input=given)

    assert first["openStall"]["__typename"] == "OpenStallSuccess"
    assert first["openStall"]["stall"]["name"] == "A"
    assert second["openStall"] == {
        "__typename": "OpenStallError",
        "message": "This is taken already.",
        "code": "CONFLICT",
        "errors": [{"field": "identifier"}],
    }


def test_a_batch_in_a_union_succeeds_in_part(opened: Any, ask: Ask) -> None:
    opened("taken")
    query = """mutation ($input: [ImportStallsInput!]!) { importStalls(input: $input) { __typename
        ... on ImportStallsSuccess { results { identifier } errors { index } }
        ... on ImportStallsError { all: errors { index } } } }"""
    items = [{"identifier": "a", "name": "A"}, {"identifier": "taken", "name": "B"}]
    with override_settings(FRAISEQL={"MUTATION_PAYLOAD": "union"}):
        part, none = ask(query, input=items), ask(query, input=items[1:])

    assert part["importStalls"] == {
        "__typename": "ImportStallsSuccess",
        "results": [{"identifier": "a"}],
        "errors": [{"index": 1}],
    }
    assert none["importStalls"] == {"__typename": "ImportStallsError", "all": [{"index": 0}]}


def test_a_function_that_was_replaced_is_looked_at_again(
    opened: Any, ask: Ask, sql: Callable[..., Any]
) -> None:
    query = "mutation { countStalls(input: {more: 1}) { result } }"
    ask(query)
    sql("DROP FUNCTION fn_count_stalls(integer)")
    sql(
        "CREATE FUNCTION fn_count_stalls(more bigint) RETURNS text LANGUAGE sql AS $$ SELECT '40' $$"
    )

    assert ask(query) == {"countStalls": {"result": "40"}}


def test_a_function_that_is_gone_is_an_internal_error(answer: Answer, sql: Any) -> None:
    query = "mutation { ring { errors { code } } }"
    answer(query).assert_ok()
    sql("DROP FUNCTION fn_ring")

    assert answer(query).codes == ["INTERNAL_SERVER_ERROR"]


@pytest.mark.django_db
def test_the_shops_functions_pass_their_checks() -> None:
    assert check_functions(databases=["default"]) == []


# What is seldom


def declared(function: str, annotations: dict[str, Any], **options: Any) -> None:
    """Declare ``doIt`` beside a query, in a registry of the test's own."""

    @fraiseql.query
    def one(info: Any) -> int:
        return 1

    made = type("DoIt", (), {"__annotations__": annotations, "__module__": __name__})
    fraiseql.mutation(function=function, **options)(made)


class Size(enum.Enum):
    BIG = "big"
    SMALL = 1


@pytest.mark.django_db
def test_a_document_holds_every_kind_of_value(sql: Callable[..., Any]) -> None:
    sql("CREATE FUNCTION fn_echo(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1'")
    given = {
        "text": 'a"é', "whole": 7, "big": "9007199254740993", "exact": "1.50", "real": 0.5, "yes": True,
        "at": "2024-05-01T12:00:00Z", "on": "2024-05-01", "any": {"a": [1, None]}, "sizes": ["BIG", "SMALL"],
        "id": MAKER, "box": {"lid": "x", "inner": [{"lid": ""}]}, "none": None,
    }  # fmt: skip
    with isolated():
        fraiseql.enum(Size)

        @fraiseql.input
        class Box:
            lid: str
            inner: "list[Box] | None"

        kinds = {
            "text": str, "whole": int, "big": scalars.BigInt, "exact": Decimal, "real": float, "yes": bool,
            "at": datetime, "on": date, "any": scalars.JSON, "sizes": list[Size], "id": UUID, "box": Box,
            "none": int | None, "absent": int | None, "returns": scalars.JSON,
        }  # fmt: skip
        declared("fn_echo", kinds)
        found = Client().query(
            "mutation ($i: DoItInput!) { doIt(input: $i) { result } }", {"i": given}
        )

    echoed = found.assert_ok()["doIt"]["result"]
    assert echoed.pop("at").startswith("2024-05-01")
    assert echoed == {
        **{name: value for name, value in given.items() if name != "at"},
        "big": 9007199254740993,
        "exact": 1.5,
        "sizes": ["big", 1],
    }


@pytest.mark.django_db
def test_an_argument_without_a_default_is_null_when_left_out(sql: Callable[..., Any]) -> None:
    sql("CREATE FUNCTION fn_null(a int) RETURNS boolean LANGUAGE sql AS 'SELECT a IS NULL'")
    with isolated():
        declared("fn_null", {"a": int | None, "returns": bool})
        found = Client().query("mutation { doIt(input: {}) { result } }").assert_ok()

    assert found == {"doIt": {"result": True}}


@pytest.mark.django_db
def test_responses_without_a_view_in_lists_and_without_rows(sql: Callable[..., Any]) -> None:
    sql("""CREATE FUNCTION fn_answers(p_items jsonb) RETURNS SETOF mutation_response LANGUAGE sql AS $$
        SELECT i->>'status', NULL, NULL, NULL, i->'entity', NULL::text[], NULL::jsonb,
               CASE WHEN i ? 'at' THEN jsonb_build_object('errors', jsonb_build_array(jsonb_build_object(
                   'message', 'Not this.', 'index', i->'at'))) END
          FROM jsonb_array_elements(p_items) AS i $$""")
    sql("""CREATE FUNCTION fn_none() RETURNS SETOF mutation_response LANGUAGE sql AS
        'SELECT (NULL::mutation_response).* WHERE false'""")
    items = [
        {"status": "created", "entity": 1},
        {"status": None, "entity": 2},
        {"status": "FAILED", "at": 7},
    ]
    query = """mutation ($i: [DoItInput!]!) { doIt(input: $i) {
        results errors { index message code status identifier } } }"""
    with isolated():
        declared(
            "fn_answers",
            {"status": str | None, "entity": int | None, "at": int | None, "returns": list[int]},
            batch=True,
        )
        batch = Client().query(query, {"i": items}).assert_ok()["doIt"]
    with isolated():
        declared("fn_none", {"returns": int})
        none = Client().query("mutation { doIt { result errors { code } } }").assert_ok()["doIt"]

    assert batch["results"] == [1, 2]
    assert batch["errors"] == [
        {
            "index": 7,
            "message": "Not this.",
            "code": "INTERNAL_SERVER_ERROR",
            "status": 500,
            "identifier": None,
        }
    ]
    assert none == {"result": None, "errors": []}


def test_a_constraint_of_other_columns_names_no_field(
    opened: Any, answer: Answer, sql: Callable[..., Any]
) -> None:
    sql("ALTER TABLE tb_stall ADD CONSTRAINT canary_one CHECK (version < 2)")
    stall = opened("a")
    found = answer(RENAME, id=stall["id"], name="B", version=1).assert_ok()["renameStall"]

    assert found["errors"] == [
        {"field": None, "code": "BAD_USER_INPUT", "message": "This value is not allowed."}
    ]


@pytest.mark.django_db
def test_a_conflict_about_no_row_shows_none(sql: Callable[..., Any]) -> None:
    sql("""CREATE FUNCTION fn_busy(p_id uuid, p_expected_version int) RETURNS uuid LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'Busy.' USING ERRCODE = 'PT409'; END $$""")
    query = (
        """mutation { doIt(input: {%s expectedVersion: 1}) { current { id } errors { code } } }"""
    )
    with isolated():

        @fraiseql.type(view="v_stall")
        class Stall:
            id: UUID

        declared("fn_busy", {"id": UUID | None, "expected_version": int, "returns": Stall})
        without = Client().query(query % "").assert_ok()
        unknown = Client().query(query % f'id: "{NOBODY}"').assert_ok()

    assert without == unknown == {"doIt": {"current": None, "errors": [{"code": "CONFLICT"}]}}


def test_timeouts_are_errors_of_graphql_on_both_ways(answer: Answer) -> None:
    query = 'mutation { fail(input: {how: "sleep"}) { status } %s }'
    with override_settings(FRAISEQL={"STATEMENT_TIMEOUT_MS": 100}):
        results = [
            answer(query % ""),
            answer(query % 'renameMaker(identifier: "x", name: "y") { name }'),
        ]

    assert [(result.data, result.codes) for result in results] == [(None, ["TIMEOUT"])] * 2


def test_a_database_that_takes_no_more_refuses_the_request(answer: Answer) -> None:
    result = answer('mutation { fail(input: {how: "busy"}) { status } }')
    part = answer('mutation { ring { status } fail(input: {how: "busy"}) { status } }')

    assert (result.data, result.codes, result.status) == (None, ["SERVICE_UNAVAILABLE"], 503)
    assert (part.data, part.codes) == (None, ["SERVICE_UNAVAILABLE"])


def test_what_a_function_keeps_of_its_promises_is_told(
    opened: Any, answer: Answer, sql: Any
) -> None:
    sql("""CREATE OR REPLACE FUNCTION fn_close_stall(id uuid) RETURNS jsonb LANGUAGE sql AS
        $$ SELECT '{"id": 1, "capacity": "much"}'::jsonb $$""")
    result = answer(
        "mutation ($id: UUID!) { closeStall(input: {id: $id}) { closed { capacity } errors { code } } }",
        id=opened("a")["id"],
    )

    assert result.data == {"closeStall": {"closed": None, "errors": []}}
    assert [error["path"] for error in result.errors] == [["closeStall", "closed", "capacity"]]


def test_a_mutation_whose_function_does_not_fit_says_so_in_the_log(
    answer: Answer, sql: Any
) -> None:
    sql("DROP FUNCTION fn_ring")
    sql("CREATE FUNCTION fn_ring(p_loud boolean) RETURNS void LANGUAGE sql AS 'SELECT'")

    assert answer("mutation { ring { status } }").codes == ["INTERNAL_SERVER_ERROR"]

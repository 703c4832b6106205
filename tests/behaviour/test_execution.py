"""What an operation does: lines 11 to 17."""

from typing import Any

import pytest

from tests.behaviour.conftest import MakeEdges
from tests.behaviour.counting import ran
from tests.integration.edges.conftest import Edges

TWO = "query A { a: __typename } query B { b: __typename }"


def test_11_an_empty_operation_name_is_a_name(edges: Edges) -> None:
    assert edges.post("{ __typename }", operationName=None).codes == []
    assert edges.post("{ __typename }", operationName="").codes == ["OPERATION_RESOLUTION_FAILURE"]


@pytest.mark.parametrize("name", [None, "C"])
def test_11_of_several_operations_one_must_be_named(edges: Edges, name: str | None) -> None:
    answer = edges.post(TWO, operationName=name)

    assert answer.codes == ["OPERATION_RESOLUTION_FAILURE"]
    assert "data" not in answer.json


@pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
def test_12_a_refused_request_has_no_data_and_an_executed_one_has(
    edges: Edges, viewer: str
) -> None:
    refused = edges.post(f"{{ nothing {viewer} }}").json
    nulled = edges.post(f"{{ flaws {{ number }} {viewer} }}").json
    partly = edges.post(f"{{ flawed(id: 2) {{ id name }} {viewer} }}").json

    assert list(refused) == ["errors"]
    assert nulled["data"] is None
    assert nulled["errors"]
    assert partly["data"]["flawed"] is None
    assert partly["errors"]


@pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
def test_12_fields_come_in_the_order_of_the_selection(edges: Edges, viewer: str) -> None:
    query = f"""
        {{ b: __typename makers(limit: 1) {{ wares {{ price id }} name ...F id ... {{ country label: name }} }}
           {viewer} a: __typename }}
        fragment F on Maker {{ founded wares {{ tags id }} identifier }}
    """
    data = edges.post(query).json["data"]

    assert list(data) == ["b", "makers", *viewer.split(), "a"]
    assert list(data["makers"][0]) == [
        "wares", "name", "founded", "identifier", "id", "country", "label"
    ]  # fmt: skip
    assert list(data["makers"][0]["wares"][0]) == ["price", "id", "tags"]


@pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
def test_13_a_null_rises_to_the_nearest_nullable_parent(edges: Edges, viewer: str) -> None:
    query = "{ flawed(id: 3) { name someParts { label } part { label } } viewer }"
    answer = edges.post(query.replace("viewer", viewer))

    assert answer.json["data"]["flawed"] is None
    query = "{ flawed(id: 3) { name someParts { label } } viewer }"
    answer = edges.post(query.replace("viewer", viewer))

    assert answer.json["data"]["flawed"]["someParts"] == [{"label": "q"}, None, None]
    assert [error["path"] for error in answer.errors] == [["flawed", "someParts", 1, "label"]]


@pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
def test_13_a_key_that_is_missing_in_the_document_is_an_error(edges: Edges, viewer: str) -> None:
    answer = edges.post(f"{{ flawed(id: 4) {{ name number }} {viewer} }}")

    assert answer.json["data"]["flawed"] is None
    assert [error["path"] for error in answer.errors] == [["flawed", "number"]]


@pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
def test_14_aliases_and_repeated_fields_merge(edges: Edges, viewer: str) -> None:
    query = f"""{{ one: makers(limit: 1) {{ name }} one: makers(limit: 1) {{ n: name kind: __typename }}
                   root: __typename {viewer} }}"""
    data = edges.post(query).json["data"]

    assert data["one"] == [{"name": "Anvil & Sons", "n": "Anvil & Sons", "kind": "Maker"}]
    assert data["root"] == "Query"


def test_14_one_name_for_different_arguments_is_refused(edges: Edges) -> None:
    answer = edges.post("{ makers(limit: 1) { name } makers(limit: 2) { name } }")

    assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize(
    ("skip", "include", "shown"),
    [(False, True, True), (False, False, False), (True, True, False), (True, False, False)],
)
@pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
def test_14_skip_and_include_must_both_allow(
    edges: Edges, viewer: str, skip: bool, include: bool, shown: bool
) -> None:
    query = f"""query ($s: Boolean!, $i: Boolean!) {{
        makers(limit: 1) {{ id name @skip(if: $s) @include(if: $i) }} {viewer} }}"""
    answer = edges.post(query, {"s": skip, "i": include})

    assert ("name" in answer.json["data"]["makers"][0]) is shown


@pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
def test_14_typename_is_of_the_concrete_type_at_every_level(edges: Edges, viewer: str) -> None:
    query = f"""{{ __typename wares(limit: 3) {{ __typename k: __typename maker {{ __typename }}
                   ... on Book {{ b: __typename }} }} wareFeed {{ __typename pageInfo {{ __typename }}
                   edges {{ __typename node {{ __typename }} }} }} {viewer} }}"""
    data = edges.post(query).json["data"]

    assert data["__typename"] == "Query"
    assert [(ware["__typename"], ware["k"], ware.get("b")) for ware in data["wares"]] == [
        ("Book", "Book", "Book"), ("Tool", "Tool", None), ("Tool", "Tool", None)
    ]  # fmt: skip
    assert data["wareFeed"]["__typename"] == "WareConnection"
    assert data["wareFeed"]["edges"][0]["node"]["__typename"] == "Book"


def test_15_a_condition_that_never_holds_is_refused(edges: Edges) -> None:
    for query in (
        "{ wares { ... on Maker { name } } }",
        "{ wares { ... on Nothing { name } } }",
        "{ wares { ...F } } fragment F on String { name }",
    ):
        assert set(edges.post(query).codes) == {"GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
def test_15_a_stored_type_nobody_declared_is_an_error(edges: Edges, sql: Any, viewer: str) -> None:
    sql("UPDATE tv_ware SET data = data || '{\"kind\": \"pet\"}' WHERE identifier = 'atlas'")
    answer = edges.post(f'{{ ware(identifier: "atlas") {{ __typename name }} {viewer} }}')

    assert answer.json["data"]["ware"] is None
    assert answer.errors[0]["path"] == ["ware"]
    assert "unknown type" in answer.errors[0]["message"]


def test_16_mutations_run_one_after_the_other_and_go_on_after_a_failure(
    configured: MakeEdges,
) -> None:
    edges = configured(GRAPHENE_SCHEMAS=["tests.behaviour.counting.schema"])
    query = """mutation {
        a: note(word: "one") { word }
        b: note(word: "two", fails: true) { word }
        c: note(word: "three") { word }
    }"""
    ran.clear()
    answer = edges.post(query)

    assert answer.json["data"] == {"a": {"word": "one"}, "b": None, "c": {"word": "three"}}
    assert [(error["path"], error["extensions"]["code"]) for error in answer.errors] == [
        (["b"], "CONFLICT")
    ]
    # Once for each edge.
    assert ran == ["one", "two", "three"] * 2


def test_17_a_subscription_over_plain_post_is_refused(edges: Edges) -> None:
    answer = edges.post("subscription { x }")

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])

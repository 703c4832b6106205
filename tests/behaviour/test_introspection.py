"""What the schema tells about itself, and the September 2025 edition: lines 28 to 31."""

import json

import pytest
from graphql import build_client_schema, get_introspection_query, validate_schema

from tests.behaviour.conftest import MakeEdges
from tests.integration.edges.conftest import JSON_BODY, Edges

AUTHENTICATION = ["tests.behaviour.asking.by_header"]
HIDDEN = ["founded", "ON_SALE", "makers"]


def test_28_deprecated_elements_are_told_when_asked_for(configured: MakeEdges) -> None:
    edges = configured(INTROSPECTION=True, GRAPHENE_SCHEMAS=["tests.behaviour.deprecated.schema"])
    query = """query ($all: Boolean!) { __type(name: "Query") {
        fields(includeDeprecated: $all) { name args(includeDeprecated: $all) { name } } } }"""
    told = {
        shown: {
            field["name"]: [argument["name"] for argument in field["args"]]
            for field in edges.post(query, {"all": shown}).json["data"]["__type"]["fields"]
        }
        for shown in (True, False)
    }
    default = edges.post('{ __type(name: "Query") { fields { name } } }').json["data"]["__type"]

    assert "gone" in told[True]
    assert told[True]["kept"] == ["by", "old"]
    assert "gone" not in told[False]
    assert told[False]["kept"] == ["by"]
    assert "gone" not in [field["name"] for field in default["fields"]]


@pytest.mark.parametrize("oneof", [False, True])
def test_29_the_queries_of_tools_are_answered(configured: MakeEdges, oneof: bool) -> None:
    edges = configured(INTROSPECTION=True)
    query = get_introspection_query(
        specified_by_url=True, directive_is_repeatable=True, schema_description=True,
        input_value_deprecation=True, input_object_one_of=oneof,
    )  # fmt: skip
    answer = edges.post(query, operationName="IntrospectionQuery")

    assert answer.codes == []
    assert validate_schema(build_client_schema(answer.json["data"])) == []


def test_29_introspection_may_not_nest_without_end(configured: MakeEdges) -> None:
    edges = configured(INTROSPECTION=True)
    nested = "{ fields { type " * 10 + "{ name }" + " } }" * 10
    answer = edges.post(f"{{ __schema {{ types {nested} }} }}")

    assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]


# Types are visible to all roles or to none: roles that see a part of the schema are later work.
def test_30_who_may_not_see_the_schema_learns_none_of_its_names(configured: MakeEdges) -> None:
    edges = configured(INTROSPECTION="authenticated", AUTHENTICATION=AUTHENTICATION)
    queries = [
        "{ __schema { types { name } } }",
        '{ __type(name: "Maker") { fields { name } } }',
        "{ make { nam } }",
        "{ packed(box: {nam: 1}) }",
        "{ wares(where: {statu: {eq: ON_SAL}}) { nam } }",
    ]
    for query in queries:
        body = json.dumps({"query": query}).encode()
        refused = edges.send(body=body)

        assert "data" not in refused.json
        assert not [name for name in HIDDEN if name in refused.body.decode()]
    known = edges.send(
        headers=JSON_BODY | {"X-Test-User": "ada"}, body=json.dumps({"query": queries[0]}).encode()
    )
    assert {"name": "Maker"} in known.json["data"]["__schema"]["types"]


def test_31_the_type_of_one_of_is_told(configured: MakeEdges) -> None:
    edges = configured(INTROSPECTION=True)
    answer = edges.post('{ __schema { directives { name } } __type(name: "Query") { isOneOf } }')

    assert answer.codes == []
    assert {"skip", "include", "deprecated", "specifiedBy", "oneOf"} <= {
        directive["name"] for directive in answer.json["data"]["__schema"]["directives"]
    }


@pytest.mark.parametrize("written", [r"\u{1F600}", r"\uD83D\uDE00", "😀"])
def test_31_a_character_may_be_escaped_in_braces(edges: Edges, written: str) -> None:
    answer = edges.post(f'{{ packed(box: {{name: "{written}"}}) }}')

    assert answer.json["data"] == {"packed": "😀 1 unset unset"}


@pytest.mark.parametrize("written", [r"\u{110000}", r"\u{D83D}", r"\uD83D", r"\u{}"])
def test_31_an_escape_of_no_character_is_refused(edges: Edges, written: str) -> None:
    assert edges.post(f'{{ packed(box: {{name: "{written}"}}) }}').codes == ["GRAPHQL_PARSE_FAILED"]

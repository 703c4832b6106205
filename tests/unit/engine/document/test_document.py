"""Documents: parsed, limited, validated."""

from typing import Any

import pytest
from graphql import build_schema

from fraiseql.engine.document.document import Document, read_document
from fraiseql.engine.document.limits import MAX_FAULTS, Limits
from fraiseql.errors import OperationUnresolved, ParseFailed, ValidationFailed

SCHEMA = build_schema(
    "type Query { node: Node, id: ID, echo(text: String): ID } type Node { node: Node, id: ID }"
)


def read(text: str, **limits: int) -> Document:
    given: dict[str, Any] = {
        "max_tokens": 10_000,
        "max_depth": 15,
        "introspection": False,
        "suggestions": True,
        **limits,
    }
    return read_document(text, SCHEMA, Limits(**given))


def test_operations_and_fragments() -> None:
    document = read("query A { ...F } query B { id } fragment F on Query { id }")

    assert [operation.name.value for operation in document.operations if operation.name] == [
        "A",
        "B",
    ]
    assert list(document.fragments) == ["F"]
    assert document.operation("B") is document.operations[1]


def test_the_only_operation_needs_no_name() -> None:
    document = read("{ id }")

    assert document.operation(None) is document.operations[0]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("query A { id } query B { id }", None, "several operations"),
        ("query A { id }", "B", "no operation 'B'"),
        ("{ id }", "", "no operation ''"),
    ],
)
def test_an_operation_that_cannot_be_told(text: str, name: str | None, message: str) -> None:
    with pytest.raises(OperationUnresolved, match=message):
        read(text).operation(name)


def test_a_document_of_definitions_has_no_operation() -> None:
    document = Document(read("{ id }").ast, (), {})

    with pytest.raises(OperationUnresolved, match="has no operation"):
        document.operation(None)


@pytest.mark.parametrize("text", ["", "{", "{ id", "query ($x: ) { id }", "{ id } \0"])
def test_what_is_no_graphql(text: str) -> None:
    with pytest.raises(ParseFailed) as caught:
        read(text)

    (error,) = caught.value.extensions["errors"]
    assert error["message"].startswith("Syntax Error")
    assert error["locations"]


@pytest.mark.parametrize("depth", [3, 4])
def test_depth_is_limited(depth: int) -> None:
    text = "{ node { ... on Node { node { ...F } } } } fragment F on Node { id }"
    if depth == 3:
        assert read(text, max_depth=3)
        return
    deeper = text.replace("{ id }", "{ node { id } }")
    with pytest.raises(ValidationFailed, match="nests 4 levels; at most 3"):
        read(deeper, max_depth=3)


def test_zero_depth_is_no_limit() -> None:
    assert read("{ node { node { node { id } } } }", max_depth=0)


def test_fragments_that_multiply_cost_little() -> None:
    fragments = " ".join(
        f"fragment F{n} on Node {{ a: node {{ ...F{n + 1} }} b: node {{ ...F{n + 1} }} }}"
        for n in range(30)
    )
    # Followed one by one, 2 ** 30 of them would not end.
    with pytest.raises(ValidationFailed, match="levels; at most"):
        read(f"{{ node {{ ...F0 }} }} {fragments} fragment F30 on Node {{ id }}")


def test_circular_and_unknown_fragments_are_the_validators() -> None:
    with pytest.raises(ValidationFailed, match="within itself"):
        read("{ node { ...F } } fragment F on Node { id ...F }")
    with pytest.raises(ValidationFailed, match="Unknown fragment 'G'"):
        read("{ node { ...G } }")


def test_every_fault_is_named() -> None:
    with pytest.raises(ValidationFailed) as caught:
        read("{ nothing\n other }")

    errors = caught.value.extensions["errors"]
    assert [error["message"].partition(" on ")[0] for error in errors] == [
        "Cannot query field 'nothing'", "Cannot query field 'other'",
    ]  # fmt: skip
    assert errors[1]["locations"] == [{"line": 2, "column": 2}]


def test_suggestions_are_an_option() -> None:
    with pytest.raises(ValidationFailed, match="Did you mean 'node'"):
        read("{ nod }")
    with pytest.raises(ValidationFailed) as caught:
        read("{ nod }", suggestions=0)
    assert "Did you" not in caught.value.message


def test_introspection_is_an_option() -> None:
    assert read("{ __schema { queryType { name } } }", introspection=1)
    with pytest.raises(ValidationFailed, match="introspection"):
        read("{ __schema { queryType { name } } }")
    assert read("{ __typename }")


def test_messages_have_a_length() -> None:
    with pytest.raises(ValidationFailed) as caught:
        read("{ node(" + " ".join(f'x{n}: "{"y" * 100}"' for n in range(3)) + ") { id } }")
    assert len(caught.value.extensions["errors"]) == 3
    with pytest.raises(ValidationFailed) as caught:
        read('{ echo(text: {a: "' + "y" * 100_000 + '"}) }')
    assert len(caught.value.message) <= 1_000
    with pytest.raises(OperationUnresolved) as unresolved:
        read("{ id }").operation("y" * 100_000)
    assert len(unresolved.value.message) < 400


def test_faults_have_a_number() -> None:
    with pytest.raises(ValidationFailed) as caught:
        read("{ " + " ".join(f"x{n}" for n in range(200)) + " }")

    errors = caught.value.extensions["errors"]
    assert len(errors) == MAX_FAULTS + 1
    assert "Too many validation errors" in errors[-1]["message"]

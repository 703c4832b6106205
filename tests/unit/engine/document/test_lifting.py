"""Strings lifted out of texts: the text that stands for them, and what is left as it is."""

import pytest
from graphql import FieldNode, Visitor, build_schema, parse, visit
from hypothesis import given
from hypothesis import strategies as st

from fraiseql.engine.document.document import read_document
from fraiseql.engine.document.lifting import Lifted, Lifting, split
from fraiseql.engine.document.limits import Limits
from fraiseql.engine.document.request import GraphQLRequest

SCHEMA = build_schema(
    """
    scalar JSON
    input Where { text: String, ids: [ID!], and: [Where!], meta: JSON }
    directive @tagged(by: String) on FIELD
    type Query {
        node(id: ID!): Node
        nodes(where: Where, ids: [ID!], text: String, first: Int): [Node!]!
    }
    type Node { id: ID!, node(id: ID!): Node }
    """
)
LIMITS = Limits(max_tokens=10_000, max_depth=15, introspection=False, suggestions=True)


def learned(text: str) -> Lifting:
    lifting = Lifting(SCHEMA, 10)
    lifting.learn(text, read_document(text, SCHEMA, LIMITS))
    return lifting


def asked(first: str, then: str) -> Lifted | None:
    """Return what is asked in place of ``then`` after ``first`` was."""
    return learned(first).find(GraphQLRequest(then, None, {"own": 1}))


@pytest.mark.parametrize(
    ("first", "then", "text", "values"),
    [
        (
            '{ node(id: "a") { id } }',
            '{ node(id: "b") { id } }',
            "query($_string0: ID!){ node(id: $_string0) { id } }",
            ["b"],
        ),
        (
            'query { node(id: "") { id } }',
            'query { node(id: "ü {") { id } }',
            "query($_string0: ID!) { node(id: $_string0) { id } }",
            ["ü {"],
        ),
        (
            'query Q { a: node(id: "a") { id } b: node(id: "a") { id } }',
            'query Q { a: node(id: "b") { id } b: node(id: "c") { id } }',
            (
                "query Q($_string0: ID!, $_string1: ID!) "
                "{ a: node(id: $_string0) { id } b: node(id: $_string1) { id } }"
            ),
            ["b", "c"],
        ),
        (
            'fragment F on Node { node(id: "x") { id } } query($n: ID!) { node(id: $n) { ...F } }',
            'fragment F on Node { node(id: "y") { id } } query($n: ID!) { node(id: $n) { ...F } }',
            (
                "fragment F on Node { node(id: $_string0) { id } }"
                " query($_string0: ID!, $n: ID!) { node(id: $n) { ...F } }"
            ),
            ["y"],
        ),
        (
            '{ nodes(where: {and: [{text: "a"}, {ids: ["1", "2"]}]}, first: 3) { id } }',
            '{ nodes(where: {and: [{text: "b"}, {ids: ["3", "4"]}]}, first: 3) { id } }',
            (
                "query($_string0: String!, $_string1: ID!, $_string2: ID!){ nodes(where: {and: "
                "[{text: $_string0}, {ids: [$_string1, $_string2]}]}, first: 3) { id } }"
            ),
            ["b", "3", "4"],
        ),
    ],
)
def test_the_next_text_is_asked_with_variables(
    first: str, then: str, text: str, values: list[str]
) -> None:
    lifted = asked(first, then)

    assert lifted is not None
    assert lifted.request.query == text
    strings = {f"_string{number}": value for number, value in enumerate(values)}
    assert lifted.request.variables == {"own": 1, **strings}
    assert read_document(lifted.request.query, SCHEMA, LIMITS)


@pytest.mark.parametrize(
    "text",
    [
        "{ nodes { id } }",
        '{ node(id: "a\\n") { id } }',
        '{ node(id: """a""") { id } }',
        '{ node(id: "a") { id } } # "',
        '{ nodes(ids: "a") { id } }',
        '{ nodes(where: {meta: {a: "b"}}) { id } }',
        '{ node(id: "a") { id @tagged(by: "b") } }',
        'query($n: ID! = "a") { node(id: $n) { id } }',
        'query($_string0x: ID!) { node(id: "a") { node(id: $_string0x) { id } } }',
        'query A { node(id: "a") { id } } query B { nodes { id } }',
    ],
)
def test_other_strings_stay_where_they_are(text: str) -> None:
    assert asked(text, text) is None


@pytest.mark.parametrize("value", ["\n", "\x00", "\u2028", "\ud800", '"', '" "'])
def test_a_string_that_is_not_plain_is_the_parsers(value: str) -> None:
    assert asked('{ node(id: "a") { id } }', f'{{ node(id: "{value}") {{ id }} }}') is None


def test_a_text_of_another_form_is_not_known() -> None:
    assert asked('{ node(id: "a") { id } }', '{ node(id: "a") { id  } }') is None


def test_what_is_refused_is_left_alone_from_then_on() -> None:
    text = '{ node(id: "a") { id } }'
    lifting = learned(text)

    lifting.refuse(text)
    lifting.learn(text, read_document(text, SCHEMA, LIMITS))

    assert lifting.find(GraphQLRequest(text)) is None


def test_forms_are_bounded() -> None:
    lifting = Lifting(SCHEMA, 2)
    texts = [f'{{ {name}: node(id: "a") {{ id }} }}' for name in "abc"]
    for text in texts:
        lifting.learn(text, read_document(text, SCHEMA, LIMITS))

    found = [lifting.find(GraphQLRequest(text)) is not None for text in texts]

    assert found == [False, False, True]


@given(st.text(alphabet='"\\#{} ab\n\u2028', max_size=30))
def test_what_is_left_and_the_strings_make_the_text(text: str) -> None:
    parts = split(text)
    if parts is not None:
        outside = parts[0].split('"')
        # A string goes where its quote was left; what is outside of strings is the others.
        assert len(outside) == len(parts[1]) + 1
        inside = [f'"{value}"' for value in parts[1]] + [""]
        assert "".join(map("".join, zip(outside, inside, strict=True))) == text


class _Fields(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.places: list[tuple[int, int]] = []

    def enter_field(self, node: FieldNode, *_: object) -> None:
        assert node.loc
        self.places.append((node.loc.start_token.line, node.loc.start_token.column))


def places(text: str) -> list[tuple[int, int]]:
    fields = _Fields()
    visit(parse(text), fields)
    return fields.places


@pytest.mark.parametrize(
    "text",
    [
        '{{ node(id: "{0}") {{ id }} b: node(id: "{1}") {{ node(id: "{0}") {{ id }} }} }}',
        'query Q {{\r\n a: node(id: "{0}") {{ id }}\n b: node(id: "{1}") {{ c: id d: id }} }}',
        (
            'query($n: ID!) {{ a: node(id: "{0}") {{ id }} b: node(id: $n) {{ id }}'
            '\r c: nodes(text: "{1}") {{ id }} }}'
        ),
    ],
)
def test_an_error_is_where_it_is_in_the_text_that_was_sent(text: str) -> None:
    then = text.format("a longer one", "$_string0")
    lifted = asked(text.format("a", "b"), then)
    assert lifted is not None
    found = [(line, lifted.sent(line, column)) for line, column in places(lifted.request.query)]

    assert found == places(then)

"""Overlapping fields: the same verdict as graphql-core's, in linear time."""

import time
from typing import Any

import pytest
from graphql import (
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    build_schema,
    parse,
    validate,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from fraiseql.engine.document.limits import MAX_FAULTS
from fraiseql.engine.document.merging import merge_conflicts
from fraiseql.errors import ValidationFailed

SCHEMA = build_schema("""
    interface Animal { name(short: Boolean, in: In): String kin: Animal all: [Animal] size: Int! }
    type Dog implements Animal {
      name(short: Boolean, in: In): String kin: Dog all: [Animal] size: Int! owner: Person barks: Boolean rank: Int
    }
    type Cat implements Animal {
      name(short: Boolean, in: In): String kin: Cat all: [Animal] size: Int! owner: Thing barks: Boolean! rank: ID
    }
    type Person { name: String pet: Animal pets: [Animal!] thing: Thing }
    type Box { name: String size: Int thing: Thing }
    union Thing = Person | Box | Dog
    input In { a: Int b: [String] }
    type Query { animal: Animal dog: Dog cat: Cat person: Person thing: Thing box: Box }
    type Mutation { dog: Dog }
""")

COMPOSITES = {
    "Query": {"animal": "Animal", "dog": "Dog", "cat": "Cat", "person": "Person", "thing": "Thing", "box": "Box"},
    "Animal": {"kin": "Animal", "all": "Animal"},
    "Dog": {"kin": "Dog", "all": "Animal", "owner": "Person"},
    "Cat": {"kin": "Cat", "all": "Animal", "owner": "Thing"},
    "Person": {"pet": "Animal", "pets": "Animal", "thing": "Thing"},
    "Box": {"thing": "Thing"},
    "Thing": {},
}  # fmt: skip
NAMES = ["name", "name(short: true)", "name(short: $v)", 'name(in: {a: 1, b: ["x"]})',
         'name(in: {b: ["x"], a: 1})', 'name(in: {b: ["x", "y"]})', 'name(in: {b: ["""x"""]})',
         "name(short: true, in: null)",
         "name(in: null, short: true)"]  # fmt: skip
LEAVES = {
    "Query": [], "Animal": [*NAMES, "size"], "Dog": [*NAMES, "size", "barks", "rank"],
    "Cat": [*NAMES, "size", "barks", "rank"], "Person": ["name"], "Box": ["name", "size"], "Thing": [],
}  # fmt: skip
CONDITIONS = ["Animal", "Dog", "Cat", "Person", "Box", "Thing"]


def conflicts(text: str) -> list[GraphQLError]:
    document = parse(text)
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    return merge_conflicts(SCHEMA, operations, fragments)


def is_refused(text: str) -> bool:
    return bool(validate(SCHEMA, parse(text), [OverlappingFieldsCanBeMergedRule]))


@st.composite
def selections(draw: Any, kind: str, spreads: list[str], depth: int = 0) -> str:
    """Selections on ``kind`` with few response names, so that many meet."""
    choices = []
    for _ in range(draw(st.integers(1, 4))):
        way = draw(st.sampled_from("fffffcccciiss"))
        alias = draw(st.sampled_from(["", "", "", "x: ", "y: ", "name: ", "kin: "]))
        if way == "c" and depth < 4 and COMPOSITES[kind]:
            field = draw(st.sampled_from(sorted(COMPOSITES[kind])))
            below = draw(selections(COMPOSITES[kind][field], spreads, depth + 1))
            choices.append(f"{alias}{field} {{ {below} }}")
        elif way == "i" and depth < 4:
            condition = draw(st.sampled_from([*CONDITIONS, ""] if kind != "Query" else [""]))
            below = draw(selections(condition or kind, spreads, depth + 1))
            choices.append(f"... {f'on {condition} ' if condition else ''}{{ {below} }}")
        elif way == "s" and spreads and kind != "Query":
            choices.append(f"...{draw(st.sampled_from(spreads))}")
        else:
            choices.append(alias + draw(st.sampled_from([*LEAVES[kind], "__typename"])))
    return " ".join(choices)


@st.composite
def documents(draw: Any) -> str:
    """A document whose fragments spread those before them, all of them used."""
    made: list[str] = []
    for number in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(CONDITIONS))
        before = [f"F{earlier}" for earlier in range(number)]
        made.append(f"fragment F{number} on {kind} {{ {draw(selections(kind, before))} }}")
    spreads = [f"F{number}" for number in range(len(made))]
    root = draw(selections("Query", spreads))
    using = " ".join(f"u{name}: animal {{ ...{name} }}" for name in spreads)
    return f"query ($v: Boolean) {{ {root} {using} }} {' '.join(made)}"


@settings(max_examples=300, deadline=None)
@given(documents())
def test_the_verdict_is_graphql_cores(text: str) -> None:
    assert bool(conflicts(text)) == is_refused(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ a: dog { name } a: cat { name } }", "'a' conflict because 'dog' and 'cat' are different"),
        ("{ dog { name name(short: true) } }", "'name' conflict because they have differing"),
        ("{ animal { ...on Dog { barks } ...on Cat { barks } } }", "types 'Boolean' and 'Boolean!'"),
        ("{ animal { ...on Dog { a: rank } ...on Cat { a: rank } } }", "types 'Int' and 'ID'"),
        ("{ animal { ...on Dog { a: size } ...on Cat { a: all { name } } } }", "conflicting types"),
        ("{ dog { a: kin { b: name } } ...F } fragment F on Query { dog { a: kin { b: rank } } }", "'b'"),
        ("{ animal { ...on Dog { a: owner { b: name } } ...on Cat { a: kin { b: size } } } }", "'b'"),
    ],
)  # fmt: skip
def test_a_conflict_is_told_with_both_places(text: str, message: str) -> None:
    (error,) = conflicts(text)

    assert message in error.message
    assert len(error.locations or ()) == 2
    assert is_refused(text)


def test_each_operation_is_looked_at() -> None:
    assert conflicts("query A { dog { name } } mutation B { dog { a: name a: size } }")


def test_conflicts_are_capped() -> None:
    fields = " ".join(f"a{n}: name a{n}: size" for n in range(200))

    assert len(conflicts(f"{{ dog {{ {fields} }} }}")) == MAX_FAULTS


@pytest.mark.parametrize(
    "text",
    [
        "{ dog { " + "name " * 2_000 + "} }",
        "{ dog { " + " ".join(f"name(in: {{a: {n}}})" for n in range(2_000)) + "} }",
        "{" + "dog { kin { name } } " * 2_000 + "}",
        "{ dog { " + "... on Dog { name } " * 2_000 + "} }",
        "{ dog { " + "...F " * 2_000 + "} } fragment F on Dog { name kin { name } }",
        "{ dog { ...F0 } } "
        + " ".join(f"fragment F{n} on Dog {{ kin {{ ...F{n + 1} ...F{n + 1} }} }}" for n in range(30))
        + " fragment F30 on Dog { name }",
        "{ animal { " + " ".join(f"a: kin {{ a: kin {{ a{n}: name }} }}" for n in range(600)) + "} }",
    ],
    ids=["leaves", "arguments", "objects", "inline", "spreads", "bomb", "nested"],
)  # fmt: skip
def test_thousands_that_meet_cost_little(text: str) -> None:
    ast = parse(text)
    operation, *fragments = ast.definitions
    durations = []
    for _ in range(3):
        started = time.process_time()
        merge_conflicts(SCHEMA, [operation], {node.name.value: node for node in fragments})  # type: ignore[list-item,attr-defined,misc]  # fragments follow the operation
        durations.append(time.process_time() - started)

    # 5 to 10 ms each; graphql-core's rule gives up after a second.
    assert min(durations) < 0.2


def test_what_meets_in_too_many_ways_is_refused() -> None:
    # Whether A, B, C ... is in a set depends on which of the last steps were x: each way is a set of its own.
    fragments = " ".join(
        f"fragment F{n} on Dog {{ x: kin {{ ...F{n + 1} ...A{n + 1}_0 }} y: kin {{ ...F{n + 1} }} }}"
        for n in range(13)
    )
    fragments += " ".join(
        f"fragment A{n}_{age} on Dog {{ x: kin {{ ...A{n + 1}_{age + 1} }} y: kin {{ ...A{n + 1}_{age + 1} }} }}"
        for n in range(1, 13)
        for age in range(n)
    )
    fragments += " ".join(f"fragment A13_{age} on Dog {{ name }}" for age in range(13))
    with pytest.raises(ValidationFailed, match="meet in too many ways"):
        conflicts(f"{{ dog {{ ...F0 }} }} {fragments} fragment F13 on Dog {{ name }}")

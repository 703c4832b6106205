"""Operations measured with their fragments put in place."""

from typing import Any

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from fraiseql.engine.document.limits import MAX_NESTING, Limits
from fraiseql.engine.document.measure import check_operations
from fraiseql.errors import ValidationFailed


def check(text: str, **most: Any) -> None:
    definitions = parse(text).definitions
    check_operations(
        [node for node in definitions if isinstance(node, OperationDefinitionNode)],
        {node.name.value: node for node in definitions if isinstance(node, FragmentDefinitionNode)},
        Limits(0, most.pop("max_depth", 0), introspection=True, suggestions=True, **most),
    )


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("{ a { b ...F } ...F } fragment F on A { c d { e } }", "max_fields", 8),
        ("{ x: a { ...F ...F } } fragment F on A { y: b { z: c } }", "max_aliases", 5),
        ("query @a { b @c ...F @d ... @e { ...F } } fragment F on A { g @h @i }", "max_directives", 8),
        ("{ a a b: a ...F ... { c ...F } } fragment F on A { d { e } ...F ...G }", "max_root_fields", 4),
        ("{ a { ... on B { c { ...F } } } } fragment F on A { d { e } }", "max_depth", 4),
    ],
)  # fmt: skip
def test_each_thing_is_counted_where_fragments_are_used(text: str, name: str, number: int) -> None:
    check(text, **{name: number})
    check(text, **{name: 0})
    with pytest.raises(ValidationFailed, match=f"{number - 1}") as caught:
        check(text, **{name: number - 1})
    assert name.upper() in (caught.value.hint or "")


def test_fifty_spreads_of_fifty_aliases_are_2500() -> None:
    aliases = " ".join(f"a{n}: b" for n in range(50))
    text = f"{{ {'...F ' * 50} }} fragment F on A {{ {aliases} }}"

    check(text, max_aliases=2_500)
    with pytest.raises(ValidationFailed, match="more than 2,499 aliases"):
        check(text, max_aliases=2_499)


def test_every_operation_is_measured() -> None:
    with pytest.raises(ValidationFailed, match="more than 1 aliases"):
        check("query A { a } query B { ...F } fragment F on Query { a: b c: d }", max_aliases=1)


@pytest.mark.parametrize("order", [1, -1])
def test_a_chain_of_fragments_has_an_end(order: int) -> None:
    chain = [f"fragment F{n} on A {{ ...F{n + 1} }}" for n in range(MAX_NESTING)][::order]
    with pytest.raises(ValidationFailed, match="levels of selections and fragments"):
        check(" ".join(["{ ...F0 }", *chain, f"fragment F{MAX_NESTING} on A {{ b }}"]))


def test_chains_that_are_known_count_where_they_are_used() -> None:
    chain = " ".join(f"fragment F{n} on A {{ ...F{n + 1} }}" for n in range(60))
    deep = "... { " * 60 + "...F0" + " }" * 60
    with pytest.raises(ValidationFailed, match="levels of selections and fragments"):
        check(f"{{ ...F0 {deep} }} {chain} fragment F60 on A {{ b }}")


def test_circles_and_unknown_fragments_are_validations() -> None:
    check("{ ...F ...G } fragment F on A { b ...F }", max_fields=1)

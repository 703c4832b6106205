"""What a document may cost, however short it is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings

from fraiseql.testing import Client, Result

Ask = Callable[..., Any]
Answer = Callable[..., Result]


# Of the processor's time: what is not bounded takes hours, what is bounded is slow under coverage only.
MOST_S = 15


def multiplied(width: int, depth: int) -> str:
    """Return a document whose fragments stand for width ** depth fields."""
    fragments = []
    for level in range(depth):
        fields = " ".join(f"a{n}: parent {{ ...F{level + 1} }}" for n in range(width))
        fragments.append(f"fragment F{level} on Category {{ {fields} }}")
    fragments.append(f"fragment F{depth} on Category {{ id }}")
    return " ".join(["{ category(id: 1) { ...F0 } }", *fragments])


@pytest.mark.parametrize(("width", "depth"), [(2, 13), (10, 13), (50, 3)])
def test_fragments_that_multiply_are_refused(answer: Answer, width: int, depth: int) -> None:
    result = answer(multiplied(width, depth))

    assert (result.data, result.codes, result.status) == (None, ["GRAPHQL_VALIDATION_FAILED"], 400)
    assert result.errors[0]["message"] == "The operation selects more than 10,000 fields."


def test_the_limit_is_a_setting(answer: Answer) -> None:
    query = "{ makers { name office { dns1Id openedOn } } }"

    with override_settings(FRAISEQL={"MAX_FIELDS": 4}):
        assert "more than 4 fields" in answer(query).errors[0]["message"]
    with override_settings(FRAISEQL={"MAX_FIELDS": 5}):
        answer(query).assert_ok()
    with override_settings(FRAISEQL={"MAX_FIELDS": 0, "MAX_ALIASES": 0}):
        answer(multiplied(2, 8)).assert_ok()


def test_interfaces_count_once_for_each_type(answer: Answer) -> None:
    query = "{ wares { name maker { name } } }"

    with override_settings(FRAISEQL={"MAX_FIELDS": 5}):
        assert answer(query).codes == ["GRAPHQL_VALIDATION_FAILED"]
    with override_settings(FRAISEQL={"MAX_FIELDS": 6}):
        answer(query).assert_ok()


@pytest.mark.parametrize(
    "selection",
    [
        "name " * 2_000,
        "office { dns1Id } " * 1_000,
        " ".join(f"a{n}: name" for n in range(2_000)),
        "...F " * 1_000,
        "... on Maker { name } " * 1_000,
    ],
)
def test_repeated_fields_cost_little(answer: Answer, selection: str) -> None:
    fragment = "fragment F on Maker { name office { openedOn } }" if "...F" in selection else ""
    result = answer(f"{{ makers {{ {selection} }} }} {fragment}")

    if ":" in selection:
        assert result.errors[0]["message"] == "The document has more than 200 aliases."
    else:
        assert result.codes == []


def test_depth_counts_introspection_too() -> None:
    nested = "{ ofType " * 20 + "{ name }" + " }" * 20
    with override_settings(FRAISEQL={"INTROSPECTION": "public"}):
        result = Client().query(f"{{ __schema {{ types {nested} }} }}")

    assert "levels; at most 15" in result.errors[0]["message"]


@pytest.mark.parametrize(
    "query",
    [
        "{ makers(limt: 1) { name } }",
        "{ wares { pages } }",
        "{ wares { ... on Bok { pages } } }",
        "{ wares(where: {status: {eq: ON_SAL}}) { name } }",
        "{ wares(where: {stok: {eq: 1}}) { name } }",
        "{ wares(where: {stock: {equals: 1}}) { name } }",
        "query ($a: Itn) { makers(limit: $a) { name } }",
        "{ makers @skp(if: true) { name } }",
    ],
)
def test_nothing_is_suggested_to_strangers(answer: Answer, query: str) -> None:
    result = answer(query)

    assert result.codes
    assert "Did you mean" not in str(result.errors)


def test_errors_are_bounded(ask: Ask, answer: Answer, sql: Any) -> None:
    sql("""CREATE OR REPLACE VIEW v_flawed AS
           SELECT n AS id, jsonb_build_object('id', n, 'at', 'never') AS data
             FROM generate_series(1, 300) AS n""")
    fast = answer("{ flaws(limit: 300) { id at } }")
    slow = answer("{ flaws(limit: 300) { id at } viewer }")

    assert len(fast.errors) == len(slow.errors) == 100
    assert len(fast.data["flaws"]) == 300


def test_errors_have_no_keys_of_their_own(answer: Answer) -> None:
    result = answer("{ maker { name } flawed(id: 3) { at } viewer }")

    for error in result.errors:
        assert set(error) <= {"message", "locations", "path", "extensions"}


def test_comparisons_are_bounded(answer: Answer) -> None:
    query = "query ($w: [WareWhereInput!]) { wares(where: {OR: $w}) { name } }"

    answer(query, w=[{"stock": {"eq": 1}}] * 1_000).assert_ok()
    result = answer(query, w=[{"stock": {"eq": 1}}] * 1_001)
    assert result.errors[0]["message"] == "where has 1,001 comparisons; at most 1,000 are allowed."

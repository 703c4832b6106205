"""Operations that would read or return too much."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings
from graphql import get_introspection_query

from fraiseql.testing import Client, Result, assert_statements

Answer = Callable[..., Result]

COUNTED = "query ($n: Int) { makers(limit: $n) { name } }"


def test_what_costs_too_much_is_not_run(answer: Answer) -> None:
    with override_settings(FRAISEQL={"MAX_COST": 50}), assert_statements(0):
        result = answer("{ makers(limit: 50) { name } }")

    assert (result.data, result.status) == (None, 400)
    assert result.errors == [
        {
            "message": "The operation costs 51; at most 50 is allowed.",
            "extensions": {
                "code": "COST_EXCEEDED",
                "hint": "Ask for fewer rows or fields at once, or raise FRAISEQL['MAX_COST'].",
                "cost": 51,
                "maxCost": 50,
            },
        }
    ]


def test_variables_decide_from_request_to_request(answer: Answer) -> None:
    with override_settings(FRAISEQL={"MAX_COST": 50}):
        assert [answer(COUNTED, n=n).codes for n in (49, 50, 49)] == [[], ["COST_EXCEEDED"], []]


def test_resolvers_and_mutations_cost_too(answer: Answer) -> None:
    with override_settings(FRAISEQL={"MAX_COST": 19}):
        assert answer("{ viewer makers(limit: 20) { name } }").codes == ["COST_EXCEEDED"]
        assert answer("{ cheapest { name } }").codes == []
        assert answer("{ cheapest { name price } }").codes == ["COST_EXCEEDED"]
        assert answer("mutation { a: ring { __typename } b: ring { __typename } }").codes == [
            "COST_EXCEEDED"
        ]


def test_zero_is_no_limit(answer: Answer) -> None:
    with override_settings(FRAISEQL={"MAX_COST": 0}):
        answer(COUNTED, n=1_000).assert_ok()


@pytest.mark.parametrize(
    "query",
    ["{ makers { name } wares { name } }", "{ makers { name } viewer }", 'mutation { ring { __typename } }'],
    ids=["fast", "executor", "mutation"],
)  # fmt: skip
def test_a_large_response_is_not_sent(answer: Answer, query: str) -> None:
    body = Client().query(query)
    assert body.errors == []
    with override_settings(FRAISEQL={"MAX_RESPONSE_BYTES": 20}):
        result = answer(query)

    assert result.data is None
    (error,) = result.errors
    assert error["message"] == "The response has more than 20 bytes."
    assert error["extensions"]["code"] == "COST_EXCEEDED"
    assert error["extensions"]["maxBytes"] == 20


def test_the_size_is_that_of_the_response(answer: Answer) -> None:
    for most, codes in ((22, []), (21, ["COST_EXCEEDED"]), (0, [])):
        with override_settings(FRAISEQL={"MAX_RESPONSE_BYTES": most}):
            assert answer("{ t: __typename }").codes == codes


def test_introspection_of_the_whole_schema_fits() -> None:
    with override_settings(FRAISEQL={"MAX_COST": 1, "INTROSPECTION": True}):
        Client().query(get_introspection_query()).assert_ok()


def test_fields_may_ask_for_anything_within_the_limits(answer: Answer) -> Any:
    answer("{ makers(limit: 1000) { name wares { name tags } } }").assert_ok()


def test_every_combination_of_conditions_has_its_cost(answer: Answer) -> None:
    names = "abcdefg"
    head = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: name @include(if: ${name})" for name in names)
    query = f"query ({head}) {{ makers(limit: 3) {{ id {fields} }} }}"
    with override_settings(FRAISEQL={"MAX_COST": 3 * 7}):
        for number in range(128):
            wanted = {name: bool(number >> place & 1) for place, name in enumerate(names)}
            result = answer(query, **wanted)

            assert result.codes == ([] if sum(wanted.values()) < 6 else ["COST_EXCEEDED"])

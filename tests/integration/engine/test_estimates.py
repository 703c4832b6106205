"""Statements refused for what PostgreSQL expects of them."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import override_settings

from fraiseql.engine import estimating
from fraiseql.engine.estimating import Estimates
from fraiseql.engine.viewer import Viewer
from fraiseql.testing import AsyncClient, Client, Result, assert_statements

Answer = Callable[..., Result]

QUERY = "query ($n: Int, $name: String) { makers(limit: $n, where: {name: {eq: $name}}) { name } }"
SLOW = '{ makers(where: {name: {icontains: "a"}}) { name } wares { name } couriers { name } }'


@pytest.fixture
def most() -> Callable[..., Any]:
    return lambda cost, **more: override_settings(FRAISEQL={"MAX_PLAN_COST": cost, **more})


def test_off_no_estimate_is_asked_for(answer: Answer, most: Any) -> None:
    with most(0), assert_statements(1):
        answer(QUERY).assert_ok()


def test_too_expensive_a_statement_is_not_run(
    answer: Answer, most: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with most(1), assert_statements(1), caplog.at_level(logging.INFO):
        result = answer(SLOW)

    assert (result.data, result.status) == (None, 400)
    assert result.errors == [
        {
            "message": "PostgreSQL expects this query to be too expensive.",
            "extensions": {
                "code": "COST_EXCEEDED",
                "hint": "Ask for less, or for what an index serves.",
            },
        }
    ]
    assert "more than 1: SELECT" in caplog.text


def test_developers_see_the_estimate(answer: Answer, most: Any) -> None:
    with most(1), override_settings(DEBUG=True):
        shown = answer(SLOW).errors[0]["extensions"]

    assert shown["estimate"] > 1
    assert shown["maxEstimate"] == 1


def test_an_estimate_serves_all_with_the_same_text(answer: Answer, most: Any) -> None:
    with most(1_000_000):
        with assert_statements(2):
            answer(QUERY, n=1, name="Anvil").assert_ok()
        with assert_statements(1):
            answer(QUERY, n=1, name="Birch").assert_ok()
        with assert_statements(2):
            answer(QUERY, n=2, name="Birch").assert_ok()


def test_no_statement_no_estimate(answer: Answer, most: Any) -> None:
    with most(1), assert_statements(0):
        answer("{ __typename }").assert_ok()


def test_a_fault_is_that_of_the_statement(answer: Answer, most: Any) -> None:
    query = '{ makers(where: {name: {matches: "("}}) { name } wares { name } }'

    with most(1_000_000):
        limited = answer(query)
    unlimited = answer(query)
    assert (limited.data, limited.errors) == (unlimited.data, unlimited.errors)
    assert limited.codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("roles", "codes"),
    [
        ((), ["COST_EXCEEDED"]),
        (("other",), ["COST_EXCEEDED"]),
        (("analyst",), []),
        (("guest",), ["COST_EXCEEDED"]),
        (("guest", "analyst"), []),
        (("guest", "root"), []),
    ],
)
def test_roles_have_limits_of_their_own(
    db: None, most: Any, roles: tuple[str, ...], codes: list[str]
) -> None:
    by_role = {"analyst": 1_000_000, "guest": 2, "root": 0}
    with most(1, MAX_PLAN_COST_BY_ROLE=by_role):
        result = Client(viewer=Viewer("7", roles=frozenset(roles))).query(SLOW)

    assert result.codes == codes


@pytest.mark.django_db(transaction=True)
async def test_the_pool_estimates_too() -> None:
    with override_settings(FRAISEQL={"MAX_PLAN_COST": 1}):
        assert (await AsyncClient().query(SLOW)).codes == ["COST_EXCEEDED"]
    with override_settings(FRAISEQL={"MAX_PLAN_COST": 1_000_000}):
        (await AsyncClient().query(QUERY, {"name": "x"})).assert_ok()
        (await AsyncClient().query(SLOW)).assert_ok()


def test_estimates_are_forgotten_by_age_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(estimating, "MAX_ESTIMATES", 2)
    known = Estimates(clock=lambda: now)

    known.keep("a", 1)
    known.keep("b", 2)
    assert (known.get("a"), known.get("b"), known.get("c")) == (1, 2, None)
    known.get("a")
    known.keep("c", 3)
    assert (known.get("a"), known.get("b"), known.get("c")) == (1, None, 3)
    now = estimating.MAX_AGE_S
    assert known.get("a") is None

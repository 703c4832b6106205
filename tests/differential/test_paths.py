"""
One answer on every path: random operations on random documents.

The fast path against graphene's executor (which an unbound root field beside them calls in), threads against
event loops, the reference projector against the accelerator, a kept statement against a new one.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from graphql import parse, validate
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import fraiseql
from fraiseql.db import catalog
from fraiseql.engine import pipeline
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.result import reference
from fraiseql.schema import build
from fraiseql.testing import AsyncClient, Client, Result, isolated
from tests.differential.documents import Declared, Draw, as_text, declare
from tests.differential.operations import Drawn, Operations

EXAMPLES = int(os.environ.get("FRAISEQL_TEST_EXAMPLES", "25"))
ROOTS = ["thing", "things", "thingFeed", "thingsAggregate"]
SHOP_ROOTS = [
    "maker", "makers", "makerFeed", "wares", "wareFeed", "books", "categories", "categoryFeed",
    "stockLevels", "stockFeed", "couriers", "courierFeed", "turnovers", "flaws", "flawFeed", "flawed",
    "oddities", "waresAggregate", "stockAggregate",
]  # fmt: skip
RELATED_ROOTS = [
    "writer", "writers", "writerFeed", "work", "works", "workFeed", "jottings", "jottingFeed", "categories",
]  # fmt: skip

bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    # Shrinking takes minutes; FRAISEQL_TEST_SHRINK=1 when there is something to find out.
    phases=[Phase.explicit, Phase.reuse, Phase.generate]
    + ([Phase.shrink] if "FRAISEQL_TEST_SHRINK" in os.environ else []),
    suppress_health_check=list(HealthCheck),
)


@st.composite
def declarations(draw: Draw) -> Declared:
    """Random declarations, made in the current registry."""
    return declare(draw)


@st.composite
def documents(draw: Draw, declared: Declared) -> list[str]:
    """A few random documents of a declared schema."""
    return [
        as_text(draw, declared.document(draw, number)) for number in range(draw(st.integers(0, 4)))
    ]


@st.composite
def operations(draw: Draw, roots: list[str]) -> Drawn:
    """A random operation on the current schema."""
    return Operations(build.get_schema().graphql, roots, draw).operation()


@contextmanager
def things(data: st.DataObject) -> Iterator[None]:
    """A random schema whose documents stand in a table; both are gone afterwards."""
    with isolated(), transaction.atomic():
        declared = data.draw(declarations())

        class Query(fraiseql.Query):
            thing = fraiseql.one(declared.thing)
            things = fraiseql.many(declared.thing)
            thing_feed = fraiseql.connection(declared.thing)
            things_aggregate = fraiseql.aggregate(declared.thing)

        @fraiseql.query
        def unbound(info: Any) -> int:
            return 1

        kind = data.draw(st.sampled_from(["json", "jsonb"]))
        rows = list(enumerate(data.draw(documents(declared))))
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE tb_thing (id integer PRIMARY KEY, data {kind})")
            cursor.executemany("INSERT INTO tb_thing VALUES (%s, %s)", rows)
        catalog.forget("default")
        try:
            yield
        finally:
            transaction.set_rollback(True)
            catalog.forget("default")


def draw_operation(data: st.DataObject, roots: list[str]) -> Drawn:
    """Return a random valid operation."""
    drawn = data.draw(operations(roots))
    assume(not validate(build.get_schema().graphql, parse(drawn.text())))
    return drawn


def canonical(result: Result, dropped: str | None = None) -> Any:
    """Return what must be equal: data in order, errors without their order."""
    data = result.data
    if dropped and data:
        data = {name: value for name, value in data.items() if name != dropped}
    # Not their locations: of an interface's field the fast path names those in all concrete types.
    errors = [
        json.dumps([error["message"], error.get("path"), error["extensions"]["code"]])
        for error in result.errors
    ]
    return as_pairs(data), sorted(errors)


def as_pairs(value: Any) -> Any:
    """Return JSON with objects as lists of pairs: their order counts."""
    if isinstance(value, dict):
        return [(name, as_pairs(item)) for name, item in value.items()]
    if isinstance(value, list):
        return [as_pairs(item) for item in value]
    if isinstance(value, int) and abs(value) > 2**63:
        # The digits of a double, which the executor writes with an exponent.
        value = float(value)
    return (type(value) is bool, value)


def difference(one: Any, other: Any, path: str = "") -> str:
    """Return where two canonical answers first differ, or "" if they do not."""
    if type(one) is type(other) and isinstance(one, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next(
            (found for index, (a, b) in pairs if (found := difference(a, b, f"{path}/{index}"))), ""
        )
    return "" if one == other else f"at {path}: {one!r} is not {other!r}"


def has_rows(data: Any) -> bool:
    """Tell whether an answer holds something that was read."""
    return any(isinstance(value, dict | list) for value in (data or {}).values())


def assert_one_answer(drawn: Drawn, unbound: str) -> None:
    fast = Client().query(drawn.text(), drawn.variables)
    # The first has read the catalog.
    with CaptureQueriesContext(connection) as captured:
        slow = Client().query(drawn.text(f" {unbound}"), drawn.variables)
    statements = [query["sql"] for query in captured.captured_queries]
    # A resolver may ask for more; of arguments that are refused nothing is asked; when PostgreSQL refuses a
    # statement, each field is asked for alone, so that the others are answered.
    if "rivals" not in drawn.text() and "BAD_USER_INPUT" not in slow.codes:
        assert len(statements) == 1 or (not statements and not has_rows(slow.data)), statements

    assert not difference(canonical(fast), canonical(slow, unbound))
    assert not [error for error in fast.errors if "id" in error["extensions"]], "an internal error"


@pytest.mark.django_db
@bounded
@given(st.data())
def test_executor_and_fast_path_agree_on_random_schemas(data: st.DataObject) -> None:
    with things(data):
        assert_one_answer(draw_operation(data, ROOTS), "unbound")


@pytest.mark.django_db
@bounded
@given(st.data())
def test_executor_and_fast_path_agree_on_the_shop(data: st.DataObject) -> None:
    assert_one_answer(draw_operation(data, SHOP_ROOTS), "viewer")


@pytest.mark.django_db
@bounded
@given(st.data())
def test_executor_and_fast_path_agree_on_related_objects(data: st.DataObject) -> None:
    assert_one_answer(draw_operation(data, RELATED_ROOTS), "viewer")


@pytest.mark.django_db(transaction=True)
@bounded
@given(st.data())
def test_threads_and_event_loops_agree(data: st.DataObject) -> None:
    drawn = draw_operation(data, SHOP_ROOTS + RELATED_ROOTS)
    threaded = Client().query(drawn.text(), drawn.variables)
    looped = async_to_sync(AsyncClient().query)(drawn.text(), drawn.variables)

    assert not difference(canonical(threaded), canonical(looped))


@pytest.mark.django_db
@bounded
@given(st.data())
def test_a_kept_statement_answers_as_a_new_one(data: st.DataObject) -> None:
    drawn = draw_operation(data, SHOP_ROOTS + RELATED_ROOTS)
    again = data.draw(st.permutations(sorted(drawn.variables)))
    for name in again:
        Client().query(drawn.text(), {**drawn.variables, name: None})
        Client().query(drawn.text(), {k: v for k, v in drawn.variables.items() if k != name})
    kept = Client().query(drawn.text(), drawn.variables)
    pipeline._engine.cache_clear()
    new = Client().query(drawn.text(), drawn.variables)

    assert not difference(canonical(kept), canonical(new))


@pytest.mark.django_db
@bounded
@given(st.data())
def test_projectors_agree(data: st.DataObject) -> None:
    accelerator = pytest.importorskip("fraiseql_accelerator")
    with things(data):
        drawn = draw_operation(data, ROOTS)
        engine = pipeline.get_engine()
        answers = []
        for shape in (reference.Shape, accelerator.Shape):
            request = GraphQLRequest(drawn.text(), None, drawn.variables)
            operation = engine.operation(request)
            prepared = operation.prepare(operation.coerce(drawn.variables))
            prepared.fields = tuple(
                field._replace(shape=shape(field.item.node)) if field.item else field
                for field in prepared.fields
            )
            answers.append(pipeline.execute(request).body)

        assert answers[0] == answers[1]

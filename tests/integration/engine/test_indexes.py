"""Conditions on real columns use their indexes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fraiseql.testing import Client


@pytest.fixture
def plan_of(sql: Callable[..., Any]) -> Callable[..., str]:
    """Return PostgreSQL's plan of a query's statement, on a table large enough to have one."""
    sql("""INSERT INTO tv_ware (id, identifier, data)
           SELECT gen_random_uuid(), 'w' || n, jsonb_build_object('kind', 'book', 'id', n)
             FROM generate_series(1, 5000) AS n""")
    sql("CREATE INDEX ON tv_ware (((data->>'stock')::int4))")
    sql("ANALYZE tv_ware")

    def explain(query: str, **variables: Any) -> str:
        with CaptureQueriesContext(connection) as captured:
            Client().query(query, variables)
        (statement,) = [entry["sql"] for entry in captured.captured_queries]
        lines = sql(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in lines)

    return explain


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ('{ ware(id: "00000000-0000-4000-8000-000000000001") { __typename } }', "tv_ware_pkey"),
        ('{ ware(identifier: "atlas") { __typename } }', "tv_ware_identifier_key"),
        ('{ wares(where: {id: {eq: "00000000-0000-4000-8000-000000000001"}}) { __typename } }',
         "tv_ware_pkey"),
        ('{ wares(where: {id: {in: ["00000000-0000-4000-8000-000000000001"]}}) { __typename } }',
         "tv_ware_pkey"),
        ('{ wares(where: {identifier: {eq: "atlas"}}) { __typename } }', "tv_ware_identifier_key"),
        ("{ wares(limit: 3) { __typename } }", "tv_ware_pkey"),
        ("{ wares(limit: 3, orderBy: [{identifier: DESC}]) { __typename } }", "tv_ware_identifier_key"),
        ("{ wares(where: {stock: {eq: 100}}) { __typename } }", "tv_ware_int4_idx"),
    ],
)  # fmt: skip
def test_an_index_serves(plan_of: Callable[..., str], query: str, index: str) -> None:
    plan = plan_of(query)

    assert index in plan, plan
    assert "Seq Scan" not in plan


def test_a_cursor_goes_on_in_the_index(plan_of: Callable[..., str]) -> None:
    query = "query ($a: String) { wareFeed(first: 2, after: $a, orderBy: [{id: ASC}]) { pageInfo { endCursor } } }"
    cursor = Client().query(query).assert_ok()["wareFeed"]["pageInfo"]["endCursor"]
    plan = plan_of(query, a=cursor)

    assert re.search(r"Index Scan using tv_ware_pkey", plan), plan
    assert "Index Cond" in plan
    assert "Sort" not in plan


def test_documents_are_printed_after_the_cut(plan_of: Callable[..., str]) -> None:
    plan = plan_of("{ stockLevels(limit: 3, orderBy: [{quantity: ASC}]) { ware } wares { name } }")

    assert plan.index("Subquery Scan") < plan.index("Limit") < plan.index("Sort"), plan

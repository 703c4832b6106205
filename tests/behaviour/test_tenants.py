"""What keeps tenants apart in PostgreSQL: T1 to T9."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

import fraiseql
from fraiseql.engine import pipeline
from fraiseql.engine.document.persisted import hash_of
from fraiseql.engine.document.request import GraphQLRequest, from_payload
from fraiseql.engine.pipeline import execute
from fraiseql.engine.statistics import statistics
from fraiseql.engine.viewer import Viewer
from tests.behaviour.conftest import MakeEdges
from tests.integration.edges.conftest import Edges

TENANT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LATER = {
    "t1": "tenants: the role's rights stop the start",
    "t2": "tenants: forced row-level security",
    "t3": "tenants: security_invoker views",
    "t4": "tenants: no rows without a tenant",
    "t6": "tenants: from verified claims only",
}
SOURCE = Path(fraiseql.__file__).parent


def test_t5_session_variables_last_no_longer_than_their_transaction() -> None:
    lasting = re.compile(
        r"set_config\([^()]*,\s*false\s*\)|\bSET\s+(?!LOCAL)(SESSION\b|[\w.]+\s+TO\b|\w+\.\w+\s*=)"
    )
    found = {
        str(path.relative_to(SOURCE))
        for suffix in ("py", "sql")
        for path in SOURCE.rglob(f"*.{suffix}")
        if lasting.search(path.read_text())
    }

    assert found == set()


def test_t8_no_function_of_the_framework_runs_as_its_owner() -> None:
    for path in SOURCE.rglob("*.sql"):
        text = path.read_text().upper()
        if "SECURITY DEFINER" in text:
            assert "SET SEARCH_PATH" in text, path
            assert "FROM PUBLIC" in text, path


@pytest.mark.django_db
@settings(max_examples=25, deadline=None)
@given(st.lists(TENANT, min_size=2, max_size=2, unique=True))
def test_t7_what_one_tenant_stores_another_neither_finds_nor_counts(
    tenants: list[str],
) -> None:
    first, second = (
        Viewer(user_id="1", session=(("app.current_tenant_id", tenant),)) for tenant in tenants
    )
    text = f"{{ makers {{ name }} }} # {uuid4()}"
    stored = execute(_automatic(text, with_text=True), viewer=first)

    assert not stored.has_errors
    for _ in ("in memory", "in the database"):
        assert execute(_automatic(text), viewer=first).body == stored.body
        assert execute(_automatic(text), viewer=second).code == "PERSISTED_QUERY_NOT_FOUND"
        pipeline._engine.cache_clear()
    execute(_automatic(text, with_text=True), viewer=second)
    statistics.flush()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tenant, uses FROM tb_persisted_operation WHERE text = %s", [text])
        assert set(cursor.fetchall()) == {(tenants[0], 3), (tenants[1], 1)}


@pytest.mark.django_db
def test_t7_what_one_tenant_stores_is_not_of_anothers_rate(configured: MakeEdges) -> None:
    configured(APQ_MAX_PER_MINUTE=1)
    viewers = [Viewer(session=(("app.tenant_id", tenant),)) for tenant in ("a", "b")]
    texts = [f"{{ makers(limit: {number}) {{ id }} }}" for number in range(2)]
    codes = [
        [execute(_automatic(text, with_text=True), viewer=viewer).code for text in texts]
        for viewer in viewers
    ]

    assert [sorted(each) for each in codes] == [["", "RATE_LIMITED"]] * 2


def _automatic(text: str, *, with_text: bool = False) -> GraphQLRequest:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}
    return from_payload({"query": text if with_text else None, "extensions": extensions})


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize("state", ["23505", "23503", "23P01", "23514", "23502"])
def test_t9_a_constraint_does_not_tell_other_peoples_values(
    edges: Edges, sql: Callable[..., Any], state: str
) -> None:
    secret = "other@tenant.example"
    sql(f"""CREATE FUNCTION fn_collide() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
              RAISE 'Key (email)=({secret}) already exists.'
                    USING ERRCODE = '{state}', DETAIL = 'Key (email)=({secret})', CONSTRAINT = '{secret}';
            END $$""")
    sql("CREATE VIEW v_collide AS SELECT 1 AS id, fn_collide() AS data")

    @fraiseql.type(view="v_collide")
    class Collision:
        id: int

    class Query(fraiseql.Query):
        collision = fraiseql.one(Collision)

    answer = edges.post("{ collision(id: 1) { id } }")

    assert answer.codes in (["CONFLICT"], ["BAD_USER_INPUT"])
    assert secret not in answer.body.decode()

"""What keeps tenants apart in PostgreSQL: T1 to T9."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fraiseql
from tests.integration.edges.conftest import Edges

LATER = {
    "t1": "tenants: the role's rights stop the start",
    "t2": "tenants: forced row-level security",
    "t3": "tenants: security_invoker views",
    "t4": "tenants: no rows without a tenant",
    "t6": "tenants: from verified claims only",
    "t7": "tenants: in every key",
}
SOURCE = Path(fraiseql.__file__).parent


def test_t5_session_variables_last_no_longer_than_their_transaction() -> None:
    lasting = re.compile(
        r"set_config\([^()]*,\s*false\s*\)|^\s*SET\s+(?!LOCAL)\w+(\.\w+)?\s*(=|TO)\s", re.M
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

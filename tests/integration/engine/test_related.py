"""Objects of one view that belong to those of another."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

Ask = Callable[..., Any]

CASES = Path(__file__).resolve().parents[2] / "cases" / "related"


@pytest.mark.parametrize("case", sorted(CASES.glob("*.graphql")), ids=lambda path: path.stem)
def test_the_executor_answers_as_the_fast_path_does(answer: Callable[..., Any], case: Path) -> None:
    query = case.read_text()
    if "{\n" not in query[:30]:
        pytest.skip("no place for a Python field")
    slow = query.replace("{\n", "{\n  viewer\n", 1)

    fast, other = answer(query), answer(slow)

    assert other.data.pop("viewer") is not None
    assert list(other.data.items()) == list(fast.data.items())
    assert repr(other.data) == repr(fast.data)
    assert other.errors == fast.errors


@pytest.mark.django_db
def test_an_explanation_shows_what_related_objects_are_found_by() -> None:
    out = StringIO()
    query = "{ works { ... on Essay { jottings(limit: 1) { body } } remarks { writer { name } } } }"
    call_command("fraiseql_explain", query, stdout=out)
    lines = [line.strip() for line in out.getvalue().splitlines()]

    assert "jottings: many of v_jotting as Jotting, where kind is 'essay'" in lines
    assert "by     work_id = id" in lines
    assert "remarks: embedded" in lines
    assert "writer: one of tv_scribe as Writer" in lines
    assert "jottings: list! from beside, 1" in lines

"""Golden cases: a query, its statement and its answer, compared as text (tests/cases/README.md)."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute

CASES = Path(__file__).resolve().parents[1] / "cases"
QUERIES = sorted(CASES.glob("*/*.graphql"))
UPDATE = "FRAISEQL_UPDATE_CASES" in os.environ


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", QUERIES, ids=lambda path: str(path.relative_to(CASES).with_suffix(""))
)
def test_case(query: Path) -> None:
    variables = query.with_suffix(".variables.json")
    given = json.loads(variables.read_text()) if variables.exists() else {}
    statements: list[str] = []
    with connection.execute_wrapper(_noting(statements)):
        response = execute(GraphQLRequest(query.read_text(), None, given))

    # The second time with its strings lifted out.
    again = execute(GraphQLRequest(query.read_text(), None, given))

    assert again == response or "mutation" in query.read_text()
    _compare(query.with_suffix(".sql"), "\n".join(statements))
    answer = json.dumps(json.loads(response.body), indent=2, ensure_ascii=False)
    _compare(query.with_suffix(".json"), f"{answer}\n")


def test_no_file_is_left_over() -> None:
    names = {query.with_suffix("") for query in QUERIES}
    files = [file for file in CASES.glob("*/*") if file.is_file()]

    assert [file for file in files if file.parent / file.name.split(".")[0] not in names] == []


def _noting(statements: list[str]) -> Callable[..., Any]:
    def note(execute: Callable[..., Any], text: str, params: Any, many: bool, context: Any) -> Any:
        shown = "".join(f"-- {json.dumps(param, ensure_ascii=False)}\n" for param in params or ())
        statements.append(f"{text}\n{shown}")
        return execute(text, params, many, context)

    return note


def _compare(file: Path, text: str) -> None:
    if UPDATE:
        file.write_text(text, encoding="utf-8")
    assert file.exists(), "write it: tests/cases/README.md says how"
    assert file.read_text(encoding="utf-8") == text

"""Rows read where libpq has them."""

import pytest
from django.db import connection

from fraiseql.db.rows import Rows
from fraiseql.engine.result.implementation import Implementation, Results
from fraiseql.schema.shape import JSON, LIST, Node

MANY: Node = (LIST, 0, (JSON, 1))


@pytest.fixture
def results(accelerator: Implementation) -> Results:
    if accelerator.results is None:
        pytest.skip("psycopg's wrapper is not compiled")
    return accelerator.results


def rows_of(values: str) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT d, 'x' FROM (VALUES {values}) AS v(d)")
        return Rows(cursor.cursor.pgresult)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values",
    ["(NULL)", "('{}'), (NULL), ('[\"é\"]')", "('')", "('{')", "(repeat(' ', 100000) || 1)"],
)
def test_they_are_those_that_psycopg_has(
    accelerator: Implementation, results: Results, values: str
) -> None:
    found = rows_of(values)
    for node in (MANY, MANY[2]):
        shape = accelerator.shape(node)

        assert results.respond(shape, b'"a":', found) == shape.respond(b'"a":', found.column(0))


@pytest.mark.django_db
def test_no_rows_are_an_empty_list(accelerator: Implementation, results: Results) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 WHERE false")
        found = Rows(cursor.cursor.pgresult)

    assert results.respond(accelerator.shape(MANY), b'"a":', found) == b'{"data":{"a":[]}}'


@pytest.mark.django_db
def test_what_is_cleared_is_not_read(accelerator: Implementation, results: Results) -> None:
    found = rows_of("('1')")
    found.result.clear()

    with pytest.raises(TypeError):
        results.respond(accelerator.shape(MANY), b'"a":', found)


def test_functions_have_addresses(results: Results) -> None:
    with pytest.raises(ValueError, match="no address"):
        type(results)(1, 0, 1, 1)  # type: ignore[call-arg]  # the accelerator's

"""Every scalar declared over a column of every type: what the checks call right is answered."""

import json
from typing import Any

import pytest
from django.db import connection

import fraiseql
from fraiseql import scalars
from fraiseql.checks.database import check_views
from fraiseql.db import catalog
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute as answer
from fraiseql.schema import registry
from fraiseql.schema.scalars import SCALARS

pytestmark = pytest.mark.django_db

VALUES = {
    "smallint": "1", "integer": "1", "bigint": "5000000000", "numeric": "1.50", "real": "1.5",
    "double precision": "1.5", "boolean": "true", "text": "abc", "varchar(5)": "abc",
    "char(3)": "abc", "name": "abc", "uuid": "8b0e7e5e-5f0c-4b8e-9d0e-0123456789ab",
    "timestamptz": "2024-01-31 12:00+00", "timestamp": "2024-01-31 12:00", "date": "2024-01-31",
    "time": "12:00", "timetz": "12:00+01", "interval": "1 day", "inet": "10.0.0.1",
    "cidr": "10.0.0.0/8", "macaddr": "08:00:2b:01:02:03", "macaddr8": "08:00:2b:01:02:03:04:05",
    "daterange": "[2024-01-01,2024-01-02)", "tstzrange": "[2024-01-01,2024-01-02)",
    "int4range": "[1,2)", "numrange": "[1,2)", "tsvector": "a b", "point": "(1,2)",
    "money": "1.00", "bytea": "abc", "text[]": "{a}", "int[]": "{1}", "bit(3)": "101",
    "pg_lsn": "0/0", "oid": "5", "mood": "good",
}  # fmt: skip
# They need an extension, or are no field's type.
LEFT_OUT = {"LTree", "Vector", "VectorDistance", "IpRange"}


@pytest.fixture(autouse=True)
def every_type() -> None:
    """The view ``v_type``: a row with a column of each type, c0, c1, ..."""
    columns = [
        f"'{value}'::{pg_type} AS c{number}"
        for number, (pg_type, value) in enumerate(VALUES.items())
    ]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TYPE mood AS ENUM ('good')")
        cursor.execute(f"CREATE VIEW v_type AS SELECT {', '.join(columns)}")
    catalog.forget("default")


@pytest.mark.parametrize("name", sorted(set(SCALARS) - LEFT_OUT))
def test_what_the_checks_call_right_is_answered(name: str) -> None:
    annotations = {f"c{number}": getattr(scalars, name) | None for number in range(len(VALUES))}
    with registry.isolated():
        row = fraiseql.type(view="v_type")(type("Row", (), {"__annotations__": annotations}))
        type("Query", (fraiseql.Query,), {"rows": fraiseql.many(row)})
        told = {str(message.obj).rpartition(".")[2] for message in check_views(["default"])}
        failed = {error["path"][-1] for error in ask("{ rows { %s } }", " ".join(annotations))}
        unfiltered = {
            column
            for column in set(annotations) - told
            if ask("{ rows(where: {%s: {isnull: false}}) { __typename } }", column)
        }

    assert named(failed - told) == []
    assert named(unfiltered) == []


def ask(query: str, part: str) -> list[dict[str, Any]]:
    """Return the errors of a query."""
    body = answer(GraphQLRequest(query.replace("%s", part))).body
    errors: list[dict[str, Any]] = json.loads(body).get("errors", [])
    return errors


def named(columns: set[str]) -> list[str]:
    """Return the types of columns."""
    types = list(VALUES)
    return sorted(types[int(column[1:])] for column in columns)

"""A table's columns answer as a document of the same columns does."""

import json
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from graphql import parse, validate
from hypothesis import assume, given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

import fraiseql
from fraiseql import scalars
from fraiseql.db import catalog
from fraiseql.schema import build
from fraiseql.testing import Client, Result, isolated
from tests.differential.documents import TEXT, Colour, Level
from tests.differential.operations import Draw, Operations
from tests.differential.test_paths import as_pairs, bounded, difference

COLUMNS: dict[str, tuple[Any, str, st.SearchStrategy[Any]]] = {
    "name": (str, "text", TEXT | st.sampled_from(["a", "50%"])),
    "count": (int, "integer", st.integers(-3, 3)),
    "ratio": (float, "double precision", st.sampled_from([0.5, -1e300, 1.0, 2.5, 1e-7])),
    "price": (Decimal, "numeric(20,4)", st.decimals(-5, 5, places=4)),
    "size": (scalars.BigInt, "bigint", st.sampled_from([1, 9007199254740993, -5])),
    "is_new": (bool, "boolean", st.booleans()),
    "code": (UUID, "uuid", st.just(UUID(int=1)) | st.uuids()),
    "made_at": (
        datetime,
        "timestamptz",
        st.datetimes(datetime(1, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    ),
    "made_on": (date, "date", st.dates()),
    "opens": (scalars.Time, "time", st.times() | st.just(time(12))),
    "address": (scalars.IpAddress, "inet", st.sampled_from(["10.0.0.1", "::1", "192.168.0.1"])),
    "colour": (Colour, "text", st.sampled_from([member.value for member in Colour])),
    "level": (Level, "smallint", st.sampled_from([member.value for member in Level])),
    "tags": (list[str], "text[]", st.lists(st.sampled_from(["a", "50%", "it's", "\\", "NULL", ""]), max_size=3)),
    "counts": (list[int], "integer[]", st.lists(st.integers(0, 2), max_size=3)),
    "extra": (scalars.JSON, "jsonb", st.sampled_from([{"a": [1]}, [], "x", 1, {"b": None}]).map(Jsonb)),
}  # fmt: skip
KEYS = ", ".join(f"'{name}', {name}" for name in COLUMNS)


@st.composite
def tables(draw: Draw) -> list[list[Any]]:
    """Random rows of all columns, with nulls among them."""
    values = [st.none() | strategy for _, _, strategy in COLUMNS.values()]
    return [[draw(value) for value in values] for _ in range(draw(st.integers(0, 6)))]


def as_columns(text: str) -> str:
    """Return what is said of documents as said of columns."""
    # Not in the operator isDocumentation.
    return (
        re.sub(r"Doc(?!ument)", "Col", text).replace("docs", "cols").replace("docFeed", "colFeed")
    )


@pytest.mark.django_db
@bounded
@given(st.data())
def test_columns_answer_as_documents_do(data: st.DataObject) -> None:
    rows = data.draw(tables())
    with isolated(), transaction.atomic():
        declare()
        with connection.cursor() as cursor:
            columns = ", ".join(f"{name} {type_}" for name, (_, type_, _) in COLUMNS.items())
            cursor.execute(f"CREATE TABLE tb_col (id integer PRIMARY KEY, {columns})")
            cursor.execute(
                f"CREATE VIEW v_doc AS SELECT jsonb_build_object('id', id, {KEYS}) AS data FROM tb_col"
            )
            marks = ", ".join(["%s"] * (len(COLUMNS) + 1))
            cursor.executemany(
                f"INSERT INTO tb_col VALUES ({marks})",
                [[number, *row] for number, row in enumerate(rows)],
            )
        catalog.forget("default")
        try:
            compare(data)
        finally:
            transaction.set_rollback(True)
            catalog.forget("default")


def declare() -> None:
    """Declare the columns twice: as a document's keys, and as themselves."""
    fraiseql.enum(Colour)
    fraiseql.enum(Level)
    annotations = {"id": int, **{name: kind | None for name, (kind, _, _) in COLUMNS.items()}}
    namespace = {"__annotations__": annotations, "__module__": __name__}
    doc = fraiseql.type(view="v_doc")(type("Doc", (), namespace))
    col = fraiseql.type(view="tb_col", jsonb=None)(type("Col", (), dict(namespace)))

    class Query(fraiseql.Query):
        docs = fraiseql.many(doc)
        doc_feed = fraiseql.connection(doc)
        docs_aggregate = fraiseql.aggregate(doc)
        cols = fraiseql.many(col)
        col_feed = fraiseql.connection(col)
        cols_aggregate = fraiseql.aggregate(col)


def compare(data: st.DataObject) -> None:
    """Ask one random thing of both."""
    schema = build.get_schema().graphql

    @st.composite
    def operations(draw: Draw) -> Any:
        return Operations(schema, ["docs", "docFeed", "docsAggregate"], draw).operation()

    drawn = data.draw(operations())
    assume(not validate(schema, parse(drawn.text())))
    documents = Client().query(drawn.text(), drawn.variables)
    columns = Client().query(as_columns(drawn.text()), drawn.variables)
    expected = json.loads(as_columns(json.dumps(answered(documents))))

    assert not difference(as_pairs(expected), as_pairs(answered(columns)))


def answered(result: Result) -> list[Any]:
    """Return what must be equal."""
    return [result.data, [error["message"] for error in result.errors]]

"""
A look at rows and catalogs that leaves no trace: for checks and for commands, never for requests.

On Django's connection, so that inside a test's transaction it sees what that has made.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.db import connections, transaction
from psycopg import sql

from fraiseql.db.catalog import Relation

TIMEOUT_MS = 10_000
"""A view that takes longer for its first rows is looked at by psql, not by a check."""


@contextmanager
def reading(using: str, timeout_ms: int = TIMEOUT_MS) -> Iterator[Any]:
    """Yield a cursor that may only read; whatever it did, settings included, is rolled back."""
    with transaction.atomic(using), connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT set_config('transaction_read_only', 'on', true),"
            " set_config('statement_timeout', %s, true)",
            [str(timeout_ms)],
        )
        yield cursor
        transaction.set_rollback(True, using)


def documents(
    relation: Relation, column: str | None, limit: int, using: str = "default"
) -> list[Any]:
    """
    Return up to ``limit`` documents of a view as Python values, numbers with their digits.

    ``column``: where the document is; None: the columns are it. SQL NULL is None.
    """
    value = (
        sql.SQL("row_to_json(t.*)")  # t alone would be a column of that name
        if column is None
        else sql.SQL("t.{}").format(sql.Identifier(column))
    )
    query = sql.SQL("SELECT ({value})::text FROM {view} AS t LIMIT {limit}").format(
        value=value,
        view=sql.Identifier(relation.schema, relation.name),
        limit=sql.Literal(limit),
    )
    with reading(using) as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    return [None if text is None else json.loads(text, parse_float=Decimal) for (text,) in rows]

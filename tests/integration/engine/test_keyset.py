"""The condition of a cursor, against every pair of rows of a small domain."""

from collections.abc import Sequence
from itertools import product

import pytest
from django.db import connection
from psycopg import sql

from fraiseql.engine.sql.keyset import Key, keyset

VALUES = (None, 1, 2)


def holds(
    keys: Sequence[tuple[bool, bool]], row: tuple[int | None, ...], cursor: tuple[int | None, ...]
) -> bool:
    """Tell whether ``row`` comes after ``cursor``; each key is (descending, nulls first)."""
    for (descending, nulls_first), value, bound in zip(keys, row, cursor, strict=True):
        if value == bound:
            continue
        if value is None or bound is None:
            return (value is None) is not nulls_first
        return value < bound if descending else value > bound
    return False


@pytest.mark.parametrize("nullable", [True, False])
@pytest.mark.parametrize(
    "keys", list(product(product([True, False], [True, False]), repeat=2)), ids=str
)
@pytest.mark.django_db
def test_the_keyset_is_the_order(nullable: bool, keys: Sequence[tuple[bool, bool]]) -> None:
    values = VALUES if nullable else VALUES[1:]
    rows = list(product(values, repeat=2))
    shown = ", ".join(f"({a or 'NULL'}::int, {b or 'NULL'}::int)" for a, b in rows)
    with connection.cursor() as cursor:
        for bound in rows:
            condition = keyset(
                [
                    Key(
                        sql.Identifier(name),
                        lambda value=value: sql.Literal(value),  # type: ignore[misc]  # bound now
                        descending,
                        nulls_first,
                        nullable,
                        value is None,
                    )
                    for name, (descending, nulls_first), value in zip(
                        "ab", keys, bound, strict=True
                    )
                ]
            ).as_string(None)
            cursor.execute(f"SELECT a, b FROM (VALUES {shown}) AS v (a, b) WHERE {condition}")
            found = set(cursor.fetchall())

            assert found == {row for row in rows if holds(keys, row, bound)}, (condition, bound)

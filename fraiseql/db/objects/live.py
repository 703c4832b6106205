"""
Objects as a database has them: which there are, what depends on them, all that is needed to make one again.

Read by catalog, not by name, so that nothing is missed that somebody made by hand.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fraiseql.db.objects.script import Head, Name
from fraiseql.db.texts import sql_text

FUNCTIONS = ("function", "procedure")
VIEWS = ("view", "materialized view")
RELATIONS = (*VIEWS, "table")
# Catalogs of PostgreSQL, whose oids never change.
PG_CLASS, PG_PROC = 1259, 1255

Address = tuple[int, int]
"""Catalog and oid of an object."""


@dataclass(frozen=True)
class Definition:
    """
    An object as it was. ``address``: what SQL calls it after its kind; ``create``: its DDL.

    Grants: privilege, role or None for PUBLIC, whether it may be handed on, column or None. ``indexes``: name,
    DDL, comment. ``after``: a statement that goes behind.
    """

    catalog: int
    object: int
    kind: str
    schema: str
    name: str
    address: str
    create: str
    owner: str | None
    grants: list[list[Any]]
    column_grants: list[list[Any]]
    comment: str | None
    columns: list[str]
    column_comments: dict[str, str]
    column_defaults: dict[str, str]
    indexes: list[list[Any]]
    after: str | None

    def __str__(self) -> str:
        return f"{self.kind} {self.address}"


def dependents(cursor: Any, objects: Sequence[Address]) -> list[Address]:
    """Return what has to go before ``objects`` can, in the order in which it can be made again."""
    return [*_rows(cursor, "dependents", _columns(objects))]


def definitions(cursor: Any, objects: Sequence[Address]) -> list[Definition]:
    """Return the definitions of those of ``objects`` that can be made again."""
    rows = _rows(cursor, "definitions", _columns(objects))
    return [Definition(**json.loads(document)) for (document,) in rows]


def functions(cursor: Any, name: Name) -> dict[int, str]:
    """Return the oids of a function's overloads; a value changes when its function is replaced."""
    return dict(_rows(cursor, "functions", [name.schema, name.name]))


def relation(cursor: Any, name: Name) -> tuple[int, bool] | None:
    """Return the oid of a relation and whether it is valid (an index may not be), or None."""
    rows = _rows(cursor, "relation", [name.schema, name.name])
    return rows[0] if rows else None


def addresses(cursor: Any, heads: Iterable[Head]) -> list[Address]:
    """Return the relations and functions of ``heads`` that are there."""
    found: list[Address] = []
    for head in heads:
        if head.kind in FUNCTIONS:
            found += ((PG_PROC, oid) for oid in functions(cursor, head.name))
        elif head.kind in RELATIONS and (there := relation(cursor, head.name)):
            found.append((PG_CLASS, there[0]))
    return list(dict.fromkeys(found))


def grantees(cursor: Any, address: Address) -> list[str | None]:
    """Return who has rights on a view or function; None: everybody."""
    return [role for (role,) in _rows(cursor, "grantees", [*address, *address])]


def _columns(objects: Sequence[Address]) -> list[list[int]]:
    return [[catalog for catalog, _ in objects], [oid for _, oid in objects]]


def _rows(cursor: Any, name: str, params: Sequence[Any]) -> list[Any]:
    cursor.execute(sql_text("fraiseql.db.objects", name), params)
    found: list[Any] = cursor.fetchall()
    return found

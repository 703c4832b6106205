"""
What PostgreSQL knows of the views an application binds.

Read in one query for all names, kept per database until ``forget``: after ``migrate``, after a
statement found a view or column gone. Another database behind the alias (tests) has its own.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from threading import Lock
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connections
from django.db.models.signals import post_migrate

from fraiseql.db import faults, pool
from fraiseql.db.connections import parameters, session
from fraiseql.db.statement import Statement

_PART = r'(?:[A-Za-z_\u0080-\U0010ffff][\w$]*|"(?:[^"\0]|"")+")'
_NAME = re.compile(rf"{_PART}(?:\.{_PART})?")


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column: ``type`` as format_type writes it, ``position`` from 1 with gaps of dropped columns.

    ``not_null`` is False for columns of views, whose nullability PostgreSQL does not track.
    """

    name: str
    type: str
    is_json: bool
    not_null: bool
    position: int


@dataclass(frozen=True, slots=True)
class Relation:
    """
    A table, view or materialized view.

    ``kind``: "table" (partitioned and foreign ones too), "view" or "materialized". ``unique_keys``:
    the columns of each unique index over whole rows, the primary key first, then the shortest.
    """

    schema: str
    name: str
    kind: str
    columns: Mapping[str, Column]
    unique_keys: tuple[tuple[str, ...], ...]


_Known = dict[str, Relation]
_known: dict[tuple[str, str], _Known] = {}
_lock = Lock()


def relations(names: Iterable[str], using: str = "default") -> _Known:
    """
    Return what the database has of ``names``, by the names as given; what it lacks is absent.

    Waits for at most one query, which neither counts in ``assertNumQueries`` nor needs the caller's
    transaction; inside one it sees what the transaction has made. Raises FraiseQLError.
    """
    known = _kept(using)
    names = tuple(names)
    if missing := _unknown(names, known):
        known.update(_load(_statement(missing), using))
    return {name: known[name] for name in names if name in known}


async def relations_async(names: Iterable[str], using: str = "default") -> _Known:
    """Return the same as ``relations``, through the asynchronous pool."""
    known = _kept(using)
    names = tuple(names)
    if missing := _unknown(names, known):
        if hasattr(mail, "outbox"):
            known.update(await sync_to_async(_load)(_statement(missing), using))
        else:
            known.update(_read((await pool.fetch(_statement(missing), using)).column(0)))
    return {name: known[name] for name in names if name in known}


def forget(using: str) -> None:
    """Have the views of an alias read again when they are next asked for."""
    with _lock:
        for key in [key for key in _known if key[0] == using]:
            del _known[key]


def _kept(using: str) -> _Known:
    # A load that ends after forget() fills a dict that nobody looks into any more.
    with _lock:
        return _known.setdefault((using, str(connections.settings[using]["NAME"])), {})


def _unknown(names: Iterable[str], known: _Known) -> list[str]:
    # to_regclass raises on what is no name, and one bad name would hide all others.
    return [name for name in names if name not in known and _NAME.fullmatch(name)]


def _statement(names: list[str]) -> Statement:
    items = (name.replace("\\", "\\\\").replace('"', '\\"') for name in names)
    array = "{" + ",".join(f'"{item}"' for item in items) + "}"
    return Statement(_text(), (array,))


@cache
def _text() -> str:
    return files("fraiseql.db").joinpath("catalog.sql").read_text(encoding="utf-8")


def _load(statement: Statement, using: str) -> _Known:
    try:
        transaction = _usable_transaction(using)
        if transaction is not None:
            return _execute(transaction, statement)
        with psycopg.connect(**parameters(using), autocommit=True) as connection:
            setup = session(using)
            connection.execute(setup.text.encode(), setup.params)
            return _execute(connection, statement)
    except psycopg.Error as error:
        raise faults.fault(error) from error


def _usable_transaction(using: str) -> psycopg.Connection[Any] | None:
    """Return psycopg's connection under Django's if the caller is in a transaction that works."""
    wrapper = connections[using]
    connection: psycopg.Connection[Any] | None = wrapper.connection
    if connection is None or not wrapper.in_atomic_block:
        return None
    is_working = connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    return connection if is_working else None


def _execute(connection: psycopg.Connection[Any], statement: Statement) -> _Known:
    with psycopg.Cursor(connection) as cursor:
        cursor.execute(statement.text.encode(), statement.params)
        return _read(document for (document,) in cursor)


def _read(documents: Iterable[str | bytes | None]) -> _Known:
    return {
        item.pop("requested"): Relation(
            schema=item["schema"],
            name=item["name"],
            kind=item["kind"],
            columns={column["name"]: Column(**column) for column in item["columns"]},
            unique_keys=tuple(tuple(key) for key in item["unique_keys"]),
        )
        for item in (json.loads(document) for document in documents if document is not None)
    }


def _after_migrate(*, using: str, **_: Any) -> None:
    forget(using)


post_migrate.connect(_after_migrate)

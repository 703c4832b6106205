"""
What PostgreSQL knows of the views and functions an application binds.

Read in one query for all names, kept per database until ``forget``: after ``migrate``, after a
statement found a view or column gone. Another database behind the alias (tests) has its own.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

import psycopg
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connections
from django.db.models.signals import post_migrate

from fraiseql.db import faults, pool
from fraiseql.db.connections import parameters, settings_of_flight
from fraiseql.db.flight import set_session
from fraiseql.db.statement import Statement
from fraiseql.db.texts import sql_text

_PART = r'(?:[A-Za-z_\u0080-\U0010ffff][\w$]*|"(?:[^"\0]|"")+")'
_NAME = re.compile(rf"{_PART}(?:\.{_PART})?")
_NAME_IN_TABLE = re.compile(rf"{_PART}\.{_PART}\.{_PART}")


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


@dataclass(frozen=True, slots=True)
class Argument:
    """
    An argument a function is given.

    ``type`` and ``base`` as format_type writes them, ``base`` with domains opened; ``labels`` of an enum.
    """

    name: str
    type: str
    base: str
    labels: tuple[str, ...] | None
    has_default: bool


@dataclass(frozen=True, slots=True)
class Function:
    """
    A function. ``returns``: its type, domains opened; of a row (``returns_row``) ``columns`` are the names.

    ``signature``: its arguments as SQL writes them. ``is_definer``: it runs with its owner's rights;
    ``has_search_path``: whatever its caller's search_path; ``is_public``: every role may call it.
    """

    schema: str
    name: str
    signature: str
    arguments: tuple[Argument, ...]
    returns: str
    returns_set: bool
    returns_row: bool
    columns: tuple[str, ...]
    is_definer: bool
    has_search_path: bool
    is_public: bool
    is_volatile: bool


T = TypeVar("T")


class _Catalog(Generic[T]):
    """What one SQL file tells of names, kept per database."""

    def __init__(
        self,
        file: str,
        read: "Callable[[Iterable[Any]], dict[str, T]]",
        pattern: re.Pattern[str] = _NAME,
    ) -> None:
        self._file, self._read, self._pattern = file, read, pattern
        self._known: dict[tuple[str, str], dict[str, T]] = {}
        self._lock = Lock()

    def find(self, names: Iterable[str], using: str = "default") -> dict[str, T]:
        """
        Return what the database has of ``names``, by the names as given; what it lacks is absent.

        Waits for at most one query, which neither counts in ``assertNumQueries`` nor needs the caller's
        transaction; inside one it sees what the transaction has made. Raises FraiseQLError.
        """
        wanted, known = tuple(names), self._kept(using)
        if missing := self._unknown(wanted, known):
            known.update(self._read(_load(self._statement(missing), using)))
        return {name: known[name] for name in wanted if name in known}

    async def find_async(self, names: Iterable[str], using: str = "default") -> dict[str, T]:
        """Return the same, through the asynchronous pool."""
        wanted, known = tuple(names), self._kept(using)
        if missing := self._unknown(wanted, known):
            known.update(self._read(await _load_async(self._statement(missing), using)))
        return {name: known[name] for name in wanted if name in known}

    def forget(self, using: str) -> None:
        """Have the names of an alias read again when they are next asked for."""
        with self._lock:
            for key in [key for key in self._known if key[0] == using]:
                del self._known[key]

    def _kept(self, using: str) -> dict[str, T]:
        # A load that ends after forget() fills a dict that nobody looks into any more.
        with self._lock:
            return self._known.setdefault((using, str(connections.settings[using]["NAME"])), {})

    def _unknown(self, names: Iterable[str], known: Mapping[str, T]) -> list[str]:
        # to_regclass raises on what is no name, and one bad name would hide all others.
        is_name = self._pattern.fullmatch
        return [name for name in names if name not in known and is_name(name)]

    def _statement(self, names: list[str]) -> Statement:
        items = (name.replace("\\", "\\\\").replace('"', '\\"') for name in names)
        array = "{" + ",".join(f'"{item}"' for item in items) + "}"
        return Statement(sql_text("fraiseql.db", self._file), (array,))


def forget(using: str) -> None:
    """Have all that is known of an alias read again when it is next asked for."""
    for kept in (_relations, _functions, _constraints):
        kept.forget(using)


def _load(statement: Statement, using: str) -> list[Any]:
    try:
        transaction = _usable_transaction(using)
        if transaction is not None:
            return _execute(transaction, statement)
        with psycopg.connect(**parameters(using, is_watched=False)) as connection:
            if settings := settings_of_flight(using):
                setup = set_session(settings)
                connection.execute(setup.text.encode(), setup.params)
            return _execute(connection, statement)
    except psycopg.Error as error:
        raise faults.fault(error) from error


async def _load_async(statement: Statement, using: str) -> Sequence[Any]:
    if hasattr(mail, "outbox"):
        return await sync_to_async(_load)(statement, using)
    return (await pool.fetch(statement, using)).column(0)


def _usable_transaction(using: str) -> psycopg.Connection[Any] | None:
    """Return psycopg's connection under Django's if the caller is in a transaction that works."""
    wrapper = connections[using]
    connection: psycopg.Connection[Any] | None = wrapper.connection
    if connection is None or not wrapper.in_atomic_block:
        return None
    is_working = connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    return connection if is_working else None


def _execute(connection: psycopg.Connection[Any], statement: Statement) -> list[Any]:
    with psycopg.Cursor(connection) as cursor:
        cursor.execute(statement.text.encode(), statement.params)
        return [document for (document,) in cursor]


def _items(documents: Iterable[Any]) -> Iterator[dict[str, Any]]:
    return (json.loads(document) for document in documents if document is not None)


def _read_relations(documents: Iterable[Any]) -> dict[str, Relation]:
    return {
        item.pop("requested"): Relation(
            schema=item["schema"],
            name=item["name"],
            kind=item["kind"],
            columns={column["name"]: Column(**column) for column in item["columns"]},
            unique_keys=tuple(tuple(key) for key in item["unique_keys"]),
        )
        for item in _items(documents)
    }


def _read_functions(documents: Iterable[Any]) -> dict[str, tuple[Function, ...]]:
    found: dict[str, tuple[Function, ...]] = {}
    for item in _items(documents):
        name = item.pop("requested")
        item["arguments"] = tuple(_argument(**argument) for argument in item["arguments"])
        item["columns"] = tuple(item["columns"] or ())
        found[name] = (*found.get(name, ()), Function(**item))
    return found


def _argument(labels: list[str] | None, **given: Any) -> Argument:
    return Argument(labels=None if labels is None else tuple(labels), **given)


def _read_constraints(documents: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    return {item["requested"]: tuple(item["columns"]) for item in _items(documents)}


_relations = _Catalog("catalog", _read_relations)
_functions = _Catalog("functions", _read_functions)
_constraints = _Catalog("constraints", _read_constraints, _NAME_IN_TABLE)

relations, relations_async = _relations.find, _relations.find_async
"""Find tables and views by name."""

functions, functions_async = _functions.find, _functions.find_async
"""Find the functions of each name, every overload."""

constrained, constrained_async = _constraints.find, _constraints.find_async
"""Find the columns of constraints and unique indexes, by ``"schema"."table"."name"``."""


def _after_migrate(*, using: str, **_: Any) -> None:
    forget(using)


post_migrate.connect(_after_migrate)

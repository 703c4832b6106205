"""
SQL of an application's own, on Django's connection, with PostgreSQL's ``$1`` for parameters.

For resolvers that call a function or write a statement themselves; inside a transaction it is part of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from django.db.utils import Error as DjangoError
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb, JsonbLoader, JsonLoader

from fraiseql.db import faults
from fraiseql.db.flight import Session, set_session

Row = dict[str, Any]


def fetch(text: str, params: Sequence[Any], using: str, session: Session = ()) -> list[Row]:
    """Return the statement's rows, columns by name; JSON as Python values. Raises FraiseQLError."""
    with _executed(text, params, using, session) as cursor:
        return cursor.fetchall() if cursor.description else []


def execute(text: str, params: Sequence[Any], using: str, session: Session = ()) -> int:
    """Run a statement and return how many rows it was about. Raises FraiseQLError."""
    with _executed(text, params, using, session) as cursor:
        return int(cursor.rowcount)


@contextmanager
def atomic(using: str, session: Session = ()) -> Iterator[None]:
    """Make what the block sends one transaction, or a part of the one there is, undone if it raises."""
    with transaction.atomic(using):
        _set(session, using)
        yield


@contextmanager
def undone(using: str) -> Iterator[None]:
    """Undo what the block does; constraints that wait for the commit are looked at before."""
    with transaction.atomic(using):
        yield
        try:
            connections[using].connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as error:
            raise faults.fault(error) from error
        transaction.set_rollback(True, using)


@contextmanager
def _executed(
    text: str, params: Sequence[Any], using: str, session: Session
) -> Iterator[CursorWrapper]:
    wrapper = connections[using]
    try:
        wrapper.ensure_connection()
        with _part(wrapper, bool(session)), _cursor(wrapper) as cursor:
            _set(session, using)
            cursor.execute(text, [_adapted(value) for value in params])
            yield cursor
    except (DjangoError, psycopg.Error) as error:
        raise faults.fault(error) from error


@contextmanager
def _part(wrapper: Any, has_session: bool) -> Iterator[None]:
    """Undo a statement that fails alone, so that the caller's transaction goes on."""
    if not wrapper.in_atomic_block:
        with transaction.atomic(wrapper.alias) if has_session else nullcontext():
            yield
        return
    # On psycopg's connection, which Django neither counts nor logs.
    run = wrapper.connection.execute
    run("SAVEPOINT fraiseql")
    try:
        yield
    except DjangoError:
        if not wrapper.connection.closed:
            run("ROLLBACK TO SAVEPOINT fraiseql")
            run("RELEASE SAVEPOINT fraiseql")
        raise
    run("RELEASE SAVEPOINT fraiseql")


def _set(session: Session, using: str) -> None:
    if session:
        statement = set_session(session)
        connections[using].connection.execute(statement.text.encode(), statement.params)


def _cursor(wrapper: Any) -> CursorWrapper:
    raw = psycopg.RawCursor(wrapper.connection, row_factory=dict_row)
    # Django reads them as text, for its own fields.
    raw.adapters.register_loader("jsonb", JsonbLoader)
    raw.adapters.register_loader("json", JsonLoader)
    make = wrapper.make_debug_cursor if wrapper.queries_logged else wrapper.make_cursor
    made: CursorWrapper = make(raw)
    return made


def _adapted(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value

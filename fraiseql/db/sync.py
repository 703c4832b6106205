"""
Statements on Django's own connection.

The caller's transaction is the statement's, so a ``TestCase`` sees what it wrote;
``assertNumQueries``, ``execute_wrapper`` and the query log see the statement. What fails is undone
alone: what the transaction did before stands, and the next statement is served.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.db.utils import Error as DjangoError
from psycopg.pq import TransactionStatus

from fraiseql.conf import get_settings
from fraiseql.db import faults
from fraiseql.db.flight import Session, set_session
from fraiseql.db.horizon import POSITION, UNKNOWN, position_in
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement, encoded
from fraiseql.errors import FraiseQLError

# Where settings of the caller's transaction wait until the flight is over.
_ASIDE = "fraiseql.aside_"
_UNDO: LiteralString = "ROLLBACK"
_UNDO_PART: LiteralString = "ROLLBACK TO SAVEPOINT fraiseql; RELEASE SAVEPOINT fraiseql"

_Connection = psycopg.Connection[Any]


def fetch(statement: Statement, using: str = "default", session: Session = ()) -> Rows:
    """Run ``statement`` and return its rows: a flight of one, see ``fetch_all``."""
    return fetch_all((statement,), using, session)[0]


def fetch_all(
    statements: Sequence[Statement], using: str = "default", session: Session = ()
) -> list[Rows]:
    """
    Run ``statements`` in one round trip and return the rows of each: all of them happen, or none.

    Inside a transaction they are part of it, else they are one. ``session``: settings in force for
    this flight alone. Raises FraiseQLError, the cause kept, with the index of the statement that
    failed in ``statement``.
    """
    for statement in statements:
        encoded(statement.params)  # Refuses what both ways must refuse alike.
    session = (*_own_settings(), *session)
    is_reused = connections[using].connection is not None
    attempt = _Attempt(statements, session, using)
    try:
        return attempt.run()
    except (DjangoError, psycopg.Error) as error:
        if not _may_retry(statements, using, error, is_reused):
            raise faults.fault(error, attempt.failed) from error
    attempt = _Attempt(statements, session, using)
    try:
        return attempt.run()
    except (DjangoError, psycopg.Error) as error:
        raise faults.fault(error, attempt.failed) from error


def last_commit(using: str) -> int:
    """Return where what has been committed ends in the log; what nothing reaches if that cannot be told."""
    try:
        return position_in([fetch(POSITION, using)])
    except FraiseQLError:
        return UNKNOWN


def _own_settings() -> Session:
    timeout_ms = get_settings().STATEMENT_TIMEOUT_MS
    return (("statement_timeout", str(timeout_ms)),) if timeout_ms else ()


class _Attempt:
    """A flight on Django's connection: a transaction of its own, or a part of the caller's."""

    def __init__(self, statements: Sequence[Statement], session: Session, using: str) -> None:
        self._statements, self._session = statements, session
        self._wrapper = connections[using]
        self._leading: list[psycopg.Cursor[Any]] = []
        self._cursors: list[CursorWrapper] = []

    def run(self) -> list[Rows]:
        """Return the rows. Raises the errors of Django and psycopg."""
        self._wrapper.ensure_connection()
        connection: _Connection = self._wrapper.connection
        was_broken = _is_broken(connection)
        send, undo = (
            (self._alone, _UNDO) if self._wrapper.autocommit else (self._inside, _UNDO_PART)
        )
        try:
            with self._wrapper.wrap_database_errors, _pipeline(connection):
                send(connection)
        except (DjangoError, psycopg.Error):
            if _is_broken(connection) and not was_broken:
                connection.execute(undo)
            raise
        return [Rows(cursor.pgresult) for cursor in self._cursors]

    @property
    def failed(self) -> int | None:
        """Return the index of the statement that failed: the first without a result."""
        if any(cursor.pgresult is None for cursor in self._leading):
            return None
        missing = (index for index, at in enumerate(self._cursors) if at.pgresult is None)
        return next(missing, None)

    def _alone(self, connection: _Connection) -> None:
        self._leading = [connection.execute("BEGIN")]
        if self._session:
            self._leading.append(connection.execute(*_raw(set_session(self._session))))
        self._execute()
        # Not the pipeline's own Sync: psycopg loses count of its results when a commit fails there.
        connection.execute("COMMIT")

    def _inside(self, connection: _Connection) -> None:
        self._leading = [connection.execute("SAVEPOINT fraiseql")]
        if self._session:
            self._leading.append(connection.execute(*_raw(_exchange(self._session))))
        self._execute()
        if self._session:
            connection.execute(*_raw(_restore(self._session)))
        connection.execute("RELEASE SAVEPOINT fraiseql")

    def _execute(self) -> None:
        for statement in self._statements:
            cursor = self._wrapper.cursor()
            self._cursors.append(cursor)
            cursor.execute(statement.text, statement.params)


def _is_broken(connection: _Connection) -> bool:
    return connection.info.transaction_status == TransactionStatus.INERROR


@contextmanager
def _pipeline(connection: _Connection) -> Iterator[None]:
    """Send what is executed in one go. Raises the first error, not those that follow from it."""
    first: Exception | None = None
    try:
        with connection.pipeline() as pipeline:
            try:
                yield
                pipeline.sync()
            except (DjangoError, psycopg.Error) as error:
                first = error
    except (
        psycopg.Error
    ) as error:  # At its end it tells again; at its begin the connection is gone.
        first = first or error
    if first is not None:
        raise first


def _exchange(session: Session) -> Statement:
    """Return ``set_session`` for a transaction of someone else's: what was in force is put aside."""
    calls, params = [], []
    for number, (name, value) in enumerate(session):
        aside = f"{_ASIDE}{number}"
        calls.append("set_config(%s, coalesce(current_setting(%s, true), ''), true)")
        calls.append("set_config(%s, %s, true)")
        params += [aside, name, name, value]
    return Statement("SELECT " + ", ".join(calls), tuple(params))


def _restore(session: Session) -> Statement:
    """Return the statement that undoes ``_exchange``."""
    calls = ["set_config(%s, current_setting(%s), true)"] * len(session)
    pairs = ((name, f"{_ASIDE}{number}") for number, (name, _) in enumerate(session))
    return Statement("SELECT " + ", ".join(calls), tuple(part for pair in pairs for part in pair))


def _raw(statement: Statement) -> tuple[bytes, tuple[str | None, ...]]:
    """Return the arguments for psycopg's own ``execute``, which Django neither counts nor logs."""
    return statement.text.encode(), statement.params


def _may_retry(
    statements: Sequence[Statement], using: str, error: Exception, is_reused: bool
) -> bool:
    """Tell whether to send all again; a broken connection is closed for the next one."""
    connection, cause = connections[using], faults.database_error(error)
    if not connection.autocommit or not isinstance(cause, psycopg.Error):
        return False
    is_lost = faults.is_lost(cause)
    if is_lost:
        connection.close()
    if using in get_settings().REPLICAS:
        return False  # What fails there is the primary's.
    if is_lost:
        return is_reused and not any(statement.writes for statement in statements)
    return cause.sqlstate in faults.SERIALIZATION

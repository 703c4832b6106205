"""
Statements on Django's own connection.

The caller's transaction is the statement's, so a ``TestCase`` sees what it wrote;
``assertNumQueries``, ``execute_wrapper`` and the query log see the statement. One that fails is undone
alone: what the transaction did before stands, and the next statement is served.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from django.db.utils import Error as DjangoError
from psycopg.pq.abc import PGresult

from fraiseql.db import faults
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement, encoded


def fetch(statement: Statement, using: str = "default") -> Rows:
    """Run ``statement`` and return its rows. Raises FraiseQLError, the cause kept."""
    encoded(statement.params)  # Refuses what both ways must refuse alike.
    is_reused = connections[using].connection is not None
    try:
        return _fetch(statement, using)
    except (DjangoError, psycopg.Error) as error:
        if not _may_retry(statement, using, error, is_reused):
            raise faults.fault(error) from error
    try:
        return _fetch(statement, using)
    except (DjangoError, psycopg.Error) as error:
        raise faults.fault(error) from error


def _fetch(statement: Statement, using: str) -> Rows:
    with _kept_transaction(using), connections[using].cursor() as cursor:
        cursor.execute(statement.text, statement.params)
        result: PGresult = cursor.pgresult
        return Rows(result)


@contextmanager
def _kept_transaction(using: str) -> Iterator[None]:
    """Undo a failed statement up to a savepoint, which Django neither counts nor logs."""
    wrapper = connections[using]
    connection: psycopg.Connection[Any] | None = wrapper.connection
    if connection is None or not wrapper.in_atomic_block:
        yield
        return
    connection.execute("SAVEPOINT fraiseql")
    try:
        yield
    except DjangoError:
        if not connection.closed:
            connection.execute("ROLLBACK TO SAVEPOINT fraiseql")
            connection.execute("RELEASE SAVEPOINT fraiseql")
        raise
    connection.execute("RELEASE SAVEPOINT fraiseql")


def _may_retry(statement: Statement, using: str, error: Exception, is_reused: bool) -> bool:
    """Tell whether to send the statement again; a broken connection is closed for the next one."""
    connection, cause = connections[using], faults.database_error(error)
    if connection.in_atomic_block or not isinstance(cause, psycopg.Error):
        return False
    if faults.is_lost(cause):
        connection.close()
        return is_reused and not statement.writes
    return cause.sqlstate in faults.SERIALIZATION

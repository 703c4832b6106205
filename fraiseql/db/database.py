"""A database as a whole: whether it is there, and a new one."""

from typing import Any

from django.db import OperationalError
from psycopg import sql


def exists(connection: Any) -> bool:
    """Tell whether the database of Django's connection is there. Raises OperationalError if the server is not."""
    try:
        connection.ensure_connection()
    except OperationalError:
        # libpq tells why in words alone, and the server translates them.
        if _is_missing(connection):
            return False
        raise
    return True


def create(connection: Any) -> None:
    """Make the database of Django's connection, empty. Raises DatabaseError."""
    name = sql.Identifier(connection.settings_dict["NAME"])
    with connection._nodb_cursor() as cursor:
        cursor.execute(sql.SQL("CREATE DATABASE {}").format(name))


def _is_missing(connection: Any) -> bool:
    """Tell whether the server says that it has no such database."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = %s)",
            [connection.settings_dict["NAME"]],
        )
        return bool(cursor.fetchone()[0])

"""A database as a whole: whether it is there, and a new one."""

from typing import Any

import psycopg
from django.db import OperationalError
from psycopg import sql

from fraiseql.db.connections import parameters


def exists(connection: Any) -> bool:
    """Tell whether the database of Django's connection is there. Raises OperationalError if no server is."""
    try:
        connection.ensure_connection()
    except OperationalError:
        # libpq tells why in words alone, and the server translates them.
        if _is_missing(connection):
            return False
        raise
    return True


def create(connection: Any) -> None:
    """Make the database of Django's connection, empty. Raises psycopg.Error."""
    name = sql.Identifier(connection.settings_dict["NAME"])
    with _beside(connection) as other:
        other.execute(sql.SQL("CREATE DATABASE {}").format(name))


def _beside(connection: Any) -> psycopg.Connection[Any]:
    """Return a connection to the database that every server has."""
    given = {**parameters(connection.alias, is_watched=False), "dbname": "postgres"}
    return psycopg.connect(**given, autocommit=True)


def _is_missing(connection: Any) -> bool:
    try:
        with _beside(connection) as other:
            name = [connection.settings_dict["NAME"]]
            return not other.execute("SELECT FROM pg_database WHERE datname = %s", name).rowcount
    except psycopg.OperationalError:
        return False

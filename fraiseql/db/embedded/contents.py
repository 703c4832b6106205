"""What is inside a private server: its configuration, its roles and its first database."""

import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg

from fraiseql.db.embedded.account import Account
from fraiseql.db.embedded.places import PORT

SUPERUSER = "postgres"
# Not the superuser: that one passes row-level security by, and an application would seem to work
# without it.
OWNER = "fraiseql"
DATABASE = "fraiseql"
ANSWER_S = 5

CONFIGURATION = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    # A development server's disk may be small; these bound the write-ahead log.
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
_FILE = "fraiseql.conf"
_HEADER = "# Written at every start. Settings of your own: ALTER SYSTEM, which wins.\n"


def initdb_options(major: int, options: Mapping[str, str]) -> list[str]:
    """
    Return how a data directory is made: UTF-8, sorted by code point, open to whoever reaches the
    socket.
    """
    # C.UTF-8 knows every letter's case and sorts alike everywhere; PostgreSQL has its own from 17
    # on.
    system = "C.UTF-8" if sys.platform == "linux" else "C"
    locale = (
        ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if major >= 17
        else [f"--locale={system}"]
    )
    return [
        f"--username={SUPERUSER}",
        "--auth=trust",
        "--encoding=UTF8",
        "--no-instructions",
        *locale,
        *(["--no-sync"] if options.get("fsync") == "off" else []),
    ]


def include_configuration(data: Path) -> None:
    """Have postgresql.conf of a new data directory read the file of ``write_configuration``."""
    with (data / "postgresql.conf").open("a") as file:
        file.write(f"include_if_exists = '{_FILE}'\n")


def write_configuration(
    data: Path, socket: Path, options: Mapping[str, str], account: Account
) -> None:
    """Write the server's settings."""
    values = {**CONFIGURATION, "unix_socket_directories": str(socket), **options}
    lines = [f"{name} = {_quoted(value)}\n" for name, value in values.items()]
    path = data / _FILE
    path.write_text(_HEADER + "".join(lines))
    account.own(path)


def answers(uri: str) -> bool:
    """Return whether a connection can be made."""
    try:
        psycopg.connect(uri, connect_timeout=ANSWER_S).close()
    except psycopg.OperationalError:
        return False
    return True


def furnish(uri: str) -> None:
    """
    Create the application's role and database in the server whose superuser ``uri`` is, where
    missing.
    """
    with psycopg.connect(uri, autocommit=True) as connection:
        if not connection.execute(_HAS_ROLE, [OWNER]).fetchone():
            for statement in _ROLE:
                connection.execute(statement)
        if not connection.execute(_HAS_DATABASE, [DATABASE]).fetchone():
            _furnish_template(uri)
            connection.execute("CREATE DATABASE fraiseql OWNER fraiseql")


def _furnish_template(uri: str) -> None:
    # vector may be created by superusers only; from the template every database has it.
    with psycopg.connect(uri, dbname="template1", autocommit=True) as connection:
        if connection.execute(_VECTOR_AVAILABLE).fetchone():
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


_HAS_ROLE = "SELECT 1 FROM pg_roles WHERE rolname = %s"
_HAS_DATABASE = "SELECT 1 FROM pg_database WHERE datname = %s"
_VECTOR_AVAILABLE = "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"
_ROLE = (
    "CREATE ROLE fraiseql LOGIN CREATEDB CREATEROLE",
    "GRANT pg_monitor, pg_signal_backend TO fraiseql",
)

"""The benchmark's PostgreSQL server: FraiseQL's private one, with room for the dataset in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict

from fraiseql.db.embedded import EmbeddedServer

SUPERUSER = "postgres"
OPTIONS = {
    # The dataset fits, so every system reads from memory; the rest as PostgreSQL ships it.
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",  # counts while loading only
}


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    server: EmbeddedServer
    pid: int

    @property
    def version(self) -> str:
        """Return the server's version: ``15.4 (Debian 15.4-1)``."""
        return str(self.value("SELECT current_setting('server_version')"))

    def connect(self, user: str | None = None) -> psycopg.Connection:
        """Return a new connection in autocommit mode."""
        return psycopg.connect(self.server.uri(user=user), autocommit=True)

    def environment(self) -> dict[str, str]:
        """Return libpq's environment variables for a child process."""
        given = conninfo_to_dict(self.server.uri())
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
        return {variable: str(given[name]) for name, variable in names.items()}

    def value(self, query: LiteralString) -> Any:
        """Return the one value of a query."""
        with self.connect() as connection:
            row = connection.execute(query).fetchone()
        if row is None:
            raise LookupError(query)
        return row[0]


@contextmanager
def running(directory: Path) -> Iterator[Postgres]:
    """Run the server whose files are in ``directory`` for as long as the block lasts."""
    server = EmbeddedServer(directory, options=OPTIONS)
    try:
        server.start()
        pid = server.status().pid
        if pid is None:
            raise RuntimeError(f"The server in {directory} ended as soon as it had started.")
        yield Postgres(server, pid)
    finally:
        server.stop()

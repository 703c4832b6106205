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
    "max_connections": "400",  # all systems are connected at once; most of them idle
}

_DELETE: LiteralString = """
DELETE FROM tb_comment
 USING tb_post AS p
 WHERE p.pk_post = fk_post AND pk_comment > 5 * (SELECT max(pk_post) FROM tb_post)
RETURNING p.id
"""
_SYNC: LiteralString = """
UPDATE tv_post SET data = v_post.data FROM v_post WHERE v_post.id = tv_post.id AND tv_post.id = ANY (%s)
"""


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

    def restore(self) -> None:
        """Undo what operations that write have left: comments beyond the dataset's, and their traces."""
        with self.connect() as connection:
            posts = connection.execute(_DELETE).fetchall()
            connection.execute(_SYNC, [[post for (post,) in posts]])
            connection.execute("VACUUM tb_comment, tv_post")

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

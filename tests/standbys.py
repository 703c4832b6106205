"""A primary and its standby: two real servers, the second streaming from the first."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from fraiseql.db.embedded import EmbeddedServer, find_binaries
from fraiseql.db.embedded.account import account_for
from fraiseql.db.embedded.places import prepare, reachable_binaries

# Nothing has to survive a power cut; a statement in the way of what is replayed is cancelled at once.
_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_standby_streaming_delay": "0",
    "wal_retrieve_retry_interval": "100ms",
}


@dataclass(frozen=True)
class Pair:
    """The two; tests may stop either, and start it again."""

    primary: EmbeddedServer
    standby: EmbeddedServer

    def run(self, text: str, on_standby: bool = False) -> None:
        """Run SQL as the superuser."""
        server = self.standby if on_standby else self.primary
        with psycopg.connect(server.uri(user="postgres"), autocommit=True) as connection:
            connection.execute(text.encode())

    def pause(self) -> None:
        """Have the standby replay nothing more."""
        self.run("SELECT pg_wal_replay_pause()", on_standby=True)

    def resume(self) -> None:
        """Have it go on."""
        self.run("SELECT pg_wal_replay_resume()", on_standby=True)

    def kill(self) -> None:
        """End the standby as a crash does."""
        os.kill(self.standby.status().pid or 0, signal.SIGKILL)


@contextmanager
def pair_of_servers(directory: Path, version: str) -> Iterator[Pair]:
    """Run both; their files are in ``directory``."""
    primary = EmbeddedServer(directory / "main", find_binaries(version), options=_OPTIONS)
    standby = EmbeddedServer(directory / "copy", find_binaries(version), options=_OPTIONS)
    primary.start()
    try:
        _copy(primary, standby)
        standby.start()
        yield Pair(primary, standby)
    finally:
        standby.stop()
        primary.stop()


def _copy(primary: EmbeddedServer, standby: EmbeddedServer) -> None:
    account = account_for(standby.directory)
    places = prepare(standby.directory, account)
    where = conninfo_to_dict(primary.uri())
    binaries = reachable_binaries(standby.binaries, account)
    command = [
        binaries.program("pg_basebackup"), f"--pgdata={places.data}", "--write-recovery-conf",
        "--checkpoint=fast", "--no-sync", f"--host={where['host']}", f"--port={where['port']}",
        "--username=postgres",
    ]  # fmt: skip
    code, output = account.run(command, directory=places.directory, libraries=binaries.libraries)
    assert code == 0, output

"""
The supervisor of one private PostgreSQL server: its data directory, its process, its first
database.
"""

import enum
import fcntl
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from fraiseql.db.embedded import contents
from fraiseql.db.embedded.account import Account, account_for
from fraiseql.db.embedded.binaries import Binaries, find_binaries
from fraiseql.db.embedded.data import clear_remains, create, major_of, read_pid_file
from fraiseql.db.embedded.faults import explained, faults_named, foreign_data
from fraiseql.db.embedded.places import PORT, Places, prepare, reachable_binaries
from fraiseql.db.embedded.programs import is_server_process
from fraiseql.errors import EmbeddedServerError

# Recovery after a crash replays at most max_wal_size, 256 MB below: seconds even on a slow disk.
START_S = 120
STOP_S = 60
_LOG_BYTES = 10 * 2**20
_POLL_S = 0.05


class State(enum.Enum):
    """What is known of a server from its files and processes."""

    RUNNING = "running"
    STARTING = "starting"
    STOPPED = "stopped"
    KILLED = "killed"  # its pid file is left, its process is gone; the next start recovers
    ABSENT = "absent"  # no data directory yet


@dataclass(frozen=True)
class Status:
    """A server as found: ``pid`` and ``socket`` while it runs, ``major`` once it has data."""

    state: State
    directory: Path
    log: Path
    socket: Path
    pid: int | None
    major: int | None


class EmbeddedServer:
    """
    A private PostgreSQL server whose files are in ``directory``.

    ``binaries``: those of the data's version, else the first found, unless given. ``options``:
    settings of postgresql.conf beside or instead of those in ``contents.CONFIGURATION``.
    """

    def __init__(
        self,
        directory: Path | str,
        binaries: Binaries | None = None,
        *,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = Path(directory).absolute()
        self.options = dict(options or {})
        self._binaries = binaries

    @property
    def binaries(self) -> Binaries:
        """
        Return the programs of the data's version. Raises EmbeddedServerError if there are none.
        """
        if self._binaries is None:
            self._binaries = self._find_binaries()
        self._check_version(self._binaries)
        return self._binaries

    def start(self) -> str:
        """
        Start the server unless it runs; return the URI of its database.

        Safe to call from many processes at once: one starts it, the others find it running. What a
        killed server left behind is recovered. Raises EmbeddedServerError.
        """
        if self._binaries is not None:
            self._check_version(self._binaries)
        account = account_for(self.directory.resolve())
        places = prepare(self.directory, account)
        if contents.answers(self.uri()):
            return self.uri()
        with _locked(places, account):
            if self._lives():
                self._wait_until_ready()
            else:
                self._launch(places, account, reachable_binaries(self.binaries, account))
            try:
                contents.furnish(self._superuser_uri())
            except psycopg.Error as error:
                raise explained("prepare the database", places.directory, str(error)) from error
        return self.uri()

    def stop(self) -> bool:
        """End the server, closing its connections; return whether there was one to end."""
        if self.status().pid is None:
            return False
        places = Places(self.directory.resolve())
        with _locked(places, account_for(places.directory)):
            pid = self.status().pid  # another process may have ended it meanwhile
            return pid is not None and _end(pid, places)

    def status(self) -> Status:
        """
        Return what is known of the server now. Raises EmbeddedServerError if its files are another
        user's.
        """
        places = Places(self.directory.resolve())
        with faults_named(f"read the state of {self.directory}"):
            major = major_of(places.data)
            pid, ready = read_pid_file(places.data)
        if pid is not None and is_server_process(pid, places.data):
            state = State.RUNNING if ready else State.STARTING
        else:
            state = State.KILLED if pid else State.STOPPED if major else State.ABSENT
            pid = None
        return Status(state, places.directory, places.log, places.socket, pid, major)

    def uri(self, database: str | None = None, user: str | None = None) -> str:
        """Return the libpq URI of a database in this server, whether it runs or not."""
        socket = Places(self.directory.resolve()).socket
        name, owner = quote(database or contents.DATABASE, safe=""), user or contents.OWNER
        return f"postgresql://{owner}@/{name}?host={quote(str(socket), safe='')}&port={PORT}"

    def _find_binaries(self) -> Binaries:
        if (major := self.status().major) is None:
            return find_binaries()
        try:
            return find_binaries(str(major))
        except EmbeddedServerError as error:
            raise foreign_data(self.directory, major, "which is not installed") from error

    def _check_version(self, binaries: Binaries) -> None:
        major = self.status().major
        if major is not None and binaries.major != major:
            fault = f"and the programs chosen are of {binaries.version}"
            raise foreign_data(self.directory, major, fault)

    def _lives(self) -> bool:
        # Also asked by its socket: a server in another container, on a shared volume, has no
        # process here.
        found = self.status()
        return found.pid is not None or contents.answers(self._superuser_uri())

    def _superuser_uri(self) -> str:
        return self.uri(database="postgres", user=contents.SUPERUSER)

    def _launch(self, places: Places, account: Account, binaries: Binaries) -> None:
        with faults_named("start PostgreSQL"):
            if not places.data.exists():
                create(places, account, binaries, self.options)
            clear_remains(places)
            contents.write_configuration(places.data, places.socket, self.options, account)
            log_start = _rotate(places.log)
            code, output = account.run(
                # PGDATA and a relative log: pg_ctl pastes paths into a shell command.
                [binaries.program("pg_ctl"), "start", "-w", "-t", str(START_S), "-l", "log"],
                directory=places.directory,
                libraries=binaries.libraries,
                environment={"PGDATA": str(places.data)},
            )
        if code != 0:
            raise explained(
                "start PostgreSQL", places.directory, _tail(places.log, log_start) or output
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_S
        while not contents.answers(self._superuser_uri()):
            status = self.status()
            if status.pid is None or time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"The server in {self.directory} does not answer at {status.socket}.",
                    hint=f"Stop it (fraiseql_postgres stop), start again. Its log: {status.log}.",
                )
            time.sleep(_POLL_S)


@contextmanager
def _locked(places: Places, account: Account) -> Iterator[None]:
    # The kernel drops the lock when its holder ends, however it ends.
    with faults_named(f"lock {places.directory}"):
        handle = os.open(places.lock, os.O_RDONLY | os.O_CREAT, 0o600)
    try:
        account.own(places.lock)
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _end(pid: int, places: Places) -> bool:
    with faults_named(f"stop the server (process {pid})"):
        os.kill(pid, signal.SIGINT)  # "fast": roll back what is open, write out the rest
    deadline = time.monotonic() + STOP_S
    while (places.data / "postmaster.pid").exists() and is_server_process(pid, places.data):
        if time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"The server (process {pid}) has not ended in {STOP_S} seconds.",
                hint=f"See {places.log}.",
            )
        time.sleep(_POLL_S)
    return True


def _rotate(log: Path) -> int:
    """Put a long log aside; return the size of the one that will be written."""
    size = log.stat().st_size if log.exists() else 0
    if size <= _LOG_BYTES:
        return size
    log.rename(log.with_suffix(".old"))
    return 0


def _tail(log: Path, start: int) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(start)
        return file.read()[-65536:].decode(errors="replace")

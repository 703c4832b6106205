"""
The data directory of a private server: made whole or not at all, and cleared of what a killed
server left.
"""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from fraiseql.db.embedded import contents, programs
from fraiseql.db.embedded.account import Account
from fraiseql.db.embedded.binaries import Binaries
from fraiseql.db.embedded.faults import explained
from fraiseql.db.embedded.places import PORT, Places
from fraiseql.errors import EmbeddedServerError

_POLL_S = 0.05
# A backend told to quit does so at once, unless the kernel holds it (a disk that hangs).
QUIT_S = 10


def major_of(data: Path) -> int | None:
    """Return the PostgreSQL version the data belongs to; None if there is none yet."""
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def read_pid_file(data: Path) -> tuple[int | None, bool]:
    """Return the process in postmaster.pid and whether it has declared itself ready."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None, False
    return (int(lines[0]) if lines else None), len(lines) >= 8 and lines[7].startswith("ready")


def create(
    places: Places, account: Account, binaries: Binaries, options: Mapping[str, str]
) -> None:
    """
    Make the data directory: aside, renamed when whole, so that an interrupted initdb leaves none.
    """
    for remains in places.directory.glob(".initdb-*"):
        shutil.rmtree(remains, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=".initdb-", dir=places.directory))
    try:
        account.own(partial)
        code, output = account.run(
            [
                binaries.program("initdb"),
                f"--pgdata={partial}",
                *contents.initdb_options(binaries.major, options),
            ],
            directory=places.directory,
            libraries=binaries.libraries,
        )
        if code != 0:
            raise explained("create the data directory", places.directory, output)
        contents.include_configuration(partial)
        partial.rename(places.data)
        _sync(places.directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def clear_remains(places: Places) -> None:
    """
    Remove what a killed server left, which would keep the next one from starting.

    Its backends end within moments unless they are in the middle of a statement; those are told to
    quit, as their postmaster would have done. Nothing committed is in them alone: it is in the
    write-ahead log.
    """
    deadline = time.monotonic() + QUIT_S
    while remaining := programs.orphans(places.data):
        for pid in remaining:
            try:
                os.kill(pid, signal.SIGQUIT)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"Processes {remaining} of a killed server still use {places.data}.",
                hint="End them (kill -9), then start again.",
            )
        time.sleep(_POLL_S)
    if programs.has_proc():
        # Else the number in them may be another program's by now, or that of an ended process
        # nobody has waited for (containers), and PostgreSQL would refuse to start.
        (places.data / "postmaster.pid").unlink(missing_ok=True)
        (places.socket / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

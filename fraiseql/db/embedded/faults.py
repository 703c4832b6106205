"""What goes wrong with a private server, said so that its user can set it right."""

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fraiseql.errors import EmbeddedServerError

DIRECTORY_HINT = "Set FRAISEQL_POSTGRES_DIRECTORY to a directory that can be used, or DATABASE_URL."
_LEAST_BYTES = 2**20
_REASON = re.compile(r"\b(ERROR|FATAL|PANIC|DETAIL|error|invalid)\b")


@contextmanager
def faults_named(action: str) -> Iterator[None]:
    """
    Turn an OSError of the block into an EmbeddedServerError that says what failed and what to do.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise disk_full(action, Path(error.filename or "/")) from error
        raise EmbeddedServerError(f"Cannot {action}: {error}.", hint=DIRECTORY_HINT) from error


def disk_full(action: str, path: Path, detail: str = "") -> EmbeddedServerError:
    """Return the error for a full disk, with what is left on it."""
    existing = next(place for place in (path, *path.parents) if place.exists())
    free = shutil.disk_usage(existing).free // 2**20
    return EmbeddedServerError(
        f"Cannot {action}: the disk is full ({free} MB left at {existing}).{detail}",
        hint="Free some space and start again; committed data is kept.",
    )


def foreign_data(directory: Path, major: int, fault: str) -> EmbeddedServerError:
    """Return the error for data that the programs at hand cannot open."""
    return EmbeddedServerError(
        f"{directory} holds data of PostgreSQL {major}, {fault}.",
        hint=f"Install PostgreSQL {major} or set PG_BIN to it; or pg_dump with {major} and restore"
        " into another directory. The data is left as it is.",
    )


def explained(action: str, directory: Path, output: str) -> EmbeddedServerError:
    """Return an error with what a program or the server gave as its reasons."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    reasons = [line for line in lines if _REASON.search(line)] or lines
    detail = " It said: " + " | ".join(reasons[-5:]) if reasons else ""
    # On a full disk the server cannot even write down that it is.
    full = shutil.disk_usage(directory).free < _LEAST_BYTES
    if full or "No space left on device" in output or "Disk quota exceeded" in output:
        return disk_full(action, directory, detail)
    if "Permission denied" in output:
        return EmbeddedServerError(
            f"Cannot {action}: permission denied under {directory}.{detail}",
            hint="Start as the user who started it first.",
        )
    return EmbeddedServerError(f"Cannot {action}.{detail}", hint=f"The log is {directory / 'log'}.")

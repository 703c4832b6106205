"""Running PostgreSQL's programs, and looking at the processes they leave."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Identity(NamedTuple):
    """The user and groups a program runs as when root starts it."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def run(
    command: Sequence[str],
    *,
    identity: Identity | None = None,
    libraries: str | None = None,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """
    Run a program to its end; return its exit code and what it printed on both streams.

    In a session of its own, so that Ctrl-C in the terminal does not reach the server it may leave
    behind. Raises OSError if it cannot be run at all.
    """
    result = subprocess.run(  # noqa: S603 - the paths come from find_binaries, nothing from a request
        command,
        cwd=directory,
        env=_environment(libraries) | dict(environment or {}),
        user=identity.uid if identity else None,
        group=identity.gid if identity else None,
        extra_groups=identity.groups if identity else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        check=False,
    )
    return result.returncode, result.stdout


def _environment(libraries: str | None) -> dict[str, str]:
    # PGPORT, PGOPTIONS, PGDATA and their like would change what the programs do; messages are read
    # in English.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    kept |= {"LC_ALL": "C"}
    return kept | {"LD_LIBRARY_PATH": libraries} if libraries else kept


def has_proc() -> bool:
    """Return whether processes can be looked at, as on Linux."""
    return (PROC / "self" / "stat").exists()


def is_server_process(pid: int, data: Path) -> bool:
    """
    Return whether ``pid`` is alive and a PostgreSQL process of the data directory ``data``.

    A pid file may outlive its server, and the number may have gone to another program since. Where
    there is no /proc, any live process counts: better to refuse a start than to open a data
    directory twice.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's: alive
    if not has_proc():
        return True
    return _is_postgres(pid) and _works_in(pid, data)


def orphans(data: Path) -> list[int]:
    """
    Return the PostgreSQL processes of ``data`` found in /proc; after kill -9 of their parent some
    stay a while.
    """
    if not has_proc():
        return []
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]
    return [pid for pid in pids if _is_postgres(pid) and _works_in(pid, data, unknown=False)]


def _is_postgres(pid: int) -> bool:
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return False
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return (
        name == "postgres" and rest.split()[0] != "Z"
    )  # Z: ended, and nobody has asked for its exit code


def _works_in(pid: int, data: Path, *, unknown: bool = True) -> bool:
    # Every PostgreSQL process has its data directory as working directory.
    try:
        return os.path.samefile(PROC / str(pid) / "cwd", data)
    except PermissionError:
        return unknown
    except OSError:
        return False

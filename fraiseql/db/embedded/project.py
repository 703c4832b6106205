"""The private server of a Django project: which directory, which version, which ``DATABASES``."""

import logging
import os
import sys
from pathlib import Path

from fraiseql.db.embedded import contents
from fraiseql.db.embedded.binaries import find_binaries
from fraiseql.db.embedded.faults import faults_named
from fraiseql.db.embedded.places import PORT
from fraiseql.db.embedded.server import EmbeddedServer

_logger = logging.getLogger(__name__)


def project_server(base_dir: Path | str, prefer: str | None = None) -> EmbeddedServer:
    """
    Return the server of the project in ``base_dir``, started or not.

    Its state is in ``<base_dir>/.fraiseql/postgres/<major>``, or below FRAISEQL_POSTGRES_DIRECTORY.
    Existing data decides the version; ``prefer``, FRAISEQL_POSTGRES or PG_BIN decide over it:
    "embedded" is the wheel's, "17" that one.
    """
    root = Path(
        os.environ.get("FRAISEQL_POSTGRES_DIRECTORY") or Path(base_dir) / ".fraiseql" / "postgres"
    )
    majors = existing_majors(root)
    chosen = prefer or os.environ.get("FRAISEQL_POSTGRES") or os.environ.get("PG_BIN")
    if majors and not chosen:
        return EmbeddedServer(root / str(majors[-1]))
    binaries = find_binaries(prefer)
    if majors and binaries.major not in majors:
        _logger.warning(
            "PostgreSQL %s starts empty: the data in %s is of %s.",
            binaries.major,
            root,
            ", ".join(map(str, majors)),
        )
    return EmbeddedServer(root / str(binaries.major), binaries)


def existing_majors(root: Path) -> list[int]:
    """Return the versions that have data below ``root``, in ascending order."""
    if not root.is_dir():
        return []
    with faults_named(f"look for data in {root}"):
        return sorted(
            int(path.name)
            for path in root.iterdir()
            if path.name.isdecimal() and (path / "data" / "PG_VERSION").exists()
        )


def url_for(base_dir: Path | str, prefer: str | None = None) -> str:
    """
    Start the project's server if it does not run; return the URI of its database. Raises
    EmbeddedServerError.
    """
    return project_server(base_dir, prefer).start()


def database_config(base_dir: Path | str, prefer: str | None = None) -> dict[str, str]:
    """
    Return ``DATABASES["default"]`` for the project's server, and start that if it does not run.

    It is not started for ``manage.py fraiseql_postgres``, which must be able to say that it is
    stopped. Raises EmbeddedServerError.
    """
    server = project_server(base_dir, prefer)
    if sys.argv[1:2] != ["fraiseql_postgres"]:
        server.start()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": contents.DATABASE,
        "USER": contents.OWNER,
        "PASSWORD": "",
        "HOST": str(server.status().socket),
        "PORT": str(PORT),
    }

"""
A private PostgreSQL server for development: no installation, no account, no TCP port.

With ``DATABASE_URL`` unset, ``database_config(BASE_DIR)`` is a project's ``DATABASES["default"]``.
The server keeps its data under the project, listens on a socket only its owner can open, outlives
the process that started it, and ends with ``manage.py fraiseql_postgres stop``.
"""

from fraiseql.db.embedded.binaries import Binaries, find_binaries
from fraiseql.db.embedded.project import database_config, project_server, url_for
from fraiseql.db.embedded.server import EmbeddedServer, State, Status

__all__ = [
    "Binaries",
    "EmbeddedServer",
    "State",
    "Status",
    "database_config",
    "find_binaries",
    "project_server",
    "url_for",
]

"""
Real PostgreSQL servers for the tests.

Django's tests run on one server per run: FRAISEQL_TEST_POSTGRES=15|18 (18 unless given). A test
that takes ``server_uri`` runs once per version in FRAISEQL_TEST_SERVERS (``15,18`` unless given),
on an empty database of its module. A version that is named and missing is a failure; one that is
missing and was not named is skipped. FRAISEQL_TEST_POOL=simple has the asynchronous pool used so.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import connections
from psycopg import sql

from fraiseql.db import pool
from fraiseql.db.embedded import EmbeddedServer, find_binaries
from fraiseql.errors import EmbeddedServerError

NAMED = os.environ.get("FRAISEQL_TEST_SERVERS")
VERSIONS = [version.strip() for version in (NAMED or "15,18").split(",")]
# Nothing of a test run has to survive a power cut.
_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# A shell's background job ignores it, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


POOL = os.environ.get("FRAISEQL_TEST_POOL", "multiplexed")


@pytest.fixture(scope="session", autouse=True)
def pool_of_this_run() -> Iterator[None]:
    """The way to use the pool that this run is for, whatever settings a test gives."""
    with pytest.MonkeyPatch.context() as patch:
        if POOL == "simple":
            patch.setattr(pool, "lanes_of", lambda *_: 0)
        yield


class Servers:
    """The servers of this test run by version, each started when first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started: dict[str, EmbeddedServer] = {}

    def get(self, version: str) -> EmbeddedServer:
        """
        Return the running server of ``version``. Raises EmbeddedServerError if it is not installed.
        """
        if version not in self._started:
            server = EmbeddedServer(
                self._directory / version, find_binaries(version), options=_OPTIONS
            )
            server.start()
            self._started[version] = server
        return self._started[version]

    def stop(self) -> None:
        """End them all, at once: nothing has to be kept."""
        for server in self._started.values():
            if pid := server.status().pid:
                os.kill(pid, signal.SIGQUIT)
            server.stop()


@pytest.fixture(scope="session")
def short_directory() -> Iterator[Path]:
    """
    A directory that PostgreSQL's user can enter, with room for a socket's path; pytest's own are
    neither.
    """
    memory = Path("/dev/shm")
    room = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 2**30
    directory = Path(tempfile.mkdtemp(prefix="fraiseql-", dir=memory if room else "/tmp"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def servers(short_directory: Path) -> Iterator[Servers]:
    """The servers of this run."""
    found = Servers(short_directory)
    yield found
    found.stop()


@pytest.fixture(scope="session", params=VERSIONS)
def server(request: pytest.FixtureRequest, servers: Servers) -> EmbeddedServer:
    """A running server of each version."""
    try:
        return servers.get(request.param)
    except EmbeddedServerError as error:
        if NAMED:
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def server_uri(server: EmbeddedServer) -> Iterator[str]:
    """The URI of an empty database on each version, the same for all tests of a module."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield server.uri(database=name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def django_server(servers: Servers) -> EmbeddedServer:
    """The server that Django's tests run on."""
    named = os.environ.get("FRAISEQL_TEST_POSTGRES")
    try:
        return servers.get(named or "18")
    except EmbeddedServerError:
        if named:
            raise
        return servers.get(str(find_binaries().major))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_server: EmbeddedServer) -> None:
    """
    Point Django at its server; pytest-django asks for this before it creates the test database.
    """
    parameters = psycopg.conninfo.conninfo_to_dict(django_server.uri())
    for alias in connections:
        connections[alias].settings_dict |= {
            "HOST": str(parameters["host"]),
            "PORT": str(parameters["port"]),
            "USER": str(parameters["user"]),
        }

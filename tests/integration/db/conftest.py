"""Databases and servers of this room's own."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.core import mail
from django.db import connections
from django.test import override_settings
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pytest_django import DjangoDbBlocker

from fraiseql.db import catalog, costs, pool
from fraiseql.db.embedded import EmbeddedServer


def add_alias(alias: str, uri: str) -> None:
    """Put ``uri`` behind an alias in DATABASES."""
    parts = {name: str(value) for name, value in conninfo_to_dict(uri).items()}
    settings = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts["dbname"],
        "USER": parts["user"],
        "HOST": parts["host"],
        "PORT": parts["port"],
    }
    # Django fills in what the settings leave out, for all aliases at once.
    filled = connections.configure_settings({"default": {}, alias: settings})
    connections.settings[alias] = filled[alias]


def remove_alias(alias: str) -> None:
    """Take it out again."""
    connections[alias].close()
    catalog.forget(alias)
    del connections[alias]
    del connections.settings[alias]


@pytest.fixture
def alias(server_uri: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """An alias in DATABASES for the module's database on each version."""
    add_alias("probe", server_uri)
    with django_db_blocker.unblock():
        yield "probe"
        remove_alias("probe")


@pytest.fixture
def client(server_uri: str) -> Iterator[psycopg.Connection]:
    """A connection of the test's own to the database of ``alias``."""
    with psycopg.connect(server_uri, autocommit=True) as connection:
        yield connection


@pytest.fixture
def configure() -> Iterator[Callable[..., object]]:
    """Call with settings of ``settings.FRAISEQL``; they are in force until the test ends."""
    with ExitStack() as stack:
        yield lambda **given: stack.enter_context(override_settings(FRAISEQL=given))


@pytest.fixture
def as_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing says that this is a test: statements go straight to the pool."""
    monkeypatch.delattr(mail, "outbox")


@pytest.fixture(scope="module")
def own_server(short_directory: Path) -> Iterator[EmbeddedServer]:
    """A server that the module may stop and start."""
    server = EmbeddedServer(short_directory / "own", options={"fsync": "off"})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_alias(own_server: EmbeddedServer, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """An alias in DATABASES for ``own_server``."""
    own_server.start()
    add_alias("own", own_server.uri())
    with django_db_blocker.unblock():
        yield "own"
        remove_alias("own")


@pytest.fixture
def pooled_alias(
    request: pytest.FixtureRequest,
    server_uri: str,
    short_directory: Path,
    tmp_path: Path,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """
    An alias for the module's database behind PgBouncer in transaction mode, with one connection.

    The parameter: a line more of its settings.
    """
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed")
    parts = conninfo_to_dict(server_uri)
    place = short_directory / uuid4().hex
    place.mkdir()
    place.chmod(0o777)
    # As the server's own user: not root, and nobody else may use its socket.
    account = (Path(str(parts["host"])) / f".s.PGSQL.{parts['port']}").owner()
    settings = place / "pgbouncer.ini"
    settings.write_text(
        f"""[databases]
{parts["dbname"]} = host={parts["host"]} port={parts["port"]} user={parts["user"]}
[pgbouncer]
unix_socket_dir = {place}
listen_port = 6432
auth_type = any
pool_mode = transaction
default_pool_size = 1
{getattr(request, "param", "")}
"""
    )
    command = [program, "-q", *(["-u", account] if os.geteuid() == 0 else []), str(settings)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 5
        while not (place / ".s.PGSQL.6432").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        add_alias("pooled", make_conninfo(server_uri, host=str(place), port="6432"))
        connections.settings["pooled"]["DISABLE_SERVER_SIDE_CURSORS"] = True
        with django_db_blocker.unblock():
            yield "pooled"
            remove_alias("pooled")
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(place)


@pytest.fixture(params=["multiplexed", "simple"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to use the pool; multiplexed, one run is enough for a statement to share a lane."""
    if request.param == "simple":
        monkeypatch.setattr(pool, "lanes_of", lambda *_: 0)
    else:
        monkeypatch.setattr(costs, "TRIALS", 1)
        monkeypatch.setattr(costs, "CHEAP_S", 60)

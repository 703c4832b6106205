"""Servers as processes, and a database for them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from psycopg import sql

from tests.conftest import POOL

ROOT = Path(__file__).resolve().parents[3]
SITE = "tests.integration.edges.site.asgi"
# The last two wait for requests under way when they end; here, for a second.
COMMANDS = {
    "daphne": "-m daphne --bind 127.0.0.1 --port {port}",
    "uvicorn": "-m uvicorn --host 127.0.0.1 --port {port} --timeout-graceful-shutdown 1",
    "granian": "-m granian --interface asgi --host 127.0.0.1 --port {port} --workers-kill-timeout 1",
}
SCRIPTS = (
    *(
        path
        for kind in ("types", "tables", "functions")
        for path in sorted((ROOT / "fraiseql/sql" / kind).iterdir())
    ),
    *(
        ROOT / f"tests/shop/sql/{name}.sql"
        for name in ("tables", "data", "views", "related", "stalls")
    ),
    Path(__file__).parent / "site/views.sql",
    Path(__file__).parent / "site/tables.sql",
)


@dataclass(frozen=True)
class Served:
    """A running server: its address, its process and where it writes."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """Return the endpoint."""
        return f"http://127.0.0.1:{self.port}/graphql/"

    def ask(self, query: str, timeout: float = 20.0) -> dict[str, Any]:
        """Return what the server answers, parsed; fail if it is not GraphQL in JSON."""
        response = httpx.post(self.url, json={"query": query}, timeout=timeout)
        assert response.headers["content-type"] == "application/json; charset=utf-8"
        assert response.status_code in {200, 503}
        answer: dict[str, Any] = response.json()
        return answer

    def codes(self, query: str) -> list[str]:
        """Return the codes of the errors the server answers with."""
        return [error["extensions"]["code"] for error in self.ask(query).get("errors", [])]

    def send(self, query: str) -> socket.socket:
        """Send a request without waiting for its answer."""
        body = json.dumps({"query": query}).encode()
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sendall(
            b"POST /graphql/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        return connection


@contextmanager
def serve(
    name: str, database: str, log: Path, *, application: str = "application", **settings: Any
) -> Iterator[Served]:
    """Run the site under a server; ``application``: in site/asgi.py, ``settings``: of FRAISEQL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *COMMANDS[name].format(port=port).split(), f"{SITE}:{application}"]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "tests.integration.edges.site.settings",
        "SITE_DATABASE": database,
        "SITE_FRAISEQL": json.dumps({"POOL": POOL, **settings}),
    }
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        served = Served(port, process, log)
        try:
            until(lambda: _listens(served))
            yield served
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()


def _listens(served: Served) -> bool:
    assert served.process.poll() is None, served.log.read_text()
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", served.port)) == 0


def until(holds: Callable[[], Any], timeout_s: float = 20.0) -> Any:
    """Return what ``holds`` returns as soon as it is true; fail if that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
    return found


def furnish(uri: str) -> None:
    """Make the tables and views of the site in an empty database."""
    with psycopg.connect(uri, autocommit=True) as connection:
        for script in SCRIPTS:
            connection.execute(script.read_bytes())


@contextmanager
def database(server_uri: Callable[..., str]) -> Iterator[str]:
    """Return the URI of a furnished database, dropped afterwards; ``server_uri``: EmbeddedServer.uri."""
    name = f"edges_{uuid4().hex}"
    with psycopg.connect(server_uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            furnish(server_uri(database=name))
            yield server_uri(database=name)
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(drop)


def running(uri: str, text: str = "v_nap") -> list[int]:
    """Return the backends of the database that run a statement with ``text`` in it."""
    with psycopg.connect(uri, autocommit=True) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND state = 'active' AND pid <> pg_backend_pid() AND query LIKE %s",
            [f"%{text}%"],
        )
        return [pid for (pid,) in found]

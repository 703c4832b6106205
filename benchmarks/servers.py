"""The systems under test and the servers they run under; each one process that answers."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent


class ServerFailed(RuntimeError):
    """A server did not start, or answered with an error."""


@dataclass(frozen=True)
class System:
    """An application under test."""

    name: str
    application: str
    path: str
    environment: Mapping[str, str] = field(default_factory=dict)


FLOOR = System("floor", "benchmarks.floor:application", "/graphql/")
FRAISEQL = System(
    "fraiseql",
    "benchmarks.app.asgi:application",
    "/graphql/",
    {"DJANGO_SETTINGS_MODULE": "benchmarks.app.settings"},
)
SYSTEMS = {system.name: system for system in (FLOOR, FRAISEQL)}


@dataclass(frozen=True)
class Server:
    """A running server."""

    system: System
    url: str
    pid: int

    def ask(self, body: bytes) -> bytes:
        """Return the answer to one request."""
        request = urllib.request.Request(
            self.url, body, {"Content-Type": "application/json", "Accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            raise ServerFailed(
                f"{self.system.name}: {error.code} {error.read()[:2000]!r}"
            ) from error


def _uvicorn(application: str, port: int) -> list[str]:
    return [
        "uvicorn", application, "--host", HOST, "--port", str(port), "--workers", "1",
        "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip


def _granian(application: str, port: int) -> list[str]:
    return [
        "granian", application, "--interface", "asgi", "--host", HOST, "--port", str(port),
        "--workers", "1", "--runtime-threads", "1", "--loop", "uvloop", "--http", "1",
        "--no-ws", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip


def _daphne(application: str, port: int) -> list[str]:
    return ["daphne", "-b", HOST, "-p", str(port), "-v", "0", "--no-server-name", application]


COMMANDS: dict[str, Callable[[str, int], list[str]]] = {
    "uvicorn": _uvicorn,
    "granian": _granian,
    "daphne": _daphne,
}


@contextmanager
def serving(
    kind: str, system: System, environment: Mapping[str, str], log: Path
) -> Iterator[Server]:
    """Run ``system`` under the server ``kind`` for as long as the block lasts."""
    port = _free_port()
    command = [sys.executable, "-m", *COMMANDS[kind](system.application, port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            start_new_session=True,
            env={**os.environ, **environment, **system.environment},
        )
        try:
            _wait(process, port, log)
            yield Server(system, f"http://{HOST}:{port}{system.path}", process.pid)
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailed(f"{log.stem} did not start:\n{_tail(log)}") from error
            time.sleep(0.05)
        else:
            return


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server's whole session: granian's worker is a process of its own."""
    for how, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, how)
            process.wait(seconds)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        else:
            return

"""A system under test, started and stopped: one process that answers."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent


class ServerFailed(RuntimeError):
    """A server did not start, or answered with an error."""


@dataclass(frozen=True)
class System:
    """
    An application under test, with the server that serves it best.

    ``command``: the program by port, run in ``directory()``. ``operations``: a file of documents, where its
    GraphQL differs from ours. ``setup``: SQL it wants in the database. ``warm_seconds``: how long each
    operation runs before it counts.
    """

    name: str
    title: str
    command: Callable[[int], Sequence[str | Path]]
    path: str = "/graphql/"
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Callable[[], Path] = lambda: ROOT
    operations: Path | None = None
    setup: Path | None = None
    warm_seconds: float = 1

    @cached_property
    def documents(self) -> dict[str, str]:
        """Return its own wording of each operation, by name."""
        if self.operations is None:
            return {}
        blocks = self.operations.read_text().strip().split("\n\n")
        return {block.split("(")[0].split()[1]: block for block in blocks}


@dataclass(frozen=True)
class Server:
    """A running server."""

    system: System
    url: str
    pid: int

    def ask(self, body: bytes) -> bytes:
        """Return the answer to one request."""
        request = urllib.request.Request(
            self.url,
            body,
            {
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Authorization": "Bearer viewer-7",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                answer: bytes = response.read()
                return answer
        except urllib.error.HTTPError as error:
            raise ServerFailed(
                f"{self.system.name}: {error.code} {error.read()[:2000]!r}"
            ) from error


@contextmanager
def serving(system: System, environment: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Run ``system`` for as long as the block lasts."""
    port = _free_port()
    command = system.command(port)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            cwd=system.directory(),
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

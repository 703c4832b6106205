"""The systems under test: the floor, FraiseQL under each server, and the peers."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.environments import PEERS, environment
from benchmarks.servers import HOST, System

Command = Callable[[int], Sequence[str | Path]]

# One process that answers, one thread where there is a choice.
_UVICORN = (
    "--host", HOST, "--workers", "1", "--loop", "uvloop", "--http", "httptools", "--no-access-log",
    "--log-level", "warning",
)  # fmt: skip
_GRANIAN = (
    "--interface", "asgi", "--host", HOST, "--workers", "1", "--runtime-threads", "1", "--loop", "uvloop",
    "--http", "1", "--no-ws", "--no-access-log", "--log-level", "warning",
)  # fmt: skip
_DAPHNE = ("-b", HOST, "-v", "0", "--no-server-name")
# gthread keeps connections alive, as the other worker for WSGI does not; one thread reads while one answers.
_GUNICORN = (
    "--workers",
    "1",
    "--worker-class",
    "gthread",
    "--threads",
    "2",
    "--log-level",
    "warning",
)


def uvicorn(application: str, python: Callable[[], str | Path] = lambda: sys.executable) -> Command:
    """Return how an application is served by uvicorn, as fast as that is."""
    return lambda port: [
        python(), "-m", "uvicorn", application, "--port", str(port), *_UVICORN
    ]  # fmt: skip


def _granian(application: str) -> Command:
    return lambda port: [
        sys.executable, "-m", "granian", application, "--port", str(port), *_GRANIAN
    ]  # fmt: skip


def _daphne(application: str) -> Command:
    return lambda port: [sys.executable, "-m", "daphne", "-p", str(port), *_DAPHNE, application]


def _gunicorn(peer: str) -> Command:
    return lambda port: [
        _python(peer)(), "-m", "gunicorn", f"benchmarks.peers.{peer}.wsgi:application",
        "--bind", f"{HOST}:{port}", *_GUNICORN,
    ]  # fmt: skip


def _python(peer: str) -> Callable[[], Path]:
    return lambda: environment(peer) / "bin" / "python"


def _node(port: int) -> Sequence[str | Path]:
    node = environment("postgraphile") / "node_modules" / "node" / "bin" / "node"
    return [node, PEERS / "postgraphile" / "server.js", str(port)]


_APPLICATION = "benchmarks.app.asgi:application"
_SETTINGS = {"DJANGO_SETTINGS_MODULE": "benchmarks.app.settings"}
_VIEWERS = {**_SETTINGS, "BENCHMARK_VIEWERS": "1"}


def _django(peer: str, title: str) -> System:
    return System(
        peer.replace("_", "-"),
        title,
        _gunicorn(peer),
        environment={"DJANGO_SETTINGS_MODULE": f"benchmarks.peers.{peer}.settings"},
        operations=PEERS / "blog" / "operations.graphql",
    )


FLOOR = System("floor", "hand-written floor", uvicorn("benchmarks.floor:application"))
FRAISEQL = System("fraiseql", "FraiseQL, uvicorn", uvicorn(_APPLICATION), environment=_VIEWERS)
OURS = (
    FRAISEQL,
    System("fraiseql-granian", "FraiseQL, granian", _granian(_APPLICATION), environment=_VIEWERS),
    System("fraiseql-daphne", "FraiseQL, daphne", _daphne(_APPLICATION), environment=_VIEWERS),
    System(
        "fraiseql-nobody",
        "FraiseQL, uvicorn, no login",
        uvicorn(_APPLICATION),
        environment=_SETTINGS,
    ),
)
RIVALS = (
    System(
        "postgraphile",
        "PostGraphile 5",
        _node,
        path="/graphql",
        environment={"NODE_ENV": "production", "GRAPHILE_ENV": "production"},
        directory=lambda: environment("postgraphile"),
        operations=PEERS / "postgraphile" / "operations.graphql",
        # Node compiles what it has seen some thousand times: then it takes a third of the time.
        warm_seconds=5,
    ),
    System(
        "fraiseql-1",
        "FraiseQL 1 (FastAPI)",
        uvicorn("app:app", _python("fraiseql_1")),
        path="/graphql",
        # Its folder, not ours: a package of the same name is here.
        directory=lambda: PEERS / "fraiseql_1",
        operations=PEERS / "fraiseql_1" / "operations.graphql",
        setup=PEERS / "fraiseql_1" / "setup.sql",
    ),
    _django("strawberry_django", "strawberry-django"),
    _django("graphene_django", "graphene-django"),
)
SYSTEMS = {system.name: system for system in (*OURS, FLOOR, *RIVALS)}

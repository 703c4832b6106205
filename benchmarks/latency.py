"""How long an answer takes while the server does half of what it can, alone and beside a slow statement."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import sleep

from benchmarks.load import run
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.postgres import Postgres
from benchmarks.servers import Server, System
from benchmarks.throughput import Effort, started, write_bodies

# Five seconds by themselves; on a server that is not ours nobody would let a client ask for that.
SLOW = b'{"query": "query Slow { slow { id } }", "operationName": "Slow", "variables": {}}'
_CALIBRATIONS = 2


@dataclass(frozen=True)
class Latency:
    """One system and operation at half load, medians over the rounds. ``rate``: what was really asked for."""

    system: str
    operation: str
    full_rate: float
    rate: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Alone:
    """The first operation over one connection, and at half load with and without a slow statement beside it."""

    system: str
    p50_ms: float
    p95_ms: float
    p99_alone_ms: float
    p99_beside_ms: float


def latency(
    postgres: Postgres, system: System, effort: Effort, directory: Path
) -> Iterator[Latency]:
    """Yield the latencies at half load of every operation that reads."""
    with started(system, postgres, directory) as server:
        for operation in OPERATIONS:
            if not operation.writes:
                yield _half_load(server, operation, effort, directory)


def alone(postgres: Postgres, system: System, effort: Effort, directory: Path) -> Alone:
    """Return how Q1 fares over one connection, and beside a slow statement."""
    operation = OPERATIONS[0]
    with started(system, postgres, directory) as server:
        bodies = write_bodies(system, operation, directory)
        server.ask(SLOW)
        run(server.url, bodies, seconds=1, connections=effort.connections)
        one = [run(server.url, bodies, seconds=effort.seconds, connections=1) for _ in range(3)]
        pause_ms, _ = _calibrated(server, bodies, effort)
        quiet, beside = [], []
        for _ in range(3):
            quiet.append(_p99(server, bodies, effort, pause_ms))
            with _slow(server):
                beside.append(_p99(server, bodies, effort, pause_ms))
    return Alone(
        system=system.name,
        p50_ms=median(report["p50_ms"] for report in one),
        p95_ms=median(report["p95_ms"] for report in one),
        p99_alone_ms=median(quiet),
        p99_beside_ms=median(beside),
    )


@contextmanager
def _slow(server: Server) -> Iterator[None]:
    """Have the server busy with a slow statement, from shortly before the block to after it."""
    thread = threading.Thread(target=server.ask, args=(SLOW,))
    thread.start()
    sleep(0.2)  # until it has reached PostgreSQL
    yield
    thread.join()


def _p99(server: Server, bodies: Path, effort: Effort, pause_ms: float) -> float:
    # Over before the slow statement is.
    seconds = min(effort.seconds, 4)
    return run(
        server.url, bodies, seconds=seconds, connections=effort.connections, pause_ms=pause_ms
    )["p99_ms"]


def _half_load(server: Server, operation: Operation, effort: Effort, directory: Path) -> Latency:
    bodies = write_bodies(server.system, operation, directory)
    pause_ms, full_rate = _calibrated(server, bodies, effort)
    reports = [
        run(server.url, bodies, seconds=1, connections=effort.connections, pause_ms=pause_ms)
        for _ in range(effort.rounds)
    ]
    return Latency(
        system=server.system.name,
        operation=operation.name,
        full_rate=full_rate,
        rate=median(report["requests"] / report["seconds"] for report in reports),
        p50_ms=median(report["p50_ms"] for report in reports),
        p99_ms=median(report["p99_ms"] for report in reports),
    )


def _calibrated(server: Server, bodies: Path, effort: Effort) -> tuple[float, float]:
    """Return the pause at which the load is half of what the server can do, and that whole."""
    connections = effort.connections
    run(server.url, bodies, seconds=1, connections=connections)
    report = run(server.url, bodies, seconds=1, connections=connections)
    full = report["requests"] / report["seconds"]
    wanted = full / 2
    # At first as if answers took no time; then by what they took.
    pause_ms = connections / wanted * 1000
    for _ in range(_CALIBRATIONS):
        report = run(server.url, bodies, seconds=1, connections=connections, pause_ms=pause_ms)
        answer_ms = connections / (report["requests"] / report["seconds"]) * 1000 - pause_ms
        pause_ms = max(0.1, connections / wanted * 1000 - answer_ms)
    return pause_ms, full

"""Requests a second of each system under each server, their answers compared first."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.load import Load, Target, measure, run
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.postgres import Postgres
from benchmarks.servers import Server, System, serving

COMPARED = 25  # answers of each operation that all systems must give alike


class AnswersDiffer(RuntimeError):
    """Two systems answered the same request differently: there is nothing to compare."""


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    seconds: float = 5.0
    rounds: int = 3
    connections: int = 16


@dataclass(frozen=True)
class Figure:
    """One system, server and operation: the median of each figure over the rounds."""

    server: str
    system: str
    operation: str
    rate: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float
    postgres_cpu_ms: float
    rounds: tuple[Load, ...]


def throughput(
    postgres: Postgres,
    kinds: Sequence[str],
    systems: Sequence[System],
    effort: Effort,
    directory: Path,
) -> Iterator[Figure]:
    """Measure every system under every server, the systems taking turns; yield each figure."""
    bodies = write_bodies(directory)
    for kind in kinds:
        with ExitStack() as stack:
            servers = [
                stack.enter_context(
                    serving(
                        kind,
                        system,
                        postgres.environment(),
                        directory / f"{kind}-{system.name}.log",
                    )
                )
                for system in systems
            ]
            compare(servers)
            yield from _measure_all(kind, servers, postgres, bodies, effort)


def _measure_all(
    kind: str,
    servers: Sequence[Server],
    postgres: Postgres,
    bodies: Mapping[str, Path],
    effort: Effort,
) -> Iterator[Figure]:
    for operation in OPERATIONS:
        loads: dict[str, list[Load]] = {server.system.name: [] for server in servers}
        for turn in range(effort.rounds):
            # Whoever was first is last in the next round: the machine's mood is shared out.
            for server in servers if turn % 2 == 0 else reversed(servers):
                target = Target(server.url, server.pid, postgres.pid)
                path = bodies[operation.name]
                run(target.url, path, seconds=1, connections=effort.connections)
                loads[server.system.name].append(
                    measure(target, path, seconds=effort.seconds, connections=effort.connections)
                )
        compare(servers, [operation])
        for server in servers:
            yield _figure(kind, server.system.name, operation, loads[server.system.name])


def _figure(kind: str, system: str, operation: Operation, loads: Sequence[Load]) -> Figure:
    return Figure(
        server=kind,
        system=system,
        operation=operation.name,
        rate=median(load.rate for load in loads),
        p50_ms=median(load.p50_ms for load in loads),
        p99_ms=median(load.p99_ms for load in loads),
        server_cpu_ms=median(load.server_cpu_ms for load in loads),
        postgres_cpu_ms=median(load.postgres_cpu_ms for load in loads),
        rounds=tuple(loads),
    )


def write_bodies(directory: Path) -> dict[str, Path]:
    """Write the request bodies of every operation to a file each; return the files by name."""
    files = {}
    for operation in OPERATIONS:
        files[operation.name] = directory / f"{operation.name}.jsonl"
        files[operation.name].write_bytes(b"\n".join(operation.bodies()) + b"\n")
    return files


def compare(servers: Sequence[Server], operations: Sequence[Operation] = OPERATIONS) -> None:
    """Raise AnswersDiffer unless all servers answer alike, without errors and not emptily."""
    for operation in operations:
        for body in operation.bodies(COMPARED):
            answers = [(server.system.name, json.loads(server.ask(body))) for server in servers]
            first, expected = answers[0]
            _require_data(first, body, expected)
            for name, answer in answers[1:]:
                if answer != expected:
                    raise AnswersDiffer(
                        f"{operation.name}: {name} and {first} differ.\n"
                        f"request: {body.decode()}\n"
                        f"{first}: {_short(expected)}\n{name}: {_short(answer)}"
                    )


def _require_data(name: str, body: bytes, answer: dict[str, Any]) -> None:
    data = answer.get("data")
    if "errors" in answer or not data or not all(data.values()):
        raise AnswersDiffer(f"{name} answers {_short(answer)} to {body.decode()}")


def _short(answer: object) -> str:
    return json.dumps(answer, ensure_ascii=False)[:1500]

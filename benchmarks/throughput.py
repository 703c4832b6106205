"""Requests a second of each system under each server, their answers compared first."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.load import Load, Target, measure, run
from benchmarks.operations import OPERATIONS, Operation
from benchmarks.postgres import Postgres
from benchmarks.servers import Server, System, serving

COMPARED = 25  # answers of each operation that all systems must give alike
RECOMPARED = 5  # the same after the timing


class AnswersDiffer(RuntimeError):
    """Two systems answered the same request differently: there is nothing to compare."""


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    seconds: float = 5.0
    rounds: int = 3
    connections: int = 16


@dataclass(frozen=True)
class Side:
    """A server that takes part in turns, and the bodies it is sent."""

    target: Target
    bodies: Path
    warm_seconds: float = 1


@dataclass(frozen=True)
class Figure:
    """One system and operation: the median of each figure over the rounds."""

    system: str
    operation: str
    rate: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float
    postgres_cpu_ms: float
    rounds: tuple[Load, ...]


def throughput(
    postgres: Postgres, systems: Sequence[System], effort: Effort, directory: Path
) -> Iterator[Figure]:
    """Measure every system, all taking turns; yield each figure."""
    postgres.restore()
    with ExitStack() as stack:
        servers = [stack.enter_context(started(system, postgres, directory)) for system in systems]
        compare(servers)
        postgres.restore()
        for operation in OPERATIONS:
            sides = {
                server.system.name: Side(
                    Target(server.url, server.pid, postgres.pid),
                    write_bodies(server.system, operation, directory),
                    server.system.warm_seconds,
                )
                for server in servers
            }
            loads = take_turns(sides, effort, postgres.restore if operation.writes else None)
            compare(servers, [operation], RECOMPARED)
            if operation.writes:
                postgres.restore()
            for name, found in loads.items():
                yield _figure(name, operation, found)


@contextmanager
def started(system: System, postgres: Postgres, directory: Path) -> Iterator[Server]:
    """Run a system, with what it wants in the database."""
    if system.setup:
        with postgres.connect() as connection:
            connection.execute(system.setup.read_bytes())
    with serving(system, postgres.environment(), directory / f"{system.name}.log") as server:
        yield server


def take_turns(
    sides: Mapping[str, Side], effort: Effort, after: Callable[[], None] | None = None
) -> dict[str, list[Load]]:
    """Return the loads of all sides by name, one of each a round; ``after`` undoes what it wrote."""
    loads: dict[str, list[Load]] = {name: [] for name in sides}
    for turn in range(effort.rounds):
        # Whoever was first is last in the next round: the machine's mood is shared out.
        for name in sides if turn % 2 == 0 else reversed(sides):
            side = sides[name]
            if turn == 0:
                run(
                    side.target.url,
                    side.bodies,
                    seconds=side.warm_seconds,
                    connections=effort.connections,
                )
            load = measure(
                side.target, side.bodies, seconds=effort.seconds, connections=effort.connections
            )
            loads[name].append(load)
            if after:
                after()
    return loads


def _figure(system: str, operation: Operation, loads: Sequence[Load]) -> Figure:
    return Figure(
        system=system,
        operation=operation.name,
        rate=median(load.rate for load in loads),
        p50_ms=median(load.p50_ms for load in loads),
        p99_ms=median(load.p99_ms for load in loads),
        server_cpu_ms=median(load.server_cpu_ms for load in loads),
        postgres_cpu_ms=median(load.postgres_cpu_ms for load in loads),
        rounds=tuple(loads),
    )


def write_bodies(system: System, operation: Operation, directory: Path) -> Path:
    """Write the request bodies of an operation, as the system words it, to a file; return it."""
    path = directory / f"{operation.name}-{system.name}.jsonl"
    bodies = operation.bodies(document=system.documents.get(operation.name))
    path.write_bytes(b"\n".join(bodies) + b"\n")
    return path


def compare(
    servers: Sequence[Server],
    operations: Sequence[Operation] = OPERATIONS,
    count: int = COMPARED,
) -> None:
    """Raise AnswersDiffer unless all servers answer alike, without errors and not emptily."""
    for operation in operations:
        first, *others = servers
        expected = _answers(first, operation, count)
        for server in others:
            for index, answer in enumerate(_answers(server, operation, count)):
                if answer != expected[index]:
                    raise AnswersDiffer(
                        f"{operation.name}: {server.system.name} and {first.system.name} differ.\n"
                        f"{first.system.name}: {_short(expected[index])}\n"
                        f"{server.system.name}: {_short(answer)}"
                    )


def _answers(server: Server, operation: Operation, count: int) -> list[Any]:
    found = []
    for body in operation.bodies(count, server.system.documents.get(operation.name)):
        answer = json.loads(server.ask(body))
        _require_data(server.system.name, body, answer)
        found.append(_normal(answer))
    return found


def _normal(value: Any) -> Any:
    """Return the answer with its moments as such: systems write them with more or fewer digits."""
    if isinstance(value, list):
        return [_normal(entry) for entry in value]
    if isinstance(value, dict):
        return {
            key: datetime.fromisoformat(entry) if key == "createdAt" else _normal(entry)
            for key, entry in value.items()
        }
    return value


def _require_data(name: str, body: bytes, answer: dict[str, Any]) -> None:
    data = answer.get("data")
    if "errors" in answer or not data or not all(data.values()):
        raise AnswersDiffer(f"{name} answers {_short(answer)} to {body.decode()}")


def _short(answer: object) -> str:
    return json.dumps(answer, ensure_ascii=False)[:1500]

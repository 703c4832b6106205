"""What ten times the posts cost: one by id, and a page before a moment."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.dataset import POSTS, database
from benchmarks.load import Target
from benchmarks.operations import OPERATIONS
from benchmarks.postgres import Postgres
from benchmarks.systems import FRAISEQL
from benchmarks.throughput import Effort, Side, started, take_turns

MORE = 1_000_000
SCALED = ("Q3", "Q4")
# Until each of the requests came once, so that neither side waits for the disk.
WARM_SECONDS = 3


@dataclass(frozen=True)
class Scale:
    """An operation over that many posts: medians of the rounds."""

    posts: int
    operation: str
    rate: float
    server_cpu_ms: float
    postgres_cpu_ms: float


def scale(postgres: Postgres, effort: Effort, directory: Path, posts: int) -> Iterator[Scale]:
    """Measure operations over the usual posts and over ``posts``, in turns; the first time, load those."""
    with ExitStack() as stack:
        more = stack.enter_context(database(posts))
        servers = {
            count: (side, stack.enter_context(started(FRAISEQL, side, directory)))
            for count, side in ((POSTS, postgres), (posts, more))
        }
        for operation in OPERATIONS:
            if operation.name not in SCALED:
                continue
            sides = {}
            for count, (side, server) in servers.items():
                bodies = directory / f"{operation.name}-of-{count}.jsonl"
                bodies.write_bytes(b"\n".join(operation.bodies(posts=count)) + b"\n")
                sides[str(count)] = Side(
                    Target(server.url, server.pid, side.pid), bodies, WARM_SECONDS
                )
            for name, loads in take_turns(sides, effort).items():
                yield Scale(
                    posts=int(name),
                    operation=operation.name,
                    rate=median(load.rate for load in loads),
                    server_cpu_ms=median(load.server_cpu_ms for load in loads),
                    postgres_cpu_ms=median(load.postgres_cpu_ms for load in loads),
                )

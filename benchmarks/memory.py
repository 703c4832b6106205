"""Whether a server's memory stays flat over 100,000 requests of all kinds."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import run
from benchmarks.operations import OPERATIONS
from benchmarks.postgres import Postgres
from benchmarks.processes import resident_bytes
from benchmarks.servers import System
from benchmarks.throughput import started

REQUESTS = 100_000
WARM_UP = 10_000  # caches, pools and the allocator find their size
# What a page cache of allocators moves by itself from sample to sample; a leak of 32 bytes a
# request is more.
ALLOWED_BYTES = 3 * 1024 * 1024


@dataclass(frozen=True)
class Memory:
    """Resident bytes of the server's processes: ``samples`` of (requests answered, bytes)."""

    system: str
    samples: tuple[tuple[int, int], ...]

    @property
    def growth_bytes(self) -> int:
        """Bytes gained from the first sample, after the warm-up, to the last."""
        return self.samples[-1][1] - self.samples[0][1]

    @property
    def is_flat(self) -> bool:
        """Tell whether the growth is within what an allocator moves by itself."""
        return self.growth_bytes <= ALLOWED_BYTES


def memory(postgres: Postgres, system: System, directory: Path, requests: int = REQUESTS) -> Memory:
    """Load one server with all operations that read in turn and watch its memory."""
    bodies = directory / "all.jsonl"
    bodies.write_bytes(b"\n".join(_mixed()) + b"\n")
    with started(system, postgres, directory) as server:
        _answer(server.url, bodies, min(WARM_UP, requests))
        samples = [(0, resident_bytes(server.pid))]
        while samples[-1][0] < requests:
            answered = samples[-1][0] + _answer(server.url, bodies, requests // 10)
            samples.append((answered, resident_bytes(server.pid)))
    return Memory(system.name, tuple(samples))


def _answer(url: str, bodies: Path, requests: int) -> int:
    """Have at least ``requests`` requests answered; return how many."""
    answered = 0
    while answered < requests:
        answered += int(run(url, bodies, seconds=2, connections=16)["requests"])
    return answered


def _mixed() -> list[bytes]:
    by_operation = [operation.bodies(2_000) for operation in OPERATIONS if not operation.writes]
    return [body for turn in zip(*by_operation, strict=True) for body in turn]

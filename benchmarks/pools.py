"""One small statement by psycopg's pool, bare libpq and FraiseQL's: what it costs this process."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

from benchmarks.postgres import Postgres
from benchmarks.servers import ROOT
from benchmarks.systems import FRAISEQL
from benchmarks.throughput import Effort

POOLS = ("psycopg", "libpq", "fraiseql")


@dataclass(frozen=True)
class PoolFigure:
    """Statements a second and this process's processor time for each, the median of the rounds."""

    pool: str
    rate: float
    cpu_us: float


def pools(postgres: Postgres, effort: Effort) -> list[PoolFigure]:
    """Measure the pools in turns, each in a process of its own."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in POOLS}
    for _ in range(effort.rounds):
        for name, rounds in found.items():
            rounds.append(_probe(postgres, effort, name))
    return [
        PoolFigure(
            name,
            median(entry["rate"] for entry in rounds),
            median(entry["cpu_us"] for entry in rounds),
        )
        for name, rounds in found.items()
    ]


def _probe(postgres: Postgres, effort: Effort, pool: str) -> dict[str, float]:
    answer = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.pools_probe",
            pool, str(effort.seconds), str(effort.connections),
        ],
        env={**os.environ, **postgres.environment(), **FRAISEQL.environment},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode:
        raise RuntimeError(f"The {pool} pool failed:\n{answer.stderr}")
    figures: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return figures

"""How long a projection of 100,000 posts takes to fill, beside one statement written by hand."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.postgres import Postgres
from benchmarks.servers import ROOT

PROBE = Path(__file__).with_name("sync_probe.py")


@dataclass(frozen=True)
class Sync:
    """
    Seconds, the better of two: of an empty projection, of one whose rows are all wrong, and of one that is right.

    ``row_ms``: PostgreSQL's milliseconds for one changed row. ``memory_mb``: the process's largest size.
    """

    fill: float
    fill_by_hand: float
    rewrite: float
    rewrite_by_hand: float
    nothing: float
    nothing_by_hand: float
    row_ms: float
    memory_mb: float


def sync(postgres: Postgres) -> Sync:
    """Fill, spoil and sync a projection of the dataset's posts."""
    environment = {
        **os.environ,
        **postgres.environment(),
        "DJANGO_SETTINGS_MODULE": "benchmarks.app.settings",
        "PYTHONPATH": str(ROOT),
    }
    answer = subprocess.run(
        [sys.executable, PROBE], env=environment, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise RuntimeError(f"The sync failed:\n{answer.stdout}{answer.stderr}")
    return Sync(**json.loads(answer.stdout.splitlines()[-1]))

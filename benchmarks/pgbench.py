"""The same statements by pgbench: what PostgreSQL and libpq allow when nothing is done with the rows."""

import os
import re
import subprocess
from pathlib import Path
from statistics import median

from benchmarks.operations import OPERATIONS
from benchmarks.postgres import Postgres
from benchmarks.throughput import Effort
from fraiseql.db.embedded import Binaries


def pgbench(postgres: Postgres, effort: Effort, directory: Path) -> dict[str, float]:
    """Return transactions a second by operation, the median of the rounds."""
    found: dict[str, list[float]] = {operation.name: [] for operation in OPERATIONS}
    for operation in OPERATIONS:
        script = directory / f"{operation.name}.sql"
        script.write_text(operation.pgbench())
    for _ in range(effort.rounds):
        for operation in OPERATIONS:
            rate = _rate(postgres, effort, directory / f"{operation.name}.sql")
            found[operation.name].append(rate)
            if operation.writes:
                postgres.restore()
    return {name: median(rates) for name, rates in found.items()}


def _rate(postgres: Postgres, effort: Effort, script: Path) -> float:
    binaries = postgres.server.binaries
    command = [
        binaries.program("pgbench"), "--no-vacuum", "--protocol=prepared",
        f"--client={effort.connections}", "--jobs=1", f"--time={max(1, round(effort.seconds))}",
        f"--file={script}",
    ]  # fmt: skip
    answer = subprocess.run(
        command,
        env={**os.environ, **postgres.environment(), **_libraries(binaries)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"tps = ([\d.]+)", answer.stdout)
    if answer.returncode or not found:
        raise RuntimeError(f"pgbench failed:\n{answer.stdout}{answer.stderr}")
    return float(found.group(1))


def _libraries(binaries: Binaries) -> dict[str, str]:
    return {"LD_LIBRARY_PATH": binaries.libraries} if binaries.libraries else {}

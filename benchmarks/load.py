"""The load: wrk, driven by a file of request bodies."""

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import cpu_ms

SCRIPT = Path(__file__).with_name("load.lua")


class LoadFailed(RuntimeError):
    """The load generator is missing, or requests went wrong under load."""


@dataclass(frozen=True)
class Load:
    """What one run of wrk measured; times in milliseconds, processor time a request."""

    requests: int
    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    server_cpu_ms: float
    postgres_cpu_ms: float


@dataclass(frozen=True)
class Target:
    """Who is loaded, and whose processor time is read meanwhile."""

    url: str
    server_pid: int
    postgres_pid: int


def require_wrk() -> str:
    """Return wrk's path."""
    if found := shutil.which("wrk"):
        return found
    raise LoadFailed("wrk is not installed: apt install wrk (or your system's package).")


def measure(target: Target, bodies: Path, *, seconds: float, connections: int) -> Load:
    """Load the target. Raises LoadFailed if any request failed."""
    server, postgres = cpu_ms(target.server_pid), cpu_ms(target.postgres_pid)
    report = run(target.url, bodies, seconds=seconds, connections=connections)
    server = cpu_ms(target.server_pid) - server
    postgres = cpu_ms(target.postgres_pid) - postgres
    _settle(target)
    requests = int(report["requests"])
    return Load(
        requests=requests,
        rate=requests / report["seconds"],
        p50_ms=report["p50_ms"],
        p95_ms=report["p95_ms"],
        p99_ms=report["p99_ms"],
        server_cpu_ms=server / requests,
        postgres_cpu_ms=postgres / requests,
    )


def _settle(target: Target) -> None:
    """Wait until nobody works any more on what wrk left behind: the next one in turn wants the machine."""
    deadline = time.monotonic() + 5
    busy = True
    while busy and time.monotonic() < deadline:
        before = cpu_ms(target.server_pid) + cpu_ms(target.postgres_pid)
        time.sleep(0.05)
        busy = cpu_ms(target.server_pid) + cpu_ms(target.postgres_pid) > before + 10


def run(
    url: str, bodies: Path, *, seconds: float, connections: int, pause_ms: float = 0
) -> dict[str, float]:
    """Run wrk and return its report; each connection waits ``pause_ms`` on average before a request."""
    command: list[str | Path] = [
        require_wrk(), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s",
        "-s", SCRIPT, url, "--", bodies, str(pause_ms),
    ]  # fmt: skip
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    line = next((line for line in answer.stdout.splitlines() if line.startswith("{")), None)
    if line is None:
        raise LoadFailed(f"wrk failed:\n{answer.stdout}{answer.stderr}")
    report: dict[str, float] = json.loads(line)
    if not report["failed"] and not report["requests"] and seconds < 8:  # a very slow or busy one
        return run(url, bodies, seconds=2 * seconds, connections=connections, pause_ms=pause_ms)
    if report["failed"] or not report["requests"]:
        raise LoadFailed(
            f"{report['failed']:.0f} of {report['requests']:.0f} requests failed at {url}."
        )
    return report

"""On what was measured: the machine, the Python build and the versions of everything that counts."""

import os
import platform
import re
import shutil
import subprocess
import sysconfig
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path

import psycopg

from benchmarks.environments import pinned
from benchmarks.postgres import Postgres

PACKAGES = (
    "Django", "graphql-core", "psycopg", "psycopg-binary", "psycopg-pool", "orjson", "uvicorn",
    "granian", "daphne", "uvloop", "httptools",
)  # fmt: skip


def describe(postgres: Postgres) -> dict[str, str]:
    """Return what a reader has to know to repeat the measurement, by name."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} processors, {_processor()}, {_memory()}",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": f"{platform.python_version()} {_build()}",
        "postgres": postgres.version,
        "wrk": _wrk(),
        "fraiseql": _commit(),
        "packages": ", ".join(found for name in PACKAGES if (found := _package(name))),
        "peers": ", ".join(pinned()),
        "libpq": f"psycopg's {psycopg.pq.__impl__} wrapper",
        "accelerator": _package("fraiseql-accelerator") or "not installed: pure Python",
        "load_before": "{:.2f} {:.2f} {:.2f}".format(*os.getloadavg()),
    }


def _build() -> str:
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    optimised = [
        name
        for name, flag in (("PGO", "--enable-optimizations"), ("LTO", "--with-lto"))
        if flag in arguments
    ]
    return f"({' and '.join(optimised) if optimised else 'built without PGO and LTO'})"


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGESIZE') / 2**30:.0f} GiB"


def _wrk() -> str:
    path = shutil.which("wrk")
    if path is None:
        return "not installed"
    # wrk prints its version with its usage, and fails.
    text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    return text.splitlines()[0].partition(" Copyright")[0] if text else "unknown"


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    return answer.stdout.strip() or "not a checkout"


def _package(name: str) -> str:
    try:
        return f"{name} {installed(name)}"
    except PackageNotFoundError:
        return ""

"""Programs of their own on the test's database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def program(text: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python code in which Django is set up for this test's database; it ends with the block."""
    at = connection.get_connection_params()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "examples")]),
        "PGHOST": str(at.get("host", "")), "PGPORT": str(at.get("port", "")),
        "PGUSER": str(at.get("user", "")), "DATABASE_URL": f"postgres:///{at['dbname']}",
    }  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", f"import django\ndjango.setup()\n{text}", *arguments],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def output(process: subprocess.Popen[str]) -> str:
    """Return what a program printed when it has ended well."""
    printed, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    return printed

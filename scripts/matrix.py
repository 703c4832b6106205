"""
Run pytest once for each pair of projector and PostgreSQL that this machine has.

The first pair runs everything; the others leave out what is marked slow, which depends on neither.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Return the exit code of the first run that failed, which is the last one made, else 0."""
    for number, (accelerator, postgres) in enumerate(pairs()):
        selection = ["-m", "not slow"] if number and "-m" not in arguments else []
        print(f"\n=== accelerator {accelerator}, PostgreSQL {postgres} ===", flush=True)
        environment = os.environ | {
            "FRAISEQL_ACCELERATOR": accelerator,
            "FRAISEQL_TEST_POSTGRES": postgres,
            "FRAISEQL_TEST_SERVERS": postgres,
        }
        command = [sys.executable, "-m", "pytest", *selection, *arguments]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        if code:
            return code
    return 0


def pairs() -> list[tuple[str, str]]:
    """Return (FRAISEQL_ACCELERATOR, FRAISEQL_POSTGRES), the most important pair first."""
    accelerators = ["require", "off"]
    if find_spec("fraiseql_accelerator") is None:
        print("No accelerator here (no cargo when .venv was made): only the reference is tested.")
        accelerators = ["off"]
    majors = sorted(
        int(program.parent.parent.name)
        for program in Path("/usr/lib/postgresql").glob("*/bin/initdb")
    )
    if not majors:
        print("No system PostgreSQL in /usr/lib/postgresql: only the embedded one is tested.")
    return [
        (accelerator, postgres)
        for postgres in ("embedded", *(str(major) for major in majors))
        for accelerator in accelerators
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

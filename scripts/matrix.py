"""
Run pytest once for each pair of projector and PostgreSQL that this machine has, two at a time.

What is marked slow asks for no pair: it is a run of its own, with the first projector and all servers. What
a run prints comes when it has ended; what fails comes last.
"""

import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parent.parent
# pytest, the servers it starts and their clients take turns: a run keeps a processor half busy.
AT_ONCE = 2


@dataclass(frozen=True)
class Run:
    """One run of pytest. ``servers``: the versions for tests that ask for several; ``selection``: options."""

    accelerator: str
    postgres: str
    servers: str
    selection: tuple[str, ...] = ()

    def __str__(self) -> str:
        chosen = " ".join(["", *self.selection])
        return (
            f"accelerator {self.accelerator}, PostgreSQL {self.servers}, pool {self.pool}{chosen}"
        )

    @property
    def pool(self) -> str:
        """Return the way to use the pool; the other one rides on one pair, as in tox.ini."""
        return "simple" if (self.accelerator, self.postgres) == ("off", "15") else "multiplexed"

    def pytest(self, arguments: list[str]) -> "Ended":
        """Return what pytest says, when it has ended."""
        print(f"=== {self}: begins ===", flush=True)
        began = monotonic()
        environment = os.environ | {
            "FRAISEQL_ACCELERATOR": self.accelerator,
            "FRAISEQL_TEST_POSTGRES": self.postgres,
            "FRAISEQL_TEST_SERVERS": self.servers,
            "FRAISEQL_TEST_POOL": self.pool,
        }
        command = [sys.executable, "-m", "pytest", *self.selection, *arguments]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return Ended(self, done.returncode, done.stdout, monotonic() - began)


@dataclass(frozen=True)
class Ended:
    """A run that has ended: its exit code and what it printed."""

    run: Run
    code: int
    output: bytes
    duration_s: float

    @property
    def is_failure(self) -> bool:
        # 5: the options select no test of this run; another has them.
        return self.code not in {0, 5}

    def show(self) -> None:
        """Print it."""
        print(f"\n=== {self.run}: {self.duration_s / 60:.1f} min ===", flush=True)
        sys.stdout.buffer.write(self.output)
        sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Return the exit code of a run that failed, else 0; after a failure no other run begins."""
    failures: list[Ended] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(run.pytest, arguments) for run in runs(arguments)]
        try:
            for ended in as_completed(waiting):
                if not ended.cancelled():
                    _take(ended.result(), failures, waiting)
        except KeyboardInterrupt:
            # The runs have been told too, and end with the names of what has passed.
            _cancel(waiting)
            for ended in waiting:
                if not ended.cancelled():
                    ended.result().show()
            return 130
    for failure in failures:
        failure.show()
    return failures[0].code if failures else 0


def _take(ended: Ended, failures: list[Ended], waiting: list[Future[Ended]]) -> None:
    if ended.is_failure:
        failures.append(ended)
        _cancel(waiting)
    else:
        ended.show()


def _cancel(waiting: list[Future[Ended]]) -> None:
    for future in waiting:
        future.cancel()


def runs(arguments: list[str]) -> list[Run]:
    """Return the runs, the longest first."""
    found = pairs()
    if "-m" in arguments:
        return [Run(*pair, pair[1]) for pair in found]
    first, *others = found
    every = ",".join(dict.fromkeys(postgres for _, postgres in found))
    return [
        Run(*first, every, ("-m", "slow")),
        Run(*first, first[1], ("-m", "not slow")),
        *(Run(*pair, pair[1], ("-m", "not slow", *_once(pair[0] == first[0]))) for pair in others),
    ]


def _once(is_first_projector: bool) -> list[str]:
    """Return the options that leave out what has run before, for all that it depends on."""
    # No unit test asks for a server, nor for one projector; what is below the projectors knows none.
    folders = (
        ["unit"] if is_first_projector else ["unit", "integration/db", "integration/migrations"]
    )
    return [f"--ignore=tests/{folder}" for folder in folders]


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

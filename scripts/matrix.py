"""
Run pytest once for each pair of projector and PostgreSQL that this machine has, two at a time.

What is marked slow asks for no pair: it is a run of its own, with the first projector and all servers. What
a run prints comes when it has ended; what fails comes last.
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).resolve().parent.parent
# pytest, the servers it starts and their clients take turns: a run keeps a processor half busy.
AT_ONCE = 2
INTERRUPTED_S = 60


@dataclass(frozen=True)
class Run:
    """One run of pytest. ``servers``: the versions for tests that ask for several; ``selection``: options."""

    accelerator: str
    postgres: str
    servers: str
    selection: tuple[str, ...] = ()

    def __str__(self) -> str:
        chosen = " ".join(["", *self.selection])
        return f"accelerator {self.accelerator}, PostgreSQL {self.servers}{chosen}"


class Started:
    """A run that has begun; what it prints goes to a file until ``show``."""

    def __init__(self, run: Run, arguments: list[str]) -> None:
        print(f"=== {run}: begins ===", flush=True)
        self.run, self._began = run, monotonic()
        environment = os.environ | {
            "FRAISEQL_ACCELERATOR": run.accelerator,
            "FRAISEQL_TEST_POSTGRES": run.postgres,
            "FRAISEQL_TEST_SERVERS": run.servers,
        }
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - read when the run has ended
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", *run.selection, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._printed,
            stderr=subprocess.STDOUT,
        )

    @property
    def has_failed(self) -> bool:
        # 5: the options select no test of this run; another has them.
        return self.process.returncode not in {0, 5}

    def show(self) -> None:
        """Print what it has printed so far."""
        minutes = (monotonic() - self._began) / 60
        print(f"\n=== {self.run}: {minutes:.1f} min ===", flush=True)
        self._printed.seek(0)
        sys.stdout.buffer.write(self._printed.read())
        sys.stdout.flush()

    def abandon(self, until: float) -> None:
        """Give an interrupted run time to tell what has passed; show it, and end it if it hangs."""
        try:
            self.process.wait(max(0, until - monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.show()


def main(arguments: list[str]) -> int:
    """Return the exit code of a run that failed, else 0; after a failure no other run begins."""
    waiting, running, failed = runs(arguments), list[Started](), list[Started]()
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                running.append(Started(waiting.pop(0), arguments))
            ended = _first_to_end(running)
            running.remove(ended)
            if ended.has_failed:
                failed.append(ended)
                waiting.clear()
            else:
                ended.show()
    except KeyboardInterrupt:
        # Whoever interrupts this has told the runs too.
        until = monotonic() + INTERRUPTED_S
        for started in [*failed, *running]:
            started.abandon(until)
        return 130
    for ended in failed:
        ended.show()
    return failed[0].process.returncode if failed else 0


def _first_to_end(running: list[Started]) -> Started:
    while True:
        for started in running:
            if started.process.poll() is not None:
                return started
        sleep(0.2)


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

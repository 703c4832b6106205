"""``python -m benchmarks``: measure, compare, print, write."""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Container, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from benchmarks import machine, pages
from benchmarks.dataset import Busy, alone, database
from benchmarks.environments import NotInstalled
from benchmarks.latency import alone as by_itself
from benchmarks.latency import latency
from benchmarks.load import LoadFailed, require_wrk
from benchmarks.memory import memory
from benchmarks.pgbench import pgbench
from benchmarks.pools import pools
from benchmarks.postgres import Postgres
from benchmarks.report import Results, show
from benchmarks.scale import MORE, scale
from benchmarks.servers import ROOT, ServerFailed
from benchmarks.startup import VIEWS, startup
from benchmarks.sync import sync
from benchmarks.systems import FLOOR, FRAISEQL, SYSTEMS
from benchmarks.throughput import AnswersDiffer, Effort, started, throughput
from fraiseql.errors import FraiseQLError

# Against others, which is what the pages quote.
PEERS = ("pgbench", "throughput", "latency", "scale")
PARTS = (*PEERS, "projection", "pools", "memory", "startup", "sync")
# Not measured by themselves; for who develops: the server runs until Ctrl-C.
SERVE = ("serve", "database")
README = Path(__file__).with_name("README.md")
OUTPUT = Path(".fraiseql/benchmarks")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.publish and not (
        set(PEERS) <= set(options.only) and len(options.systems) == len(SYSTEMS)
    ):
        parser.error(f"--publish wants all systems, and the parts {','.join(PEERS)}")
    # SIGTERM ends like Ctrl-C: servers and directories are cleaned up on the way out.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("Interrupted; all servers are stopped.", file=sys.stderr)
        return 130
    except (AnswersDiffer, Busy, FraiseQLError, LoadFailed, NotInstalled, ServerFailed) as error:
        print(f"{error} {getattr(error, 'hint', None) or ''}", file=sys.stderr)
        return 1


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", type=_names([*PARTS, *SERVE]), default=list(PARTS), metavar="A,B",
        help=f"some parts instead of all: {', '.join([*PARTS, *SERVE])}",
    )  # fmt: skip
    parser.add_argument("--seconds", type=float, default=5, help="length of a round (5)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (3); medians count")
    parser.add_argument("--connections", type=int, default=16, help="connections of the load (16)")
    parser.add_argument(
        "--systems", type=_names(SYSTEMS), default=list(SYSTEMS), metavar="A,B",
        help=f"some systems instead of all: {', '.join(SYSTEMS)}",
    )  # fmt: skip
    parser.add_argument("--posts", type=int, default=MORE, help=f"of the part scale ({MORE:,})")
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"directory ({OUTPUT})")
    parser.add_argument("--readme", action="store_true", help="put the results into README.md")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="store the figures and put them into the pages that quote them",
    )
    return parser


def _names(known: Container[str]) -> Callable[[str], list[str]]:
    """Return an argument type: names from ``known``, with commas."""

    def names(text: str) -> list[str]:
        found = text.split(",")
        for name in found:
            if name not in known:
                raise argparse.ArgumentTypeError(f"unknown: {name}")
        return found

    return names


def _run(options: argparse.Namespace) -> int:
    require_wrk()
    with (
        tempfile.TemporaryDirectory(prefix="fraiseql-benchmarks-") as temporary,
        alone(),
        database() as postgres,
    ):
        directory = Path(temporary)
        if set(options.only) & set(SERVE):
            _serve(options, postgres, directory)
            return 0
        effort = Effort(options.seconds, options.rounds, options.connections)
        results = Results(machine.describe(postgres), effort)
        _measure(options, postgres, directory, results)
    if results.projection:
        print(results.projection)
    show(results.tables())
    page = results.write(options.output)
    print(f"Written to {page} and {page.with_suffix('.json')}.")
    if options.readme:
        pages.replace(README, results.markdown())
    if options.publish:
        for path in pages.publish(results.figures_by_name()):
            print(f"Written to {path}.")
    return 0


def _measure(
    options: argparse.Namespace, postgres: Postgres, directory: Path, results: Results
) -> None:
    _against_others(options, postgres, directory, results)
    parts = options.only
    if "projection" in parts and find_spec("benchmarks.projection"):
        _say("projection")
        results.projection = _projection()
    if "pools" in parts:
        _say("pools")
        results.pools += pools(postgres, results.effort)
    if "memory" in parts:
        for system in (FLOOR, FRAISEQL):
            _say(f"memory of {system.name}")
            results.memory.append(memory(postgres, system, directory))
    if "startup" in parts:
        for views in (1, VIEWS):
            _say(f"start-up with {views} views")
            results.startup.append(startup(postgres, results.effort.rounds, directory, views))
    if "sync" in parts:
        _say("sync")
        results.sync.append(sync(postgres))


def _against_others(
    options: argparse.Namespace, postgres: Postgres, directory: Path, results: Results
) -> None:
    systems = [SYSTEMS[name] for name in options.systems]
    effort = results.effort
    if "pgbench" in options.only:
        _say("pgbench")
        results.pgbench.update(pgbench(postgres, effort, directory))
    if "throughput" in options.only:
        for figure in throughput(postgres, systems, effort, directory):
            _say(f"{figure.operation} {figure.system}: {figure.rate:,.0f} req/s")
            results.figures.append(figure)
    if "latency" in options.only:
        _say("latency")
        results.latency += latency(postgres, FRAISEQL, effort, directory)
        results.alone = by_itself(postgres, FRAISEQL, effort, directory)
    if "scale" in options.only:
        _say(f"scale, {options.posts:,} posts")
        results.scale += scale(postgres, effort, directory, options.posts)


def _projection() -> str:
    """Return what projection.py prints, which is a program of its own."""
    command = [sys.executable, "-m", "benchmarks.projection"]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode:
        raise LoadFailed(f"benchmarks.projection failed, with status {answer.returncode}.")
    return answer.stdout


def _serve(options: argparse.Namespace, postgres: Postgres, directory: Path) -> None:
    variables = " ".join(f"{name}={value}" for name, value in postgres.environment().items())
    print(f"PostgreSQL: {variables}", flush=True)
    with ExitStack() as stack:
        for name in options.systems if "serve" in options.only else ():
            server = stack.enter_context(started(SYSTEMS[name], postgres, directory))
            log = directory / f"{name}.log"
            print(f"{name}: {server.url}, process {server.pid}, log {log}", flush=True)
        print("Ctrl-C ends it.", flush=True)
        while True:
            time.sleep(3600)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

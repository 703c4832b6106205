"""The figures as tables: on the terminal, as Markdown, as JSON."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import pages
from benchmarks.latency import Alone, Latency
from benchmarks.memory import Memory
from benchmarks.operations import OPERATIONS
from benchmarks.pages import Table
from benchmarks.pools import PoolFigure
from benchmarks.scale import Scale
from benchmarks.startup import Startup
from benchmarks.sync import Sync
from benchmarks.systems import SYSTEMS
from benchmarks.throughput import Effort, Figure

try:
    from rich.console import Console
    from rich.table import Table as RichTable
except ImportError:  # rich comes with the extra [server]
    Console = None  # type: ignore[assignment,misc]  # absent: plain text


@dataclass
class Results:
    """Everything one run found."""

    machine: dict[str, str]
    effort: Effort
    figures: list[Figure] = field(default_factory=list)
    projection: str = ""
    pgbench: dict[str, float] = field(default_factory=dict)
    pools: list[PoolFigure] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    startup: list[Startup] = field(default_factory=list)
    sync: list[Sync] = field(default_factory=list)
    latency: list[Latency] = field(default_factory=list)
    alone: Alone | None = None
    scale: list[Scale] = field(default_factory=list)

    def tables(self) -> list[Table]:
        """Return a table for each thing measured."""
        tables = pages.tables(self.figures_by_name())
        if self.pools:
            tables.append(_pools(self.pools))
        if self.memory:
            tables.append(_memory(self.memory))
        if self.startup:
            tables.append(_startup(self.startup))
        tables += [_sync(found) for found in self.sync]
        return tables

    def figures_by_name(self) -> dict[str, Any]:
        """Return everything as JSON holds it."""
        return {
            "machine": self.machine,
            "effort": asdict(self.effort),
            "systems": {system.name: system.title for system in SYSTEMS.values()},
            "operations": {operation.name: operation.title for operation in OPERATIONS},
            "throughput": [asdict(figure) for figure in self.figures],
            "pgbench": self.pgbench,
            "latency": [asdict(entry) for entry in self.latency],
            "alone": asdict(self.alone) if self.alone else None,
            "scale": [asdict(entry) for entry in self.scale],
            "projection": self.projection,
            "pools": [asdict(entry) for entry in self.pools],
            "memory": [asdict(entry) for entry in self.memory],
            "startup": [asdict(entry) for entry in self.startup],
            "sync": [asdict(entry) for entry in self.sync],
        }

    def markdown(self) -> str:
        """Return the whole report in Markdown."""
        facts = "\n".join(f"- {name}: {value}" for name, value in self.machine.items())
        effort = f"- effort: {self.effort.rounds} rounds of {self.effort.seconds:g} s; medians"
        tables = "\n".join(table.markdown() for table in self.tables())
        projection = f"**Projection alone**\n\n```\n{self.projection.strip()}\n```\n\n"
        return f"{facts}\n{effort}\n\n{projection if self.projection else ''}{tables}"

    def write(self, directory: Path) -> Path:
        """Write results.md and results.json; return the first one's path."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "results.json").write_text(json.dumps(self.figures_by_name(), indent=2) + "\n")
        page = directory / "results.md"
        page.write_text(self.markdown())
        return page


def show(tables: Sequence[Table]) -> None:
    """Print the tables: with rich where it is installed."""
    for table in tables:
        if Console is None:
            print(table.markdown())
            continue
        drawn = RichTable(title=table.title, title_justify="left")
        for index, name in enumerate(table.head):
            drawn.add_column(name, justify="right" if index else "left", overflow="fold")
        for row in table.rows:
            drawn.add_row(*row)
        # A log has no width of its own.
        Console(width=None if sys.stdout.isatty() else 160).print(drawn)


def _pools(figures: Sequence[PoolFigure]) -> Table:
    rows = tuple((entry.pool, f"{entry.rate:,.0f}", f"{entry.cpu_us:.1f}") for entry in figures)
    head = ("pool", "statements/s", "CPU, microseconds")
    return Table("db: one user by id, without server and application", head, rows)


def _memory(entries: Sequence[Memory]) -> Table:
    rows = tuple(
        (
            entry.system,
            f"{entry.samples[-1][0]:,}",
            _megabytes(entry.samples[0][1]),
            _megabytes(entry.samples[len(entry.samples) // 2][1]),
            _megabytes(entry.samples[-1][1]),
            "yes" if entry.is_flat else "NO",
        )
        for entry in entries
    )
    head = ("resident memory", "requests", "after warm-up, MB", "half-way", "at the end", "flat")
    return Table("Memory, all operations that read in turn", head, rows)


def _startup(entries: Sequence[Startup]) -> Table:
    rows = tuple(
        (
            f"{entry.views} views",
            f"{entry.python:.2f}",
            f"{entry.imported:.2f}",
            f"{entry.schema:.2f}",
            f"{entry.answered:.2f}",
            f"{entry.cpu:.2f}",
        )
        for entry in entries
    )
    head = (
        "seconds since the process began",
        "Python",
        "set up",
        "schema built",
        "first answer",
        "CPU",
    )
    return Table("Start-up", head, rows)


def _megabytes(number: int) -> str:
    return f"{number / 1e6:.1f}"


def _sync(found: Sync) -> Table:
    times = (
        ("empty before", found.fill, found.fill_by_hand),
        ("every row wrong", found.rewrite, found.rewrite_by_hand),
        ("every row right", found.nothing, found.nothing_by_hand),
    )
    rows = [
        (name, f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours:.2f}")
        for name, ours, theirs in times
    ]
    return Table(
        "Sync of 100,000 posts, seconds; one changed row:"
        f" {found.row_ms:.2f} ms in PostgreSQL; memory: {found.memory_mb:.0f} MB",
        ("projection", "fraiseql_sync", "one INSERT by hand", "by hand / fraiseql_sync"),
        tuple(rows),
    )

"""
The stored figures as text: the tables on the terminal and in the pages that quote them.

Works on what `results.json` holds and imports nothing that a benchmark needs: the tests render the pages'
tables with it, and compare.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.plot import Bar, Panel, plot

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "docs" / "explanation" / "performance.json"
PLOT = STORED.with_suffix(".svg")
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
OURS = "fraiseql"
SERVERS = ("fraiseql", "fraiseql-granian", "fraiseql-daphne")
# What the plot leaves out: other ways of serving the same.
_VARIANTS = ("fraiseql-granian", "fraiseql-daphne", "fraiseql-nobody")

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A table: a title, the head and rows of text; all columns but the first are numbers."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return the table in Markdown, below its title."""
        rule = ["---"] + ["--:"] * (len(self.head) - 1)
        lines = [self.head, rule, *self.rows]
        title = f"**{self.title}**\n\n" if self.title else ""
        return title + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def tables(figures: Figures) -> list[Table]:
    """Return a table for each thing measured against others."""
    found = []
    if figures["throughput"]:
        found += [rates(figures), processor(figures)]
        if OURS in _systems(figures):
            found.insert(1, ratios(figures))
    elif figures["pgbench"]:
        found.append(rates(figures))
    if figures["latency"]:
        found.append(half_load(figures))
    if figures["alone"]:
        found.append(alone(figures))
    if figures["scale"]:
        found.append(scale(figures))
    return found


def rates(figures: Figures, names: Sequence[str] | None = None, title: str | None = None) -> Table:
    """Return requests a second, a row for each system."""
    rows = [
        (figures["systems"][name], *(f"{entry['rate']:,.0f}" for entry in entries))
        for name, entries in _systems(figures).items()
        if names is None or name in names
    ]
    if figures["pgbench"] and names is None:
        rows.append(("pgbench", *(f"{rate:,.0f}" for rate in figures["pgbench"].values())))
    connections = figures["effort"]["connections"]
    default = f"Requests a second, {connections} connections"
    return Table(default if title is None else title, _head(figures, "system"), tuple(rows))


def ratios(figures: Figures) -> Table:
    """Return how many times as many requests FraiseQL answers as each other system."""
    found = _systems(figures)
    rows = [
        (
            figures["systems"][name],
            *(
                _times(mine["rate"], entry["rate"])
                for mine, entry in zip(found[OURS], entries, strict=True)
            ),
        )
        for name, entries in found.items()
        if name != OURS
    ]
    if figures["pgbench"]:
        limits = figures["pgbench"].values()
        shares = (
            _times(mine["rate"], rate) for mine, rate in zip(found[OURS], limits, strict=True)
        )
        rows.append(("pgbench", *shares))
    title = f"{figures['systems'][OURS]}: how many times as many as ..."
    return Table(title, _head(figures, "than"), tuple(rows))


def processor(figures: Figures) -> Table:
    """Return the processor time of a request."""
    rows = tuple(
        (
            figures["systems"][name],
            *(f"{e['server_cpu_ms']:.2f} + {e['postgres_cpu_ms']:.2f}" for e in entries),
        )
        for name, entries in _systems(figures).items()
    )
    title = "Processor time a request, milliseconds: server + PostgreSQL"
    return Table(title, _head(figures, "system"), rows)


def half_load(figures: Figures) -> Table:
    """Return the latencies at half load."""
    rows = tuple(
        (
            f"{entry['operation']} {figures['operations'][entry['operation']]}",
            f"{entry['rate']:,.0f} of {entry['full_rate']:,.0f}",
            f"{entry['p50_ms']:.2f}",
            f"{entry['p99_ms']:.2f}",
            f"{entry['p99_ms'] / entry['p50_ms']:.1f}",
        )
        for entry in figures["latency"]
    )
    head = ("operation", "requests a second", "p50, ms", "p99, ms", "p99 / p50")
    return Table(f"{figures['systems'][OURS]}: latency at half load", head, rows)


def alone(figures: Figures) -> Table:
    """Return how one row by id fares by itself, and beside a slow statement."""
    found = figures["alone"]
    rows = (
        ("one connection: p50", f"{found['p50_ms']:.2f}"),
        ("one connection: p95", f"{found['p95_ms']:.2f}"),
        ("half load: p99", f"{found['p99_alone_ms']:.2f}"),
        ("half load, a statement of 5 s beside it: p99", f"{found['p99_beside_ms']:.2f}"),
    )
    return Table(f"{figures['systems'][OURS]}, Q1", ("", "ms"), rows)


def scale(figures: Figures) -> Table:
    """Return what more posts cost."""
    rows = tuple(
        (
            f"{entry['operation']} {figures['operations'][entry['operation']]}",
            f"{entry['posts']:,}",
            f"{entry['rate']:,.0f}",
            f"{entry['server_cpu_ms']:.2f} + {entry['postgres_cpu_ms']:.2f}",
        )
        for entry in figures["scale"]
    )
    head = ("operation", "posts", "requests a second", "CPU, ms")
    return Table(f"{figures['systems'][OURS]}: ten times the posts", head, rows)


def conditions(figures: Figures) -> str:
    """Return when and where, in a sentence or two."""
    machine, effort = figures["machine"], figures["effort"]
    return (
        f"Measured on {machine['date']} at commit {machine['fraiseql']}, {machine['machine']},"
        f" {machine['system']}; Python {machine['python']}, PostgreSQL {machine['postgres'].split()[0]};"
        f" load generator, one server process and PostgreSQL share the machine;"
        f" medians of {effort['rounds']} rounds of {effort['seconds']:g} s;"
        f" load average before: {machine['load_before'].split()[0]}."
    )


def losses(figures: Figures) -> str:
    """Return where somebody else answers more requests, in a sentence."""
    found = _systems(figures)
    behind = []
    for name, entries in found.items():
        if name in SERVERS or name == "fraiseql-nobody":
            continue
        lost = [
            f"{entry['operation']} ({_times(mine['rate'], entry['rate'])})"
            for mine, entry in zip(found[OURS], entries, strict=True)
            if mine["rate"] < entry["rate"]
        ]
        if lost:
            behind.append(f"{figures['systems'][name]} on {', '.join(lost)}")
    return f"FraiseQL is behind {'; '.join(behind)}." if behind else "No other system answers more."


def readme(figures: Figures) -> str:
    """Return what the README quotes."""
    others = [name for name in _systems(figures) if name not in _VARIANTS]
    return f"{rates(figures, others, '').markdown()}\n{conditions(figures)}\n"


def page(figures: Figures) -> str:
    """Return the figures of the page about performance."""
    texts = "\n".join(table.markdown() for table in tables(figures))
    machine = figures["machine"]
    versions = f"Versions: {machine['packages']}. Peers: {machine['peers']}."
    return f"{conditions(figures)} {losses(figures)}\n\n{texts}\n{versions}\n"


def servers(figures: Figures) -> str:
    """Return what the guide to production says of servers."""
    return f"{rates(figures, SERVERS, '').markdown()}\n{conditions(figures)}\n"


def picture(figures: Figures) -> str:
    """Return the plot."""
    found = _systems(figures)
    names = [name for name in found if name not in _VARIANTS]
    panels = [
        Panel(
            f"{operation} {title}",
            [
                Bar(figures["systems"][name], found[name][index]["rate"], name == OURS)
                for name in names
            ],
        )
        for index, (operation, title) in enumerate(figures["operations"].items())
    ]
    return plot("Requests a second", panels)


PAGES: Mapping[Path, Callable[[Figures], str]] = {
    ROOT / "README.md": readme,
    STORED.with_suffix(".md"): page,
    ROOT / "docs" / "how-to" / "serve-in-production.md": servers,
}


def stored() -> Figures:
    """Return the figures that the pages quote."""
    figures: Figures = json.loads(STORED.read_text(encoding="utf-8"))
    return figures


def publish(figures: Figures) -> list[Path]:
    """Store the figures, and put them into the pages that quote them; return what was written."""
    STORED.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PLOT.write_text(picture(figures), encoding="utf-8")
    for path, render in PAGES.items():
        replace(path, render(figures))
    return [STORED, PLOT, *PAGES]


def quoted(path: Path) -> str:
    """Return what stands between the marks of a page."""
    return path.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def replace(path: Path, markdown: str) -> None:
    """Put text between the marks of a page."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    path.write_text(f"{before}{BEGIN}\n\n{markdown.strip()}\n\n{END}{after}", encoding="utf-8")


def _systems(figures: Figures) -> dict[str, list[Figures]]:
    """Return each system's figures in the order of operations."""
    found: dict[str, list[Figures]] = {}
    for entry in figures["throughput"]:
        found.setdefault(entry["system"], []).append(entry)
    return found


def _head(figures: Figures, first: str) -> tuple[str, ...]:
    return first, *(f"{name} {title}" for name, title in figures["operations"].items())


def _times(mine: float, other: float) -> str:
    ratio = mine / other
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 3 else f"{ratio:.2f}"

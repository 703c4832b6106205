"""Progress of long commands, drawn only where somebody is looking: on a terminal, with rich installed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

try:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
except ImportError:  # an extra: without it there is no bar
    Progress = None  # type: ignore[assignment,misc]  # the same, for the type checker


@contextmanager
def steps(total: int, *, enabled: bool = True) -> Iterator[Callable[[str], None]]:
    """Yield a function that takes the name of each step as it begins; the bar goes to stderr."""
    if Progress is None or not enabled or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        begun = False

        def begin(name: str) -> None:
            nonlocal begun
            bar.update(task, description=name, advance=int(begun))
            begun = True

        yield begin

"""Progress of long commands, drawn only where somebody is looking: on a terminal, with rich installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

try:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
except ImportError:  # an extra: without it there is no bar
    Progress = None  # type: ignore[assignment,misc]  # the same, for the type checker


class Steps:
    """A bar over steps, one after the other; without a bar it does nothing."""

    def __init__(self, bar: Any = None, task: Any = None) -> None:
        self._bar, self._task = bar, task
        self._begun = 0

    def begin(self, name: str) -> None:
        """Say that the next step begins."""
        self._begun += 1
        self.part(0, 1, name)

    def part(self, done: int, total: int, name: str | None = None) -> None:
        """Say how many parts of the step are done."""
        if self._bar is not None:
            described = {} if name is None else {"description": name}
            self._bar.update(self._task, completed=self._begun - 1 + done / total, **described)


@contextmanager
def steps(total: int, *, enabled: bool = True) -> Iterator[Steps]:
    """Yield what is told of each step as it begins; the bar goes to stderr."""
    if Progress is None or not enabled or not sys.stderr.isatty():
        yield Steps()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Steps(bar, bar.add_task("", total=total))

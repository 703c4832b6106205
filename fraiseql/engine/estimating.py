"""
Statements that PostgreSQL expects to be expensive, refused before they run.

An option (settings MAX_PLAN_COST, MAX_PLAN_COST_BY_ROLE): the first use of a statement's text asks for its plan,
one statement more; uses within the next minutes take the estimate for theirs, whatever their parameters.
"""

import json
import logging
from collections.abc import Callable, Generator
from functools import partial
from time import monotonic
from typing import Any

from fraiseql.conf import Settings
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.engine.reading import Found, Reading
from fraiseql.engine.recent import Recent
from fraiseql.engine.viewer import Viewer
from fraiseql.errors import CostExceeded, FraiseQLError

MAX_ESTIMATES = 1_000
"""Texts whose estimate is kept, per process."""

MAX_AGE_S = 600
"""Tables grow and statistics change."""

_EXPLAIN = "EXPLAIN (FORMAT JSON) "

log = logging.getLogger(__name__)


def max_plan_cost(viewer: Viewer, settings: Settings) -> int:
    """Return what a statement for ``viewer`` may be estimated at: of their roles the most; 0: anything."""
    if viewer.roles and settings.MAX_PLAN_COST_BY_ROLE:
        limits = [most for role, most in settings.MAX_PLAN_COST_BY_ROLE if role in viewer.roles]
        if limits:
            return 0 if 0 in limits else max(limits)
    return settings.MAX_PLAN_COST


class Estimates:
    """What PostgreSQL expected of statements lately, in the units of its planner."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # With the time until which it counts.
        self._known = Recent[str, tuple[float, float]](MAX_ESTIMATES)

    def get(self, text: str) -> float | None:
        """Return the estimate of a statement's text, if there is one of late."""
        estimate, until = self._known.get(text) or (0.0, 0.0)
        return estimate if self._clock() < until else None

    def keep(self, text: str, estimate: float) -> None:
        """Remember an estimate; the one unused for the longest time gives way."""
        self._known.put(text, (estimate, self._clock() + MAX_AGE_S))

    def within(self, reading: Reading, most: int, debug: bool) -> Reading:
        """
        Do what ``reading`` does, unless one of its statements is estimated at more than ``most``.

        Raises CostExceeded, for the whole of it: the same fields one by one would cost the same.
        """
        step: Callable[[], Any] = partial(next, reading)
        while True:
            try:
                need = step()
            except StopIteration as stop:
                found: Found = stop.value
                return found
            try:
                if isinstance(need, Statement):
                    estimate = yield from self._estimate(need)
                    if estimate > most:
                        break
                step = partial(reading.send, (yield need))
            except FraiseQLError as error:
                step = partial(reading.throw, error)
        reading.close()
        log.info("Estimated at %.0f, more than %s: %s", estimate, most, need.text)
        shown = {"estimate": estimate, "maxEstimate": most} if debug else {}
        raise CostExceeded(
            "PostgreSQL expects this query to be too expensive.",
            hint="Ask for less, or for what an index serves.",
            **shown,
        )

    def _estimate(self, statement: Statement) -> Generator[Statement, Rows, float]:
        found = self.get(statement.text)
        if found is None:
            rows = yield Statement(_EXPLAIN + statement.text, statement.params)
            (plan,) = json.loads(rows.column(0)[0] or b"")
            found = float(plan["Plan"]["Total Cost"])
            self.keep(statement.text, found)
        return found

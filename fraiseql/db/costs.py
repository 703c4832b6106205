"""
Which statements are cheap enough to share a connection: learned from what they took.
"""

from dataclasses import dataclass

from fraiseql.db.flight import Flight

# The best of so many runs counts: the others may have waited for a processor.
TRIALS = 8
CHEAP_S = 0.004
# Who was slow among the others has to prove itself so many times longer, each time.
PENALTY, MAX_TRIALS = 4, 10_000
# Texts that never come again must not fill memory; those in use are learned anew in no time.
MAX_TEXTS = 2_000


@dataclass(slots=True)
class _Cost:
    trials: int
    runs: int = 0
    best_s: float = 0.0
    is_cheap: bool = False


class Costs:
    """What is known of each text."""

    def __init__(self) -> None:
        self._costs: dict[str, _Cost] = {}

    def is_cheap(self, flight: Flight) -> bool:
        """Tell whether ``flight`` is one reading statement that has always been quick of late."""
        statements = flight.statements
        if len(statements) != 1 or statements[0].writes:
            return False
        cost = self._costs.get(statements[0].text)
        return cost is not None and cost.is_cheap

    def learn(self, flight: Flight) -> None:
        """Take in what ``flight`` took on a connection of its own."""
        if len(flight.statements) != 1 or flight.writes:
            return
        cost = self._of(flight)
        cost.best_s = min(cost.best_s, flight.seconds) if cost.runs else flight.seconds
        cost.runs += 1
        if cost.runs >= cost.trials:
            cost.runs, cost.is_cheap = 0, cost.best_s < CHEAP_S

    def demote(self, flight: Flight) -> None:
        """Take in that ``flight`` held up others."""
        cost = self._of(flight)
        cost.is_cheap, cost.runs = False, 0
        cost.trials = min(cost.trials * PENALTY, MAX_TRIALS)

    def forget(self) -> None:
        """Learn all anew: a view or what it stands on has changed."""
        self._costs.clear()

    def _of(self, flight: Flight) -> _Cost:
        if len(self._costs) >= MAX_TEXTS:
            self._costs.clear()
        return self._costs.setdefault(flight.statements[0].text, _Cost(TRIALS))

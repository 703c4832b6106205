"""
Which statements are cheap enough to share a connection: learned from what they took.
"""

from dataclasses import dataclass

from fraiseql.db.flight import Flight

# The best of so many runs counts: the others may have waited for a processor.
TRIALS = 8
CHEAP_S = 0.004
# What travels together costs both sides less, but each waits for those before it: as many as take
# this long share a connection before the next is used.
SHARE_S, MAX_SHARE = 0.002, 16
# Who was slow among the others has to prove itself so many times longer, each time.
PENALTY, MAX_TRIALS = 4, 10_000
# Texts that never come again must not fill memory; those in use are learned anew in no time.
MAX_TEXTS = 2_000


@dataclass(slots=True)
class _Cost:
    trials: int
    runs: int = 0
    best_s: float = 0.0
    share: int = 0


class Costs:
    """What is known of each text."""

    def __init__(self) -> None:
        self._costs: dict[str, _Cost] = {}

    def share(self, flight: Flight) -> int:
        """
        Return how many like ``flight`` best share a connection before another one is used.

        0 unless it is one reading statement that has always been quick of late.
        """
        if flight.writes or len(flight.statements) != 1:
            return 0
        cost = self._costs.get(flight.statements[0].text)
        return 0 if cost is None else cost.share

    def learn(self, flight: Flight) -> None:
        """Take in what ``flight`` took on a connection of its own."""
        if len(flight.statements) != 1 or flight.writes:
            return
        cost = self._of(flight)
        cost.best_s = min(cost.best_s, flight.seconds) if cost.runs else flight.seconds
        cost.runs += 1
        if cost.runs >= cost.trials:
            cost.runs, cost.share = 0, _share(cost.best_s)

    def demote(self, flight: Flight) -> None:
        """Take in that ``flight`` held up others."""
        cost = self._of(flight)
        cost.share, cost.runs = 0, 0
        cost.trials = min(cost.trials * PENALTY, MAX_TRIALS)

    def forget(self) -> None:
        """Learn all anew: a view or what it stands on has changed."""
        self._costs.clear()

    def _of(self, flight: Flight) -> _Cost:
        if len(self._costs) >= MAX_TEXTS:
            self._costs.clear()
        return self._costs.setdefault(flight.statements[0].text, _Cost(TRIALS))


def _share(seconds: float) -> int:
    if seconds >= CHEAP_S:
        return 0
    return MAX_SHARE if seconds * MAX_SHARE < SHARE_S else int(SHARE_S / seconds) or 1

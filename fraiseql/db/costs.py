"""
Which statements are cheap enough to share a connection: learned from what they took.
"""

from dataclasses import dataclass

# The best of so many runs counts: the others may have waited for a processor, and in a burst a dozen
# at once do.
TRIALS = 100
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


class Costs:
    """
    What is known of the texts of single statements that read.

    ``shares``: for those that have always been quick of late, how many best share a connection
    before another one is used.
    """

    def __init__(self) -> None:
        self._costs: dict[str, _Cost] = {}
        self.shares: dict[str, int] = {}

    def learn(self, text: str, seconds: float) -> None:
        """Take in what ``text`` took on a connection of its own."""
        cost = self._of(text)
        cost.best_s = min(cost.best_s, seconds) if cost.runs else seconds
        cost.runs += 1
        if cost.runs >= cost.trials:
            cost.runs = 0
            if cost.best_s < CHEAP_S:
                self.shares[text] = _share(cost.best_s)

    def demote(self, text: str) -> None:
        """Take in that ``text`` held up others."""
        cost = self._of(text)
        cost.runs = 0
        cost.trials = min(cost.trials * PENALTY, MAX_TRIALS)
        self.shares.pop(text, None)

    def forget(self) -> None:
        """Learn all anew: a view or what it stands on has changed."""
        self._costs.clear()
        self.shares.clear()

    def _of(self, text: str) -> _Cost:
        if len(self._costs) >= MAX_TEXTS:
            self.forget()
        return self._costs.setdefault(text, _Cost(TRIALS))


def _share(seconds: float) -> int:
    return MAX_SHARE if seconds * MAX_SHARE < SHARE_S else int(SHARE_S / seconds) or 1

"""
Those who wait for a connection: in the order of asking, bounded in number and in time.

Whoever would wait in vain is refused at once. A refusal costs next to nothing, so that a service
that is asked too much stays quick to say so and works on for those it took in.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from fraiseql.db.link import Link
from fraiseql.errors import ServiceUnavailable

# The weight of the latest interval between two connections given away, first and later on: one pause
# of a second must not have a queue refuse that moves a hundred times a second.
_FIRST_WEIGHT, _WEIGHT = 0.1, 0.02
# Who entered in the same moment leaves in the same moment.
_TICK_S = 0.005


class Queue:
    """
    A queue of one pool: at most ``limit`` wait, none longer than ``timeout_s``.

    ``refusal``: returns what to raise when that time is over. ``waiting``: who does, and until when.
    """

    def __init__(
        self, limit: int, timeout_s: float, refusal: Callable[[], ServiceUnavailable]
    ) -> None:
        self._limit, self._timeout_s, self._refusal = limit, timeout_s, refusal
        self._loop = asyncio.get_running_loop()
        self.waiting: deque[tuple[asyncio.Future[Link], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._interval_s, self._weight = 0.0, _FIRST_WEIGHT
        self._moved = 0.0  # When it last began, or moved on.

    def __len__(self) -> int:
        return len(self.waiting)

    @property
    def expected_s(self) -> float:
        """Return how long one more would wait, as things went lately."""
        return len(self.waiting) * self._interval_s

    def enter(self, timeout_s: float | None = None) -> asyncio.Future[Link]:
        """
        Return what ends with a connection or, in at most ``timeout_s``, with ServiceUnavailable.

        Raises ServiceUnavailable if that would take too long.
        """
        if len(self.waiting) >= self._limit or self.expected_s > self._timeout_s:
            raise ServiceUnavailable(
                "More is asked of this service than it can do.",
                hint="Try again later. If you run this service: FRAISEQL['POOL_MAX_WAITING'].",
                retry_after_s=self.expected_s,
            )
        now = self._loop.time()
        if not self.waiting:
            self._moved = now
        future: asyncio.Future[Link] = self._loop.create_future()
        until = now + (timeout_s or self._timeout_s)
        self.waiting.append((future, until))
        if self._timer is None or until < self._timer.when():
            self._expire_at(until)
        return future

    def give(self, link: Link) -> bool:
        """Give ``link`` to whoever waits longest; tell whether there was one."""
        while self.waiting:
            future, _ = self.waiting.popleft()
            if not future.done():
                now = self._loop.time()
                # How long a new one took to open says nothing of the next.
                if link.used > link.born:
                    self._interval_s += self._weight * (now - self._moved - self._interval_s)
                    self._weight = max(_WEIGHT, self._weight / (1 + self._weight))
                self._moved = now
                future.set_result(link)
                return True
        return False

    def refuse(self, refusal: ServiceUnavailable) -> None:
        """Send all away."""
        while self.waiting:
            future, _ = self.waiting.popleft()
            if not future.done():
                future.set_exception(refusal)

    def _expire_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._expire)

    def _expire(self) -> None:
        """Send away whose time is over; one timer serves all, since most leave long before."""
        self._timer = None
        now = self._loop.time()
        waiting, self.waiting = self.waiting, deque()
        for future, until in waiting:
            if future.done():
                continue
            if until > now + _TICK_S:
                self.waiting.append((future, until))
            else:
                future.set_exception(self._refusal())
        if self.waiting:
            self._expire_at(min(until for _, until in self.waiting))

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

# The weight of the latest interval between two connections given away.
_WEIGHT = 0.1


class Queue:
    """
    A queue of one pool: at most ``limit`` wait, none longer than ``timeout_s``.

    ``refusal``: returns what to raise when that time is over.
    """

    def __init__(
        self, limit: int, timeout_s: float, refusal: Callable[[], ServiceUnavailable]
    ) -> None:
        self._limit, self._timeout_s, self._refusal = limit, timeout_s, refusal
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[asyncio.Future[Link]] = deque()
        self._interval_s = 0.0
        self._moved = 0.0  # When it last began, or moved on.

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def expected_s(self) -> float:
        """Return how long one more would wait, as things went lately."""
        return len(self._waiting) * self._interval_s

    def enter(self) -> asyncio.Future[Link]:
        """Return what ends with a connection. Raises ServiceUnavailable if that would take too long."""
        if len(self._waiting) >= self._limit or self.expected_s > self._timeout_s:
            raise ServiceUnavailable(
                "More is asked of this service than it can do.",
                hint="Try again later. If you run this service: FRAISEQL['POOL_MAX_WAITING'].",
                retry_after_s=self.expected_s,
            )
        if not self._waiting:
            self._moved = self._loop.time()
        future: asyncio.Future[Link] = self._loop.create_future()
        self._waiting.append(future)
        return future

    async def ended(self, future: asyncio.Future[Link], timeout_s: float | None = None) -> Link:
        """Return the connection that ``enter`` promised. Raises ServiceUnavailable."""
        timer = self._loop.call_later(timeout_s or self._timeout_s, self._expire, future)
        try:
            return await future
        finally:
            timer.cancel()

    def give(self, link: Link) -> bool:
        """Give ``link`` to whoever waits longest; tell whether there was one."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                now = self._loop.time()
                # How long a new one took to open says nothing of the next.
                if link.used > link.born:
                    self._interval_s += _WEIGHT * (now - self._moved - self._interval_s)
                self._moved = now
                future.set_result(link)
                return True
        return False

    def refuse(self, refusal: ServiceUnavailable) -> None:
        """Send all away."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(refusal)

    def _expire(self, future: asyncio.Future[Link]) -> None:
        if not future.done():
            self._waiting.remove(future)
            future.set_exception(self._refusal())

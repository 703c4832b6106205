"""
Connections that many requests share at a time: for statements known to be cheap.

Each flight keeps a Sync, and so a transaction and an error, of its own. A statement that turns out
slow takes its lane with it: the lane becomes its own connection, those behind it move to another.
"""

import asyncio
from collections.abc import Coroutine
from typing import Protocol

import psycopg
from psycopg.pq.abc import PGresult

from fraiseql.conf import Settings
from fraiseql.db.connections import is_pooled
from fraiseql.db.costs import Costs
from fraiseql.db.flight import Flight
from fraiseql.db.link import Link
from fraiseql.db.queue import Queue
from fraiseql.errors import ServiceUnavailable

LANES = 4
# Flights under way on a lane: enough to keep it busy, few enough to be moved when it stalls.
DEPTH = 32
# A statement that takes longer has its lane to itself; looked for as often.
SLOW_S = 0.025


def lanes_of(settings: Settings, using: str) -> int:
    """Return how many connections of a pool are lanes; 0: each statement has one of its own."""
    # A pooler gives a lane one session after the other: nothing would be shared, and nothing prepared.
    if settings.POOL == "simple" or is_pooled(using):
        return 0
    return min(LANES, settings.POOL_MAX_SIZE // 2)


class Owner(Protocol):
    """The pool that connections come from."""

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run ``work`` in the background."""

    async def acquire(self) -> Link:
        """Return a free connection. Raises ServiceUnavailable."""

    def release(self, link: Link) -> None:
        """Take back one that is free."""

    def abandon(self, link: Link) -> None:
        """Take back one whose flights nobody waits for: they are cancelled."""

    def note(self, link: Link, error: psycopg.Error) -> None:
        """Learn of what failed on a connection."""


class Lanes:
    """
    The lanes of one pool, at most ``size``; those who wait for a place on one are in ``queue``.

    ``owner``: gives connections and takes them back.
    """

    def __init__(self, size: int, costs: Costs, queue: Queue, owner: Owner) -> None:
        self.queue = queue
        self._size, self._costs, self._owner = size, costs, owner
        self._loop = asyncio.get_running_loop()
        self._links: list[Link] = []
        self._is_opening = False
        self._watch: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._links)

    async def fetch(self, flight: Flight) -> list[PGresult]:
        """Run ``flight`` beside others. Raises psycopg.Error or ServiceUnavailable."""
        while True:
            link = self._pick() or await self._wait()
            sent = link.send(flight)
            if self._watch is None:
                self._watch = self._loop.call_later(SLOW_S, self._look)
            try:
                results = await sent
            except psycopg.Error as error:
                self._owner.note(link, error)
                raise
            finally:
                self._leave(link)
            if results is not None:
                return results

    def let_go(self, idle_s: float) -> None:
        """Use no more what is retired, or unused for ``idle_s``."""
        now = self._loop.time()
        for link in tuple(self._links):
            if link.retired or (not link.is_busy and now - link.used > idle_s):
                self._detach(link)

    def forget(self, link: Link) -> None:
        """Forget a connection that is no more."""
        if link in self._links:
            self._links.remove(link)

    def close(self) -> None:
        """Let go of all."""
        self._links.clear()
        if self._watch is not None:
            self._watch.cancel()

    def _pick(self) -> Link | None:
        """Return the lane with the least to do; None if all are full, or others wait already."""
        best = min(self._links, key=_load, default=None)
        if best is None or (best.load and len(self._links) < self._size):
            self._open()
        return best if best is not None and best.load < DEPTH and not len(self.queue) else None

    async def _wait(self) -> Link:
        future = self.queue.enter()
        try:
            return await self.queue.ended(future)
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self.queue.give(future.result())
            raise

    def _leave(self, link: Link) -> None:
        """Let one who waits have the place of a flight that ended, one way or another."""
        if link in self._links:
            if not link.retired:
                self.queue.give(link)
                return
            self._detach(link)
        elif link.is_busy and not link.is_wanted:
            self._owner.abandon(link)
        if len(self.queue):
            best = min(self._links, key=_load, default=None)
            if best is None:
                self._open()
            else:
                self.queue.give(best)

    def _open(self) -> None:
        if not self._is_opening:
            self._is_opening = True
            self._owner.spawn(self._add())

    async def _add(self) -> None:
        try:
            link = await self._owner.acquire()
        except ServiceUnavailable as error:
            if not self._links:
                self.queue.refuse(error)
            return
        finally:
            self._is_opening = False
        self._links.append(link)
        for _ in range(DEPTH):
            if not self.queue.give(link):
                break

    def _look(self) -> None:
        """Find lanes held up by a statement, and look again in a while if there is something to do."""
        self._watch = None
        for link in tuple(self._links):
            link.proceed()  # What has arrived is not late; this process may be.
            if not link.is_busy:
                continue
            if self._loop.time() - link.used > SLOW_S and link in self._links:
                self._costs.demote(link.first)
                self._detach(link)
                link.pass_on()
                if not link.is_wanted:
                    self._owner.abandon(link)
            elif self._watch is None:
                self._watch = self._loop.call_later(SLOW_S, self._look)

    def _detach(self, link: Link) -> None:
        """Make a lane an ordinary connection of the pool, from when it is free."""
        self._links.remove(link)
        if link.is_busy:
            link.on_free = self._owner.release
        else:
            self._owner.release(link)


def _load(link: Link) -> int:
    return link.load

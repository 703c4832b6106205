"""
Connections that many requests share at a time: for statements known to be cheap.

Each flight keeps a Sync, and so a transaction and an error, of its own. A statement that turns out
slow takes its lane with it: the lane becomes its own connection, those behind it move to another.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Protocol

import psycopg

from fraiseql.conf import Settings
from fraiseql.db.connections import is_pooled
from fraiseql.db.costs import Costs
from fraiseql.db.flight import Flight
from fraiseql.db.link import Link
from fraiseql.db.queue import Queue
from fraiseql.db.rows import Rows
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

    @property
    def waiting(self) -> int:
        """Return how many wait for a connection."""

    def spawn(self, work: Coroutine[None, None, None]) -> object:
        """Run ``work`` in the background."""

    async def acquire(self) -> Link:
        """Return a free connection. Raises ServiceUnavailable."""

    def release(self, link: Link) -> None:
        """Take back one that is free."""

    def abandon(self, link: Link) -> None:
        """Take back one whose flights nobody waits for: they are cancelled."""

    def failed(self, link: Link, flight: Flight, error: psycopg.Error) -> None:
        """See that a flight ends, with rows or with its error."""


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
        self._stalled: set[Link] = set()
        self._is_opening = False
        self._watch: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._links)

    def send(self, flight: Flight, share: int) -> asyncio.Future[list[Rows]]:
        """
        Run ``flight`` beside others; its future ends with rows or a FraiseQLError.

        ``share``: how many may be under way on a lane before the next is used.
        """
        for link in self._links:
            if len(link.flights) < share:
                break
        else:
            least = self._least_busy()
            if least is None:
                self._wait(flight)
                return flight.future
            link = least
        if self._watch is None:
            self._watch_lanes()
        return link.send(flight)

    def lend(self, most: int) -> None:
        """Let go of up to ``most`` lanes that have nothing to do, but not of the last."""
        idle = [link for link in self._links[1:] if not link.flights]
        for link in idle[:most]:
            self._detach(link)

    def let_go(self, idle_s: float) -> None:
        """Use no more what is retired, or unused for ``idle_s``."""
        now = self._loop.time()
        for link in tuple(self._links):
            if link.retired or (not link.is_busy and now - link.used > idle_s):
                self._detach(link)

    def forget(self, link: Link) -> None:
        """Forget a connection that is no more."""
        self._stalled.discard(link)
        if link in self._links:
            self._links.remove(link)
            self._serve()

    def close(self) -> None:
        """Let go of all."""
        self._links.clear()
        self._stalled.clear()
        if self._watch is not None:
            self._watch.cancel()

    def _least_busy(self) -> Link | None:
        """Return the lane with the least to do, None if all are full; and see to another one."""
        if len(self._links) < self._size:
            self._open()
        link = min(self._links, key=_load, default=None)
        return None if link is None or self.queue.waiting or _load(link) >= DEPTH else link

    def _watch_lanes(self) -> None:
        self._watch = self._loop.call_later(SLOW_S, self._look)

    def _wait(self, flight: Flight) -> None:
        try:
            future = self.queue.enter()
        except ServiceUnavailable as error:
            flight.refuse(error)
        else:
            future.add_done_callback(partial(self._placed, flight))

    def _placed(self, flight: Flight, future: asyncio.Future[Link]) -> None:
        """Send a flight that waited for a place, if it got one and is still wanted."""
        if (error := future.exception()) is not None:
            flight.refuse(error)
        elif flight.future.done():
            self._serve()
        elif (link := future.result()) in self._links:
            link.send(flight)
            if self._watch is None:
                self._watch_lanes()
        else:
            self.send(flight, 1)  # That lane is none any more.

    def _leave(self, link: Link, places: int) -> None:
        """Let those who wait have the places of flights that ended; lanes themselves are lent, too."""
        if link.retired:
            self._detach(link)
        elif self.queue.waiting:
            self._offer(link, places)
        elif not link.flights and self._owner.waiting > self._is_opening and len(self._links) > 1:
            self._detach(link)

    def _offer(self, link: Link, places: int) -> None:
        for _ in range(places):
            if not self.queue.give(link):
                break

    def _serve(self) -> None:
        """See that those who wait for a place get one some time."""
        if not self.queue.waiting:
            return
        link = min(self._links, key=_load, default=None)
        if link is None:
            self._open()
        elif _load(link) < DEPTH:
            self.queue.give(link)

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
        link.on_end, link.on_failed = self._leave, self._owner.failed
        self._links.append(link)
        self._offer(link, DEPTH)

    def _look(self) -> None:
        """Find lanes held up by a statement, and look again in a while if there is something to do."""
        self._watch = None
        for link in tuple(self._links):
            link.proceed()  # What has arrived is not late; this process may be.
            if link.busy_s > SLOW_S and link in self._links:
                if text := link.flights[0].text:
                    self._costs.demote(text)
                self._detach(link)
                for flight in link.pass_on():
                    self.send(flight, 1)
        for link in tuple(self._stalled):
            link.proceed()
            if link in self._stalled and not link.is_wanted:
                self._stalled.remove(link)
                self._owner.abandon(link)
        if self._stalled or any(link.is_busy for link in self._links):
            self._watch_lanes()

    def _detach(self, link: Link) -> None:
        """Make a lane an ordinary connection of the pool, from when it is free."""
        self._links.remove(link)
        link.on_end = None
        if link.is_busy:
            self._stalled.add(link)
            link.on_free = self._freed
        else:
            self._owner.release(link)
        self._serve()

    def _freed(self, link: Link) -> None:
        self._stalled.discard(link)
        self._owner.release(link)


def _load(link: Link) -> int:
    return len(link.flights)

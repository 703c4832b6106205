"""
The end of a process: what is under way is finished, what comes anew is refused, connections are closed.

uvicorn and granian do so by themselves and end the lifespan when they are done. daphne cuts off whatever
runs and has no lifespan, so it is told of SIGTERM only when there is nothing left to cut off.
"""

import asyncio
import signal
import sys
from types import FrameType
from typing import Any

from asgiref.sync import sync_to_async

from fraiseql.conf import get_settings
from fraiseql.db import replicas
from fraiseql.db.pool import close_pools
from fraiseql.engine.statistics import statistics
from fraiseql.errors import ServiceUnavailable

_POLL_S = 0.05


async def finish() -> None:
    """Store what was counted and let go of the database."""
    await sync_to_async(statistics.flush)()
    await close_pools()
    await sync_to_async(replicas.stop)()


class Drain:
    """How a server without lifespan ends. ``is_ending``: it takes nothing new; ``under_way``: requests."""

    def __init__(self) -> None:
        self.is_ending = False
        self.refusal = ServiceUnavailable("This server is about to end.", hint="Try again.")
        self.under_way = 0
        self._ended: asyncio.Task[None] | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for SIGTERM; whoever does so now is told of it afterwards."""
        previous = signal.getsignal(signal.SIGTERM)

        def end(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(begin, number, frame)

        def begin(number: int, frame: FrameType | None) -> None:
            if self._ended is None:
                self._ended = loop.create_task(self._end())
                self._ended.add_done_callback(lambda _: tell(number, frame))

        def tell(number: int, frame: FrameType | None) -> None:
            signal.signal(signal.SIGTERM, previous)
            if callable(previous):
                previous(number, frame)

        signal.signal(signal.SIGTERM, end)

    async def _end(self) -> None:
        self.is_ending = True
        left_s = get_settings().DRAIN_MS / 1000
        while self.under_way and left_s > 0:
            await asyncio.sleep(_POLL_S)
            left_s -= _POLL_S
        await finish()


def drain_of_daphne() -> Drain | None:
    """Return what lets daphne's requests finish, None under another server."""
    daphne = sys.modules.get("daphne.server")
    if daphne is None:
        return None
    drain = Drain()
    # Once it runs, daphne's own handlers are in place.
    reactor: Any = daphne.reactor
    reactor.callWhenRunning(lambda: drain.watch(asyncio.get_event_loop()))
    return drain

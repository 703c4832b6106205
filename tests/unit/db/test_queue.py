"""Who waits for a connection, and who is refused."""

import asyncio

import pytest

from fraiseql.db.link import Link
from fraiseql.db.queue import Queue
from fraiseql.errors import ServiceUnavailable


def link(uses: int) -> Link:
    """A connection as far as a queue looks at it, used so often."""
    made = Link.__new__(Link)
    made.born, made.used = 1.0, 1.0 + uses
    return made


def expected_s(uses: int) -> float:
    """Return the wait a queue of ten expects after it waited 50 ms for a connection used so often."""

    async def scenario() -> float:
        queue = Queue(100, 5, lambda: ServiceUnavailable("Too long."))
        waiting = [queue.enter() for _ in range(11)]
        await asyncio.sleep(0.05)
        assert queue.give(link(uses))
        assert (waiting[0].done(), len(queue)) == (True, 10)
        expected = queue.expected_s
        queue.refuse(ServiceUnavailable("Enough."))
        for future in waiting[1:]:
            with pytest.raises(ServiceUnavailable):
                await future
        return expected

    return asyncio.run(scenario())


def test_connections_that_come_back_tell_how_long_the_next_will_take() -> None:
    assert expected_s(uses=1) >= 10 * 0.1 * 0.05


def test_a_connection_that_was_just_opened_tells_nothing() -> None:
    assert expected_s(uses=0) == 0


def test_who_left_is_not_refused_when_the_time_is_over() -> None:
    async def scenario() -> None:
        queue = Queue(100, 0.02, lambda: ServiceUnavailable("Too long."))
        gone, waits = queue.enter(), queue.enter()
        gone.cancel()
        with pytest.raises(ServiceUnavailable):
            await waits
        assert len(queue) == 0

    asyncio.run(scenario())


def test_one_pause_makes_no_queue_refuse_that_moves_quickly() -> None:
    async def scenario() -> None:
        queue = Queue(1_000, 5, lambda: ServiceUnavailable("Too long."))
        loop = asyncio.get_running_loop()
        now = [loop.time()]
        queue._loop = Clock(now)  # type: ignore[assignment]  # as far as a queue looks at it
        for interval_s in [*[0.01] * 100, 1.0]:
            queue.enter()
            now[0] += interval_s
            queue.give(link(1))
        waiting = [queue.enter() for _ in range(150)]
        queue.refuse(ServiceUnavailable("Enough."))
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(scenario())


class Clock:
    """A loop whose time is set by hand."""

    def __init__(self, now: list[float]) -> None:
        self._now = now
        self._loop = asyncio.get_running_loop()

    def time(self) -> float:
        return self._now[0]

    def __getattr__(self, name: str) -> object:
        return getattr(self._loop, name)

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

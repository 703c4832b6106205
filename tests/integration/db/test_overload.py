"""More than the pool can do is refused at once, and the rest is served."""

import asyncio
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fraiseql.db import pool
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.errors import ServiceUnavailable

pytestmark = pytest.mark.usefixtures("as_served")

Configure = Callable[..., object]


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def _outcome(statement: Statement, using: str) -> Rows | ServiceUnavailable:
    try:
        return await pool.fetch(statement, using)
    except ServiceUnavailable as error:
        return error


def test_of_2000_slow_requests_on_two_connections_most_are_refused_at_once(
    alias: str, configure: Configure
) -> None:
    configure(POOL_MAX_SIZE=2, POOL_TIMEOUT_MS=2000, POOL_MAX_WAITING=100)
    slow = Statement("SELECT pg_sleep(0.1)")

    async def scenario() -> None:
        await pool.fetch(slow, alias)
        memory, start = _resident_bytes(), time.process_time()
        tasks = [asyncio.create_task(_outcome(slow, alias)) for _ in range(2000)]
        while sum(task.done() for task in tasks) < 1899:
            await asyncio.sleep(0)
        assert (time.process_time() - start) / 1899 < 0.01
        assert _resident_bytes() - memory < 20_000_000
        outcomes = await asyncio.gather(*tasks)
        served = [answer for answer in outcomes if isinstance(answer, Rows)]
        refusals = [answer for answer in outcomes if isinstance(answer, ServiceUnavailable)]
        assert len(served) >= 4
        assert len(served) + len(refusals) == 2000
        assert all(refusal.retry_after_s >= 1 for refusal in refusals)
        assert len(await pool.fetch(Statement("SELECT 1"), alias)) == 1

    asyncio.run(scenario())


def test_who_would_wait_too_long_is_refused_at_once(alias: str, configure: Configure) -> None:
    configure(POOL_MAX_SIZE=1, POOL_TIMEOUT_MS=400)
    slow = Statement("SELECT pg_sleep(0.1)")

    async def scenario() -> list[float]:
        # The pool learns what one wait costs.
        await asyncio.gather(*(_outcome(slow, alias) for _ in range(40)))
        waits = []

        async def wait() -> None:
            start = time.monotonic()
            with pytest.raises(ServiceUnavailable):
                await pool.fetch(slow, alias)
            waits.append(time.monotonic() - start)

        kept = [asyncio.create_task(pool.fetch(slow, alias)) for _ in range(4)]
        await asyncio.sleep(0)
        await asyncio.gather(*(wait() for _ in range(60)))
        await asyncio.gather(*kept, return_exceptions=True)
        return waits

    assert min(asyncio.run(scenario())) < 0.1

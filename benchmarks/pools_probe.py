"""Run by pools.py in a process of its own: pool, seconds, coroutines."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable

import django
import uvloop

from benchmarks import floor
from benchmarks.operations import OPERATIONS
from benchmarks.pipeline import Pipelines
from fraiseql.db.pool import close_pools, fetch
from fraiseql.db.statement import Statement

IDS = [json.loads(body)["variables"]["id"] for body in OPERATIONS[0].bodies(1000)]

BARE = Pipelines(b"SELECT data FROM tv_user WHERE id = $1")


async def by_psycopg(key: str) -> object:
    """Fetch a user as the floor does, without parsing it."""
    return await floor.pool.values(floor.USER, key)


async def by_libpq(key: str) -> object:
    """Fetch a user as cheaply as can be."""
    return await BARE.values(key)


async def by_fraiseql(key: str) -> object:
    """Fetch a user as FraiseQL's pipeline does."""
    rows = await fetch(Statement("SELECT data FROM tv_user WHERE id = %s", (key,)))
    return rows.column(0)


async def rate(one: Callable[[str], Awaitable[object]], seconds: float, coroutines: int) -> None:
    """Print statements a second and processor microseconds for each."""
    count = 0

    async def work(until: float) -> None:
        nonlocal count
        while time.monotonic() < until:
            await one(IDS[count % len(IDS)])
            count += 1

    async def load(length: float) -> None:
        until = time.monotonic() + length
        await asyncio.gather(*(work(until) for _ in range(coroutines)))

    await load(0.5)
    count, cpu, begun = 0, time.process_time(), time.monotonic()
    await load(seconds)
    cpu, passed = time.process_time() - cpu, time.monotonic() - begun
    print(json.dumps({"rate": count / passed, "cpu_us": cpu / count * 1e6}))
    await floor.pool.close()
    await BARE.close()
    await close_pools()


def main() -> None:
    """Measure the pool that is named."""
    django.setup()
    name, seconds, coroutines = sys.argv[1:]
    one = {"psycopg": by_psycopg, "libpq": by_libpq, "fraiseql": by_fraiseql}[name]
    uvloop.run(rate(one, float(seconds), int(coroutines)))


main()

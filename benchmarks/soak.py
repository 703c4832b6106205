"""
``python -m benchmarks.soak``: saturation for minutes, PostgreSQL restarted in the middle.

200 tenants ask without a pause, each answer is checked to be its own. Watched are memory, connections and
prepared statements; allowed are refusals (SERVICE_UNAVAILABLE) while PostgreSQL is away or the queue is full,
and nothing else.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from benchmarks.postgres import Postgres
from benchmarks.processes import resident_bytes
from benchmarks.servers import HOST, Server, System, serving
from benchmarks.systems import uvicorn
from fraiseql.db import faults
from fraiseql.db.embedded import EmbeddedServer
from fraiseql.db.link import MAX_PREPARED

TENANTS, POOL_SIZE = 200, 10
# How long PostgreSQL is away, and how soon after it is back the service has to be.
AWAY_S, RESUMED_S = 3.0, 5.0
SAMPLES = 40
# What an allocator moves by itself, in a run whose first quarter fills the caches.
ALLOWED_BYTES, SETTLED_S = 8 * 1024 * 1024, 480
SCHEMA = Path(__file__).with_name("soaked") / "schema.sql"

ITEMS = "query Items($limit: Int) { items(limit: $limit) { id tenant touched } }"
SLOW = "{ slowItems { id tenant } }"
WRONG = '{ items(where: {id: {eq: "x"}}) { id } }'
TOUCH = """mutation Touch($number: Int!) { touchItem(input: {number: $number}) {
    item { id tenant touched } errors { message } } }"""
SESSION = "{ sessions { id prepared } }"


@dataclass
class Sample:
    """What was seen at one time."""

    at_s: float
    server_bytes: int
    connections: int
    prepared: int


@dataclass
class Tally:
    """What came back. ``refused``: when, and in which words; ``wrong``: what should never, the first few."""

    answered: int = 0
    refused: list[tuple[float, str]] = field(default_factory=list)
    successes: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def complain(self, what: str) -> None:
        """Note what should never come."""
        if len(self.wrong) < 20:
            self.wrong.append(what)


class Tenant:
    """One client with a connection of its own."""

    def __init__(self, number: int, port: int, tally: Tally, until: float) -> None:
        self.name = f"tenant-{number}"
        self._random, self._port, self._tally, self._until = Random(number), port, tally, until
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def run(self) -> None:
        """Ask until the time is over."""
        self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
        while time.monotonic() < self._until:
            kind, body = self._request()
            try:
                status, answer = await self._ask(body)
            except (OSError, asyncio.IncompleteReadError, ValueError) as error:
                self._tally.complain(f"{kind}: {error!r}")
                self._reader, self._writer = await asyncio.open_connection(HOST, self._port)
                continue
            self._check(kind, status, answer)
            if status == 503:
                await asyncio.sleep(0.05)
        self._writer.close()

    async def _ask(self, body: dict[str, Any]) -> tuple[int, Any]:
        sent = json.dumps(body).encode()
        self._writer.write(
            b"POST /graphql/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"X-Tenant: %b\r\nContent-Length: %d\r\n\r\n%b" % (self.name.encode(), len(sent), sent)
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        received = await self._reader.readexactly(length)
        return int(head.split(b" ", 2)[1]), json.loads(received)

    def _request(self) -> tuple[str, dict[str, Any]]:
        chance = self._random.random()
        if chance < 0.90:
            return "read", {"query": ITEMS, "variables": {"limit": self._random.randint(1, 20)}}
        if chance < 0.95:
            return "write", {"query": TOUCH, "variables": {"number": self._random.randint(1, 20)}}
        if chance < 0.97:
            return "new", {"query": self._never_seen()}
        if chance < 0.99:
            return "wrong", {"query": WRONG}
        return "slow", {"query": SLOW}

    def _never_seen(self) -> str:
        """Return a query whose SQL no connection has prepared."""
        words = [f"{{id: {{{self._random.choice(('gt', 'gte', 'neq'))}: 0}}}}" for _ in range(16)]
        return f"{{ items(where: {{AND: [{', '.join(words)}]}}) {{ id tenant }} }}"

    def _check(self, kind: str, status: int, answer: Any) -> None:
        tally, now = self._tally, time.monotonic()
        tally.answered += 1
        errors = answer.get("errors", [])
        if any(error["extensions"]["code"] == "SERVICE_UNAVAILABLE" for error in errors):
            tally.refused.append((now, errors[0]["message"]))
        elif kind == "wrong":
            tally.kinds[kind] += 1
            if not errors:
                tally.complain(f"{kind}: {answer}")
        elif errors or status != 200:
            tally.complain(f"{kind}: {status} {errors}")
        else:
            tally.kinds[kind] += 1
            tally.successes.append(now)
            self._check_owner(kind, answer["data"])

    def _check_owner(self, kind: str, data: Any) -> None:
        found = next(iter(data.values()))
        rows = [found["item"]] if kind == "write" else found
        if not rows or any(row["tenant"] != self.name for row in rows):
            self._tally.complain(f"{kind}: {self.name} was given {rows}")


def main() -> int:
    """Run the soak, print the figures and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="length of the load (600)")
    parser.add_argument("--pool", choices=("multiplexed", "simple"), default="multiplexed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fraiseql-soak-", dir="/var/tmp") as temporary:
        directory = Path(temporary)
        directory.chmod(0o711)
        server = EmbeddedServer(directory / "postgresql")
        server.start()
        try:
            with psycopg.connect(server.uri(), autocommit=True) as connection:
                connection.execute(SCHEMA.read_bytes())
            return _soak(Postgres(server, server.status().pid or 0), options, directory)
        finally:
            server.stop()


def _soak(postgres: Postgres, options: argparse.Namespace, directory: Path) -> int:
    settings = {"POOL": options.pool, "POOL_MAX_SIZE": POOL_SIZE}
    system = System(
        "soak",
        "FraiseQL under load",
        uvicorn("benchmarks.soaked.asgi:application"),
        environment={
            "DJANGO_SETTINGS_MODULE": "benchmarks.soaked.settings",
            "SOAK_FRAISEQL": json.dumps(settings),
        },
    )
    log = directory / "log"
    with serving(system, postgres.environment(), log) as served:
        tally, samples, back = asyncio.run(_load(postgres, served, options.seconds))
    found = _report(tally, samples, back, options.seconds)
    told = log.read_text(errors="replace")
    if "Traceback" in told:
        found.append(f"the server's log has a traceback:\n{told[-4000:]}")
    for fault in found:
        print(f"FAILED: {fault}")
    return bool(found)


async def _load(
    postgres: Postgres, served: Server, seconds: float
) -> tuple[Tally, list[Sample], float]:
    """Return what came back, what was seen meanwhile, and when PostgreSQL was back."""
    tally, samples, begun = Tally(), list[Sample](), time.monotonic()
    port = int(served.url.split(":")[2].partition("/")[0])
    tenants = [Tenant(number, port, tally, begun + seconds) for number in range(TENANTS)]
    async with asyncio.TaskGroup() as group:
        for tenant in tenants:
            group.create_task(tenant.run())
        restarted = group.create_task(_restart(postgres, seconds / 2))
        group.create_task(_watch(postgres, served, begun, seconds, samples))
    return tally, samples, restarted.result()


async def _restart(postgres: Postgres, after_s: float) -> float:
    await asyncio.sleep(after_s)
    await asyncio.to_thread(postgres.server.stop)
    await asyncio.sleep(AWAY_S)
    await asyncio.to_thread(postgres.server.start)
    return time.monotonic()


async def _watch(
    postgres: Postgres, served: Server, begun: float, seconds: float, samples: list[Sample]
) -> None:
    while time.monotonic() < begun + seconds - seconds / SAMPLES:
        await asyncio.sleep(seconds / SAMPLES)
        try:
            sample = await asyncio.to_thread(_look, postgres, served, begun)
        except psycopg.OperationalError:
            continue  # It is away.
        samples.append(sample)
        print(
            f"{sample.at_s:6.0f} s  {sample.server_bytes / 2**20:6.1f} MiB "
            f" {sample.connections:3} connections  {sample.prepared:4} prepared at most",
            flush=True,
        )


def _look(postgres: Postgres, served: Server, begun: float) -> Sample:
    connections = postgres.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fraiseql'"
    )
    body = json.dumps({"query": SESSION}).encode()
    prepared = 0
    for _ in range(20):
        try:
            answer = json.loads(served.ask(body))
        except Exception:  # noqa: BLE001 - refused: the load sees to that
            continue
        prepared = max(prepared, *(row["prepared"] for row in answer["data"]["sessions"]))
    return Sample(time.monotonic() - begun, resident_bytes(served.pid), connections, prepared)


def _report(tally: Tally, samples: list[Sample], back: float, seconds: float) -> list[str]:
    """Print the figures; return what is wrong with them."""
    first_after = min((when for when in tally.successes if when > back), default=float("inf"))
    # The other reasons are those of a queue that is full.
    outage = [when for when, reason in tally.refused if reason == faults.UNREACHABLE]
    last_refused = max((when - back for when in outage), default=0.0)
    reasons = Counter(reason for _, reason in tally.refused)
    settled = [sample for sample in samples if sample.at_s > seconds / 4]
    growth = settled[-1].server_bytes - settled[0].server_bytes if settled else 0
    most = max((sample.connections for sample in samples), default=0)
    prepared = max((sample.prepared for sample in samples), default=0)
    print(
        f"{tally.answered:,} answers in {seconds:.0f} s to {TENANTS} tenants: {dict(tally.kinds)},"
        f" {len(tally.refused):,} refused: {dict(reasons)}.\n"
        f"PostgreSQL was away: first success {first_after - back:.2f} s after it was back, last"
        f" refusal for it {last_refused:.2f} s.\n"
        f"Memory {growth / 2**20:+.1f} MiB after the first quarter, at most {most} connections"
        f" (POOL_MAX_SIZE {POOL_SIZE}), at most {prepared} prepared statements a connection."
    )
    found = list(tally.wrong)
    if first_after - back > RESUMED_S or last_refused > RESUMED_S:
        found.append(f"the service was not back within {RESUMED_S} s")
    if seconds >= SETTLED_S and growth > ALLOWED_BYTES:
        found.append(f"memory grew by {growth / 2**20:.1f} MiB")
    # One for what Django's own connection counts, where operations are stored.
    if most > POOL_SIZE + 1:
        found.append(f"{most} connections")
    if prepared > MAX_PREPARED + POOL_SIZE:
        found.append(f"{prepared} prepared statements")
    return found


if __name__ == "__main__":
    sys.exit(main())

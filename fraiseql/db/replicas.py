"""
Reads on standbys, no client further back than what it wrote itself.

A thread of this process asks each replica a few times a second how far it has replayed, and the
primary where it is: to choose costs a read nothing, and what a replica cannot do the primary does.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from threading import Lock, Thread
from time import monotonic

import psycopg
from django.core import mail
from django.db import connections

from fraiseql.conf import Settings, get_settings
from fraiseql.db import faults, pool, sync
from fraiseql.db.connections import find_pooled, is_pooled, parameters
from fraiseql.db.flight import Flight, Session, Step, decoded, step_of
from fraiseql.db.horizon import Horizon, position
from fraiseql.db.link import Link, PoolerFound
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.errors import ConfigurationError, FraiseQLError, ServiceUnavailable, StaleCatalog

logger = logging.getLogger("fraiseql.db")

# How often a server is asked, how long it may be silent, and how soon one that is out is tried again.
EVERY_S, SILENCE_S, AGAIN_S = 0.25, 2.0, 1.0

# What only a replica refuses: conflicts with what it replays, and writing.
_OF_REPLICAS = {*faults.SERIALIZATION, "25006"}
# Flushed: a standby gets nothing else.
_WHERE_PRIMARY = Statement("SELECT pg_current_wal_flush_lsn()")
_WHERE_REPLICA = Statement("SELECT pg_last_wal_replay_lsn() WHERE pg_is_in_recovery()")
_OUT = -1


async def fetch_async(statement: Statement, using: str, session: Session, horizon: Horizon) -> Rows:
    """Return the rows of a statement that reads, from a replica that ``horizon`` allows or the primary."""
    alias = None if statement.writes or statement.current else _choose(using, horizon)
    if alias is not None:
        try:
            return await pool.fetch(statement, alias, session)
        except FraiseQLError as error:
            if not _is_for_primary(using, alias, error):
                raise
    return await pool.fetch(statement, using, session)


async def read(step: Step, using: str, session: Session, horizon: Horizon) -> list[Rows]:
    """Return the rows of one statement that reads, from the same."""
    return [await fetch_async(decoded(step), using, session, horizon)]


def fetch(statement: Statement, using: str, session: Session, horizon: Horizon) -> Rows:
    """Return the same, on Django's connections; in a transaction, from the primary's."""
    alias = None
    if not (statement.writes or statement.current or connections[using].in_atomic_block):
        alias = _choose(using, horizon)
    if alias is not None:
        try:
            return sync.fetch(statement, alias, session)
        except FraiseQLError as error:
            if not _is_for_primary(using, alias, error):
                raise
    return sync.fetch(statement, using, session)


def stop() -> None:
    """Ask the servers no more: for the end of a process."""
    while _watches:
        _watches.popitem()[1].stop()


@dataclass
class Replica:
    """A standby. ``lsn``: it has replayed at least so far; below 0: not to be used, for ``fault``."""

    alias: str
    lsn: int = _OUT
    fault: str = "it has not been asked yet"

    def leave_out(self, fault: str) -> None:
        """Use it no more until it is found well."""
        if self.lsn != _OUT:  # Once an outage, not once a request.
            logger.warning("Replica %r is left out: %s", self.alias, fault)
        self.lsn, self.fault = _OUT, fault


class Watch:
    """What one process knows of the replicas of ``settings``, kept up to date by a thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.replicas = [Replica(alias) for alias in settings.REPLICAS]
        self._max_lag_s = settings.REPLICA_MAX_LAG_MS / 1000
        # Where the primary was, and when it was last there.
        self._past: deque[tuple[int, float]] = deque()
        self._turn = count()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="fraiseql replicas", daemon=True)
        self._thread.start()

    def choose(self, lsn: int) -> str | None:
        """Return the alias of a replica that has replayed ``lsn``, each in turn; None if there is none."""
        able = [replica.alias for replica in self.replicas if replica.lsn >= lsn]
        return able[next(self._turn) % len(able)] if able else None

    def leave_out(self, alias: str, fault: str) -> None:
        """Use a replica no more until it is found well."""
        for replica in self.replicas:
            if replica.alias == alias:
                replica.leave_out(fault)

    def stop(self) -> None:
        """End the thread."""
        with suppress(RuntimeError):  # It has ended by itself.
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(SILENCE_S)

    def _cancel(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()

    def _run(self) -> None:
        with (
            asyncio.Runner(loop_factory=lambda: self._loop) as runner,
            suppress(asyncio.CancelledError),
        ):
            runner.run(self._follow_all())

    async def _follow_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            primary = self.settings.DATABASE
            group.create_task(_follow(primary, _WHERE_PRIMARY, self._take_primary, lambda _: None))
            for replica in self.replicas:
                group.create_task(self._follow_replica(replica))

    async def _follow_replica(self, replica: Replica) -> None:
        def take(lsn: int | None) -> None:
            if lsn is None:
                fault = "it is no standby"
            elif (behind_s := self._behind_s(lsn)) > self._max_lag_s:
                fault = f"it is {behind_s:.1f} s behind"
            else:
                replica.lsn = lsn
                return
            replica.leave_out(fault)

        def lose(error: Exception) -> None:
            replica.leave_out(str(error).strip() or "it is silent")
            # What is under way there may wait for an answer that never comes.
            pool.close_everywhere(replica.alias)

        await _follow(replica.alias, _WHERE_REPLICA, take, lose)

    def _take_primary(self, lsn: int | None) -> None:
        past, now = self._past, monotonic()
        if past and past[-1][0] == lsn:
            past.pop()
        past.append((lsn or 0, now))
        while len(past) > 1 and past[0][1] < now - self._max_lag_s:
            past.popleft()

    def _behind_s(self, lsn: int) -> float:
        """Return how long before now, or before it went silent, the primary was last at ``lsn``."""
        if not self._past:
            return float("inf")
        latest = self._past[-1][1]
        return next((latest - when for at, when in reversed(self._past) if at <= lsn), float("inf"))


# By the alias of the primary. A forked process begins anew: the threads are its parent's.
_watches: dict[str, Watch] = {}
_lock = Lock()
os.register_at_fork(after_in_child=_watches.clear)


def _choose(using: str, horizon: Horizon) -> str | None:
    # In Django's test environment a replica is a mirror, which sees no transaction of a TestCase.
    if hasattr(mail, "outbox") or using != get_settings().DATABASE:
        return None
    return _watch_of(using).choose(horizon.lsn)


def _watch_of(using: str) -> Watch:
    """Return what this process knows, from its first read on."""
    settings, watch = get_settings(), _watches.get(using)
    if watch is not None and watch.settings is settings:
        return watch
    with _lock:
        watch = _watches.get(using)
        if watch is None or watch.settings is not settings:
            if watch is not None:
                watch.stop()
            watch = _watches[using] = Watch(settings)
        return watch


def _is_for_primary(using: str, alias: str, error: FraiseQLError) -> bool:
    """Tell whether the primary may succeed with what failed on a replica."""
    cause = None if error.__cause__ is None else faults.database_error(error.__cause__)
    if isinstance(error, ServiceUnavailable):
        if cause is not None:  # Else it only has enough to do.
            _watch_of(using).leave_out(alias, str(cause).strip())
        return True
    return isinstance(error, StaleCatalog) or getattr(cause, "sqlstate", None) in _OF_REPLICAS


async def _follow(
    alias: str,
    where: Statement,
    take: Callable[[int | None], None],
    lose: Callable[[Exception], None],
) -> None:
    """Ask a server again and again where it is; ``lose`` is told what keeps it from answering."""

    def lost(_: Link) -> None:
        lose(psycopg.OperationalError("it closed the connection"))

    link: Link | None = None
    try:
        while True:
            try:
                async with asyncio.timeout(SILENCE_S):
                    if link is None:
                        params = parameters(alias, is_watched=False)
                        link = await Link.open(params, lost, prepares=not is_pooled(alias))
                    answer = await link.send(Flight((step_of(where),)))
            except PoolerFound:
                find_pooled(alias)
            except (psycopg.Error, TimeoutError, ConfigurationError) as error:
                if link is not None:
                    link.close()
                    link = None
                lose(error)
                await asyncio.sleep(AGAIN_S)
            else:
                (found,) = answer[0].column(0) or (None,)
                take(None if found is None else position(found.decode()))
                await asyncio.sleep(EVERY_S)
    finally:
        if link is not None:
            link.close()

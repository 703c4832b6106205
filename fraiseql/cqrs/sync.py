"""
Projections brought in step with the views they store, when the application says so.

A type bound with ``view="tv_post", source="v_post"`` reads the table ``tv_post``, which is filled from
``v_post``. After a write::

    sync.sync_post([post_id])                   # await it in asynchronous code
    sync.sync_user([user_id], cascade=True)     # and the posts that hold this user
    sync.sync_post(mode="full")

``mode``: ``incremental`` refreshes rows by key, now; ``deferred`` does so when the transaction commits;
``full`` the whole projection. Every sync has its row in ``tb_sync_log``.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from graphlib import CycleError, TopologicalSorter
from time import perf_counter
from typing import Any, Literal

import psycopg
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections, transaction
from psycopg import sql

from fraiseql.conf import get_settings
from fraiseql.cqrs import cascade as cascades
from fraiseql.cqrs.projection import (
    WHOLE,
    Pair,
    Projection,
    Scope,
    boundaries,
    bring_in_step,
    key_range,
    keys_in,
    lock_rows,
    lock_table,
    pair_of,
    type_name,
)
from fraiseql.cqrs.projection import drift as drift_query
from fraiseql.db import catalog
from fraiseql.db.texts import sql_text
from fraiseql.engine.sql.scope import identifier
from fraiseql.errors import BadUserInput, ConfigurationError, DatabaseFault
from fraiseql.schema import registry

Mode = Literal["full", "incremental", "deferred"]
MODES = ("full", "incremental", "deferred")

BATCH = 5_000
"""Rows a full sync writes in one transaction: writers of these wait meanwhile."""

# A batch is too short for compiling to pay, and its documents are to stay in memory.
_FOR_BATCHES = "SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true)"

_UNFINISHED = "Not finished: under way, interrupted or killed."
"""The error in the log of a sync in batches, until it ends: who is killed cannot say so."""

_UNIQUE_VIOLATION = "23505"


@dataclass(frozen=True)
class Drift:
    """Rows a projection lacks, rows that differ from its source, and rows its source does not have."""

    view: str
    missing: int
    stale: int
    orphaned: int

    def __bool__(self) -> bool:
        return bool(self.missing or self.stale or self.orphaned)


@dataclass(frozen=True)
class Refreshed:
    """What a sync wrote."""

    view: str
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    duration_ms: float = 0.0

    def __add__(self, other: "Refreshed") -> "Refreshed":
        return replace(
            self,
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            deleted=self.deleted + other.deleted,
        )


def __getattr__(name: str) -> Callable[..., Any]:
    """Return ``sync_<entity>``: ``refresh`` of the projection of one type, named in snake_case."""
    if not name.startswith("sync_"):
        raise AttributeError(name)
    return partial(refresh, name.removeprefix("sync_"))


def refresh(
    entity: str,
    ids: Iterable[Any] = (),
    *,
    mode: Mode = "incremental",
    cascade: bool = False,
    using: str | None = None,
) -> Any:
    """
    Refresh the projection of ``entity``; return a list of Refreshed, or an awaitable of it in an event loop.

    ``cascade``: also the projections that embed the rows (``cascade.rules``). Raises ConfigurationError for
    an unknown entity, BadUserInput for ids or a mode that make no sense, DatabaseFault if the source fails.
    """
    keys = tuple(dict.fromkeys(str(key) for key in ids))
    if mode not in MODES:
        raise BadUserInput(f"{mode!r} is not a mode of a sync.", hint=f"One of {', '.join(MODES)}.")
    if mode == "full" and keys:
        raise BadUserInput("A full sync takes no ids.", hint='Leave out mode="full".')
    work = partial(
        refresh_rows, _view_of(entity), keys, cascade, using or get_settings().DATABASE, mode
    )
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    return sync_to_async(work)()


def refresh_rows(
    view: str, keys: Sequence[str], cascade: bool, using: str, mode: Mode = "incremental"
) -> list[Refreshed]:
    """Do what ``refresh`` does, for the type bound to ``view``, on Django's connection."""
    wanted, held_by = _concerned(view, cascade, using)
    if mode == "full":
        return [synchronize(projection, using) for projection in wanted]
    if mode == "deferred":
        later = partial(_incremental, view, keys, wanted, held_by, using)
        transaction.on_commit(later, using=using)
        return []
    return _incremental(view, keys, wanted, held_by, using)


def drift_of_rows(view: str, keys: Sequence[str], cascade: bool, using: str) -> list[Drift]:
    """Return how far the rows that ``refresh_rows`` would write are from their sources."""
    wanted, held_by = _concerned(view, cascade, using)
    keys_of = _keys_of(view, keys, wanted, held_by, using)
    return [
        drift(projection, using, keys_of[projection.view])
        for projection in wanted
        if keys_of.get(projection.view)
    ]


def _concerned(
    view: str, cascade: bool, using: str
) -> tuple[tuple[Projection, ...], list[cascades.Rule]]:
    """Return the projection of ``view`` and those that embed its rows, in order, and by which rules."""
    known = {projection.view: projection for projection in projections()}
    rules = cascades.rules(known.values()) if cascade else ()
    held_by = [rule for rule in rules if rule.held == view and rule.holder != view]
    wanted = [known[view]] if view in known else []
    wanted += [known[rule.holder] for rule in held_by]
    if not wanted:
        raise ConfigurationError(
            f"No projection stores the rows of {view}.",
            hint="Declare @fraiseql.type(source=...), or ask for those that embed it: cascade=True.",
        )
    return in_order(wanted, using), held_by


def _keys_of(
    view: str,
    keys: Sequence[str],
    wanted: Sequence[Projection],
    held_by: Sequence[cascades.Rule],
    using: str,
) -> dict[str, list[str]]:
    """Return the keys of the rows concerned by projection."""
    with _explained(wanted[-1]):
        pairs = {projection.view: pair_of(projection, using) for projection in wanted}
        return {view: list(keys)} | cascades.holders(held_by, keys, pairs, using)


def _incremental(
    view: str,
    keys: Sequence[str],
    wanted: Sequence[Projection],
    held_by: Sequence[cascades.Rule],
    using: str,
) -> list[Refreshed]:
    """Refresh the rows of ``view``, and those of ``wanted`` that embed them by the rules, in one transaction."""
    done = []
    with _failure_logged("incremental", using), transaction.atomic(using):
        keys_of = _keys_of(view, keys, wanted, held_by, using)
        for projection in wanted:
            if found := keys_of.get(projection.view):
                work = partial(_some, projection, found, using)
                by_function = _by_function(projection, found, using)
                done.append(by_function or _logged("incremental", using, work))
    return done


def _by_function(projection: Projection, keys: list[str], using: str) -> Refreshed | None:
    """Have ``fn_sync_tv_x(ids)`` do it, which keeps its own log, if the database has one."""
    pair = pair_of(projection, using)
    if pair.key_type is None:
        return None
    started = perf_counter()
    with _explained(projection), connections[using].cursor() as cursor:
        name = pair.function.as_string(None)
        cursor.execute("SELECT to_regprocedure(%s)", (f"{name}({pair.key_type}[])",))
        if cursor.fetchone() == (None,):
            return None
        call = sql.SQL("SELECT {}(%s::{}[])").format(pair.function, type_name(pair.key_type))
        cursor.execute(call, (keys,))
        (count,) = cursor.fetchone()
    changed = count if isinstance(count, int) else len(keys)
    duration_ms = (perf_counter() - started) * 1000
    return Refreshed(projection.view, updated=changed, duration_ms=duration_ms)


def _view_of(entity: str) -> str:
    """Return the relation that the type called ``entity`` is bound to."""
    known = {
        cascades.snake_case(entry.name): entry.view
        for entry in registry.current().objects.values()
        if entry.view is not None
    }
    if entity not in known:
        raise ConfigurationError(
            f"No bound type is called {entity!r}.", hint=f"Known: {', '.join(sorted(known))}."
        )
    return known[entity]


def projections(names: Sequence[str] = ()) -> tuple[Projection, ...]:
    """Return the declared projections, or those called ``names``. Raises ConfigurationError."""
    declared: dict[str, Projection] = {}
    for entry in registry.current().objects.values():
        if entry.view is None or entry.source is None:
            continue
        known = declared.setdefault(entry.view, Projection(entry.view, entry.source))
        if known.source != entry.source:
            raise ConfigurationError(
                f"{entry.view} is filled from {known.source} by one type and from {entry.source} by"
                f" another, {entry.name}.",
                hint="A projection has one source.",
            )
    for name in names:
        if name not in declared:
            raise ConfigurationError(
                f"No type is bound to a projection {name!r}.",
                hint=f"Known: {', '.join(sorted(declared)) or 'none; see @fraiseql.type(source=...)'}.",
            )
    return tuple(declared[name] for name in names) if names else tuple(declared.values())


def in_order(wanted: Iterable[Projection], using: str) -> tuple[Projection, ...]:
    """Return ``wanted`` so that a projection comes after those its source reads."""
    by_view = {projection.view: projection for projection in wanted}
    if len(by_view) < 2:
        return tuple(by_view.values())
    graph = TopologicalSorter[str](dict.fromkeys(by_view, ()))
    sources = [projection.source for projection in by_view.values()]
    with connections[using].cursor() as cursor:
        cursor.execute(sql_text("fraiseql.cqrs", "reads"), [[*sources, *by_view]])
        read = set(cursor.fetchall())
    # A table reads itself and nothing else.
    table_of = {relation: view for view, relation in read if view in by_view}
    for view, projection in by_view.items():
        for source, relation in read:
            if source == projection.source and relation in table_of:
                graph.add(view, table_of[relation])
    try:
        return tuple(by_view[view] for view in graph.static_order())
    except CycleError as cycle:
        raise ConfigurationError(
            f"Projections are filled from each other: {' -> '.join(cycle.args[1])}.",
            hint="Let one of the source views read tables instead.",
        ) from cycle


def changed_since(projection: Projection, since: datetime, using: str) -> list[str]:
    """Return the keys, as text, of the source's rows whose ``updated_at`` is ``since`` or later."""
    pair = pair_of(projection, using)
    source = catalog.relations((projection.source,), using)[projection.source]
    if pair.key_type is None or "updated_at" not in source.columns:
        raise ConfigurationError(
            f"{projection.source} does not say when its rows changed.",
            hint="Select an updated_at of the table beside the document.",
        )
    query = sql.SQL("SELECT s.{}::text FROM {} AS s WHERE s.updated_at >= %s").format(
        identifier(pair.key[0]), pair.source
    )
    with _explained(projection), connections[using].cursor() as cursor:
        cursor.execute(query, (since,))
        return [key for (key,) in cursor.fetchall()]


def drift(projection: Projection, using: str, keys: Sequence[str] | None = None) -> Drift:
    """Return how far ``projection``, or its rows with ``keys``, is from its source; nothing is written."""
    pair = pair_of(projection, using)
    scope = WHOLE if keys is None else keys_in(pair, keys)
    with _explained(projection), connections[using].cursor() as cursor:
        cursor.execute(drift_query(pair, scope), (*scope.params, *scope.params))
        missing, stale, orphaned = cursor.fetchone()
    return Drift(projection.view, missing, stale, orphaned)


# A projection as a whole

Advance = Callable[[int, int], None]
"""Called with the batches done and all batches of a projection."""


def synchronize(
    projection: Projection,
    using: str,
    *,
    workers: int = 1,
    writes_all: bool = False,
    advance: Advance | None = None,
) -> Refreshed:
    """
    Bring ``projection`` in step with its source; return what changed.

    In batches of BATCH rows, each a transaction of its own, by up to ``workers`` connections. Rows that are
    right already are not written, unless ``writes_all``. Readers go on reading; a writer waits for the batch
    that has its row. What is interrupted is gone on with by calling it again.

    Raises DatabaseFault, with the rows that their view cannot compute, when all others are done.
    """
    pair = replace(pair_of(projection, using), writes_all=writes_all)
    started = perf_counter()
    row = _log(Refreshed(projection.view), "full", using, _UNFINISHED)
    failing = _Failing(projection, pair)
    done = Refreshed(projection.view)
    try:
        for so_far in _whole(projection, pair, using, workers, advance, failing):
            done = so_far
        failing.check()
    except DatabaseFault as fault:
        # Without a connection the row stays as it is.
        with suppress(DatabaseError):
            _log_end(row, done, started, using, fault.message)
        raise
    return _log_end(row, done, started, using)


def _whole(
    projection: Projection,
    pair: Pair,
    using: str,
    workers: int,
    advance: Advance | None,
    failing: "_Failing",
) -> Iterator[Refreshed]:
    """Yield what was done so far, after each batch."""
    done = Refreshed(projection.view)
    if pair.key_type is None:
        yield _at_once(projection, pair, using)
        return
    with _explained(projection), connections[using].cursor() as cursor:
        cursor.execute(boundaries(pair, BATCH), ())
        ends: list[str] = [key for (key,) in cursor.fetchall()]
    ranges = list(zip([None, *ends], [*ends, None], strict=True))

    def work(ends: tuple[str | None, str | None]) -> Refreshed:
        return _batch(projection, pair, ends, using, failing)

    try:
        for number, part in enumerate(_each(work, ranges, using, workers), 1):
            done += part
            yield done
            if advance is not None:
                advance(number, len(ranges))
    except _Displaced:
        # A row wants a unique value that a row of another batch gives up: only all at once can they swap.
        yield done + _at_once(projection, pair, using)


class _Failing:
    """The rows of a projection that its source cannot compute; threads share it."""

    MOST = 20
    """A view that fails on more rows than that is broken itself."""

    def __init__(self, projection: Projection, pair: Pair) -> None:
        self._projection, self._pair = projection, pair
        self._faults: dict[str, DatabaseFault] = {}

    def add(self, key: str, fault: DatabaseFault) -> None:
        """Note a row. Raises DatabaseFault if there are too many."""
        self._faults[key] = fault
        if len(self._faults) > self.MOST:
            self.check()

    def check(self) -> None:
        """Raise DatabaseFault if there are any."""
        if not self._faults:
            return
        keys = sorted(self._faults)
        fault = self._faults[keys[0]]
        which = f"row of {self._projection.source} with {self._pair.key[0]} {keys[0]}"
        if len(keys) > 1:
            which = f"rows of {self._projection.source} with {self._pair.key[0]} {', '.join(keys)}"
        raise DatabaseFault(
            f"{fault.message.strip()}\nThe {which} cannot be computed.",
            hint="Mend the row or the view, and run it again: what was done stays done.",
            view=self._projection.view,
        ) from fault.__cause__


class _Displaced(Exception):
    """A batch met a unique value of a row outside."""


Ends = tuple[str | None, str | None]


def _each(
    work: Callable[[Ends], Refreshed], ranges: Sequence[Ends], using: str, workers: int
) -> Iterator[Refreshed]:
    if workers < 2:
        yield from map(work, ranges)
        return

    def work_apart(ends: Ends) -> Refreshed:
        try:
            return work(ends)
        finally:
            connections[using].close()

    with ThreadPoolExecutor(workers) as threads:
        running = [threads.submit(work_apart, ends) for ends in ranges]
        try:
            for future in running:
                yield future.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


def _batch(
    projection: Projection, pair: Pair, ends: Ends, using: str, failing: _Failing
) -> Refreshed:
    """Write a batch, without the rows that cannot be computed."""
    without: list[str] = []
    while True:
        scope = key_range(pair, *ends, without)
        try:
            with _explained(projection), transaction.atomic(using):
                with connections[using].cursor() as cursor:
                    cursor.execute(_FOR_BATCHES, ())
                return _rows(projection, pair, scope, using)
        except DatabaseFault as fault:
            if _sqlstate(fault) == _UNIQUE_VIOLATION:
                raise _Displaced from fault
            key = _culprit(pair, scope, using)
            if key is None:
                raise
            failing.add(key, fault)
            without.append(key)


def _sqlstate(fault: DatabaseFault) -> str | None:
    cause = fault.__cause__.__cause__ if fault.__cause__ else None
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def _at_once(projection: Projection, pair: Pair, using: str) -> Refreshed:
    with (
        _explained(projection),
        transaction.atomic(using),
        connections[using].cursor() as cursor,
    ):
        cursor.execute(lock_table(pair), ())
        return _write(projection, pair, WHOLE, using)[0]


def _some(projection: Projection, keys: Sequence[str], using: str) -> Refreshed:
    pair = pair_of(projection, using)
    with _explained(projection), transaction.atomic(using):
        return _rows(projection, pair, keys_in(pair, keys), using)


def _rows(projection: Projection, pair: Pair, scope: Scope, using: str) -> Refreshed:
    """Lock the rows there are, then look at the source, so that no newer row is replaced by an older."""
    with connections[using].cursor() as cursor:
        cursor.execute(lock_rows(pair, scope), scope.params)
        (known,) = cursor.fetchone()
    done, again = _write(projection, pair, scope, using, known)
    if again:
        # Inserted by another transaction meanwhile: ours by now, so that this look is the latest.
        done += _write(projection, pair, keys_in(pair, again), using)[0]
    return done


def _write(
    projection: Projection, pair: Pair, scope: Scope, using: str, known: list[str] | None = None
) -> tuple[Refreshed, list[str]]:
    params: tuple[Any, ...] = (*scope.params, *scope.params)
    given: sql.Composable | None = None
    if known is not None:
        params, given = (*params, known), sql.SQL("%s::text[]")
    with connections[using].cursor() as cursor:
        cursor.execute(bring_in_step(pair, scope, given), params)
        inserted, updated, deleted, *again = cursor.fetchone()
    done = Refreshed(projection.view, inserted=inserted, updated=updated, deleted=deleted)
    return done, (again[0] or []) if again else []


# The log


def _logged(mode: str, using: str, work: Callable[[], Refreshed]) -> Refreshed:
    started = perf_counter()
    done = work()
    done = replace(done, duration_ms=(perf_counter() - started) * 1000)
    _log(done, mode, using)
    return done


@contextmanager
def _failure_logged(mode: str, using: str) -> Iterator[None]:
    """Log a failure, outside the transaction that it undid."""
    started = perf_counter()
    try:
        yield
    except DatabaseFault as fault:
        duration_ms = (perf_counter() - started) * 1000
        view = str(fault.extensions["view"])
        _log(Refreshed(view, duration_ms=duration_ms), mode, using, fault.message)
        raise


def _log(done: Refreshed, mode: str, using: str, error: str | None = None) -> int:
    values: list[Any] = [
        done.view, mode, done.inserted, done.updated, done.deleted, done.duration_ms, error,
    ]  # fmt: skip
    with connections[using].cursor() as cursor:
        cursor.execute(sql_text("fraiseql.cqrs", "log_sync"), values)
        (row,) = cursor.fetchone()
    return int(row)


def _log_end(
    row: int, done: Refreshed, started: float, using: str, error: str | None = None
) -> Refreshed:
    done = replace(done, duration_ms=(perf_counter() - started) * 1000)
    values: list[Any] = [
        done.inserted, done.updated, done.deleted, done.duration_ms, error, row,
    ]  # fmt: skip
    with connections[using].cursor() as cursor:
        cursor.execute(sql_text("fraiseql.cqrs", "end_sync"), values)
    return done


@contextmanager
def _explained(projection: Projection) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise DatabaseFault(
            f"{projection.view} was left as it was: {error}",
            hint=f"Ask psql for all rows of {projection.source}: does the view itself work?",
            view=projection.view,
        ) from error


def _culprit(pair: Pair, scope: Scope, using: str) -> str | None:
    """Return the key of a row of the source that cannot be computed, if that is what fails."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT s.{key}::text FROM {source} AS s{where} ORDER BY s.{key}").format(
                key=identifier(pair.key[0]), source=pair.source, where=scope.where("s")
            ),
            scope.params,
        )
        keys = [key for (key,) in cursor.fetchall()]
    if _is_computable(pair, keys, using):
        return None
    while len(keys) > 1:
        half = keys[: len(keys) // 2]
        keys = keys[len(half) :] if _is_computable(pair, half, using) else half
    return str(keys[0])


def _is_computable(pair: Pair, keys: Sequence[str], using: str) -> bool:
    scope = keys_in(pair, keys)
    query = sql.SQL("SELECT count(s.*::text) FROM {source} AS s{where}").format(
        source=pair.source, where=scope.where("s")
    )
    try:
        with transaction.atomic(using), connections[using].cursor() as cursor:
            cursor.execute(query, scope.params)
    except DatabaseError:
        return False
    return True

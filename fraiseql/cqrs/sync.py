"""
Projections brought in step with the views they store.

A type bound with ``view="tv_post", source="v_post"`` reads the table ``tv_post``; this module fills that table
from ``v_post``. The columns both have are copied, rows are matched by a unique key of the table, and what the
view no longer has is deleted.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from time import perf_counter
from typing import LiteralString

from django.db import DatabaseError, connections, transaction
from psycopg import sql

from fraiseql.db import catalog
from fraiseql.errors import ConfigurationError, DatabaseFault
from fraiseql.schema import registry

# The types PostgreSQL cannot compare for equality, or compares by area, and what to compare instead.
_COMPARED_AS: dict[str, LiteralString] = {"json": "jsonb"} | dict.fromkeys(
    ("xml", "point", "line", "lseg", "box", "path", "polygon", "circle"), "text"
)


@dataclass(frozen=True)
class Projection:
    """The table ``view`` and the view ``source`` it is filled from, as the binding names them."""

    view: str
    source: str


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
    """What ``synchronize`` wrote."""

    view: str
    inserted: int
    updated: int
    deleted: int
    duration_ms: float


@dataclass(frozen=True)
class _Pair:
    """
    Both relations as SQL needs them.

    ``columns``: those both have. ``key`` finds a row; ``unique`` are the columns of every unique key.
    ``compared``: the columns beside the key, with the type to compare them as. ``stamps``: the table notes
    the time of the change itself.
    """

    target: sql.Identifier
    source: sql.Identifier
    columns: tuple[str, ...]
    key: tuple[str, ...]
    unique: tuple[str, ...]
    compared: tuple[tuple[str, LiteralString | None], ...]
    stamps: bool


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
    by_source: dict[str, list[str]] = {}
    for projection in by_view.values():
        by_source.setdefault(projection.source, []).append(projection.view)
    graph = TopologicalSorter[str](dict.fromkeys(by_view, ()))
    with connections[using].cursor() as cursor:
        cursor.execute(_file("projection_dependencies"), [list(by_source), list(by_view)])
        for source, read in cursor.fetchall():
            for view in by_source[source]:
                graph.add(view, read)
    try:
        return tuple(by_view[view] for view in graph.static_order())
    except CycleError as cycle:
        raise ConfigurationError(
            f"Projections are filled from each other: {' -> '.join(cycle.args[1])}.",
            hint="Let one of the source views read tables instead.",
        ) from cycle


def verify(projection: Projection, using: str) -> None:
    """Raise ConfigurationError if ``projection`` cannot be filled from its source."""
    _pair(projection, using)


def drift(projection: Projection, using: str) -> Drift:
    """Return how far ``projection`` is from its source; one query, nothing is written."""
    pair = _pair(projection, using)
    first = sql.Identifier(pair.key[0])
    statement = sql.SQL(
        "SELECT count(*) FILTER (WHERE p.{first} IS NULL),"
        " count(*) FILTER (WHERE p.{first} IS NOT NULL AND s.{first} IS NOT NULL AND ({differs})),"
        " count(*) FILTER (WHERE s.{first} IS NULL)"
        " FROM {source} s FULL JOIN {target} p ON {same}"
    ).format(
        first=first,
        differs=_differs(pair, "s"),
        source=pair.source,
        target=pair.target,
        same=_same(pair.key),
    )
    with _explained(projection), connections[using].cursor() as cursor:
        cursor.execute(statement)
        missing, stale, orphaned = cursor.fetchone()
    return Drift(projection.view, missing, stale, orphaned)


def synchronize(projection: Projection, using: str) -> Refreshed:
    """
    Bring ``projection`` in step with its source, in one transaction; return what changed.

    Rows that are right already are not written. Readers go on reading; other writers of the
    projection wait, so that none of their rows is replaced by an older one.
    """
    started = perf_counter()
    pair = _pair(projection, using)
    with (
        _explained(projection),
        transaction.atomic(using),
        connections[using].cursor() as cursor,
    ):
        cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(pair.target))
        cursor.execute(_delete(pair))
        deleted, displaced = cursor.fetchone()
        cursor.execute(_upsert(pair))
        inserted, updated = cursor.fetchone()
    return Refreshed(
        projection.view,
        inserted=inserted - displaced,
        updated=updated + displaced,
        deleted=deleted - displaced,
        duration_ms=(perf_counter() - started) * 1000,
    )


def _delete(pair: _Pair) -> sql.Composed:
    """
    Delete orphans, and rows whose other unique values changed; count both, and the latter.

    The latter are written anew by ``_upsert``: two rows may have swapped a unique value, which no order of
    updates gets past.
    """
    return sql.SQL(
        "WITH gone AS (DELETE FROM {target} p"
        " WHERE NOT EXISTS (SELECT FROM {source} s WHERE {same}) RETURNING {key})"
        " SELECT count(*), count(*) FILTER"
        " (WHERE EXISTS (SELECT FROM {source} s WHERE {same_key})) FROM gone p"
    ).format(
        target=pair.target,
        source=pair.source,
        same=_same(pair.key, pair.unique),
        key=sql.SQL(", ").join(sql.Identifier("p", name) for name in pair.key),
        same_key=_same(pair.key),
    )


def _upsert(pair: _Pair) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, pair.columns))
    changes: list[sql.Composable] = [
        sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name, _ in pair.compared
    ]
    if pair.stamps:
        changes.append(sql.SQL("updated_at = DEFAULT"))
    action = (
        sql.SQL("DO UPDATE SET {} WHERE {}").format(
            sql.SQL(", ").join(changes), _differs(pair, "excluded")
        )
        if pair.compared
        else sql.SQL("DO NOTHING")
    )
    # xmax is 0 for a row this statement made, and holds its lock for a row it found.
    return sql.SQL(
        "WITH written AS (INSERT INTO {target} AS p ({columns}) SELECT {columns} FROM {source}"
        " ON CONFLICT ({key}) {action} RETURNING p.xmax = 0 AS is_new)"
        " SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written"
    ).format(
        target=pair.target,
        columns=columns,
        source=pair.source,
        key=sql.SQL(", ").join(map(sql.Identifier, pair.key)),
        action=action,
    )


def _same(key: Sequence[str], unique: Sequence[str] = ()) -> sql.Composed:
    equal = [(name, sql.SQL("{} = {}")) for name in key]
    # Of the other unique columns, two nulls are the same value.
    equal += [(name, sql.SQL("{} IS NOT DISTINCT FROM {}")) for name in unique if name not in key]
    return sql.SQL(" AND ").join(
        condition.format(sql.Identifier("p", name), sql.Identifier("s", name))
        for name, condition in equal
    )


def _differs(pair: _Pair, other: str) -> sql.Composable:
    conditions = []
    for name, compared_as in pair.compared:
        cast = sql.SQL("::{}").format(sql.SQL(compared_as)) if compared_as else sql.SQL("")
        conditions.append(
            sql.SQL("{}{} IS DISTINCT FROM {}{}").format(
                sql.Identifier("p", name), cast, sql.Identifier(other, name), cast
            )
        )
    return sql.SQL(" OR ").join(conditions) if conditions else sql.SQL("false")


def _pair(projection: Projection, using: str) -> _Pair:
    known = catalog.relations((projection.view, projection.source), using)
    for name in (projection.view, projection.source):
        if name not in known:
            raise ConfigurationError(
                f"The database has no {name!r}.", hint="Run manage.py migrate first."
            )
    target, source = known[projection.view], known[projection.source]
    if target.kind != "table":
        raise ConfigurationError(
            f"{projection.view} cannot be filled from {projection.source}: it is a {target.kind}.",
            hint="A projection is a table; leave out source= to read a view directly.",
        )
    columns = tuple(name for name in target.columns if name in source.columns)
    keys = [key for key in target.unique_keys if set(key) <= set(columns)]
    if not keys:
        raise ConfigurationError(
            f"{projection.view} has no unique key among the columns of {projection.source}.",
            hint=f"ALTER TABLE {projection.view} ADD PRIMARY KEY (id).",
        )
    return _Pair(
        target=sql.Identifier(target.schema, target.name),
        source=sql.Identifier(source.schema, source.name),
        columns=columns,
        key=keys[0],
        unique=tuple(dict.fromkeys(name for key in keys for name in key)),
        compared=tuple(
            (name, _COMPARED_AS.get(target.columns[name].type))
            for name in columns
            if name not in keys[0]
        ),
        stamps="updated_at" in target.columns and "updated_at" not in source.columns,
    )


@contextmanager
def _explained(projection: Projection) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise DatabaseFault(
            f"{projection.view} was left as it was: {error}",
            hint=f"Ask psql for all rows of {projection.source}: does the view itself work?",
        ) from error


@cache
def _file(name: str) -> str:
    return files("fraiseql.cqrs").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")

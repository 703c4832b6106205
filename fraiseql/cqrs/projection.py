"""
The SQL that brings a projection in step with the view it stores.

The columns both have are copied, rows are matched by a unique key of the table, and what the view no longer
has is deleted. Every statement takes a ``Scope``: the whole table, a range of keys, or keys by name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import sql

from fraiseql.db import catalog
from fraiseql.db.catalog import Relation
from fraiseql.engine.sql.scope import identifier
from fraiseql.errors import ConfigurationError

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
class Pair:
    """
    Both relations as SQL needs them.

    ``columns``: those both have. ``key`` finds a row; ``unique`` are the columns of every unique key.
    ``compared``: the columns beside the key, with the type to compare them as. ``stamps``: the table notes
    the time of the change itself. ``key_type``: of a key of one column, None for others. ``writes_all``: also
    rows that are right are written.
    """

    view: str
    target: sql.Composable
    source: sql.Composable
    function_name: str
    function: sql.Composable
    columns: tuple[str, ...]
    key: tuple[str, ...]
    key_type: str | None
    unique: tuple[str, ...]
    compared: tuple[tuple[str, LiteralString | None], ...]
    stamps: bool
    writes_all: bool = False


@dataclass(frozen=True)
class Scope:
    """Which rows a statement is about: a condition on the columns of an alias, and its parameters."""

    condition: Callable[[LiteralString], sql.Composable] | None = None
    params: tuple[Any, ...] = ()

    def where(self, alias: LiteralString) -> sql.Composable:
        """Return the WHERE clause on ``alias``."""
        return sql.SQL(" WHERE ") + self.on(alias)

    def on(self, alias: LiteralString) -> sql.Composable:
        """Return the condition on ``alias``."""
        return sql.SQL("true") if self.condition is None else self.condition(alias)


WHOLE = Scope()


def keys_in(pair: Pair, keys: Sequence[str]) -> Scope:
    """Return the scope of the rows with these keys, as text."""
    values = sql.SQL("%s::{}[]").format(_type(pair))
    return Scope(_any_of(pair, values), (list(keys),))


def key_range(
    pair: Pair, above: str | None, up_to: str | None, without: Sequence[str] = ()
) -> Scope:
    """Return the scope of the keys above one, up to and with another; None: no such end."""
    ends: list[tuple[LiteralString, Any]] = [
        ("{} > %s::{}", above),
        ("{} <= %s::{}", up_to),
        ("{} <> ALL (%s::{}[])", list(without) or None),
    ]
    given = [(text, end) for text, end in ends if end is not None]

    def condition(alias: LiteralString) -> sql.Composable:
        parts = [
            sql.SQL(text).format(identifier(alias, pair.key[0]), _type(pair)) for text, _ in given
        ]
        return sql.SQL(" AND ").join(parts) if parts else sql.SQL("true")

    return Scope(condition, tuple(end for _, end in given))


def _any_of(pair: Pair, values: sql.Composable) -> Callable[[LiteralString], sql.Composable]:
    def condition(alias: LiteralString) -> sql.Composable:
        return sql.SQL("{} = ANY({})").format(identifier(alias, pair.key[0]), values)

    return condition


def _type(pair: Pair) -> sql.Composable:
    if pair.key_type is None:
        raise ConfigurationError(
            "A projection whose key has several columns is filled as a whole.",
            hint="Give it a primary key (id).",
        )
    return type_name(pair.key_type)


def type_name(name: str) -> sql.Composable:
    """Return a type as SQL, from how format_type() spells it: SQL already, and never a user's."""
    return sql.SQL(name.replace("%", "%%"))


def pair_of(projection: Projection, using: str) -> Pair:
    """Return both relations of ``projection``. Raises ConfigurationError if it cannot be filled."""
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
    key = keys[0]
    return Pair(
        view=projection.view,
        target=_name(target),
        source=_name(source),
        function_name=f"fn_sync_{target.name}",
        function=identifier(target.schema, f"fn_sync_{target.name}"),
        columns=columns,
        key=key,
        key_type=target.columns[key[0]].type if len(key) == 1 else None,
        unique=tuple(dict.fromkeys(name for key in keys for name in key)),
        compared=tuple(
            (name, _COMPARED_AS.get(target.columns[name].type))
            for name in columns
            if name not in key
        ),
        stamps="updated_at" in target.columns and "updated_at" not in source.columns,
    )


def _name(relation: Relation) -> sql.Composable:
    return identifier(relation.schema, relation.name)


# Statements


def lock_table(pair: Pair) -> sql.Composable:
    """Return the lock that lets readers go on and has other writers wait, also those who lock rows first."""
    return sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(pair.target)


def lock_rows(pair: Pair, scope: Scope) -> sql.Composable:
    """
    Return what locks the rows there are, in the order of their keys, and gives these as text.

    A statement of its own before those that read the source: what waits here sees afterwards what the
    transaction it waited for has written.
    """
    return sql.SQL(
        "SELECT coalesce(array_agg(l.k::text), '{{}}') FROM"
        " (SELECT p.{key} AS k FROM {target} p{where} ORDER BY p.{key} FOR UPDATE) l"
    ).format(key=identifier(pair.key[0]), target=pair.target, where=scope.where("p"))


def bring_in_step(pair: Pair, scope: Scope, known: sql.Composable | None = None) -> sql.Composable:
    """
    Insert what is missing, update what differs and delete orphans; count each.

    One statement, because the view costs the most and is computed once. Takes the scope's parameters twice.
    A row whose other unique values changed is deleted and written anew: two rows may have swapped a value,
    which no order of updates gets past. It counts as updated.

    ``known``: the keys ``lock_rows`` gave, as a text[]. A fourth column then has the keys updated that are not
    among them: another transaction inserted them meanwhile, perhaps after this statement looked at the source.
    """
    met: sql.Composable = sql.SQL("")
    if known is not None:
        met = sql.SQL(
            ", (SELECT array_agg({first}::text) FROM written"
            " WHERE NOT is_new AND {first}::text <> ALL ({known}))"
        ).format(first=identifier(pair.key[0]), known=known)
    return sql.SQL(_BRING_IN_STEP).format(
        target=pair.target,
        source=pair.source,
        columns=sql.SQL(", ").join(map(identifier, pair.columns)),
        of_source=scope.where("s"),
        of_target=scope.on("p"),
        unique=sql.SQL(", ").join(map(identifier, pair.unique)),
        same=_same(pair.key, pair.unique),
        key=sql.SQL(", ").join(map(identifier, pair.key)),
        key_of_p=sql.SQL(", ").join(identifier("p", name) for name in pair.key),
        action=_on_conflict(pair),
        met=met,
    )


# OFFSET 0 keeps whole documents out of the table that the keys are hashed into.
# The filter on gone has the deletes done before the inserts begin, which may need their unique values.
# xmax is 0 for a row this statement made, and holds its lock for a row it found.
_BRING_IN_STEP: LiteralString = """\
WITH s AS MATERIALIZED (SELECT {columns} FROM {source} AS s{of_source}),
gone AS (DELETE FROM {target} AS p WHERE {of_target} AND NOT EXISTS
    (SELECT FROM (SELECT {unique} FROM s OFFSET 0) AS s WHERE {same}) RETURNING {key_of_p}),
written AS (INSERT INTO {target} AS p ({columns}) SELECT {columns} FROM s WHERE (SELECT count(*) FROM gone) >= 0
    ON CONFLICT ({key}) {action} RETURNING {key_of_p}, p.xmax = 0 AS is_new),
counts AS (SELECT count(*) FILTER (WHERE is_new) AS made, count(*) FILTER (WHERE NOT is_new) AS changed
    FROM written),
moved AS (SELECT count(*) AS n FROM gone JOIN written USING ({key})),
deleted AS (SELECT count(*) AS n FROM gone)
SELECT made - moved.n, changed + moved.n, deleted.n - moved.n{met} FROM counts, moved, deleted"""


def _on_conflict(pair: Pair) -> sql.Composable:
    if not pair.compared:
        return sql.SQL("DO NOTHING")
    changes: list[sql.Composable] = [
        sql.SQL("{0} = EXCLUDED.{0}").format(identifier(name)) for name, _ in pair.compared
    ]
    if pair.stamps:
        changes.append(sql.SQL("updated_at = DEFAULT"))
    action = sql.SQL("DO UPDATE SET ") + sql.SQL(", ").join(changes)
    return action if pair.writes_all else action + sql.SQL(" WHERE ") + _differs(pair, "excluded")


def drift(pair: Pair, scope: Scope) -> sql.Composable:
    """Return what counts the rows that are missing, stale and orphaned. Takes the scope's parameters twice."""
    first = identifier(pair.key[0])
    return sql.SQL(
        "SELECT count(*) FILTER (WHERE p.{first} IS NULL),"
        " count(*) FILTER (WHERE p.{first} IS NOT NULL AND s.{first} IS NOT NULL AND ({differs})),"
        " count(*) FILTER (WHERE s.{first} IS NULL)"
        " FROM (SELECT * FROM {source} AS s{of_source}) AS s"
        " FULL JOIN (SELECT * FROM {target} AS p{of_target}) AS p ON {same}"
    ).format(
        first=first,
        differs=_differs(pair, "s"),
        source=pair.source,
        of_source=scope.where("s"),
        target=pair.target,
        of_target=scope.where("p"),
        same=_same(pair.key),
    )


def boundaries(pair: Pair, size: int) -> sql.Composable:
    """Return what gives every ``size``-th key of both relations, as text, in order."""
    _type(pair)
    return sql.SQL(
        "SELECT k::text FROM (SELECT k, row_number() OVER (ORDER BY k) AS n FROM"
        " (SELECT {key} AS k FROM {source} UNION SELECT {key} FROM {target}) AS both_) AS numbered"
        " WHERE n %% {size} = 0 ORDER BY k"
    ).format(
        key=identifier(pair.key[0]),
        source=pair.source,
        target=pair.target,
        size=sql.Literal(size),
    )


def sync_function(pair: Pair) -> str:
    """
    Return the DDL of ``fn_sync_tv_x``: rows by their keys, and one row by its key.

    For ``PERFORM fn_sync_tv_x(...)`` in functions that write.
    """
    # Named after the function, so that a column called ids would not be meant.
    scope = Scope(_any_of(pair, identifier(pair.function_name, "ids")))
    text = sql.SQL(_FUNCTION).format(
        function=pair.function,
        key_type=_type(pair),
        lock=lock_rows(pair, scope),
        bring_in_step=bring_in_step(pair, scope, sql.SQL("mine.known")),
        entity=sql.Literal(pair.view),
    )
    return text.as_string(None).replace("%%", "%")


_FUNCTION: LiteralString = """\
CREATE OR REPLACE FUNCTION {function}(ids {key_type}[]) RETURNS bigint
LANGUAGE plpgsql AS $function$
#variable_conflict use_column
<<mine>>
DECLARE
    started  timestamptz := clock_timestamp();
    known    text[];
    again    text[];
    inserted bigint;
    updated  bigint;
    deleted  bigint;
BEGIN
    {lock} INTO known;
    {bring_in_step} INTO inserted, updated, deleted, again;
    IF again IS NOT NULL THEN
        PERFORM {function}(again::{key_type}[]);
    END IF;
    INSERT INTO tb_sync_log (entity, mode, inserted, updated, deleted, duration_ms)
    VALUES ({entity}, 'incremental', inserted, updated, deleted,
            extract(epoch FROM clock_timestamp() - started) * 1000);
    RETURN inserted + updated + deleted;
END
$function$;

CREATE OR REPLACE FUNCTION {function}(id {key_type}) RETURNS bigint
LANGUAGE sql AS $function$ SELECT {function}(ARRAY[id]) $function$;
"""


def _same(key: Sequence[str], unique: Sequence[str] = ()) -> sql.Composed:
    equal = [(name, sql.SQL("{} = {}")) for name in key]
    # Of the other unique columns, two nulls are the same value.
    equal += [(name, sql.SQL("{} IS NOT DISTINCT FROM {}")) for name in unique if name not in key]
    return sql.SQL(" AND ").join(
        condition.format(identifier("p", name), identifier("s", name)) for name, condition in equal
    )


def _differs(pair: Pair, other: str) -> sql.Composable:
    conditions = []
    for name, compared_as in pair.compared:
        cast = sql.SQL("::{}").format(sql.SQL(compared_as)) if compared_as else sql.SQL("")
        conditions.append(
            sql.SQL("{}{} IS DISTINCT FROM {}{}").format(
                identifier("p", name), cast, identifier(other, name), cast
            )
        )
    return sql.SQL(" OR ").join(conditions) if conditions else sql.SQL("false")

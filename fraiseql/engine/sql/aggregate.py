"""
Aggregates to SQL: the figures of a group, what its rows have in common, and the document of both.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString

from psycopg import sql

from fraiseql.engine.plan.plan import Compare, Condition, Every, IsNull, Not, Read, Some, Target
from fraiseql.engine.sql.operators import Column, Operand, sort_key, sort_type
from fraiseql.schema.aggregates import KEYS, MeasureSpec
from fraiseql.schema.inputs import scalar_of
from fraiseql.schema.specs import FieldSpec, ObjectSpec

# A function of PostgreSQL takes at most 100 arguments.
_MAX_MEMBERS = 50

# In the widest type of their kind: a sum of int8 is numeric.
_WIDE: Mapping[str, LiteralString] = {
    "int4": "int8",
    "int8": "int8",
    "numeric": "numeric",
    "float8": "float8",
}
_RESULT: Mapping[LiteralString, LiteralString] = {
    "int8": "numeric",
    "numeric": "numeric",
    "float8": "double precision",
}
_FUNCTIONS: Mapping[str, LiteralString] = {
    "sum": "sum({})",
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
}


def needed(read: Read) -> list[Target]:
    """Return the places of the aggregate type that a read has to work out, its keys first."""
    assert read.groups is not None  # noqa: S101 - the caller looked
    keys = [key.target for key in read.groups.keys]
    places = dict.fromkeys(keys)
    asked = [
        *read.wants.figures,
        *_targets(read.groups.having),
        *(key.target for key in read.order),
    ]
    for target in asked:
        is_figure = not isinstance(target.leaf.type.named, ObjectSpec)
        if is_figure and target.fields[0].name != KEYS:
            places[target] = None
    return list(places)


def _targets(condition: Condition) -> Iterator[Target]:
    if isinstance(condition, Compare | IsNull):
        yield condition.target
    elif isinstance(condition, Not):
        yield from _targets(condition.item)
    elif isinstance(condition, Every | Some):
        for item in condition.items:
            yield from _targets(item)


def source(target: Target) -> Target:
    """Return the field of the view's type that a place of the aggregate type is worked out of."""
    return Target(tuple(_source(entry) for entry in target.fields[1:]))


def _source(entry: FieldSpec) -> FieldSpec:
    assert isinstance(entry, MeasureSpec)  # noqa: S101 - schema/aggregates.py made it
    assert entry.source is not None  # noqa: S101 - schema/aggregates.py gave it
    return entry.source


def row_count() -> Column:
    """Return the number of a group's rows."""
    return Column(sql.SQL("count(*)"), "bigint")


def figure(function: str, entry: FieldSpec, operand: Operand) -> Column:
    """Return what ``function`` makes of a field over a group's rows."""
    scalar = scalar_of(entry.type.named)
    value = sort_key(scalar, operand)
    if function == "countDistinct":
        return Column(sql.SQL("count(DISTINCT {})").format(value), "bigint")
    if function in {"min", "max"}:
        if scalar.pg == "text":
            # Of a column of another type PostgreSQL may know no least.
            value = _cast(value, "text")
        kind = "text" if scalar.pg == "text" else sort_type(scalar, operand)
        return Column(sql.SQL(_FUNCTIONS[function]).format(value), kind)
    wide = _WIDE[scalar.pg]
    if sort_type(scalar, operand) != wide:
        value = _cast(value, wide)
    result = sql.SQL(_FUNCTIONS[function]).format(value)
    if function == "avg" and scalar.pg == "int4":
        return Column(_cast(result, "float8"), "double precision")
    return Column(result, _RESULT[wide])


def key(entry: FieldSpec, operand: Operand) -> Column:
    """Return a field that rows are grouped by."""
    scalar = scalar_of(entry.type.named)
    return Column(sort_key(scalar, operand), sort_type(scalar, operand))


def cut_key(unit: str, entry: FieldSpec, operand: Operand, zone: sql.Composable | None) -> Column:
    """
    Return a date or time cut down to ``unit`` in ``zone`` (a parameter; None: UTC).

    In UTC by immutable functions alone, so that an index on the same expression may serve.
    """
    scalar = scalar_of(entry.type.named)
    value, kind = sort_key(scalar, operand), sort_type(scalar, operand)
    if scalar.pg == "date":
        cut = sql.SQL("date_trunc({}, ({})::timestamp)::date").format(sql.Literal(unit), value)
        return Column(cut, "date")
    is_local = kind.startswith("timestamp") and kind.endswith("without time zone")
    if is_local == (zone is not None):
        value = sql.SQL("({} AT TIME ZONE 'UTC')").format(value)
    if zone is None:
        cut = sql.SQL("date_trunc({}, {})").format(sql.Literal(unit), value)
        return Column(cut, "timestamp without time zone")
    cut = sql.SQL("date_trunc({}, {}, {})").format(sql.Literal(unit), value, zone)
    return Column(cut, "timestamp with time zone")


def document(figures: Iterable[Target], columns: Mapping[Target, sql.Composable]) -> sql.Composable:
    """Return the JSON document of a group; ``columns``: what has been worked out, by its place."""
    tree: dict[str, Any] = {}
    for target in figures:
        here = tree
        for entry in target.fields[:-1]:
            here = here[entry.key]
        if isinstance(target.leaf.type.named, ObjectSpec):
            here.setdefault(target.leaf.key, {})
        elif target in columns:
            here[target.leaf.key] = columns[target]
    return _object(tree)


def _object(tree: Mapping[str, Any]) -> sql.Composable:
    members = [
        sql.SQL("{}, {}").format(
            sql.Literal(name), _object(value) if isinstance(value, dict) else value
        )
        for name, value in tree.items()
    ]
    if len(members) <= _MAX_MEMBERS:
        return _build("json_build_object({})", members)
    parts = [
        _build("jsonb_build_object({})", members[start : start + _MAX_MEMBERS])
        for start in range(0, len(members), _MAX_MEMBERS)
    ]
    return sql.SQL("({})").format(sql.SQL(" || ").join(parts))


def _build(call: LiteralString, members: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(call).format(sql.SQL(", ").join(members))


def _cast(value: sql.Composable, pg_type: LiteralString) -> sql.Composable:
    return sql.SQL("({})::{}").format(value, sql.SQL(pg_type))

"""
Keysets: the rows that come after a cursor.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg import sql


@dataclass(frozen=True)
class Key:
    """One key of a keyset: its expression, and what makes the cursor's value a parameter."""

    expression: sql.Composable
    value: Callable[[], sql.Composable]
    descending: bool
    nulls_first: bool
    is_nullable: bool
    is_null: bool


def keyset(keys: Sequence[Key]) -> sql.Composable:
    """
    Return the condition of rows strictly beyond a cursor.

    Keys that cannot be null and run one way compare as one row, which an index on them serves; otherwise
    each key in turn, and the first alone once more as a bound for its index.
    """
    directions = {key.descending for key in keys}
    if len(directions) == 1 and not any(key.is_nullable for key in keys):
        comparison = sql.SQL("({}) < ({})") if keys[0].descending else sql.SQL("({}) > ({})")
        return comparison.format(
            sql.SQL(", ").join(key.expression for key in keys),
            sql.SQL(", ").join(key.value() for key in keys),
        )
    parts: list[sql.Composable] = []
    if not keys[0].is_nullable:
        bound = sql.SQL("{} <= {}") if keys[0].descending else sql.SQL("{} >= {}")
        parts.append(bound.format(keys[0].expression, keys[0].value()))
    choices = []
    for number, key in enumerate(keys):
        # Parameters are numbered as they come: ties first, then the step beyond.
        ties = [_tie(above) for above in keys[:number]]
        step = _step(key)
        if step is not None:
            choices.append(combine(" AND ", "true", [*ties, step]))
        else:
            choices.append(combine(" AND ", "true", [*ties, sql.SQL("false")]))
    parts.append(combine(" OR ", "false", choices))
    return combine(" AND ", "true", parts)


def _tie(key: Key) -> sql.Composable:
    if key.is_null:
        return sql.SQL("{} IS NULL").format(key.expression)
    return sql.SQL("{} = {}").format(key.expression, key.value())


def _step(key: Key) -> sql.Composable | None:
    if key.is_null:
        return sql.SQL("{} IS NOT NULL").format(key.expression) if key.nulls_first else None
    comparison = sql.SQL("{} < {}") if key.descending else sql.SQL("{} > {}")
    step = comparison.format(key.expression, key.value())
    if key.is_nullable and not key.nulls_first:
        return sql.SQL("({} OR {} IS NULL)").format(step, key.expression)
    return step


_JOINTS = {" AND ": sql.SQL(" AND "), " OR ": sql.SQL(" OR ")}
_EMPTY = {"true": sql.SQL("true"), "false": sql.SQL("false")}


def combine(joint: str, empty: str, parts: Sequence[sql.Composable]) -> sql.Composable:
    """Return the parts with ``joint`` between them, or ``empty`` of none."""
    if not parts:
        return _EMPTY[empty]
    if len(parts) == 1:
        return parts[0]
    return sql.SQL("({})").format(_JOINTS[joint].join(parts))

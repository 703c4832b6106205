"""
``orderBy`` arguments to order keys, and cursors to places in that order.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Any
from zlib import crc32

from fraiseql.engine.plan.plan import Cursor, Guard, Order, Target
from fraiseql.engine.plan.values import Given, Leaf
from fraiseql.errors import BadUserInput
from fraiseql.schema.inputs import OrderDirection, is_sortable, rows_of
from fraiseql.schema.specs import FieldSpec, ObjectSpec

MAX_KEYS = 32
"""Keys of an order: after so many no two rows are left to sort."""


def plan_order(given: Given, spec: ObjectSpec, guards: list[Guard]) -> tuple[Order, ...]:
    """
    Return the keys of an ``orderBy`` argument, with ``id`` last as the tie-breaker if the type has one.

    Each item of the list is an object with exactly one field.
    """
    items = given if isinstance(given, list) else ()
    if len(items) > MAX_KEYS:
        raise BadUserInput(f"orderBy has {len(items):,} keys; at most {MAX_KEYS} are allowed.")
    keys = [_key(item, spec, (), guards) for item in items]
    identity = spec.by_python_name("id")
    if identity is None or isinstance(identity.type.named, ObjectSpec) or not is_sortable(identity):
        return tuple(keys)
    if not any(key.target.fields == (identity,) for key in keys):
        # In the last key's direction, so that one index, read either way, serves both.
        descending = bool(keys) and keys[-1].descending
        keys.append(Order(Target((identity,)), descending, nulls_first=descending))
    return tuple(keys)


def _key(
    given: dict[str, Given], spec: ObjectSpec, above: tuple[FieldSpec, ...], guards: list[Guard]
) -> Order:
    if len(given) != 1:
        raise BadUserInput(
            f"An orderBy item of {spec.name} has {len(given)} fields; it takes exactly one.",
            hint="Write a list, heaviest key first: orderBy: [{a: ASC}, {b: DESC}].",
        )
    ((name, value),) = given.items()
    entry = spec.fields[name]
    fields = (*above, entry)
    if isinstance(value, dict):
        named = rows_of(entry) or entry.type.named
        assert isinstance(named, ObjectSpec)  # noqa: S101 - only objects take objects
        return _key(value, named, fields, guards)
    direction = value.value
    if direction is None:
        raise BadUserInput(f"orderBy.{name} is null.", hint="Write ASC or DESC.")
    if value.path is not None:
        guards.append(Guard(value.path, _same, direction))
    return order_key(fields, direction)


def order_key(fields: tuple[FieldSpec, ...], direction: OrderDirection) -> Order:
    """Return the key of ``fields`` in ``direction``."""
    words = direction.value.split()
    descending = words[0] == "DESC"
    nulls_first = words[-1] == "FIRST" if len(words) > 1 else descending
    return Order(Target(fields), descending, nulls_first)


def order_signature(order: Iterable[Order]) -> str:
    """Return the short name of an order, which its cursors carry."""
    return format(crc32(", ".join(map(str, order)).encode()), "08x")


def encode_cursor(keys: bytes, signature: str) -> bytes:
    """Return the cursor of a row. ``keys``: its order keys, a JSON array as PostgreSQL printed it."""
    return base64.urlsafe_b64encode(signature.encode() + keys)


def decode_cursor(text: str, order: tuple[Order, ...], argument: str) -> tuple[str | None, ...]:
    """Return the order keys in a cursor, in PostgreSQL's text form. Raises BadUserInput."""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        signature, keys = raw[:8].decode("ascii"), raw[8:]
        values = json.loads(keys, parse_int=str, parse_float=str) if keys else None
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadUserInput(f"{argument} is not a cursor of this list.") from error
    if signature != order_signature(order):
        raise BadUserInput(
            f"{argument} is a cursor of another list or order.",
            hint="A cursor is good for the orderBy it came from.",
        )
    if not isinstance(values, list) or len(values) != len(order):
        raise BadUserInput(f"{argument} is not a cursor of this list.")
    return tuple(_text(value, argument) for value in values)


def plan_cursor(
    given: Given, order: tuple[Order, ...], argument: str, guards: list[Guard]
) -> Cursor | None:
    """Return the place an ``after`` or ``before`` argument names, or None if it is absent or null."""
    if not isinstance(given, Leaf) or given.value is None:
        return None
    values = decode_cursor(given.value, order, argument)
    if given.path is not None:

        def nulls(text: str) -> Any:
            return tuple(value is None for value in decode_cursor(text, order, argument))

        guards.append(Guard(given.path, nulls, tuple(value is None for value in values)))
    return Cursor(values, given)


def _text(value: Any, argument: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise BadUserInput(f"{argument} is not a cursor of this list.")


def _same(value: Any) -> Any:
    return value

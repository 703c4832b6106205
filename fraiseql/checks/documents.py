"""
Declared types held against a sample of documents.

What is found here need not be wrong: the next row may differ. So these are warnings, and they never repeat a
stored value, except of discriminators.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from django.core.checks import CheckMessage

from fraiseql.checks import table
from fraiseql.checks.table import Check
from fraiseql.checks.types import declared_name
from fraiseql.schema.graphene_scalars import output_value
from fraiseql.schema.registry import path_of
from fraiseql.schema.scalars import SCALARS, Scalar
from fraiseql.schema.specs import EnumSpec, FieldSpec, ObjectSpec, TypeRef

# What a field called id goes out as, whatever scalar it is declared as.
_ID = SCALARS["ID"]


# What parses as PostgreSQL casts; of the others, one or the other is stricter.
_CAST = frozenset({"UUID", "Date", "BigInt", "Decimal"})


@dataclass(frozen=True)
class Found:
    """Values of one type at one place. ``path``: how they are reached from the view's column."""

    spec: ObjectSpec
    view: str
    path: str
    values: Sequence[Any]


@dataclass(frozen=True)
class _Place:
    """One field at one place, for messages; ``inside``: the types it is nested in."""

    obj: str
    view: str
    path: str
    declared: str
    inside: tuple[ObjectSpec, ...] = ()

    def message(self, check: Check, **values: Any) -> CheckMessage:
        return check(
            self.obj, **{"path": self.path, "view": self.view, "declared": self.declared} | values
        )


def label(spec: ObjectSpec, entry: FieldSpec) -> str:
    """Return what a message about a field names: where it is declared."""
    return f"{path_of(spec.python)}.{entry.python_name}"


def did_you_mean(key: str, known: Iterable[str]) -> str | None:
    """Return the hint for a key that is not there, if there is one like it."""
    near = next(iter(get_close_matches(key, list(known), 1)), None)
    return (
        near and f"Did you mean {near!r}? fraiseql.field(key={near!r}) binds it under another name."
    )


def faults(found: Found, reported: Collection[str] = ()) -> Iterator[CheckMessage]:
    """Return what the sample has against the declared type; ``reported``: keys to leave out."""
    place = _Place(
        path_of(found.spec.python), found.view, found.path or found.view, found.spec.name
    )
    yield from _objects(place, found.spec, found.values, reported)


def _objects(
    place: _Place, spec: ObjectSpec, values: Sequence[Any], reported: Collection[str] = ()
) -> Iterator[CheckMessage]:
    objects = [value for value in values if isinstance(value, dict)]
    others = [value for value in values if not isinstance(value, dict)]
    yield from _wrong_kind(place, others, len(values))
    if not spec.is_interface:
        yield from _fields(place, spec, objects, reported)
        return
    key = spec.discriminator or ""
    by_value: dict[Any, list[Any]] = {}
    for value in objects:
        by_value.setdefault(_hashable(value.get(key)), []).append(value)
    for value, those in by_value.items():
        variant = spec.variants.get(value) if isinstance(value, str) else None
        if variant is None:
            known = ", ".join(map(repr, spec.variants)) or "none"
            yield replace(place, path=f"{place.path}.{key}").message(
                table.UNKNOWN_TYPE, value=repr(value), interface=spec.name, known=known
            )
        else:
            yield from _fields(place, variant, those, reported)


def _fields(
    place: _Place, spec: ObjectSpec, objects: Sequence[dict[str, Any]], reported: Collection[str]
) -> Iterator[CheckMessage]:
    if not objects:
        return
    # Keys that come and go are those of documents without nulls (jsonb_strip_nulls).
    is_uniform = len({frozenset(found) for found in objects}) == 1
    present = list(dict.fromkeys(key for found in objects for key in found))
    for entry in spec.fields.values():
        if not entry.is_stored or entry.key in reported:
            continue
        at = _Place(
            label(spec, entry),
            place.view,
            f"{place.path}.{entry.key}",
            declared_name(entry),
            (*place.inside, spec),
        )
        if entry.key not in present:
            hint = did_you_mean(entry.key, _undeclared(spec, present))
            # A type that holds itself ends somewhere.
            is_end = entry.type.innermost in at.inside and len(at.inside) > 1
            if hint or not entry.type.nullable or (is_uniform and not is_end):
                keys = ", ".join(present)
                yield at.message(table.ABSENT_KEY, total=len(objects), keys=keys, hint=hint)
            continue
        ref = TypeRef(entry.type.nullable, _ID) if entry.is_id else entry.type
        yield from _values(at, ref, [found.get(entry.key) for found in objects])


def _undeclared(spec: ObjectSpec, present: Sequence[str]) -> list[str]:
    declared = {entry.key for entry in spec.fields.values() if entry.related is None}
    return [key for key in present if key not in declared]


def _values(at: _Place, ref: TypeRef, values: Sequence[Any]) -> Iterator[CheckMessage]:
    given = [value for value in values if value is not None]
    if len(given) < len(values) and not ref.nullable:
        yield at.message(table.NULL, count=len(values) - len(given), total=len(values))
    if ref.item is not None:
        yield from _wrong_kind(
            at, [value for value in given if not isinstance(value, list)], len(given)
        )
        items = [item for value in given if isinstance(value, list) for item in value]
        item = replace(at, path=f"{at.path}[]", declared=_item_name(at.declared))
        yield from _values(item, ref.item, items)
    elif isinstance(ref.named, ObjectSpec):
        yield from _objects(at, ref.named, given)
    else:
        wrong = [value for value in given if not _holds(ref.named, value)]
        yield from _wrong_kind(at, wrong, len(given))
        malformed = [value for value in given if not _parses(ref.named, value)]
        if malformed and not wrong:
            yield at.message(table.MALFORMED, count=len(malformed), total=len(given))


def _parses(named: Any, value: Any) -> bool:
    """Tell whether PostgreSQL can cast a value to the type filters compare it as."""
    if not isinstance(named, Scalar) or named.name not in _CAST:
        return True
    try:
        named.parse(value)
    except ValueError:
        return False
    return True


def _holds(named: Any, value: Any) -> bool:
    if isinstance(named, EnumSpec):
        # True is 1 in Python, and not in JSON.
        return any(
            type(member.value) is type(value) and member.value == value for member in named.python
        )
    assert isinstance(named, Scalar)  # noqa: S101 - the four kinds of types
    try:
        output_value(named, value)
    except ValueError:
        return False
    return True


def _wrong_kind(at: _Place, wrong: Sequence[Any], total: int) -> Iterator[CheckMessage]:
    if wrong:
        kinds = " or ".join(dict.fromkeys(map(json_kind, wrong)))
        yield at.message(table.WRONG_KIND, found=kinds, count=len(wrong), total=total)


def json_kind(value: Any) -> str:
    """Return what a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "a number" if abs(value) < 2**31 else "an integer beyond 32 bits"
    if isinstance(value, Decimal):
        return "a number with a fraction"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def _item_name(declared: str) -> str:
    inner = declared.removeprefix("list[").removesuffix("]")
    return inner.removesuffix(" | None")


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str) or value is None else json_kind(value)

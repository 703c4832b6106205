"""
Random schemas with random documents.

Most documents keep their type's promises; some hold a null, a wrong value or an unknown type where they
should not, because the answer to those must be the same on every path too.
"""

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

import fraiseql
from fraiseql import scalars

Draw = Callable[[st.SearchStrategy[Any]], Any]

# PostgreSQL's jsonb stores neither NUL nor lone surrogates.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
) | st.sampled_from(["", "50%", "it's", '"quoted"', "back\\slash", "\u2028", "😀", "\x7f", "a\nb"])
NUMBERS = st.integers(-(2**31), 2**31 - 1)
# Without exponents: the executor spells a Decimal's digits out, the projector leaves a json column's as they are.
REALS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda real: "e" not in repr(real))


class Colour(enum.Enum):
    """A colour, as text."""

    RED = "red"
    DARK_GREEN = "dark green"
    BLUE = 'blue "1"'


class Level(enum.Enum):
    """A level, as a number."""

    LOW = 1
    HIGH = 20


LEAVES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (str, TEXT | st.integers() | st.booleans()),
    (int, NUMBERS),
    (float, REALS | NUMBERS),
    (bool, st.booleans()),
    (
        Decimal,
        st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str) | NUMBERS | REALS,
    ),
    (scalars.BigInt, st.integers(-(2**63), 2**63 - 1)),
    (scalars.ID, TEXT | st.integers(-(2**63), 2**63)),
    (UUID, st.uuids().map(str)),
    (
        datetime,
        st.sampled_from(
            [
                "2024-01-31T12:00:00+00:00",
                "2024-01-31 12:00:00.25+00",
                "1999-12-31T23:59:59+05:30",
                "0099-01-01T00:00:00",
                "2024-01-31T12:00:00Z",
                "2024-01-31 12:00:00-0330",
            ]
        ),
    ),
    (date, st.dates().map(date.isoformat)),
    (scalars.IpAddress, st.ip_addresses().map(str)),
    (Colour, st.sampled_from([member.value for member in Colour])),
    (Level, st.sampled_from([member.value for member in Level])),
    (
        scalars.JSON,
        st.recursive(
            st.none() | st.booleans() | NUMBERS | REALS | TEXT,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
            max_leaves=6,
        ),
    ),
]
WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    REALS,
    TEXT,
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just("infinity"),
    st.just(1.0),
    st.just({"kind": "Nothing"}),
)


@dataclass(frozen=True)
class Kind:
    """A type under construction: its annotation, and what draws a document's value of it."""

    annotation: Any
    value: Callable[[Draw], Any]


@dataclass(frozen=True)
class Declared:
    """A declared schema. ``document``: draws a document of the root type ``Thing``."""

    thing: type
    document: Callable[[Draw, int], dict[str, Any]]


def declare(draw: Draw) -> Declared:
    """Declare a random schema in the current registry."""
    fraiseql.enum(Colour)
    fraiseql.enum(Level)
    part = _object(draw, "Part", [])
    owner = _object(draw, "Owner", [part])
    shape = _interface(draw, [part])
    thing = _object(draw, "Thing", [part, owner, shape], view="tb_thing")

    def document(draw: Draw, number: int) -> dict[str, Any]:
        return {"id": number, **thing.value(draw)}

    return Declared(thing.annotation, document)


def _object(draw: Draw, name: str, embedded: list[Kind], **options: Any) -> Kind:
    fields = _fields(draw, name, embedded)
    annotations = {field: kind.annotation for field, kind in fields.items()}
    if name == "Thing":
        annotations = {"id": int, **annotations}
    made = _class(name, (), annotations)
    return Kind(fraiseql.type(**options)(made), lambda draw: _document(draw, fields))


def _interface(draw: Draw, embedded: list[Kind]) -> Kind:
    shared = _fields(draw, "Figure", embedded)
    interface = fraiseql.interface(discriminator="kind")(
        _class("Figure", (), {field: kind.annotation for field, kind in shared.items()})
    )
    variants = {}
    for name in ("Circle", "Square"):
        own = _fields(draw, name, embedded)
        annotations = {field: kind.annotation for field, kind in own.items()}
        fraiseql.type(_class(name, (interface,), annotations))
        variants[name] = {**shared, **own}

    def value(draw: Draw) -> dict[str, Any]:
        name = draw(st.sampled_from(sorted(variants)))
        return {"kind": name, **_document(draw, variants[name])}

    return Kind(interface, value)


def _class(name: str, bases: tuple[type, ...], annotations: dict[str, Any]) -> type:
    return type(name, bases, {"__annotations__": annotations, "__module__": __name__})


def _fields(draw: Draw, owner: str, embedded: list[Kind]) -> dict[str, Kind]:
    """Return fields by Python name; names are the type's own, so that variants never conflict."""
    fields = {}
    for number in range(draw(st.integers(1, 4))):
        fields[f"{owner.lower()}_{number}_x"] = _kind(draw, embedded)
    for number, kind in enumerate(embedded):
        fields[f"{owner.lower()}_part_{number}"] = _wrapped(draw, kind)
    return fields


def _kind(draw: Draw, embedded: list[Kind]) -> Kind:
    annotation, values = draw(st.sampled_from(LEAVES))
    return _wrapped(draw, Kind(annotation, lambda draw: draw(values)))


def _wrapped(draw: Draw, kind: Kind) -> Kind:
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        kind = _list_of(_perhaps_nullable(draw, kind))
    return _perhaps_nullable(draw, kind)


def _list_of(item: Kind) -> Kind:
    return Kind(
        list[item.annotation],  # type: ignore[name-defined]  # an annotation made at run time
        lambda draw: [_value(draw, item) for _ in range(draw(st.integers(0, 3)))],
    )


def _perhaps_nullable(draw: Draw, kind: Kind) -> Kind:
    if draw(st.booleans()):
        return kind
    inner = kind.value
    return Kind(
        kind.annotation | None,
        lambda draw: None if draw(st.integers(0, 4)) == 0 else inner(draw),
    )


def _value(draw: Draw, kind: Kind) -> Any:
    return draw(WRONG) if draw(st.integers(0, 24)) == 0 else kind.value(draw)


def _document(draw: Draw, fields: dict[str, Kind]) -> dict[str, Any]:
    document = {}
    for name, kind in fields.items():
        if draw(st.integers(0, 24)) != 0:
            document[name] = _value(draw, kind)
    return document


def as_text(draw: Draw, document: dict[str, Any]) -> str:
    """Return a document as JSON, spelled in one of the ways JSON allows."""
    return json.dumps(
        document, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1]))
    )

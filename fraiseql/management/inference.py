"""
What JSON values have in common: the types a binding of them would declare.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from fraiseql.checks.types import ColumnType, scalar_name
from fraiseql.schema.graphene_scalars import output_value
from fraiseql.schema.scalars import SCALARS

ANY = "JSON"

_INT_BITS = 31
# float64 keeps this many digits whatever the number.
_FLOAT_DIGITS = 15

_FORMS = {
    "UUID": re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE),
    "DateTime": re.compile(
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII
    ),
    "Date": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    "Time": re.compile(r"\d\d:\d\d:\d\d(\.\d+)?", re.ASCII),
}

# Objects of which no two share a key, and many keys in all, are maps: their keys are data.
_MAP_OBJECTS, _MAP_KEYS = 3, 10


@dataclass(frozen=True)
class Enumeration:
    """A PostgreSQL enum: its name, as SQL writes it, and its labels in order."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Node:
    """
    The type of a value: one of a scalar's name, a list of ``item``, an object's ``fields`` by key, an enum.

    ``is_known`` is False if all that was seen of it were nulls.
    """

    nullable: bool
    scalar: str | None = None
    item: "Node | None" = None
    fields: "Mapping[str, Node] | None" = None
    enumeration: Enumeration | None = None
    is_known: bool = True

    def is_like(self, other: "Node") -> bool:
        """Tell whether two nodes differ in their nulls only."""
        if not (self.is_known and other.is_known):
            return True
        if self.item is not None and other.item is not None:
            return self.item.is_like(other.item)
        if self.fields is not None and other.fields is not None:
            same_keys = self.fields.keys() == other.fields.keys()
            return same_keys and all(
                node.is_like(other.fields[key]) for key, node in self.fields.items()
            )
        mine = (self.item, self.fields, self.scalar, self.enumeration)
        return mine == (other.item, other.fields, other.scalar, other.enumeration)

    def merged(self, other: "Node") -> "Node":
        """Return a node for both; ``other`` is like this one."""
        if not self.is_known or not other.is_known:
            known = other if other.is_known else self
            return replace(known, nullable=self.nullable or other.nullable)
        item, fields = self.item, self.fields
        if item is not None and other.item is not None:
            item = item.merged(other.item)
        if fields is not None and other.fields is not None:
            fields = {key: node.merged(other.fields[key]) for key, node in fields.items()}
        nullable = self.nullable or other.nullable
        return Node(nullable, self.scalar, item, fields, self.enumeration)


def infer(values: Sequence[Any]) -> Node:
    """Return the type of JSON values, of which None are nulls and absent keys."""
    given = [value for value in values if value is not None]
    nullable = len(given) < len(values)
    if given and all(isinstance(value, list) for value in given):
        item = infer([item for value in given for item in value])
        return Node(nullable, item=item)
    if given and all(isinstance(value, dict) for value in given) and not _is_map(given):
        keys = dict.fromkeys(key for value in given for key in value)
        fields = {key: infer([value.get(key) for value in given]) for key in keys}
        return Node(nullable, fields=fields)
    if not given:
        return Node(nullable, scalar=ANY, is_known=False)
    return Node(nullable, scalar=_scalar(given))


def infer_column(kind: ColumnType, values: Sequence[Any]) -> Node | None:
    """Return the type of a column by what PostgreSQL says of it, or None if the values must tell."""
    nullable = any(value is None for value in values)
    if kind.item is not None:
        items = [item for value in values if isinstance(value, list) for item in value]
        item = infer_column(kind.item, items)
        return item and Node(nullable, item=item)
    if kind.labels is not None:
        name = kind.shown.removesuffix("[]")
        return Node(nullable, enumeration=Enumeration(name, kind.labels))
    name = scalar_name(kind) or ""
    return Node(nullable, scalar=name) if name and name != ANY else None


def holds(node: Node, values: Sequence[Any]) -> bool:
    """Tell whether a leaf, or a list of leaves, can hold all of ``values``."""
    if node.item is not None:
        lists = [value for value in values if value is not None]
        return all(isinstance(value, list) for value in lists) and holds(
            node.item, [item for value in lists for item in value]
        )
    if node.enumeration is not None:
        return all(value is None or value in node.enumeration.labels for value in values)
    scalar = SCALARS[node.scalar or ANY]
    if scalar.name == "String" and not all(isinstance(value, str | None) for value in values):
        return False  # It could, by printing them.
    try:
        for value in values:
            if value is not None:
                output_value(scalar, value)
    except ValueError:
        return False
    return True


def _scalar(values: Sequence[Any]) -> str:
    if all(isinstance(value, bool) for value in values):
        return "Boolean"
    if any(isinstance(value, bool) for value in values):
        return ANY
    if all(isinstance(value, int) for value in values):
        fits = all(-(2**_INT_BITS) <= value < 2**_INT_BITS for value in values)
        return "Int" if fits else "BigInt"
    if all(isinstance(value, int | Decimal) for value in values):
        return "Decimal" if any(map(_is_exact, values)) else "Float"
    if all(isinstance(value, str) for value in values):
        matching = (name for name, form in _FORMS.items() if all(map(form.fullmatch, values)))
        return next(matching, "String")
    return ANY


def _is_exact(value: int | Decimal) -> bool:
    """Tell whether a number was numeric in PostgreSQL: float8 prints neither 12.50 nor 17 digits."""
    digits = Decimal(value).as_tuple()
    has_fraction = isinstance(digits.exponent, int) and digits.exponent < 0
    return len(digits.digits) > _FLOAT_DIGITS + 2 or (has_fraction and digits.digits[-1] == 0)


def _is_map(values: Sequence[dict[str, Any]]) -> bool:
    keys = {key for value in values for key in value}
    if not keys:
        return True
    if all(_FORMS["UUID"].fullmatch(key) for key in keys):
        return True
    common = set.intersection(*(set(value) for value in values))
    return len(values) >= _MAP_OBJECTS and len(keys) > _MAP_KEYS and not common

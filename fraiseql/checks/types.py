"""
Which column types a declared type can hold.

Two things are asked of a column: that PostgreSQL prints it as the JSON the declared type promises, and
that filters compare it as what it is.
"""

import re
from dataclasses import dataclass

from fraiseql.schema import shape
from fraiseql.schema.scalars import SCALARS, Scalar
from fraiseql.schema.specs import EnumSpec, FieldSpec, ObjectSpec, TypeRef

TEXTS = frozenset({"text", "character varying", "character", "citext", "name"})
_SMALL_INTEGERS = frozenset({"smallint", "integer"})
_INTEGERS = _SMALL_INTEGERS | {"bigint"}
_FRACTIONS = frozenset({"numeric", "real", "double precision"})
_NUMBERS = _INTEGERS | _FRACTIONS
JSONS = frozenset({"json", "jsonb"})
_UNORDERED = frozenset({"point", "line", "lseg", "box", "path", "polygon", "circle", "xml"})
_NETWORKS = frozenset({"inet", "cidr"})

# How format_type() spells what the scalar table calls by a shorter name.
_LONG_NAMES = {
    "int4": "integer",
    "int8": "bigint",
    "float8": "double precision",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
}

_BY_TYPE = {
    _LONG_NAMES.get(row.pg, row.pg): row.name
    for row in reversed(SCALARS.values())
    if row.python or row.pg not in ("text", "jsonb", "int4", "float8")
} | {
    **dict.fromkeys(TEXTS, "String"),
    **dict.fromkeys(JSONS, "JSON"),
    "smallint": "Int",
    "integer": "Int",
    "bigint": "BigInt",
    "numeric": "Decimal",
    "real": "Float",
    "double precision": "Float",
    "boolean": "Boolean",
    "timestamp without time zone": "DateTime",
    "timestamp with time zone": "DateTime",
    "interval": "Duration",
    "inet": "IpAddress",
    "cidr": "CIDR",
    "macaddr": "MacAddress",
    "macaddr8": "MacAddress",
}

_MODIFIER = re.compile(r"\([^)]*\)")
_OFFSET = "it has no offset, so its times are taken for UTC."
_ANNOTATIONS = {
    "String": "str",
    "Int": "int",
    "Float": "float",
    "Boolean": "bool",
    "DateTime": "datetime",
    "Date": "date",
    "Time": "time",
    "Duration": "timedelta",
    "JSON": "dict",
    "UUID": "UUID",
    "Decimal": "Decimal",
}


@dataclass(frozen=True)
class ColumnType:
    """A column's type: ``base`` without modifiers, domains opened; ``labels`` of a PostgreSQL enum."""

    shown: str
    base: str
    labels: tuple[str, ...] | None = None

    @property
    def item(self) -> "ColumnType | None":
        """Return the type of an array's items."""
        if not self.base.endswith("[]"):
            return None
        return ColumnType(self.base[:-2], self.base[:-2], self.labels)


@dataclass(frozen=True)
class Misfit:
    """Why a declared type does not hold a column. ``is_error``: some values cannot go out at all."""

    is_error: bool
    reason: str


def column_type(shown: str, base: str, labels: list[str] | None) -> ColumnType:
    """Return a column's type from what the catalog says of it."""
    bare = _MODIFIER.sub("", base)
    return ColumnType(shown, bare, None if labels is None else tuple(labels))


def scalar_name(column: ColumnType) -> str | None:
    """Return the scalar that stands for a column's type, or None if no row of the table does."""
    return _BY_TYPE.get(column.base.rpartition(".")[2])


def annotation_for(column: ColumnType) -> str | None:
    """Return the annotation a column's type calls for, or None if there is no obvious one."""
    if column.item is not None:
        item = annotation_for(column.item)
        return f"list[{item}]" if item else None
    if column.labels is not None:
        return "an @fraiseql.enum"
    name = scalar_name(column)
    return annotation(name) if name else None


def annotation(scalar: str) -> str:
    """Return how a declaration writes a scalar: Python's own type where one stands for it."""
    return _ANNOTATIONS.get(scalar, f"scalars.{scalar}")


def declared_name(field: FieldSpec) -> str:
    """Return a field's declared type as a binding writes it, without ``| None``."""
    return _name(field.type)


def _name(ref: TypeRef) -> str:
    if ref.item is not None:
        inner = _name(ref.item) + (" | None" if ref.item.nullable else "")
        return f"list[{inner}]"
    named = ref.innermost
    return annotation(named.name) if isinstance(named, Scalar) else named.python.__name__


def takes(scalar: Scalar, argument: ColumnType) -> bool:
    """Tell whether an argument of a function takes what a scalar of an input holds; True if nobody knows."""
    base = argument.base.rpartition(".")[2]
    own = _LONG_NAMES.get(scalar.pg, scalar.pg)
    if base == own or base in TEXTS or base in JSONS:
        return True
    if argument.labels is not None:
        return own == "text"
    if own in _NUMBERS:
        return base in _NUMBERS
    if scalar.family == "id":
        return base in _INTEGERS or base == "uuid"
    if any(own in kinds and base in kinds for kinds in _ALIKE):
        return True
    return scalar_name(argument) is None


_ALIKE = (
    frozenset({"date", "timestamp without time zone", "timestamp with time zone"}),
    frozenset({"time without time zone", "time with time zone"}),
    _NETWORKS,
    frozenset({"macaddr", "macaddr8"}),
)


def misfit(field: FieldSpec, column: ColumnType) -> Misfit | None:
    """Return why a field does not hold its column, or None if it does or nothing is known of the type."""
    if field.is_id and field.type.innermost is SCALARS["Int"] and column.base == "bigint":
        # It goes out as an ID, digit by digit; only the argument is held to 32 bits.
        return Misfit(False, "ids beyond 32 bits cannot be asked for.")
    return _misfit(field.type, column)


def _misfit(ref: TypeRef, column: ColumnType) -> Misfit | None:
    if column.base in JSONS:
        return None  # The sample tells what is inside.
    if ref.item is not None:
        item = column.item
        if item is None:
            return Misfit(True, "it is no array.")
        return _misfit(ref.item, item)
    if isinstance(ref.named, ObjectSpec):
        return _of_object(column)
    if column.item is not None and ref.named is not SCALARS["JSON"]:
        return Misfit(True, "it is an array.")
    if isinstance(ref.named, EnumSpec):
        return _of_enum(ref.named, column)
    assert isinstance(ref.named, Scalar)  # noqa: S101 - the four kinds of types
    return _of_scalar(ref.named, column)


def _of_object(column: ColumnType) -> Misfit | None:
    is_known = scalar_name(column) is not None or column.labels is not None or column.item
    return Misfit(True, "it holds no JSON object.") if is_known else None


def _of_enum(spec: EnumSpec, column: ColumnType) -> Misfit | None:
    if column.labels is not None or column.base in TEXTS:
        holds_text = all(isinstance(member.value, str) for member in spec.python)
        return None if holds_text else Misfit(True, f"the values of {spec.name} are no strings.")
    if column.base in _NUMBERS:
        holds_numbers = all(isinstance(member.value, int | float) for member in spec.python)
        return None if holds_numbers else Misfit(True, f"the values of {spec.name} are strings.")
    if scalar_name(column) is None or column.base == "boolean":
        return None
    return Misfit(True, f"it holds no values of {spec.name}.")


def _of_scalar(scalar: Scalar, column: ColumnType) -> Misfit | None:
    base = column.base.rpartition(".")[2]
    if base == _LONG_NAMES.get(scalar.pg, scalar.pg):
        return None
    if scalar.output in _BY_OUTPUT:
        return _BY_OUTPUT[scalar.output](base, column)
    return _of_text(scalar, base, column)


def _of_string(base: str, column: ColumnType) -> Misfit | None:
    if base in TEXTS or column.labels is not None:
        return None
    found = _as_text(base, column)
    # A String prints numbers and booleans too.
    return found and Misfit(False, found.reason)


def _of_int(base: str, _column: ColumnType) -> Misfit | None:
    if base in _SMALL_INTEGERS:
        return None
    if base == "bigint":
        return Misfit(True, "GraphQL's Int has 32 bits.")
    return Misfit(True, "it may have fractions." if base in _FRACTIONS else "it is no integer.")


def _of_number(base: str, _column: ColumnType) -> Misfit | None:
    return None if base in _NUMBERS else Misfit(True, "it is no number.")


def _of_digits(base: str, column: ColumnType) -> Misfit | None:
    if base in TEXTS:
        return Misfit(False, "filters must cast it, so no index serves them.")
    return _of_number(base, column)


def _of_boolean(base: str, _column: ColumnType) -> Misfit | None:
    return None if base == "boolean" else Misfit(True, "it is neither true nor false.")


def _of_id(base: str, column: ColumnType) -> Misfit | None:
    if base in TEXTS or base in _INTEGERS or base == "uuid" or column.labels is not None:
        return None
    if scalar_name(column) is None:
        return _as_text(base, column)
    return Misfit(base in _NUMBERS or base == "boolean", "it is not what identifies a row.")


def _of_datetime(base: str, _column: ColumnType) -> Misfit | None:
    if base == "timestamp without time zone":
        return Misfit(False, _OFFSET)
    if base in TEXTS:
        return Misfit(False, "filters must cast it, so no index serves them.")
    return Misfit(True, "it is no date with a time.")


def _of_json(base: str, _column: ColumnType) -> Misfit | None:
    return Misfit(False, f"the operators of JSON do not apply to {base}.")


_BY_OUTPUT = {
    shape.STRING: _of_string,
    shape.INT: _of_int,
    shape.FLOAT: _of_number,
    shape.DIGITS: _of_digits,
    shape.BOOLEAN: _of_boolean,
    shape.ID: _of_id,
    shape.DATETIME: _of_datetime,
    shape.JSON: _of_json,
}


def _of_text(scalar: Scalar, base: str, column: ColumnType) -> Misfit | None:
    """Return the misfit of a scalar that goes out as the string PostgreSQL prints."""
    if base in TEXTS:
        if scalar.pg == "text":
            return None
        return Misfit(False, "filters must cast it, so no index serves them.")
    if scalar.family == "network" and base in _NETWORKS:
        return None
    if scalar.family == "mac" and base == "macaddr8":
        return None
    if column.labels is not None and scalar.pg == "text":
        return None
    if scalar.pg == "text":
        return _as_text(base, column)
    if scalar_name(column) is None and column.labels is None:
        return Misfit(False, f"filters must cast it to {scalar.pg}, which PostgreSQL may refuse.")
    return Misfit(True, f"it is not printed as {scalar.name} is written.")


def _as_text(base: str, column: ColumnType) -> Misfit | None:
    """Return the misfit of a scalar of text and a column of another type."""
    if base in _UNORDERED:
        return Misfit(False, "PostgreSQL has no order for it, so filters and orderBy fail.")
    if scalar_name(column) is None:
        return None
    is_number = base in _NUMBERS or base == "boolean"
    return Misfit(is_number, f"it goes out as text, and filters and orderBy take it for {base}.")

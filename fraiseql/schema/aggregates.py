"""
The types of grouped rows: ``PostAggregate`` and the types in it, made from the fields of ``Post``.

``having`` and ``orderBy`` of an aggregate are inputs of these types, as those of a list are inputs of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from fraiseql.schema.inputs import GROUP_SUFFIX, KEYS_SUFFIX, ORDER_SUFFIX, is_group_key
from fraiseql.schema.scalars import SCALARS, Scalar
from fraiseql.schema.specs import (
    FieldSpec,
    ObjectSpec,
    TypeRef,
    made_field,
    made_type,
    scalar_ref,
    type_like,
)

KEYS = "keys"
COUNT = "count"


@dataclass(frozen=True, eq=False)
class MeasureSpec(FieldSpec):
    """A field of an aggregate type; ``source``: the field of the view's type it is worked out of."""

    source: FieldSpec | None = None


@dataclass(frozen=True)
class _Function:
    """
    One member of an aggregate type. ``result``: its type for a field, None if it has none.
    ``is_deep``: of embedded objects' fields too.
    """

    name: str
    suffix: str
    result: Callable[[FieldSpec], TypeRef | None]
    description: str
    of: str
    is_deep: bool = False


def _key(field: FieldSpec) -> TypeRef | None:
    return TypeRef(True, field.type.named) if is_group_key(field) else None


def _distinct(field: FieldSpec) -> TypeRef | None:
    return TypeRef(False, SCALARS["Int"]) if is_group_key(field) else None


# The sum of 32 bits may need 64, and that of 64 more; an average of exact numbers stays exact.
_SUMS = {"int4": "BigInt", "int8": "Decimal", "numeric": "Decimal", "float8": "Float"}
_AVERAGES = {"int4": "Float", "int8": "Decimal", "numeric": "Decimal", "float8": "Float"}


def _number(results: dict[str, str]) -> Callable[[FieldSpec], TypeRef | None]:
    def result(field: FieldSpec) -> TypeRef | None:
        scalar = _plain_scalar(field)
        if scalar is None or scalar.family != "number" or scalar.pg not in results:
            return None
        return TypeRef(True, SCALARS[results[scalar.pg]])

    return result


def _extreme(field: FieldSpec) -> TypeRef | None:
    scalar = _plain_scalar(field)
    is_ordered = scalar is not None and scalar.family in {"text", "number", "temporal"}
    return TypeRef(True, scalar) if is_ordered else None


def _plain_scalar(field: FieldSpec) -> Scalar | None:
    named = field.type.named
    if not field.is_stored or field.is_id or not isinstance(named, Scalar):
        return None
    return named


_FUNCTIONS = (
    _Function(
        KEYS,
        KEYS_SUFFIX,
        _key,
        "What the group's rows have in common; null for what is not in `groupBy`.",
        "What groups of {} rows have in common.",
        is_deep=True,
    ),
    _Function(
        "countDistinct",
        "CountDistinct",
        _distinct,
        "Numbers of different values; null is none.",
        "Numbers of different values among {} rows.",
        is_deep=True,
    ),
    _Function("sum", "Sum", _number(_SUMS), "Sums.", "Sums over {} rows."),
    _Function("avg", "Average", _number(_AVERAGES), "Averages.", "Averages over {} rows."),
    _Function("min", "Extreme", _extreme, "Least values.", "Least or greatest values of {} rows."),
    _Function(
        "max", "Extreme", _extreme, "Greatest values.", "Least or greatest values of {} rows."
    ),
)


def having_spec(aggregate: ObjectSpec) -> ObjectSpec:
    """Return an aggregate type without its keys, which ``where`` is for."""
    fields = {name: field for name, field in aggregate.fields.items() if name != KEYS}
    return replace(aggregate, fields=fields)


def having_name(aggregate: str) -> str:
    """Return the name of the ``having`` input of the type called ``aggregate``."""
    return aggregate.removesuffix("Aggregate") + "HavingInput"


class AggregateTypes:
    """Makes each aggregate type, and each type in it, once."""

    def __init__(self) -> None:
        self.made: dict[str, ObjectSpec] = {}

    def names(self) -> Iterator[str]:
        """Yield the names that the schema needs for these types and their inputs."""
        if self.made:
            yield "TimeUnit"
        for name in self.made:
            yield from (name, f"{name}WhereInput", name + ORDER_SUFFIX)
            if name.endswith(KEYS_SUFFIX):
                yield name.removesuffix(KEYS_SUFFIX) + GROUP_SUFFIX
            if name.endswith("Aggregate"):
                yield having_name(name)

    def aggregate(self, target: ObjectSpec) -> ObjectSpec:
        """Return ``<Type>Aggregate``."""
        name = f"{target.name}Aggregate"
        if name not in self.made:
            spec = self.made[name] = made_type(name, f"A group of {target.name} rows.")
            keys, *others = (self._member(function, target) for function in _FUNCTIONS)
            count = made_field(COUNT, scalar_ref("Int"), "Number of its rows.")
            spec.fields |= {field.name: field for field in (keys, count, *others) if field}
        return self.made[name]

    def _member(self, function: _Function, target: ObjectSpec) -> FieldSpec | None:
        made = self._values(function, target)
        if made is None:
            return None
        return made_field(function.name, TypeRef(False, made), function.description)

    def _values(self, function: _Function, target: ObjectSpec) -> ObjectSpec | None:
        """Return the type of one function's values, or None if it applies to no field of ``target``."""
        if not _applies(function, target):
            return None
        name = f"{target.name}{function.suffix}"
        if name not in self.made:
            # A type may embed itself: its fields come second.
            spec = self.made[name] = made_type(name, function.of.format(target.name))
            for field in target.fields.values():
                ref = self._result(function, field)
                if ref is not None:
                    spec.fields[field.name] = MeasureSpec(
                        field.name,
                        field.python_name,
                        field.name,
                        ref,
                        field.description,
                        field.deprecation,
                        is_id=field.is_id
                        and isinstance(ref.named, Scalar)
                        and function.name == KEYS,
                        source=field,
                    )
        return self.made[name]

    def _result(self, function: _Function, field: FieldSpec) -> TypeRef | None:
        named = field.type.named
        if not isinstance(named, ObjectSpec):
            return function.result(field)
        if not function.is_deep or not field.is_stored or named.is_interface:
            return None
        made: type_like | None = self._values(function, named)
        return None if made is None else TypeRef(False, made)


def _applies(function: _Function, target: ObjectSpec) -> bool:
    return any(
        not isinstance(field.type.named, ObjectSpec) and function.result(field) is not None
        for field in target.fields.values()
    )

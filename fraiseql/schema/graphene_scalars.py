"""
The scalar table for graphene's executor.

What does not run on the fast path is coerced and serialised here, from the same rows, to the same answer.
"""

import datetime as dt
import decimal
import math
import re
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import graphene
from graphql import (
    BooleanValueNode,
    FloatValueNode,
    GraphQLError,
    GraphQLNamedType,
    GraphQLScalarType,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

from fraiseql.schema import shape
from fraiseql.schema.coercion import numbers
from fraiseql.schema.scalars import SCALARS, Scalar

_BUILT_IN = {
    "String": graphene.String,
    "Int": graphene.Int,
    "Float": graphene.Float,
    "Boolean": graphene.Boolean,
    "ID": graphene.ID,
}

# Only what cannot be an integer of use is refused; int() itself stops at 4,300 digits.
_MAX_LITERAL_LENGTH = 4_000

_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?", re.ASCII
)


@cache
def graphene_scalar(scalar: Scalar) -> Any:
    """Return the graphene class of a row; for GraphQL's own five, graphene's."""
    if scalar.name in _BUILT_IN:
        return _BUILT_IN[scalar.name]
    members = {
        "Meta": type("Meta", (), {"name": scalar.name, "description": scalar.description}),
        "serialize": staticmethod(_reported(scalar, lambda value: output_value(scalar, value))),
        "parse_value": staticmethod(_reported(scalar, scalar.parse)),
        "parse_literal": staticmethod(_reported(scalar, _literal_parser(scalar))),
    }
    return type(scalar.name, (graphene.Scalar,), members)


def adopt(types: Mapping[str, GraphQLNamedType]) -> None:
    """
    Give the scalars of a built schema their rows' coercion, description and specification.

    graphene knows no ``specifiedBy``, and an application's own graphene classes may have brought
    graphene's ``DateTime`` or ``Decimal`` in before ours: one name, one meaning.
    """
    for name, scalar in SCALARS.items():
        found = types.get(name)
        if name not in _BUILT_IN and isinstance(found, GraphQLScalarType):
            made = graphene_scalar(scalar)
            found.description, found.specified_by_url = scalar.description, scalar.specified_by
            # graphql-core sets these in __init__ too; to mypy they are methods.
            found.serialize = made.serialize  # type: ignore[method-assign]
            found.parse_value = made.parse_value  # type: ignore[method-assign]
            found.parse_literal = made.parse_literal  # type: ignore[method-assign]


def _reported(scalar: Scalar, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except ValueError as error:
            node = arguments[0] if isinstance(arguments[0], ValueNode) else None
            raise GraphQLError(f"{scalar.name}: {error}", node) from error

    return call


def _literal_parser(scalar: Scalar) -> Callable[..., Any]:
    def parse(node: ValueNode, variables: Mapping[str, Any] | None = None) -> Any:
        try:
            return parse_literal(scalar, node, variables or {})
        except ValueError:
            # Validation comes before the variables: what holds one is looked at when it is executed.
            if variables is None and _has_variable(node):
                return None
            raise

    return parse


def parse_literal(scalar: Scalar, node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """Return the Python value of a literal in a document. Raises ValueError, as ``parse`` does."""
    if isinstance(node, FloatValueNode) and scalar.output == shape.DIGITS:
        return scalar.parse(decimal.Decimal(node.value))
    return scalar.parse(literal_value(node, variables))


def literal_value(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """
    Return a literal as the JSON value it stands for, with the variables inside it.

    A variable without a value leaves its field out of an object, and is null in a list.
    """
    match node:
        case StringValueNode() | BooleanValueNode():
            return node.value
        case IntValueNode():
            if len(node.value) > _MAX_LITERAL_LENGTH:
                raise ValueError(f"expected a number of at most {_MAX_LITERAL_LENGTH:,} digits.")
            return int(node.value)
        case FloatValueNode():
            return float(node.value)
        case NullValueNode():
            return None
        case VariableNode():
            return variables.get(node.name.value)
        case ListValueNode():
            return [literal_value(item, variables) for item in node.values]
        case ObjectValueNode():
            return {
                field.name.value: literal_value(field.value, variables)
                for field in node.fields
                if not isinstance(field.value, VariableNode) or field.value.name.value in variables
            }
        case _:
            raise ValueError("expected a value, not the name of one.")


def _has_variable(node: ValueNode) -> bool:
    match node:
        case VariableNode():
            return True
        case ListValueNode():
            return any(map(_has_variable, node.values))
        case ObjectValueNode():
            return any(_has_variable(field.value) for field in node.fields)
        case _:
            return False


def output_value(scalar: Scalar, value: Any) -> Any:
    """
    Return what goes out for ``value``: what a JSON document holds, or the Python value itself.

    The answer is the projector's for the same value. Raises ValueError for what the scalar does not hold.
    """
    return _OUTPUT[scalar.output](scalar, value)


def _string(scalar: Scalar, value: Any) -> str:
    if isinstance(value, bool):
        return numbers.encode_boolean(value)
    if isinstance(value, int | float | decimal.Decimal):
        return _digits(scalar, value)
    return _text(scalar, value)


def _int(_scalar: Scalar, value: Any) -> int:
    return numbers.int32(value)


def _float(_scalar: Scalar, value: Any) -> float:
    number = numbers.float64(value)
    return value if isinstance(value, int) else number


def _boolean(_scalar: Scalar, value: Any) -> bool:
    return numbers.boolean(value)


def _digits(_scalar: Scalar, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | decimal.Decimal):
        raise ValueError("expected a number.")
    if not math.isfinite(value):
        raise ValueError("expected a finite number.")
    return numbers.digits(value) if isinstance(value, decimal.Decimal) else repr(value)


def _id(_scalar: Scalar, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | uuid.UUID):
        raise ValueError("expected a string or an integer.")
    return str(value)


def _datetime(_scalar: Scalar, value: Any) -> str:
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=dt.UTC)).isoformat()
    found = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("expected a date and time.")
    date, time, zulu, hours, minutes = found.groups()
    offset = zulu or f"{hours or '+00'}:{minutes or '00'}"
    return f"{date}T{time}{offset}"


def _text(scalar: Scalar, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, scalar.python):
        return scalar.encode(value)
    if isinstance(value, uuid.UUID):
        return str(value)
    raise ValueError("expected a string.")


def _json(_scalar: Scalar, value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


_OUTPUT: dict[int, Callable[[Scalar, Any], Any]] = {
    shape.STRING: _string,
    shape.INT: _int,
    shape.FLOAT: _float,
    shape.BOOLEAN: _boolean,
    shape.DIGITS: _digits,
    shape.ID: _id,
    shape.DATETIME: _datetime,
    shape.TEXT: _text,
    shape.JSON: _json,
}

"""
The operator table as SQL: one condition from a row of it, a field and a parameter.

A real column is left as it is whenever its type can hold the scalar, so that its index serves; PostgreSQL
then gives the parameter the column's type (enums, citext and domains included). Fields of a document are
cast to the scalar's type: 10 is more than 9. What serves them is an index on the same expression:

====================  ======================================================================
scalar                index, for the field ``x`` of the document ``data``
====================  ======================================================================
String, ID, enums     ``btree ((data->>'x'))``; ``text_pattern_ops`` for ``startswith``
String, patterns      ``gin ((data->>'x') gin_trgm_ops)`` (pg_trgm)
Int, BigInt, Decimal  ``btree (((data->>'x')::int4))``, ``::int8``, ``::numeric``
UUID, Boolean         ``btree (((data->>'x')::uuid))``, ``::boolean``
LTree, IpAddress      ``gist (((data->>'x')::ltree))``; ``gist (((data->>'x')::inet) inet_ops)``
JSON                  ``gin ((data->'x'))``
lists                 ``gin ((data->'x'))`` for ``contains`` and ``any_eq``
Date, DateTime        none: the cast depends on DateStyle and TimeZone. Give the view a column.
====================  ======================================================================
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg.sql import SQL, Composable

from fraiseql.schema import shape
from fraiseql.schema.coercion import documents, numbers
from fraiseql.schema.operators import LIST, Operator
from fraiseql.schema.scalars import SCALARS, Scalar

_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_NUMBERS = _INTEGERS | {"numeric", "real", "double precision"}
_TEXTUAL = frozenset({"text", "character varying", "character", "citext", "name"})
_DOCUMENTS = frozenset({"json", "jsonb"})

# The types a column may have for a scalar to be compared with it uncast; those not here: only its own.
_FITTING = {
    "int4": _NUMBERS,
    "int8": _NUMBERS,
    "float8": _NUMBERS,
    "numeric": _NUMBERS,
    "timestamptz": frozenset({"timestamp with time zone", "timestamp without time zone"}),
    "time": frozenset({"time without time zone"}),
    "inet": frozenset({"inet", "cidr"}),
    "cidr": frozenset({"inet", "cidr"}),
    "macaddr": frozenset({"macaddr", "macaddr8"}),
}

# Compared in whatever type the column has: an id may be a uuid or a bigint, an enum a PostgreSQL enum.
_UNTYPED_FAMILIES = frozenset({"text", "id", "enum", "version"})

# Their items are in jsonb what to_jsonb() makes of the scalar.
_JSON_COMPARABLE = frozenset({"text", "boolean", "uuid"})


@dataclass(frozen=True)
class Column:
    """A real column. ``pg_type``: its type as ``format_type()`` prints it."""

    expression: Composable
    pg_type: str


@dataclass(frozen=True)
class Json:
    """
    A field of a document: ``value`` as jsonb (``->``), ``text`` as text (``->>``).

    A condition may repeat them, so they hold no placeholders.
    """

    value: Composable
    text: Composable


Operand = Column | Json


@dataclass(frozen=True)
class _Typed:
    """An operand ready for comparison. ``parameter``: what to cast the other side to; None: nothing."""

    field: Composable
    parameter: LiteralString | None


def condition(
    operator: Operator, scalar: Scalar, operand: Operand, is_list: bool, value: Composable
) -> Composable:
    """
    Return the SQL of one condition; ``value`` is the placeholder of its one parameter.

    The parameter is what ``encode`` returned, sent without a type.
    """
    operand = _opened(operand, scalar, is_list)
    typed = _typed_list(scalar, operand) if is_list else _typed(scalar, operand)
    parameter = operator.pg or typed.parameter
    if operator.argument == LIST and parameter is not None and not is_list:
        parameter += "[]"
    is_jsonb = isinstance(operand, Json) and _compares_as_json(scalar)
    template = operator.json_sql if is_jsonb and operator.json_sql else operator.sql
    return SQL(template).format(
        field=typed.field,
        text=_text(operand),
        null=nullable(operand),
        json=operand.value if isinstance(operand, Json) else typed.field,
        value=SQL("{}::{}").format(value, SQL(parameter)) if parameter else value,
    )


def nullable(operand: Operand) -> Composable:
    """Return an expression that is NULL whenever GraphQL says null: for the null of JSON too."""
    if isinstance(operand, Json):
        return operand.text
    if operand.pg_type in _DOCUMENTS:
        return _scalar_text(_as_jsonb(operand))
    return operand.expression


def sort_key(scalar: Scalar, operand: Operand) -> Composable:
    """Return the expression rows are ordered by, in the scalar's type."""
    return _typed(scalar, _opened(operand, scalar, is_list=False)).field


def sort_type(scalar: Scalar, operand: Operand) -> str:
    """Return the type, in SQL, that ``sort_key`` has, for a cursor's value beside it."""
    operand = _opened(operand, scalar, is_list=False)
    if isinstance(operand, Column) and _fits(scalar, _bare(operand.pg_type)):
        return operand.pg_type
    return scalar.pg


def encoder(operator: Operator, scalar: Scalar, is_list: bool) -> Callable[[Any], str]:
    """Return what turns a coerced argument into PostgreSQL's text format, for ``condition``'s parameter."""
    encode = scalar.encode
    if operator.argument == LIST:
        return lambda value: array(
            map(encode, value if isinstance(value, list | tuple) else [value])
        )
    if operator.argument == "same":
        return (lambda value: array([encode(value)])) if is_list else encode
    if operator.affixes is not None:
        before, after = operator.affixes
        return lambda value: before + _without_wildcards(value) + after
    return _ARGUMENTS.get(operator.argument) or _encode_scalar(operator.argument)


def _encode_scalar(name: str) -> Callable[[Any], str]:
    return SCALARS[name].encode if name in SCALARS else str


_ARGUMENTS: dict[str, Callable[[Any], str]] = {
    "boolean": numbers.encode_boolean,
    "texts": lambda value: array(value),
    "json": documents.encode_document,
}


def array(items: Iterable[str | None]) -> str:
    """Return an array literal; everything in it is quoted, so that nothing in it is syntax."""
    return "{" + ",".join("NULL" if item is None else _in_array(item) for item in items) + "}"


def _in_array(item: str) -> str:
    escaped = item.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _without_wildcards(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _scalar_text(value: Composable) -> Composable:
    return SQL("({} #>> '{{}}')").format(value)


def _opened(operand: Operand, scalar: Scalar, is_list: bool) -> Operand:
    """Return a column that is itself a document as the field of a document, except for JSON."""
    if isinstance(operand, Json) or operand.pg_type not in _DOCUMENTS:
        return operand
    value = _as_jsonb(operand)
    if scalar.family == "json" and not is_list:
        return Column(value, "jsonb")
    return Json(value, _scalar_text(value))


def _as_jsonb(column: Column) -> Composable:
    return _cast(column.expression, "jsonb") if column.pg_type == "json" else column.expression


def _typed(scalar: Scalar, operand: Operand) -> _Typed:
    if isinstance(operand, Json):
        if scalar.family == "json":
            return _Typed(operand.value, "jsonb")
        field = operand.text if scalar.pg == "text" else _cast(operand.text, scalar.pg)
        return _Typed(field, scalar.pg)
    column_type = _bare(operand.pg_type)
    if _fits(scalar, column_type):
        return _Typed(operand.expression, _parameter_type(scalar, column_type))
    return _Typed(_cast(operand.expression, scalar.pg), scalar.pg)


def _typed_list(scalar: Scalar, operand: Operand) -> _Typed:
    array: LiteralString = scalar.pg + "[]"
    if isinstance(operand, Json):
        return _Typed(_items(scalar, operand), array)
    if _fits(scalar, _bare(operand.pg_type.removesuffix("[]"))):
        return _Typed(operand.expression, None)
    return _Typed(_cast(operand.expression, array), array)


def _items(scalar: Scalar, operand: Json) -> Composable:
    """Return a JSON list as an array, and NULL for what is no list."""
    elements: LiteralString = "jsonb_array_elements_text"
    if scalar.family == "json":
        elements = "jsonb_array_elements"
    return SQL(
        "CASE WHEN jsonb_typeof({value}) = 'array'"
        " THEN ARRAY(SELECT {item} FROM {elements}({value}) AS item) END"
    ).format(value=operand.value, item=_cast(SQL("item"), scalar.pg), elements=SQL(elements))


def _fits(scalar: Scalar, column_type: str) -> bool:
    if scalar.family in _UNTYPED_FAMILIES:
        return True
    return column_type in _FITTING.get(scalar.pg, {scalar.pg})


def _parameter_type(scalar: Scalar, column_type: str) -> LiteralString | None:
    """
    Return what to cast a parameter to that meets a column as it is.

    Integers of two sizes compare through an index, so the scalar's own type keeps 40000 out of smallint's
    parser; fractions need numeric. Everything else takes the column's type.
    """
    if column_type not in _INTEGERS or scalar.family in _UNTYPED_FAMILIES:
        return None
    return scalar.pg if scalar.pg in {"int4", "int8"} else "numeric"


def _compares_as_json(scalar: Scalar) -> bool:
    # Of numbers only those that documents hold as numbers; the others may be strings of digits.
    is_number = scalar.output in {shape.INT, shape.FLOAT}
    return scalar.family in _JSON_COMPARABLE or is_number


def _text(operand: Operand) -> Composable:
    if isinstance(operand, Json):
        return operand.text
    if _bare(operand.pg_type) in _TEXTUAL:
        return operand.expression
    return _cast(operand.expression, "text")


def _bare(pg_type: str) -> str:
    """Return a type's name without its modifier and schema: numeric(10,2), public.citext."""
    name, _, rest = pg_type.partition("(")
    return (name + rest.partition(")")[2]).rpartition(".")[2].strip('"')


def _cast(expression: Composable, pg_type: LiteralString) -> Composable:
    return SQL("({})::{}").format(expression, SQL(pg_type))

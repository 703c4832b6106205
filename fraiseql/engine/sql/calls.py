"""
Mutations to SQL: which function, which argument takes which field, what comes back.

A call is one or two statements of one flight. The first runs the function; where it returns the ids of what
it has written it leaves them in a transaction-local setting, and the second reads their view by them.
"""

import enum
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import sql

from fraiseql.db.catalog import Argument, Function
from fraiseql.db.statement import Statement
from fraiseql.engine.plan.plan import RESULT_SETTING
from fraiseql.engine.sql.operators import array
from fraiseql.engine.sql.scope import identifier, literal
from fraiseql.errors import ConfigurationError
from fraiseql.schema import shape
from fraiseql.schema.inputs import scalar_of
from fraiseql.schema.specs import (
    CLIENT_KEY,
    ArgumentSpec,
    InputRef,
    InputSpec,
    MutationSpec,
    ObjectSpec,
)

JSONS = frozenset({"json", "jsonb"})
_IDS = frozenset({"uuid", "integer", "bigint", "smallint", "text", "character varying"})
_STATUS_COLUMNS = frozenset({"status", "message", "entity"})


class Contract(enum.Enum):
    """What a function returns."""

    NOTHING = "nothing"
    IDS = "ids of rows written, read from their view"
    DOCUMENTS = "the payload itself"
    RESPONSES = "mutation_response"


@dataclass(frozen=True)
class Bound:
    """
    A mutation and the function that serves it.

    ``arguments``: input field -> the argument that takes it; ``document``: the one argument that takes the
    whole input.
    """

    function: Function
    contract: Contract
    arguments: Mapping[str, Argument]
    document: Argument | None = None

    @property
    def returns_array(self) -> bool:
        """Tell whether one value holds all results."""
        return self.function.returns.endswith("[]") and not self.function.returns_set


class NotBound(ConfigurationError):
    """No function fits a mutation. ``reason``: ``missing``, ``ambiguous``, ``arguments`` or ``returns``."""

    def __init__(self, reason: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


def bind(spec: MutationSpec, functions: Iterable[Function]) -> Bound:
    """Return what serves the mutation. Raises NotBound if not exactly one of ``functions`` does."""
    fitting: list[Bound] = []
    faults: list[NotBound] = []
    for function in functions:
        try:
            fitting.append(_bind(spec, function))
        except NotBound as fault:
            faults.append(fault)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        shown = " and ".join(_shown(bound.function) for bound in fitting)
        raise NotBound(
            "ambiguous",
            f"Mutation {spec.name}: {shown} fit alike.",
            hint="Give the argument of one of them another name, or drop it.",
        )
    if faults:
        raise faults[0]
    raise NotBound(
        "missing",
        f"Mutation {spec.name}: there is no function {spec.function!r}.",
        hint="Run manage.py migrate, then manage.py check --database default.",
    )


def _bind(spec: MutationSpec, function: Function) -> Bound:
    contract = _contract(spec, function)
    fields = {} if spec.input is None else dict(spec.input.fields)
    by_name = {argument.name: argument for argument in function.arguments}
    found: dict[str, Argument] = {}
    if not spec.is_batch:
        for name, entry in fields.items():
            argument = by_name.get(f"p_{entry.python_name}") or by_name.get(entry.python_name)
            if argument is not None:
                _check_kind(spec, entry, argument)
                found[name] = argument
    rest = [argument for argument in function.arguments if argument not in found.values()]
    lacking = [
        entry.python_name
        for name, entry in fields.items()
        if name not in found and entry.python_name != CLIENT_KEY
    ]
    if lacking and not found and len(rest) == 1 and rest[0].base in JSONS:
        return Bound(function, contract, {}, rest[0])
    if lacking:
        takes = ", ".join(argument.name or "(unnamed)" for argument in function.arguments)
        hint = f"It takes: {takes or 'nothing'}. Name it p_{lacking[0]} or {lacking[0]}"
        one = "one jsonb argument for the list" if spec.is_batch else "one jsonb for all fields"
        raise NotBound(
            "arguments",
            f"Mutation {spec.name}: {_shown(function)} has no argument for"
            f" {', '.join(map(repr, lacking))}.",
            hint=f"{one[:1].upper()}{one[1:]} is needed. It takes: {takes or 'nothing'}."
            if spec.is_batch
            else f"{hint}, or give it {one}.",
        )
    needed = [argument.name or "(unnamed)" for argument in rest if not argument.has_default]
    if needed:
        raise NotBound(
            "arguments",
            f"Mutation {spec.name}: {_shown(function)} needs {', '.join(map(repr, needed))},"
            " which no field of the input gives.",
            hint="Annotate a field of that name (without p_), or give the argument a default.",
        )
    return Bound(function, contract, found)


def _check_kind(spec: MutationSpec, entry: ArgumentSpec, argument: Argument) -> None:
    """Raise NotBound if the argument cannot take the field's kind: a value, a list or an object."""
    if argument.base in JSONS:
        return
    is_array = argument.base.endswith("[]")
    innermost = entry.type
    while innermost.item is not None:
        innermost = innermost.item
    if isinstance(innermost.named, InputSpec):
        wanted = "jsonb, for an object"
    elif entry.type.item is not None and not is_array:
        wanted = "an array or jsonb, for a list"
    elif entry.type.item is None and is_array and scalar_of(entry.type.named).family != "vector":
        wanted = "no array, for a single value"
    else:
        return
    raise NotBound(
        "arguments",
        f"Mutation {spec.name}: the argument {argument.name!r} of {spec.function} is {argument.type}.",
        hint=f"It must be {wanted}.",
    )


def _contract(spec: MutationSpec, function: Function) -> Contract:
    if function.returns_row and set(function.columns) >= _STATUS_COLUMNS:
        return Contract.RESPONSES
    if spec.result is None:
        return Contract.NOTHING
    named, is_list = spec.result.type.innermost, spec.result.type.item is not None
    returns = function.returns
    if returns in {"void", "trigger"}:
        raise _wrong_return(spec, function, "nothing")
    is_many = function.returns_set or returns.endswith("[]")
    if is_many and not is_list:
        raise _wrong_return(spec, function, "several")
    if function.returns_row or returns.removesuffix("[]") in JSONS:
        return Contract.DOCUMENTS
    if is_list and not is_many:
        raise _wrong_return(spec, function, f"one {returns}")
    if isinstance(named, ObjectSpec):
        if named.view is None or returns.removesuffix("[]") not in _IDS:
            raise _wrong_return(spec, function, returns)
        return Contract.IDS
    return Contract.DOCUMENTS


def _wrong_return(spec: MutationSpec, function: Function, what: str) -> NotBound:
    assert spec.result is not None  # noqa: S101 - the caller looked
    named, is_list = spec.result.type.innermost, spec.result.type.item is not None
    wanted = f"list[{named.name}]" if is_list else named.name
    has_view = isinstance(named, ObjectSpec) and named.view is not None
    hint = "Let it return jsonb or a row of the payload"
    hint += ", or the uuid of the row written" if has_view else ""
    return NotBound(
        "returns",
        f"Mutation {spec.name} returns {wanted}, and {_shown(function)} returns {what}.",
        hint=f"{hint}{', as SETOF' if is_list else ''}.",
    )


def _shown(function: Function) -> str:
    return f"{function.name}({function.signature})"


# Statements


def call_text(bound: Bound, spec: MutationSpec, given: Iterable[str], with_cascade: bool) -> str:
    """
    Return the text of the statement that runs the function with the ``given`` fields.

    With Contract.DOCUMENTS rows have one column, JSON; with Contract.RESPONSES those of RESPONSE.
    """
    call = sql.SQL("{}({})").format(
        identifier(bound.function.schema, bound.function.name),
        sql.SQL(", ").join(_arguments(bound, spec, list(given))),
    )
    template = _TEMPLATES[bound.contract]
    setting: sql.Composable = literal(RESULT_SETTING)
    columns: sql.Composable = sql.SQL("")
    if bound.contract is Contract.RESPONSES:
        columns, setting = _columns(bound, with_cascade), _ids_of_responses(bound, spec)
    elif bound.contract is Contract.IDS and bound.returns_array:
        template = _OF_ARRAY
    made = sql.SQL(template).format(call=call, setting=setting, columns=columns)
    return made.as_string(None)


# r.*: as a row a function's columns, as a value its result; a name that no column has.
_TEMPLATES: dict[Contract, LiteralString] = {
    Contract.NOTHING: "SELECT NULL::text FROM {call}",
    Contract.IDS: "SELECT set_config({setting}, coalesce(array_agg(fraiseql_r)::text, '{{}}'), true)"
    " FROM {call} AS fraiseql_r",
    Contract.DOCUMENTS: "SELECT CASE WHEN NOT fraiseql_r IS NULL THEN to_json(fraiseql_r) END::text"
    " FROM {call} AS fraiseql_r",
    # s has its row whatever the function returns, so that nothing is left of an earlier call.
    Contract.RESPONSES: "WITH r AS MATERIALIZED (SELECT * FROM {call} WITH ORDINALITY),"
    " s AS MATERIALIZED (SELECT {setting} FROM r)"
    " SELECT {columns} FROM s LEFT JOIN r ON true ORDER BY r.ordinality",
}
_OF_ARRAY: LiteralString = "SELECT set_config({setting}, coalesce({call}::text, '{{}}'), true)"

RESPONSE = ("status", "message", "entity", "updated_fields", "cascade", "metadata", "ordinality")
"""The columns of rows with Contract.RESPONSES; of the last, NULL stands for no row at all."""


def _columns(bound: Bound, with_cascade: bool) -> sql.Composable:
    known = {*bound.function.columns, "ordinality"}
    known -= set() if with_cascade else {"cascade"}
    return sql.SQL(", ").join(
        sql.SQL(_AS_JSON.get(name, "r.{}::text")).format(identifier(name))
        if name in known
        else sql.SQL("NULL::text")
        for name in RESPONSE
    )


_AS_JSON: dict[str, LiteralString] = {
    **dict.fromkeys(("entity", "updated_fields", "metadata"), "to_json(r.{})::text"),
    # What a function leaves out is empty.
    "cascade": "CASE WHEN r.{0} IS NOT NULL THEN (jsonb_build_object('updated', '[]'::jsonb,"
    " 'deleted', '[]'::jsonb, 'invalidated', '[]'::jsonb) || r.{0}::jsonb)::text END",
}


def _ids_of_responses(bound: Bound, spec: MutationSpec) -> sql.Composable:
    """Return what leaves the ids of entities that the function names and does not return."""
    if not reads_view(bound, spec):
        return sql.SQL("count(*)")
    return sql.SQL(
        "set_config({}, coalesce(array_agg(r.entity_id ORDER BY r.ordinality) FILTER"
        " (WHERE r.entity IS NULL AND r.entity_id IS NOT NULL)::text, '{{}}'), true)"
    ).format(literal(RESULT_SETTING))


def reads_view(bound: Bound, spec: MutationSpec) -> bool:
    """Tell whether a second statement reads the result from its view."""
    if bound.contract is Contract.IDS:
        return True
    named = spec.result.type.innermost if spec.result is not None else None
    has_view = isinstance(named, ObjectSpec) and named.view is not None
    has_id = "entity_id" in bound.function.columns
    return bound.contract is Contract.RESPONSES and has_view and has_id


def _arguments(bound: Bound, spec: MutationSpec, given: list[str]) -> Iterable[sql.Composable]:
    if bound.document is not None:
        yield _named(bound.document, sql.SQL("%s"))
    for name, argument in bound.arguments.items():
        if name in given:
            yield _named(argument, sql.SQL("%s"))
        elif not argument.has_default:
            yield _named(argument, sql.SQL("NULL"))


def _named(argument: Argument, value: sql.Composable) -> sql.Composable:
    # The type as format_type() spells it: SQL already.
    pg_type = sql.SQL(argument.type.replace("%", "%%"))
    if not argument.name:
        return sql.SQL("{}::{}").format(value, pg_type)
    return sql.SQL("{} => {}::{}").format(identifier(argument.name), value, pg_type)


def width(bound: Bound) -> int:
    """Return how many columns the rows of ``call_text`` have."""
    return len(RESPONSE) if bound.contract is Contract.RESPONSES else 1


def call_statement(
    bound: Bound, spec: MutationSpec, text: str, given: Mapping[str, Any] | list[Mapping[str, Any]]
) -> Statement:
    """Return ``call_text`` with the values of the input; ``given``: coerced, by GraphQL name."""
    fields = {} if spec.input is None else spec.input.fields
    if bound.document is not None:
        if isinstance(given, list):
            value = "[" + ",".join(_json_object(fields, item) for item in given) + "]"
        else:
            value = _json_object(fields, given)
        return Statement(text, (value,), writes=True)
    assert not isinstance(given, list)  # noqa: S101 - bind() gives a batch its document
    params = tuple(
        _parameter(fields[name].type, argument, given[name])
        for name, argument in bound.arguments.items()
        if name in given
    )
    return Statement(text, params, writes=True)


def _parameter(ref: InputRef, argument: Argument, value: Any) -> str | None:
    """Return a coerced value in PostgreSQL's text format."""
    if value is None:
        return None
    if argument.base in JSONS:
        return json_text(ref, value)
    if ref.item is not None:
        item = ref.item
        return array([None if part is None else _scalar_text(item, part) for part in value])
    return _scalar_text(ref, value)


def _scalar_text(ref: InputRef, value: Any) -> str:
    return scalar_of(ref.named).encode(value)


# JSON


def _json_object(fields: Mapping[str, ArgumentSpec], given: Mapping[str, Any]) -> str:
    """Return the fields that were sent, under their Python names."""
    members = (
        f"{json.dumps(fields[name].python_name)}:{json_text(fields[name].type, value)}"
        for name, value in given.items()
    )
    return "{" + ",".join(members) + "}"


def json_text(ref: InputRef, value: Any) -> str:
    """Return a coerced input value as JSON; numbers keep their digits."""
    if value is None:
        return "null"
    if ref.item is not None:
        item = ref.item
        return "[" + ",".join(json_text(item, part) for part in value) + "]"
    if isinstance(ref.named, InputSpec):
        return _json_object(ref.named.fields, value)
    scalar = scalar_of(ref.named)
    return _JSON.get(scalar.output, _quoted)(scalar.encode, value)


def _quoted(encode: Callable[[Any], str], value: Any) -> str:
    return json.dumps(encode(value), ensure_ascii=False)


def _plain(_encode: Callable[[Any], str], value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _digits(encode: Callable[[Any], str], value: Any) -> str:
    return str(value) if isinstance(value, int | Decimal) else _quoted(encode, value)


def _member(_encode: Callable[[Any], str], value: Any) -> str:
    return json.dumps(value.value, ensure_ascii=False)


_JSON: dict[int, Callable[[Callable[[Any], str], Any], str]] = {
    shape.INT: _plain,
    shape.FLOAT: _plain,
    shape.BOOLEAN: _plain,
    shape.JSON: _plain,
    shape.DIGITS: _digits,
    shape.ENUM: _member,
}

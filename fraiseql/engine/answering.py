"""
Rows to responses: by the projector, or as values for graphene's executor.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import ExecutionResult

from fraiseql.engine import result
from fraiseql.engine.operation import Prepared, PreparedCalls, RootField
from fraiseql.engine.plan.calls import CallOutline
from fraiseql.engine.plan.planner import Outline
from fraiseql.engine.plan.selection import RootSelection
from fraiseql.engine.reading import Found
from fraiseql.engine.result import envelope, values
from fraiseql.engine.result.envelope import ErrorDict, Response
from fraiseql.errors import FraiseQLError, ResultError, ServiceUnavailable
from fraiseql.schema import complete, shape

_FAULTS = {
    shape.NULL: complete.null_value,
    shape.WRONG_TYPE: complete.wrong_type,
    shape.UNKNOWN_TYPE: complete.unknown_type,
}


def project(prepared: Prepared, found: Found, debug: bool, max_bytes: int = 0) -> Response:
    """
    Return the response of an operation of bound fields only, in the order of its selection.

    ``max_bytes``: where larger, what is left is not projected; 0: never.
    """
    size = 0
    members: list[bytes] = []
    errors: list[ErrorDict] = []
    for field in prepared.fields:
        if field.item is None:
            members.append(field.begin)
            continue
        value, faults = _value(prepared, field, found, debug)
        if faults:
            errors += faults
        if value == b"null" and not field.is_nullable:
            return envelope.no_data(errors)
        size += len(value)
        if 0 < max_bytes < size:
            return envelope.too_large(max_bytes)
        members.append(field.begin + value)
    return envelope.success(members, errors)


def _value(
    prepared: Prepared, field: RootField, found: Found, debug: bool
) -> tuple[bytes, Sequence[ErrorDict]]:
    key, item = field.key, field.item
    assert item is not None  # noqa: S101 - __typename has none, and no value
    error = found.refused.get(key)
    if error is None:
        try:
            value, faults = field.project(found.documents[key])
        except result.MalformedRow as malformed:
            error = ResultError(malformed.row, malformed.offset)
        else:
            outline = prepared.outline
            return value, _describe(outline, key, item.label, faults, debug) if faults else ()
    nodes = prepared.outline.nodes[key,]
    return b"null", [envelope.describe(error, debug, [key], nodes)]


def project_calls(
    prepared: PreparedCalls, outcomes: Mapping[str, bytes | FraiseQLError], debug: bool
) -> Response:
    """Return the response of an operation of bound mutations only, in the order of its selection."""
    down = [outcome for outcome in outcomes.values() if isinstance(outcome, ServiceUnavailable)]
    if down and len(down) == len(outcomes):
        return envelope.refusal(down[0], debug)
    members: list[bytes] = []
    errors: list[ErrorDict] = []
    selections = {item.response_key: item for item in prepared.outline.selections}
    for key in prepared.outline.order:
        item = selections.get(key)
        if item is None:
            members.append(envelope.member(key) + b'"Mutation"')
            continue
        outcome = outcomes[key]
        if isinstance(outcome, FraiseQLError):
            nodes = prepared.outline.nodes[key,]
            return envelope.no_data([*errors, envelope.describe(outcome, debug, [key], nodes)])
        value, faults = prepared.shapes[key].project_row(outcome)
        label = f"Mutation.{item.mutation.name}"
        errors += _describe(prepared.outline, key, label, faults, debug)
        members.append(envelope.member(key) + value)
    return envelope.success(members, errors)


def _describe(
    selected: Outline | CallOutline,
    key: str,
    root: str,
    faults: Sequence[shape.Error],
    debug: bool,
) -> list[ErrorDict]:
    described = []
    for path, label, reason in faults:
        full = (key, *path)
        nodes = selected.nodes.get(tuple(part for part in full if isinstance(part, str)), ())
        error = _FAULTS[reason](label or root)
        described.append(envelope.describe(error, debug, full, nodes))
    return described


def python_values(prepared: Prepared, found: Found) -> dict[str, Any]:
    """Return the bound fields' documents as graphene's executor takes them, and errors in their place."""
    return {item.response_key: _python_value(item, found) for item in prepared.outline.selections}


def _python_value(item: RootSelection, found: Found) -> Any | FraiseQLError:
    refused = found.refused.get(item.response_key)
    if refused is not None:
        return refused
    node = item.node[2] if item.node[0] == shape.LIST else item.node
    read = values.reader(node, (item.response_key,))
    documents = [read(document) for document in found.documents[item.response_key]]
    if item.root.kind.is_list:
        return documents
    return documents[0] if documents else None


def executed(result: ExecutionResult, debug: bool) -> Response:
    """Return the response of what graphene's executor did."""
    errors = [envelope.describe_graphql(error, debug) for error in result.errors or ()]
    if result.data is None and all(error.path is None for error in result.errors or ()):
        return envelope.not_executed(errors)
    return envelope.executed(result.data, errors)

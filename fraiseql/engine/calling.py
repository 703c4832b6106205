"""
Bound mutations to their payloads: function, statements, flight, and what to say when one of them fails.

What the client or the data are to blame for is an error in the payload; what the service is to blame for is
an error of GraphQL. These generators yield what must be waited for; ``pipeline.py`` waits.
"""

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from graphql import ExecutionResult, GraphQLError

from fraiseql.conf import Settings
from fraiseql.db import catalog, faults
from fraiseql.db.faults import Violation
from fraiseql.db.statement import Statement
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.document.variables import Variables
from fraiseql.engine.operation import PreparedCalls
from fraiseql.engine.plan.calls import CallSelection, current_read, given_input, written_read
from fraiseql.engine.plan.plan import Plan
from fraiseql.engine.reading import Relations
from fraiseql.engine.result import payload
from fraiseql.engine.result.payload import Payload, UserError, noop
from fraiseql.engine.session import session_of
from fraiseql.engine.sql import calls
from fraiseql.engine.sql.calls import Bound, Contract
from fraiseql.engine.sql.compile import compile_plan
from fraiseql.engine.sql.keys import AnyRows, Key
from fraiseql.engine.viewer import Viewer
from fraiseql.errors import FraiseQLError, Repeated, StaleCatalog
from fraiseql.schema.mutations import ERROR, KIND
from fraiseql.schema.scalars import SCALARS
from fraiseql.schema.specs import CLIENT_KEY, MutationSpec

# What clients can do something about; the rest are errors of GraphQL.
_IN_PAYLOAD = frozenset({"BAD_USER_INPUT", "CONFLICT", "NOT_FOUND", "FORBIDDEN", "UNAUTHENTICATED"})

_EMPTY = noop("This field must not be empty.")
_UNDONE = noop("Undone, because another mutation of the same operation failed.")
OTHER_KEY = noop("This idempotency key was used for another request.")

# Who belongs to another tenant is somebody else, whatever the user's id.
_TENANT = frozenset({"app.current_tenant_id", "app.tenant_id"})

_VIOLATIONS = {
    "23502": noop("A value is required."),
    "23503": noop("This refers to something that does not exist, or that is still in use."),
    "23505": noop("This is taken already."),
    "23514": noop("This value is not allowed."),
    "23P01": noop("This collides with something that exists already."),
}


@dataclass(frozen=True)
class Functions:
    """Asks for the catalog's entries of these functions."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Constrained:
    """Asks for the columns of these constraints."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Flight:
    """Asks for these statements to be run, all or none. ``is_dry``: what they do is undone."""

    statements: tuple[Statement, ...]
    is_dry: bool = False


Need = Relations | Functions | Constrained | Flight
Outcome = bytes | FraiseQLError
"""A payload's document, or what kept the mutation from having one."""

Calling = Generator[Need, Any, dict[str, Outcome]]


@dataclass(frozen=True)
class Call:
    """One mutation ready to be sent. ``given``: its input, by GraphQL name."""

    selection: CallSelection
    bound: Bound
    given: Any
    statements: tuple[Statement, ...]


class Calls:
    """
    The bound mutations of one request, of which ``viewer`` is known.

    ``is_dry``: what they do is undone; ``has_failed``: one of those run ``alone`` changed nothing.
    """

    def __init__(
        self,
        prepared: PreparedCalls,
        variables: Variables,
        request: GraphQLRequest,
        viewer: Viewer,
        settings: Settings,
    ) -> None:
        self.prepared, self.outline = prepared, prepared.outline
        self.is_dry = request.is_dry
        self.has_failed = False
        self._variables, self._settings = variables, settings
        self._request, self._viewer = request, viewer

    def run(self) -> Calling:
        """
        Yield what the mutations need, and return each one's outcome by response key.

        One after the other; with the setting MUTATION_TRANSACTION "operation" all of them or none.
        """
        selections = self.outline.selections
        if self._settings.MUTATION_TRANSACTION == "operation":
            return (yield from self._fresh(selections))
        outcomes: dict[str, Outcome] = {}
        for selection in selections:
            outcomes |= yield from self._fresh((selection,))
        return outcomes

    def prepare(self, selections: Sequence[CallSelection]) -> Generator[Need, Any, list[Call]]:
        """Return what is to be sent. Raises FraiseQLError, or Refused for what the client can correct."""
        ready = []
        for selection in selections:
            made = yield from _prepare(self.prepared, selection, self._variables)
            ready.append(made)
        return ready

    def alone(self, response_key: str) -> Generator[Need, Any, Any]:
        """Run one mutation and return its payload as Python values, for graphene's executor."""
        selection = next(
            item for item in self.outline.selections if item.response_key == response_key
        )
        outcome = (yield from self._fresh((selection,)))[response_key]
        if isinstance(outcome, FraiseQLError):
            raise outcome
        found = json.loads(outcome, parse_float=Decimal)
        self.has_failed = self.has_failed or found[KIND] == ERROR
        return found

    def undone(self, result: ExecutionResult) -> ExecutionResult:
        """Return the result of an operation that was one transaction: what was rolled back is not told."""
        if not result.errors and not self.has_failed:
            return result
        error = GraphQLError(gettext(_UNDONE), extensions={"code": "CONFLICT"})
        return ExecutionResult(None, result.errors or [error])

    def _fresh(self, selections: Sequence[CallSelection]) -> Calling:
        try:
            return (yield from self._together(selections))
        except StaleCatalog:
            # A function or view was replaced under the running server: look again, once.
            catalog.forget(self._settings.DATABASE)
            self.prepared.forget()
        except FraiseQLError as error:
            return {selection.response_key: error for selection in selections}
        try:
            return (yield from self._together(selections))
        except FraiseQLError as error:
            return {selection.response_key: error for selection in selections}

    def _together(self, selections: Sequence[CallSelection]) -> Calling:
        """Run mutations in one flight. Raises FraiseQLError if none of them can be run, or explained."""
        try:
            ready = yield from self.prepare(selections)
        except Refused as refused:
            return _failed(selections, refused.selection, refused.payload.document())
        key = self._key(ready)
        try:
            rows: Sequence[AnyRows] = yield Flight(tuple(_sent(ready, key)), self.is_dry)
            rows = rows[key is not None :]  # The claim has its own.
        except StaleCatalog:
            raise
        except FraiseQLError as error:
            if key is not None and isinstance(error, Repeated) and error.statement == 0:
                (found,) = yield Flight((key.find(),))
                kept = key.read(found)
                if kept is None:
                    return {item.response_key: _wrong_key() for item in selections}
                rows = kept
            else:
                if error.statement is not None and key is not None:
                    error.statement -= 1
                return (yield from _explain(ready, selections, error))
        outcomes: dict[str, Outcome] = {}
        for one in ready:
            count = len(one.statements)
            outcomes[one.selection.response_key] = _payload(one, rows[:count]).document()
            rows = rows[count:]
        return outcomes

    def key(self) -> Key | None:
        """Return the key of a whole operation some of whose mutations are Python's, if the request has one."""
        name = self._request.idempotency_key
        if self.is_dry or not name or not self.outline.has_python:
            return None
        return self._named(name)

    def _key(self, ready: Sequence[Call]) -> Key | None:
        """Return the key of what one flight does: the request's, else those of the inputs."""
        names = [self._request.idempotency_key or _client_key(one) for one in ready]
        if self.is_dry or not any(names):
            return None
        return self._named(
            [[name, one.selection.response_key] for name, one in zip(names, ready, strict=True)]
        )

    def _named(self, name: Any) -> Key:
        request = self._request
        asked = [request.query, request.document_id, request.operation_name, request.variables]
        session = session_of(self._viewer, self._settings.SESSION_VARIABLES)
        tenant = [value for name, value in session if name in _TENANT]
        return Key(
            json.dumps([self._viewer.user_id, *tenant]),
            json.dumps(name),
            hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest(),
            self._settings.IDEMPOTENCY_HOURS,
        )


def _sent(ready: Sequence[Call], key: Key | None) -> Iterator[Statement]:
    """Yield the statements of a flight; with a key, those that take it and keep the answer."""
    if key is None:
        for one in ready:
            yield from one.statements
        return
    yield key.claim()
    for one in ready:
        first, *rest = one.statements
        yield key.keep(first, calls.width(one.bound))
        for statement in rest:
            yield key.keep(statement, 1)


def _client_key(one: Call) -> str:
    """Return what the input calls this attempt, "" if nothing."""
    spec = one.selection.mutation
    fields = {} if spec.input is None or spec.is_batch else spec.input.fields
    name = next((name for name, field in fields.items() if field.python_name == CLIENT_KEY), None)
    return str(one.given.get(name) or "") if name is not None else ""


def _wrong_key() -> bytes:
    error = UserError(gettext(OTHER_KEY), "BAD_USER_INPUT", identifier="idempotency_key")
    return Payload(errors=(error,)).document()


class Refused(Exception):
    """The input is refused before the database is asked."""

    def __init__(self, selection: CallSelection, refusal: Payload) -> None:
        super().__init__()
        self.selection, self.payload = selection, refusal


def _prepare(
    prepared: PreparedCalls, selection: CallSelection, variables: Variables
) -> Generator[Need, Any, Call]:
    """Return the statements of a mutation. Raises FraiseQLError, or Refused for what the client can correct."""
    spec = selection.mutation
    bound = prepared.bound.get(spec.name)
    if bound is None:
        found = yield Functions((spec.function,))
        bound = calls.bind(spec, found.get(spec.function, ()))
        prepared.bound[spec.name] = bound
    given, errors = _without_empty(spec, given_input(selection, variables))
    if errors:
        raise Refused(selection, Payload(errors=tuple(errors)))
    key = (selection.response_key, tuple(given) if isinstance(given, dict) else ())
    text = prepared.texts.get(key)
    if text is None:
        text = calls.call_text(bound, spec, key[1], selection.asks_cascade)
        prepared.texts[key] = text
    statements = [calls.call_statement(bound, spec, text, {} if given is None else given)]
    if selection.keys is not None and calls.reads_view(bound, spec):
        view = selection.view
        read = prepared.reads.get(selection.response_key)
        if read is None:
            relations = yield Relations((view,))
            template = compile_plan(Plan((written_read(selection),)), relations)
            read = prepared.reads[selection.response_key] = template.fill({})
        statements.append(read)
    return Call(selection, bound, given, tuple(statements))


def _without_empty(spec: MutationSpec, given: Any) -> tuple[Any, list[UserError]]:
    """Return the input with null for empty texts, as Django's forms have it, and what may not be null."""
    errors: list[UserError] = []
    if spec.input is None or given is None:
        return given, errors
    fields = spec.input.fields

    def cleaned(item: Mapping[str, Any], index: int | None) -> dict[str, Any]:
        found = dict(item)
        for name, value in item.items():
            ref = fields[name].type
            if value == "" and ref.named is SCALARS["String"]:
                found[name] = None
                if not ref.nullable:
                    errors.append(
                        UserError(gettext(_EMPTY), "BAD_USER_INPUT", name, "empty", index)
                    )
        return found

    if isinstance(given, list):
        result: Any = [cleaned(item, index) for index, item in enumerate(given)]
    else:
        result = cleaned(given, None)
    return result, errors


def _failed(
    selections: Sequence[CallSelection], at: CallSelection, outcome: Outcome
) -> dict[str, Outcome]:
    """Return the outcomes of mutations of one transaction of which one failed."""
    undone = Payload(errors=(UserError(gettext(_UNDONE), "CONFLICT", identifier="undone"),))
    others: Outcome = undone.document() if isinstance(outcome, bytes) else outcome
    return {item.response_key: outcome if item is at else others for item in selections}


def _explain(
    ready: Sequence[Call], selections: Sequence[CallSelection], error: FraiseQLError
) -> Calling:
    """Return the outcomes after a flight failed."""
    one = _at(ready, error.statement)
    if error.code not in _IN_PAYLOAD:
        return _failed(selections, one.selection, error)
    spec = one.selection.mutation
    answer = payload.failed(error)
    violation = faults.violation(error)
    if violation is not None:
        answer = yield from _violated(spec, error, violation)
    if error.code == "CONFLICT" and one.selection.current_keys is not None and spec.locks:
        answer = replace(answer, current=(yield from _current(one)))
    return _failed(selections, one.selection, answer.document())


def _at(ready: Sequence[Call], statement: int | None) -> Call:
    """Return the call whose statement failed; of a commit that failed, the last."""
    for one in ready:
        if statement is None or statement < len(one.statements):
            if statement is not None:
                return one
        else:
            statement -= len(one.statements)
    return ready[-1]


def _violated(
    spec: MutationSpec, error: FraiseQLError, violation: Violation
) -> Generator[Need, Any, Payload]:
    """Return the payload after a violated constraint: which field it speaks of, in words that are safe."""
    columns: Sequence[str] = (violation.column,) if violation.column else ()
    if not columns and violation.constraint:
        found = yield Constrained((violation.constraint,))
        columns = found.get(violation.constraint, ())
    message = gettext(_VIOLATIONS.get(violation.state, error.message))
    named = field_of(spec, columns)
    return Payload(errors=(UserError(message, error.code, named),))


def field_of(spec: MutationSpec, columns: Sequence[str]) -> str | None:
    """Return the input field that speaks of the first of ``columns`` that has one."""
    fields = {} if spec.input is None else spec.input.fields
    by_name = {entry.python_name.removeprefix("p_"): name for name, entry in fields.items()}
    for column in columns:
        stem = column.removeprefix("fk_")
        for name in (column, stem, f"{stem}_id", f"{stem}_identifier"):
            if name in by_name:
                return by_name[name]
    return None


def _current(one: Call) -> Generator[Need, Any, bytes | None]:
    """Return the row as it is now, after a conflict of versions."""
    read = current_read(one.selection, one.given)
    if read is None:
        return None
    relations = yield Relations((one.selection.view,))
    statement = compile_plan(Plan((read,)), relations).fill({})
    (rows,) = yield Flight((statement,))
    return next(iter(rows.column(0)), None)


# What came back


def _payload(one: Call, rows: Sequence[AnyRows]) -> Payload:
    spec, bound = one.selection.mutation, one.bound
    written = rows[1].column(0) if len(rows) > 1 else []
    is_list = spec.result is not None and spec.result.type.item is not None
    if bound.contract is Contract.RESPONSES:
        names = _names(spec)
        responses = _responses(rows[0])
        if spec.is_batch:
            return payload.from_responses(responses, written, names)
        if not responses:
            return Payload()
        return payload.from_response(responses[0], written, names)
    if bound.contract is Contract.NOTHING:
        return Payload()
    if bound.contract is Contract.IDS:
        found: Sequence[bytes | None] = written
    else:
        found = rows[0].column(0)
    if is_list and (bound.function.returns_set or bound.contract is Contract.IDS):
        return Payload(payload.json_array(found))
    return Payload(next(iter(found), None))


def _responses(rows: AnyRows) -> list[payload.Response]:
    columns = [rows.column(index) for index in range(len(calls.RESPONSE))]
    return [
        payload.Response.read(row)
        for *row, place in zip(*columns, strict=True)
        if place is not None
    ]


def _names(spec: MutationSpec) -> dict[str, str]:
    """Return the GraphQL name of each input field by the names a function may use."""
    fields = {} if spec.input is None else spec.input.fields
    return {
        known: name
        for name, entry in fields.items()
        for known in (name, entry.python_name, f"p_{entry.python_name}")
    }

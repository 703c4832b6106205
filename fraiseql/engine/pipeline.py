"""
The hall: the rooms in order, once for threads and once for event loops.

``_answer`` is the order of the calls as a generator; it yields what must be waited for (the catalog, a
statement, graphene's executor) and the two drivers differ only in how they wait.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings as django_settings
from graphql import (
    ExecutionResult,
    MiddlewareManager,
    OperationDefinitionNode,
    OperationType,
)
from graphql import execute as graphql_execute

from fraiseql.conf import Settings, get_settings
from fraiseql.db import catalog, pool, sync
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.engine import result
from fraiseql.engine.context import Context
from fraiseql.engine.database import AsyncDatabase, Database
from fraiseql.engine.document.document import Document, Limits, read_document
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.document.variables import Variables, compile_variables
from fraiseql.engine.plan.plan import Plan, Read
from fraiseql.engine.plan.planner import Outline, RootSelection, condition_variables, outline, plan
from fraiseql.engine.plan.values import outline as outline_of
from fraiseql.engine.result import envelope
from fraiseql.engine.result.connection import ConnectionRows, KeyedRow, connection_document
from fraiseql.engine.result.envelope import ErrorDict, Response
from fraiseql.engine.sql.compile import compile_plan
from fraiseql.engine.sql.template import Template
from fraiseql.errors import BadRequest, BadUserInput, FraiseQLError, StaleCatalog
from fraiseql.schema import complete, shape
from fraiseql.schema.build import Schema, get_schema
from fraiseql.schema.specs import RootKind

MAX_TEMPLATES = 200
"""Statements kept per operation: one for each form its variables take."""

MAX_OUTLINES = 64
"""Outlines kept per operation: one for each combination of @skip and @include."""

MAX_CACHED_TEXT = 65_536
"""Longer documents (characters) are machine-made and seldom repeat."""


FORWARD = Response(b"")
"""Stands for the response of an operation that the fast path does not run."""


@dataclass(frozen=True)
class Relations:
    """Asks for the catalog's entries of these views."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Execution:
    """Asks for graphene's executor, with the bound fields' values at hand."""

    operation: "Operation"
    request: GraphQLRequest
    outline: Outline | None
    bound: Mapping[str, Any]


Need = Relations | Statement | Execution
Steps = Generator[Need, Any, Response]


class Prepared:
    """The outline of a query, its compiled Shapes, and the statements it has needed so far."""

    def __init__(self, selected: Outline) -> None:
        self.outline = selected
        self.shapes = {item.response_key: result.Shape(item.node) for item in selected.selections}
        self.typenames = dict.fromkeys(selected.typenames, b'"Query"')
        self.views = tuple(dict.fromkeys(item.root.type.view or "" for item in selected.selections))
        self._templates: dict[Any, list[tuple[Template, Plan]]] = {}
        self._count = 0

    def find(self, variables: Variables) -> tuple[Template, Plan] | None:
        """Return the statement made for variables like these, if there is one."""
        for entry in self._templates.get(outline_of(variables), ()):
            if entry[0].accepts(variables):
                return entry
        return None

    def keep(self, variables: Variables, template: Template, planned: Plan) -> None:
        """Remember a statement for the next variables like these."""
        if not template.is_reusable:
            return
        if self._count >= MAX_TEMPLATES:
            self._templates.clear()
            self._count = 0
        self._templates.setdefault(outline_of(variables), []).append((template, planned))
        self._count += 1

    def forget(self) -> None:
        """Drop all statements: the catalog they were made from has changed."""
        self._templates.clear()
        self._count = 0


class Operation:
    """One operation of a valid document."""

    def __init__(self, schema: Schema, document: Document, node: OperationDefinitionNode) -> None:
        self.schema = schema
        self.document = document
        self.node = node
        self.is_query = node.operation is OperationType.QUERY
        self.is_subscription = node.operation is OperationType.SUBSCRIPTION
        self.is_mutation = node.operation is OperationType.MUTATION
        self.coerce = compile_variables(schema.graphql, node)
        self._conditions = condition_variables(document, node)
        self._prepared: dict[tuple[Any, ...], Prepared] = {}

    def prepare(self, variables: Variables) -> Prepared:
        """Return the operation's outline under these variables' ``@skip`` and ``@include``."""
        key = tuple([bool(variables.get(name)) for name in self._conditions])
        found = self._prepared.get(key)
        if found is None:
            if len(self._prepared) >= MAX_OUTLINES:
                self._prepared.clear()
            found = Prepared(outline(self.schema, self.document, self.node, variables))
            self._prepared[key] = found
        return found


class Engine:
    """What turns requests into responses, for one schema and one set of settings."""

    def __init__(self, schema: Schema, settings: Settings) -> None:
        debug = bool(django_settings.DEBUG)
        introspection = settings.INTROSPECTION
        self.schema = schema
        self.settings = settings
        self.debug = debug
        self.limits = Limits(
            max_tokens=settings.MAX_TOKENS,
            max_depth=settings.MAX_DEPTH,
            introspection=debug if introspection is None else introspection,
            suggestions=debug,
        )
        self._cached = lru_cache(maxsize=settings.DOCUMENT_CACHE_SIZE)(self._compile)

    def operation(self, request: GraphQLRequest) -> Operation:
        """Return the compiled operation of a request. Raises FraiseQLError if there is none."""
        if len(request.query) > MAX_CACHED_TEXT:
            return self._compile(request.query, request.operation_name)
        return self._cached(request.query, request.operation_name)

    def _compile(self, text: str, name: str | None) -> Operation:
        document = read_document(text, self.schema.graphql, self.limits)
        return Operation(self.schema, document, document.operation(name))

    def answer(
        self, request: GraphQLRequest, read_only: bool = False, fast_only: bool = False
    ) -> Steps:
        """
        Yield what a request needs and return its response.

        ``read_only``: refuse anything but queries (HTTP GET). ``fast_only``: return FORWARD instead of asking
        for graphene's executor.
        """
        try:
            operation = self.operation(request)
            if read_only and not operation.is_query:
                raise BadRequest("GET is for queries only.", hint="Send it by POST.", status=405)
            if operation.is_subscription:
                raise BadRequest("A subscription needs a WebSocket.")
            variables = operation.coerce(request.variables)
        except FraiseQLError as error:
            return envelope.refusal(error, self.debug)
        if not operation.is_query:
            if fast_only:
                return FORWARD
            result = yield Execution(operation, request, None, {})
            return self._executed(result)
        prepared = operation.prepare(variables)
        if fast_only and not prepared.outline.is_fast:
            return FORWARD
        found = yield from self._read(prepared, variables)
        if prepared.outline.is_fast:
            return self._project(prepared, found)
        bound = {
            item.response_key: _python_value(item, found) for item in prepared.outline.selections
        }
        result = yield Execution(operation, request, prepared.outline, bound)
        return self._executed(result)

    # Reading

    def _read(self, prepared: Prepared, variables: Variables) -> Generator[Need, Any, "Found"]:
        if not prepared.outline.selections:
            return Found({}, {})
        try:
            return (yield from self._fetch(prepared, prepared.outline.selections, variables))
        except StaleCatalog:
            # A view was replaced under the running server: look again, once.
            catalog.forget(self.settings.DATABASE)
            prepared.forget()
        except FraiseQLError as error:
            return (yield from self._read_apart(prepared, variables, error))
        try:
            return (yield from self._fetch(prepared, prepared.outline.selections, variables))
        except FraiseQLError as error:
            return (yield from self._read_apart(prepared, variables, error))

    def _read_apart(
        self, prepared: Prepared, variables: Variables, error: FraiseQLError
    ) -> Generator[Need, Any, "Found"]:
        """Read each field by itself after their common statement failed, so that one spoils only itself."""
        selections = prepared.outline.selections
        failed: dict[str, FraiseQLError] = {}
        if len(selections) == 1 or error.code in {"SERVICE_UNAVAILABLE", "TIMEOUT"}:
            return Found({}, {item.response_key: error for item in selections})
        reads: dict[str, Any] = {}
        for item in selections:
            try:
                alone = yield from self._fetch(prepared, (item,), variables)
            except FraiseQLError as own:
                failed[item.response_key] = own
            else:
                reads |= alone.reads
                failed |= alone.refused
        return Found(reads, failed)

    def _fetch(
        self, prepared: Prepared, selections: tuple[RootSelection, ...], variables: Variables
    ) -> Generator[Need, Any, "Found"]:
        known = prepared.find(variables) if selections is prepared.outline.selections else None
        refused: dict[str, FraiseQLError] = {}
        if known is None:
            planned = plan(selections, variables, self.settings)
            refused = dict(planned.refused)
            if not planned.plan.reads:
                return Found({}, refused)
            relations = yield Relations(prepared.views)
            template = compile_plan(planned.plan, relations)
            known = template, planned.plan
            if selections is prepared.outline.selections:
                prepared.keep(variables, template, planned.plan)
        template, made = known
        try:
            statement = template.fill(variables)
        except BadUserInput as error:
            # A value that only its encoder refuses: the other fields are read without it.
            wrong = error.extensions.get("response_key")
            rest = tuple(item for item in selections if item.response_key != wrong)
            found = (yield from self._fetch(prepared, rest, variables)) if rest else Found({}, {})
            return Found(found.reads, {**refused, **found.refused, str(wrong): error})
        rows: Rows = yield statement
        return Found(_by_field(template, made, rows), refused)

    # Answers

    def _project(self, prepared: Prepared, found: "Found") -> Response:
        fields: list[tuple[str, bytes]] = []
        errors: list[ErrorDict] = []
        selections = {item.response_key: item for item in prepared.outline.selections}
        for response_key in prepared.outline.order:
            item = selections.get(response_key)
            if item is None:
                fields.append((response_key, prepared.typenames[response_key]))
                continue
            refused = found.refused.get(response_key)
            if refused is not None:
                nodes = prepared.outline.nodes[response_key,]
                errors.append(envelope.describe(refused, self.debug, [response_key], nodes))
                value = b"null"
            else:
                value, faults = _projected(prepared.shapes[response_key], item, found)
                if faults:
                    errors += self._describe(prepared.outline, item, faults)
            if value == b"null" and item.root.kind is not RootKind.ONE:
                return envelope.no_data(errors)
            fields.append((response_key, value))
        return envelope.success(fields, errors)

    def _describe(self, selected: Outline, item: RootSelection, faults: Any) -> list[ErrorDict]:
        described = []
        for path, label, reason in faults:
            error = _FAULTS[reason](label or item.label)
            full = (item.response_key, *path)
            nodes = selected.nodes.get(tuple(part for part in full if isinstance(part, str)), ())
            described.append(envelope.describe(error, self.debug, full, nodes))
        return described

    def _executed(self, result: ExecutionResult) -> Response:
        errors = [envelope.describe_graphql(error, self.debug) for error in result.errors or ()]
        if result.data is None and all(error.path is None for error in result.errors or ()):
            return Response(b'{"errors":%b}' % envelope.dumps(errors), is_request_error=True)
        return envelope.executed(result.data, errors)


@dataclass(frozen=True)
class Found:
    """Rows by response key, and the fields that failed."""

    reads: Mapping[str, Any]
    refused: Mapping[str, FraiseQLError]


_FAULTS = {
    shape.NULL: complete.null_value,
    shape.WRONG_TYPE: complete.wrong_type,
    shape.UNKNOWN_TYPE: complete.unknown_type,
}


def _by_field(template: Template, made: Plan, rows: Rows) -> dict[str, Any]:
    """Return each field's rows: documents, or for a connection its one document."""
    if not template.is_tagged:
        (read,) = made.reads
        untagged = [(None, document) for document in rows.column(0)]
        return {read.response_key: _of_read(read, untagged, None)}
    found: list[list[KeyedRow]] = [[] for _ in made.reads]
    totals: dict[int, bytes | None] = {}
    for number, keys, document in zip(rows.column(0), rows.column(1), rows.column(2), strict=True):
        index = int(number or b"0")
        if index < 0:
            totals[-1 - index] = document
        else:
            found[index].append((keys, document))
    return {
        read.response_key: _of_read(read, found[index], totals.get(index))
        for index, read in enumerate(made.reads)
    }


def _of_read(read: Read, rows: Sequence[KeyedRow], total: bytes | None) -> Any:
    if read.kind is RootKind.CONNECTION:
        return [connection_document(read, ConnectionRows(rows, total))]
    return [document for _, document in rows]


def _projected(compiled: Any, item: RootSelection, found: Found) -> tuple[bytes, Any]:
    rows = found.reads[item.response_key]
    if item.root.kind is RootKind.MANY:
        projected: tuple[bytes, Any] = compiled.project_rows(rows)
    else:
        projected = compiled.project_row(rows[0] if rows else None)
    return projected


def _python_value(item: RootSelection, found: Found) -> Any:
    """Return a bound field's rows as graphene's executor takes them."""
    refused = found.refused.get(item.response_key)
    if refused is not None:
        return refused
    documents = [
        None if row is None else json.loads(row, parse_float=Decimal)
        for row in found.reads[item.response_key]
    ]
    if item.root.kind is RootKind.MANY:
        return documents
    return documents[0] if documents else None


# Waiting


def execute(request: GraphQLRequest, context: Any = None, read_only: bool = False) -> Response:
    """Return the response to ``request``, on Django's connection. ``context``: Django's request."""
    engine = get_engine()
    using = engine.settings.DATABASE
    steps = engine.answer(request, read_only)

    def meet(need: Need) -> Any:
        if isinstance(need, Statement):
            return sync.fetch(need, using)
        if isinstance(need, Relations):
            return catalog.relations(need.names, using)
        return _execute(engine, need, context)

    return drive(steps, meet)


async def execute_async(
    request: GraphQLRequest,
    context: Any = None,
    read_only: bool = False,
    fast_only: bool = False,
) -> Response:
    """Return the response to ``request``, on the asynchronous pool; see ``Engine.answer``."""
    engine = get_engine()
    using = engine.settings.DATABASE
    steps = engine.answer(request, read_only, fast_only)
    try:
        need = next(steps)
        while True:
            try:
                if isinstance(need, Statement):
                    met: Any = await pool.fetch(need, using)
                elif isinstance(need, Relations):
                    met = await catalog.relations_async(need.names, using)
                else:
                    met = await _execute_async(engine, need, context)
            except FraiseQLError as error:
                need = steps.throw(error)
            else:
                need = steps.send(met)
    except StopIteration as stop:
        response: Response = stop.value
        return response


def drive(steps: Steps, meet: Any) -> Response:
    """Return what ``Engine.answer`` does; ``meet`` gives what it asks for, or raises FraiseQLError."""
    try:
        need = next(steps)
        while True:
            try:
                met = meet(need)
            except FraiseQLError as error:
                need = steps.throw(error)
            else:
                need = steps.send(met)
    except StopIteration as stop:
        response: Response = stop.value
        return response


def _execute(
    engine: Engine, need: Execution, request: Any, in_thread: bool = True
) -> ExecutionResult:
    context = Context(request, Database(), AsyncDatabase(in_thread=in_thread))
    context.bind(need.bound)
    result = graphql_execute(
        engine.schema.graphql,
        need.operation.document.ast,
        context_value=context,
        variable_values=need.request.variables,
        operation_name=need.request.operation_name,
        middleware=MiddlewareManager(_run_coroutines),
    )
    assert isinstance(result, ExecutionResult)  # noqa: S101 - no coroutine is left
    return result


async def _execute_async(engine: Engine, need: Execution, request: Any) -> ExecutionResult:
    # In a thread, because resolvers of graphene-django iterate over querysets.
    return await sync_to_async(_execute)(engine, need, request, in_thread=False)


def _run_coroutines(resolve: Any, source: Any, info: Any, **arguments: Any) -> Any:
    value = resolve(source, info, **arguments)
    if hasattr(value, "__await__"):
        return async_to_sync(_await)(value)
    return value


async def _await(value: Any) -> Any:
    return await value


@lru_cache(maxsize=4)
def _engine(schema: Schema, settings: Settings, debug: bool) -> Engine:
    return Engine(schema, settings)


def get_engine() -> Engine:
    """Return the engine of the project's schema and settings."""
    return _engine(get_schema(), get_settings(), bool(django_settings.DEBUG))

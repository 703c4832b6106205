"""
The hall: the rooms in order, once for threads and once for event loops.

``Engine.answer`` is the order of the calls as a generator; it yields what must be waited for (the catalog, a
statement, graphene's executor), and the two drivers differ only in how they wait.
"""

import sys
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeVar

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.db import DatabaseError, transaction
from django.utils.translation import gettext
from graphql import ExecutionResult, MiddlewareManager
from graphql import execute as graphql_execute

from fraiseql.conf import Settings, get_settings
from fraiseql.db import catalog, faults, pool, replicas, sync
from fraiseql.db.direct import undone
from fraiseql.db.flight import Session, Step
from fraiseql.db.horizon import Horizon
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement, encoded
from fraiseql.engine import answering, result
from fraiseql.engine.calling import OTHER_KEY, Calls, Constrained, Flight, Functions
from fraiseql.engine.context import Context
from fraiseql.engine.database import AsyncDatabase, Database
from fraiseql.engine.document.document import read_document
from fraiseql.engine.document.lifting import Lifted, Lifting
from fraiseql.engine.document.limits import Limits
from fraiseql.engine.document.request import GraphQLRequest, from_json
from fraiseql.engine.document.variables import Variables
from fraiseql.engine.estimating import Estimates, max_plan_cost
from fraiseql.engine.forms import form_of
from fraiseql.engine.operation import Made, Operation, Prepared
from fraiseql.engine.persisting import Persisted
from fraiseql.engine.reading import Found, Reading, Relations, by_field, read
from fraiseql.engine.result import envelope
from fraiseql.engine.result.envelope import Response
from fraiseql.engine.result.implementation import Binder
from fraiseql.engine.session import session_of
from fraiseql.engine.sql.keys import Key
from fraiseql.engine.viewer import ANONYMOUS, Viewer
from fraiseql.errors import (
    BadRequest,
    BadUserInput,
    CostExceeded,
    Forbidden,
    FraiseQLError,
    Repeated,
    ServiceUnavailable,
    ValidationFailed,
)
from fraiseql.schema.build import Schema, get_schema

MAX_CACHED_TEXT = 65_536
"""Longer documents (characters) are machine-made and seldom repeat."""

MAX_LESSONS = 4
"""Bodies learnt from for one statement: clients spell the same a few ways, or each anew."""

FORWARD = Response(b"")
"""Stands for the response of an operation that the fast path does not run."""


@dataclass(frozen=True)
class Execution:
    """Asks for graphene's executor, with the bound fields' values at hand."""

    operation: Operation
    request: GraphQLRequest
    viewer: Viewer
    bound: Mapping[str, Any]
    calls: Calls | None = None


class Known(NamedTuple):
    """
    What is known of a query, but for the values of its variables. ``key``: its text and name.

    ``lifted``: how its text came about, if it is not the one that was sent.
    """

    key: tuple[str, str | None]
    operation: Operation
    prepared: Prepared
    made: Made
    lifted: Lifted | None = None


Ready = tuple[Step, Known]
"""A query of which all is known but its rows, which are what the step returns."""

Need = Relations | Statement | Functions | Constrained | Flight | Execution
Steps = Generator[Need, Any, Response]
N = TypeVar("N")
T = TypeVar("T")


class Engine:
    """What turns requests into responses, for one schema and one set of settings."""

    def __init__(self, schema: Schema, settings: Settings) -> None:
        debug = bool(django_settings.DEBUG)
        self.introspection = settings.INTROSPECTION or ("public" if debug else "off")
        self.schema = schema
        self.settings = settings
        self.debug = debug
        self.limits = Limits(
            max_tokens=settings.MAX_TOKENS,
            max_depth=settings.MAX_DEPTH,
            introspection=self.introspection != "off",
            suggestions=debug,
            max_selections=settings.MAX_SELECTIONS,
            max_fields=settings.MAX_FIELDS,
            max_root_fields=settings.MAX_ROOT_FIELDS,
            max_aliases=settings.MAX_ALIASES,
            max_directives=settings.MAX_DIRECTIVES,
        )
        self.estimates = Estimates()
        self._most = settings.MAX_RESPONSE_BYTES or sys.maxsize
        self._estimates_plans = bool(settings.MAX_PLAN_COST or settings.MAX_PLAN_COST_BY_ROLE)
        self._settled: dict[tuple[str, str | None], tuple[Operation, Prepared]] = {}
        # The accelerator's, from the first lesson on: whether there is one is not to be found out earlier.
        self._binder: Binder | None = None
        self._bind: Callable[[bytes], Any] = _bind_none
        self._is_plain = not (
            self._estimates_plans
            or self.introspection == "authenticated"
            or settings.PERSISTED_OPERATIONS in ("enforce", "log")
        )
        self.persisted = Persisted(settings, self.compile_all)
        self._cached = lru_cache(maxsize=settings.DOCUMENT_CACHE_SIZE)(self._compile)
        self._lifting = Lifting(schema.graphql, settings.DOCUMENT_CACHE_SIZE)
        # How many operations are kept, and how often one was there: for whoever watches.
        self._found = 0

    def compiled(self) -> Any:
        """Return what ``cache_info`` tells of the compiled operations."""
        told = self._cached.cache_info()
        return told._replace(hits=told.hits + self._found)

    def operation(self, request: GraphQLRequest) -> Operation:
        """Return the compiled operation of a request. Raises FraiseQLError if there is none."""
        text, name = request.query, request.operation_name
        pinned = self.persisted.pinned
        if pinned and (found := pinned.get((text, name))) is not None:
            return found
        return (self._compile if len(text) > MAX_CACHED_TEXT else self._cached)(text, name)

    def is_fast(self, request: GraphQLRequest) -> bool:
        """Tell whether a request is answered without graphene's executor; refusals are."""
        if not self.persisted.is_ready(request):
            return False  # It would have to be looked up first.
        try:
            operation = self.operation(request)
            variables = operation.coerce(request.variables)
            if operation.is_mutation:
                return bool(operation.prepare_calls(variables).outline.is_fast)
            return bool(operation.prepare(variables).outline.is_fast)
        except FraiseQLError:
            return True

    def _compile(self, text: str, name: str | None) -> Operation:
        document = read_document(text, self.schema.graphql, self.limits)
        node = document.operation(name)
        return Operation(self.schema, document, node, self.settings.MAX_FIELDS)

    def compile_all(self, text: str) -> dict[tuple[str, str | None], Operation]:
        """Return the operations of a document by its text and their names. Raises FraiseQLError."""
        document = read_document(text, self.schema.graphql, self.limits)
        compiled: dict[tuple[str, str | None], Operation] = {}
        for node in document.operations:
            operation = Operation(self.schema, document, node, self.settings.MAX_FIELDS)
            if operation.is_mutation:
                operation.prepare_calls({})
            elif operation.is_query:
                operation.prepare({})
            compiled[text, node.name.value if node.name else None] = operation
        if len(compiled) == 1:
            compiled[text, None] = operation
        return compiled

    def answer(
        self,
        request: GraphQLRequest,
        viewer: Viewer,
        read_only: bool = False,
        fast_only: bool = False,
    ) -> Steps:
        """
        Yield what a request of ``viewer`` needs and return its response.

        ``read_only``: refuse anything but queries (HTTP GET). ``fast_only``: return FORWARD instead of asking
        for graphene's executor.
        """
        if self.persisted.concerns(request):
            return self._answer_stored(request, viewer, read_only, fast_only)
        if (lifted := self._lifted(request)) is not None:
            return self._answer_lifted(lifted, viewer, read_only, fast_only)
        return self._answer(request, viewer, read_only, fast_only)

    def _lifted(self, request: GraphQLRequest) -> Lifted | None:
        """Return what answers ``request`` as its own text does; None: that text itself."""
        lifted = self._lifting.find(request)
        if lifted is None:
            return None
        try:
            operation = self.operation(lifted.request)
            operation.coerce(lifted.request.variables)
        except ValidationFailed:
            self._lifting.refuse(request.query)
        except FraiseQLError:
            pass  # It is another fault in a text than in a variable.
        else:
            return lifted
        return None

    def _answer_lifted(
        self, lifted: Lifted, viewer: Viewer, read_only: bool, fast_only: bool
    ) -> Steps:
        response = yield from self._answer(lifted.request, viewer, read_only, fast_only)
        return envelope.moved(response, lifted.sent)

    def _answer_stored(
        self, request: GraphQLRequest, viewer: Viewer, read_only: bool, fast_only: bool
    ) -> Steps:
        try:
            admitted = yield from self.persisted.admit(request, viewer)
        except FraiseQLError as error:
            return envelope.refusal(error, self.debug)
        response = yield from self._answer(admitted.request, viewer, read_only, fast_only)
        if response is FORWARD:
            self.persisted.withdraw(admitted)
        else:
            yield from self.persisted.settle(admitted, response)
        return response

    def ready(self, body: bytes) -> Ready | None:
        """
        Return what answers the query in a JSON body by one statement, without finding anything out.

        Most requests are like that: this is ``answer`` without its exceptions. None: ``answer`` has to.
        """
        bound: Ready | None = self._bind(body)
        if bound is not None:
            self._found += 1
            return bound
        try:
            request = from_json(body)
            ready = self._at_hand(request)
            if ready is None and (lifted := self._lifting.find(request)) is not None:
                ready = self._at_hand(lifted.request)
                return ready and (ready[0], ready[1]._replace(lifted=lifted))
        except FraiseQLError:
            return None  # ``answer`` says it.
        if ready is not None:
            self._learn(body, request, ready)
        return ready

    def _at_hand(self, request: GraphQLRequest) -> Ready | None:
        key = request.query, request.operation_name
        settled = self._settled.get(key)
        if settled is None or request.document_id is not None:
            return None
        operation, prepared = settled
        variables = operation.coerce(request.variables)
        made = prepared.find(variables)
        if made is None:
            return None
        statement = made.template.fill(variables)
        step = statement.text, encoded(statement.params)
        self._found += 1
        return step, Known(key, operation, prepared, made)

    def _learn(self, body: bytes, request: GraphQLRequest, ready: Ready) -> None:
        """Have bodies like this one bound by the accelerator."""
        (text, params), known = ready
        _, operation, prepared, made, _ = known
        if prepared.forms is None or made.lessons == MAX_LESSONS:
            return
        made.lessons += 1
        form = form_of(operation.variable_types, request.variables, made.template)
        if form is not None:
            prepared.forms.keep(form, text, params, known)
            self._accelerated().keep(body, prepared.forms)

    def _accelerated(self) -> Binder:
        if self._binder is None:
            make = result.implementation().binder
            assert make is not None  # noqa: S101 - it has forms
            self._binder = make(self.settings.DOCUMENT_CACHE_SIZE)
            self._bind = self._binder.bind
        return self._binder

    def ask(
        self, ready: Ready, viewer: Viewer, horizon: Horizon | None, loop: AbstractEventLoop
    ) -> Awaitable[list[Rows]]:
        """Return what ends with the rows of a query that is ``ready``, or with a FraiseQLError."""
        settings = self.settings
        session = session_of(viewer, settings.SESSION_VARIABLES)
        if horizon is not None:
            return replicas.read(ready[0], settings.DATABASE, session, horizon)
        return pool.read(ready[0], settings.DATABASE, session, loop)

    def _settle(self, request: GraphQLRequest, operation: Operation, prepared: Prepared) -> None:
        """Remember the outline that every request with this query has."""
        if len(request.query) <= MAX_CACHED_TEXT:
            if len(self._settled) >= self.settings.DOCUMENT_CACHE_SIZE:
                self._settled = {}
            self._settled[request.query, request.operation_name] = operation, prepared
            self._lifting.learn(request.query, operation.document)

    def unsettle(self, ready: Ready, error: FraiseQLError) -> None:
        """Find all of it out anew: the statement failed, maybe because a view has changed."""
        if not isinstance(error, ServiceUnavailable):
            _, known = ready
            self._settled.pop(known.key, None)
            known.prepared.unlearn()

    def respond(self, ready: Ready, rows: Rows) -> bytes | None:
        """Return the body of the response to a query that is ``ready``; None: ``finish`` does, if slower."""
        body = ready[1].prepared.respond(rows)
        return None if body is not None and len(body) > self._most else body

    def finish(self, ready: Ready, rows: Rows) -> Response:
        """Return the response to a query that is ``ready`` and whose rows are there."""
        _, (_, _, prepared, made, lifted) = ready
        found = Found(by_field(made.template, made.plan, rows), {})
        most = self.settings.MAX_RESPONSE_BYTES
        response = self._sized(answering.project(prepared, found, self.debug, most))
        return response if lifted is None else envelope.moved(response, lifted.sent)

    def _answer(
        self, request: GraphQLRequest, viewer: Viewer, read_only: bool, fast_only: bool
    ) -> Steps:
        try:
            operation = self.operation(request)
            if not operation.is_query:
                return (yield from self._change(operation, request, viewer, read_only, fast_only))
            variables = self._admitted(operation, request, viewer)
            prepared = operation.prepare(variables)
            if self._is_plain and operation.is_settled(prepared, self.settings):
                self._settle(request, operation, prepared)
        except FraiseQLError as error:
            return envelope.refusal(error, self.debug)
        if fast_only and not prepared.outline.is_fast:
            return FORWARD
        try:
            found = yield from self._read(prepared, variables, viewer)
        except (ServiceUnavailable, CostExceeded) as error:
            return envelope.refusal(error, self.debug)
        if prepared.outline.is_fast:
            return self._sized(
                answering.project(prepared, found, self.debug, self.settings.MAX_RESPONSE_BYTES)
            )
        values = answering.python_values(prepared, found)
        done = yield Execution(operation, request, viewer, values)
        return self._sized(answering.executed(done, self.debug))

    def _admitted(self, operation: Operation, request: GraphQLRequest, viewer: Viewer) -> Variables:
        """Return the coerced variables of an operation that ``viewer`` may run. Raises FraiseQLError."""
        # Not while compiling: one compiled operation serves every viewer.
        if self.introspection == "authenticated" and not viewer.is_authenticated:
            _check_introspection(operation)
        variables = operation.coerce(request.variables)
        operation.check_cost(variables, self.settings)
        if request.budget is not None:
            request.budget.spend(operation.cost(variables, self.settings))
        return variables

    def _change(
        self,
        operation: Operation,
        request: GraphQLRequest,
        viewer: Viewer,
        read_only: bool,
        fast_only: bool,
    ) -> Steps:
        """Answer a mutation. Raises FraiseQLError if it is not to run, or is none."""
        if read_only:
            raise BadRequest("GET is for queries only.", hint="Send it by POST.", status=405)
        if operation.is_subscription:
            raise BadRequest("A subscription needs a WebSocket.")
        variables = self._admitted(operation, request, viewer)
        if request.is_dry and not viewer.is_staff:
            raise Forbidden("A dry run is for staff.")
        prepared = operation.prepare_calls(variables)
        calls = Calls(prepared, variables, request, viewer, self.settings)
        if fast_only and (calls.is_dry or not calls.outline.is_fast):
            return FORWARD
        if calls.outline.is_fast:
            outcomes = yield from calls.run()
            return self._sized(answering.project_calls(calls.prepared, outcomes, self.debug))
        done = yield Execution(operation, request, viewer, {}, calls)
        if isinstance(done, ExecutionResult):
            done = answering.executed(done, self.debug)
        return self._sized(done)

    def _read(self, prepared: Prepared, variables: Variables, viewer: Viewer) -> Reading:
        reading = read(prepared, variables, self.settings)
        if not self._estimates_plans:
            return reading
        most = max_plan_cost(viewer, self.settings)
        return self.estimates.within(reading, most, self.debug) if most else reading

    def _sized(self, response: Response) -> Response:
        """Return ``response``, or an error in its place if it is too large."""
        most = self._most
        return envelope.too_large(most) if len(response.body) > most else response


def _bind_none(_body: bytes) -> None:
    """Stands for the accelerator's binder."""


def _check_introspection(operation: Operation) -> None:
    if faults := operation.introspection:
        raise ValidationFailed(faults[0]["message"], errors=faults)


def execute(
    request: GraphQLRequest,
    context: Any = None,
    read_only: bool = False,
    viewer: Viewer = ANONYMOUS,
    horizon: Horizon | None = None,
) -> Response:
    """
    Return the response to ``request``, on Django's connection. ``context``: Django's request.

    ``horizon``: what its client has to see, where there are replicas.
    """
    engine = get_engine()
    using = engine.settings.DATABASE
    session = session_of(viewer, engine.settings.SESSION_VARIABLES)
    steps = engine.answer(request, viewer, read_only)

    def meet(need: Need) -> Any:
        if isinstance(need, Execution):
            _expect_commit(need, horizon)
            return _execute(engine, need, context, session)
        return _ask(need, using, session, horizon)

    return drive(steps, meet)


def _ask(need: Need, using: str, session: Session, horizon: Horizon | None = None) -> Any:
    """Return what the database answers to ``need``, on Django's connection."""
    match need:
        case Statement():
            if horizon is not None:
                return replicas.fetch(need, using, session, horizon)
            return sync.fetch(need, using, session)
        case Flight(statements, is_dry):
            if horizon is not None:
                horizon.is_pending = True
            with undone(using) if is_dry else nullcontext():
                return sync.fetch_all(statements, using, session)
        case Relations(names):
            return catalog.relations(names, using)
        case Functions(names):
            return catalog.functions(names, using)
        case Constrained(names):
            return catalog.constrained(names, using)
    raise TypeError(need)


async def _ask_async(
    need: Need, using: str, session: Session, horizon: Horizon | None = None
) -> Any:
    """Return the same, through the asynchronous pool."""
    match need:
        case Statement():
            if horizon is not None:
                return await replicas.fetch_async(need, using, session, horizon)
            return await pool.fetch(need, using, session)
        case Flight(statements, is_dry):
            if is_dry:
                return await sync_to_async(_ask)(need, using, session)
            return await pool.fetch_all(statements, using, session, horizon)
        case Relations(names):
            return await catalog.relations_async(names, using)
        case Functions(names):
            return await catalog.functions_async(names, using)
        case Constrained(names):
            return await catalog.constrained_async(names, using)
    raise TypeError(need)


async def execute_async(
    request: GraphQLRequest,
    context: Any = None,
    read_only: bool = False,
    fast_only: bool = False,
    viewer: Viewer = ANONYMOUS,
    horizon: Horizon | None = None,
    failed: FraiseQLError | None = None,
) -> Response:
    """
    Return the response to ``request``, on the asynchronous pool; see ``Engine.answer``.

    ``failed``: what its first statement ended with, if it was sent already.
    """
    engine = get_engine()
    using = engine.settings.DATABASE
    session = session_of(viewer, engine.settings.SESSION_VARIABLES)
    steps = engine.answer(request, viewer, read_only, fast_only)

    def meet(need: Need) -> Awaitable[Any]:
        if type(need) is Statement and horizon is None:
            return pool.fetch(need, using, session)
        if isinstance(need, Execution):
            _expect_commit(need, horizon)
            return _execute_async(engine, need, context, session)
        return _ask_async(need, using, session, horizon)

    return await drive_async(steps, meet, failed)


def _expect_commit(need: Execution, horizon: Horizon | None) -> None:
    if horizon is not None and need.calls is not None:
        horizon.is_pending = True


async def warm_async() -> None:
    """Learn what is registered and compile it: for the start of an ASGI lifespan."""
    engine = get_engine()

    async def meet(need: Need) -> Any:
        return await _ask_async(need, engine.settings.DATABASE, ())

    await drive_async(engine.persisted.refresh(), meet)


def drive(steps: Generator[N, Any, T], meet: Callable[[N], Any]) -> T:
    """Return what the generator does; ``meet`` gives what it asks for, or raises FraiseQLError."""
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
        done: T = stop.value
        return done


async def drive_async(
    steps: Generator[N, Any, T],
    meet: Callable[[N], Awaitable[Any]],
    failed: FraiseQLError | None = None,
) -> T:
    """Return what ``drive`` does. ``failed``: what the first need has met already."""
    try:
        need = next(steps)
        if failed is not None:
            need = steps.throw(failed)
        while True:
            try:
                met = await meet(need)
            except FraiseQLError as error:
                need = steps.throw(error)
            else:
                need = steps.send(met)
    except StopIteration as stop:
        done: T = stop.value
        return done


def _execute(
    engine: Engine, need: Execution, request: Any, session: Session, in_thread: bool = True
) -> ExecutionResult | Response:
    asynchronous = AsyncDatabase(in_thread=in_thread, session=session)
    context = Context(request, Database(session=session), asynchronous, need.viewer)
    context.bind(need.bound)
    if need.calls is None:
        return _run(engine, need, context)
    using, calls = engine.settings.DATABASE, need.calls
    context.calls = {
        key: partial(drive, calls.alone(key), lambda asked: _ask(asked, using, session))
        for key in calls.prepared.shapes
    }
    if calls.is_dry:
        with undone(using):
            return _run(engine, need, context)
    key = calls.key()
    if key is None:
        return _run_calls(engine, need, context, calls)
    return _once(key, engine, session, lambda: _run_calls(engine, need, context, calls))


def _run_calls(engine: Engine, need: Execution, context: Context, calls: Calls) -> ExecutionResult:
    if engine.settings.MUTATION_TRANSACTION != "operation":
        return _run(engine, need, context)
    using = engine.settings.DATABASE
    with transaction.atomic(using):
        result = _run(engine, need, context)
        if result.errors or calls.has_failed:
            transaction.set_rollback(True, using)
    return calls.undone(result)


def _once(
    key: Key, engine: Engine, session: Session, run: Callable[[], ExecutionResult]
) -> Response:
    """Return the answer kept under ``key``, or what ``run`` answers, in one transaction with the key."""
    using = engine.settings.DATABASE
    try:
        with transaction.atomic(using):
            sync.fetch(key.claim(), using, session)
            response = answering.executed(run(), engine.debug)
            if response.has_errors:
                # An attempt that failed is not kept.
                transaction.set_rollback(True, using)
            else:
                sync.fetch(key.keep_text(response.body.decode()), using, session)
            return response
    except Repeated:
        kept = key.read_text(sync.fetch(key.find(), using, session))
    except (FraiseQLError, DatabaseError) as error:
        fault = error if isinstance(error, FraiseQLError) else faults.fault(error)
        return envelope.refusal(fault, engine.debug)
    if kept is None:
        return envelope.refusal(BadUserInput(gettext(OTHER_KEY)), engine.debug)
    return Response(kept.encode())


def _run(engine: Engine, need: Execution, context: Context) -> ExecutionResult:
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


async def _execute_async(
    engine: Engine, need: Execution, request: Any, session: Session
) -> ExecutionResult | Response:
    # In a thread, because resolvers of graphene-django iterate over querysets.
    return await sync_to_async(_execute)(engine, need, request, session, in_thread=False)


def _run_coroutines(resolve: Any, source: Any, info: Any, **arguments: Any) -> Any:
    value = resolve(source, info, **arguments)
    if hasattr(value, "__await__"):
        return async_to_sync(_await)(value)
    return value


async def _await(value: Any) -> Any:
    return await value


# Both are hashed by identity.
@lru_cache(maxsize=4)
def _engine(schema: Schema, settings: Settings) -> Engine:
    return Engine(schema, settings)


def get_engine() -> Engine:
    """Return the engine of the project's schema and settings."""
    return _engine(get_schema(), get_settings())


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "DEBUG":
        _engine.cache_clear()


setting_changed.connect(_forget)

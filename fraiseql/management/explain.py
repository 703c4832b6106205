"""
An operation followed through the rooms: what each makes of it, and how long it takes.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from django.db import DatabaseError, transaction
from graphql import print_ast

from fraiseql.db import catalog, faults, inspection, sync
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement, numbered
from fraiseql.engine import calling, pipeline
from fraiseql.engine.calling import Call, Calls, Functions, Refused
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.operation import Operation
from fraiseql.engine.plan.plan import Plan
from fraiseql.engine.plan.planner import Outline
from fraiseql.engine.plan.planner import plan as make_plan
from fraiseql.engine.reading import Relations
from fraiseql.engine.result import implementation
from fraiseql.engine.sql.compile import compile_plan
from fraiseql.engine.viewer import ANONYMOUS
from fraiseql.errors import FraiseQLError
from fraiseql.schema import shape

TIMEOUT_MS = 60_000

_EXPLAIN = {False: "EXPLAIN ", True: "EXPLAIN (ANALYZE, BUFFERS) "}

_LEAVES = {
    shape.STRING: "string",
    shape.INT: "int",
    shape.FLOAT: "float",
    shape.BOOLEAN: "boolean",
    shape.DIGITS: "digits",
    shape.ID: "id",
    shape.DATETIME: "datetime",
    shape.TEXT: "text",
    shape.JSON: "json",
    shape.ENUM: "enum",
    shape.CONSTANT: "constant",
}


@dataclass
class Room:
    """
    What one room made of the operation. ``language``: of ``text``, for a terminal that has colours.

    ``facts``: the same and more, for programs.
    """

    name: str
    text: str = ""
    language: str = "text"
    facts: dict[str, Any] = field(default_factory=dict)
    duration_ms: float | None = None


@dataclass
class Explanation:
    """The rooms an operation passed; ``error``: what stopped it, in the last of them or before the first."""

    rooms: list[Room] = field(default_factory=list)
    error: FraiseQLError | None = None


class _ForExecutor(Exception):
    """The operation reached graphene's executor, where Python of the application would run."""


def explain(request: GraphQLRequest, using: str, *, analyze: bool = False) -> Explanation:
    """
    Return the way of ``request`` through the rooms.

    Everything is run in a transaction that may only read and is rolled back. Mutations and Python
    resolvers are not run. ``analyze``: have PostgreSQL count and time what its plan does.
    """
    found = Explanation()
    try:
        with inspection.reading(using, TIMEOUT_MS) as cursor:
            _Walk(request, using, found).walk(cursor, analyze)
    except FraiseQLError as error:
        found.error = error
    except DatabaseError as error:
        found.error = faults.fault(error)
        found.error.__cause__ = error
    return found


class _Walk:
    def __init__(self, request: GraphQLRequest, using: str, found: Explanation) -> None:
        self.request, self.using, self.found = request, using, found
        self.engine = pipeline.get_engine()

    def walk(self, cursor: Any, analyze: bool) -> None:
        with self._room("document") as room:
            operation = self.engine.operation(self.request)
            room.text, room.language = print_ast(operation.document.ast), "graphql"
            room.facts = {
                "operation": operation.node.operation.value,
                "fragments": list(operation.document.fragments),
            }
        variables: dict[str, Any] = {}
        if operation.node.variable_definitions:
            with self._room("variables") as room:
                variables = operation.coerce(self.request.variables)
                room.text = "\n".join(f"${name} = {value!r}" for name, value in variables.items())
                room.facts = {"names": list(variables)}
        self._cost(operation, variables)
        if operation.is_mutation and self._calls(operation, variables):
            self._stop("A mutation is not run here; staff may send it with extensions.dryRun.")
            return
        if not operation.is_query:
            self._stop(f"A {operation.node.operation.value} is run by graphene's executor.")
            return
        outline, plan = self._plan(operation, variables)
        statement = self._statement(plan, variables)
        if statement is not None:
            self._postgres(cursor, statement, analyze)
        self._answer(outline)

    def _cost(self, operation: Operation, variables: dict[str, Any]) -> None:
        settings = self.engine.settings
        with self._room("cost") as room:
            cost, most = operation.cost(variables, settings), settings.MAX_COST
            room.text = f"{cost:,}" + (f" of at most {most:,}" if most else "")
            room.facts = {"cost": cost, "maxCost": most}
            operation.check_cost(variables, settings)

    def _calls(self, operation: Operation, variables: dict[str, Any]) -> bool:
        """Show the functions that bound mutations call; tell whether there are any."""
        calls = Calls(
            operation.prepare_calls(variables),
            variables,
            self.request,
            ANONYMOUS,
            self.engine.settings,
        )
        if not calls.outline.selections:
            return False
        refused = None
        with self._room("plan") as room:
            try:
                ready: list[Call] = pipeline.drive(
                    calls.prepare(calls.outline.selections), self._look_up
                )
            except Refused as error:
                ready, refused = [], error.payload.errors
            lines = [_call_line(call) for call in ready]
            lines += [f"refused: {error.field}, {error.message}" for error in refused or ()]
            room.text = "\n".join(lines)
            room.facts = {"calls": lines, "is_fast": calls.outline.is_fast}
        statements = [statement for call in ready for statement in call.statements]
        if statements:
            with self._room("sql") as room:
                texts = [_shown(statement) for statement in statements]
                room.text, room.language = "\n\n".join(texts), "sql"
                room.facts = {"statements": [numbered(s.text).decode() for s in statements]}
        return True

    def _look_up(self, need: calling.Need) -> Any:
        if isinstance(need, Functions):
            return catalog.functions(need.names, self.using)
        assert isinstance(need, Relations)  # noqa: S101 - nothing is sent
        return catalog.relations(need.names, self.using)

    def _plan(self, operation: Operation, variables: dict[str, Any]) -> tuple[Outline, Plan]:
        with self._room("plan") as room:
            outline = operation.prepare(variables).outline
            planned = make_plan(outline.selections, variables, self.engine.settings)
            lines = [str(planned.plan)] if planned.plan.reads else []
            lines += [f"{key}: refused, {error}" for key, error in planned.refused.items()]
            bound = {item.response_key for item in outline.selections}
            python = [key for key in outline.order if key not in {*bound, *outline.typenames}]
            lines += [f"{key}: a Python resolver" for key in python]
            if not outline.is_fast:
                lines.append("Graphene's executor puts the answer together.")
            room.text = "\n".join(lines)
            room.facts = {
                "reads": [str(read) for read in planned.plan.reads],
                "refused": {key: error.message for key, error in planned.refused.items()},
                "python": python,
                "is_fast": outline.is_fast,
                "is_reusable": planned.plan.is_reusable,
            }
        return outline, planned.plan

    def _statement(self, plan: Plan, variables: dict[str, Any]) -> Statement | None:
        if not plan.reads:
            return None
        with self._room("sql") as room:
            relations = catalog.relations(plan.views, self.using)
            statement = compile_plan(plan, relations).fill(variables)
            room.text, room.language = _shown(statement), "sql"
            sql = numbered(statement.text).decode()
            room.facts = {"statement": sql, "parameters": list(statement.params)}
        return statement

    def _postgres(self, cursor: Any, statement: Statement, analyze: bool) -> None:
        with self._room("postgresql") as room:
            try:
                with transaction.atomic(self.using):
                    cursor.execute(_EXPLAIN[analyze] + statement.text, statement.params)
            except DatabaseError as error:
                # The answer below tells it as clients hear it.
                room.text = f"It refuses the statement: {error}".strip()
                return
            room.text = "\n".join(line for (line,) in cursor.fetchall())
            room.facts = {"analyzed": analyze}

    def _shape(self, outline: Outline) -> None:
        with self._room("shape") as room:
            chosen = implementation()
            room.text = "\n".join(
                line
                for item in outline.selections
                for line in _shape_lines(f"{item.response_key}: ", "", item.node, "")
            )
            room.facts = {"projector": chosen.name, "version": chosen.version}

    def _answer(self, outline: Outline) -> None:
        """Run the operation as a client's request, with what the cache knows by now."""
        rows = Room("rows")
        waited = 0.0

        def meet(need: pipeline.Need) -> Any:
            nonlocal waited
            started = perf_counter()
            if not isinstance(need, Relations | Statement):
                raise _ForExecutor
            if isinstance(need, Relations):
                met: Any = catalog.relations(need.names, self.using)
            else:
                # A savepoint: the pipeline may go on after a statement that failed.
                with transaction.atomic(self.using):
                    met = sync.fetch(need, self.using)
                _count(rows, met)
                rows.duration_ms = (rows.duration_ms or 0) + (perf_counter() - started) * 1000
            waited += perf_counter() - started
            return met

        started = perf_counter()
        try:
            response = pipeline.drive(self.engine.answer(self.request, ANONYMOUS), meet)
        except _ForExecutor:
            self._keep(rows)
            self._stop("Graphene's executor would run the application's Python now.")
            return
        duration_ms = (perf_counter() - started - waited) * 1000
        self._keep(rows)
        self._shape(outline)
        body = response.body
        self.found.rooms.append(
            Room(
                "response",
                "\n".join([f"{len(body):,} bytes", *_errors(body)]),
                facts={"bytes": len(body), "body": body.decode()},
                duration_ms=duration_ms,
            )
        )

    def _keep(self, rows: Room) -> None:
        if rows.facts:
            count, size = rows.facts["rows"], rows.facts["bytes"]
            rows.text = f"{count:,} {'row' if count == 1 else 'rows'}, {size:,} bytes"
            self.found.rooms.append(rows)

    def _stop(self, reason: str) -> None:
        self.found.rooms.append(Room("executor", f"{reason} It is not run here."))

    @contextmanager
    def _room(self, name: str) -> Iterator[Room]:
        room = Room(name)
        self.found.rooms.append(room)
        started = perf_counter()
        try:
            yield room
        except FraiseQLError as error:
            room.text, room.language = "\n".join(_fault_lines(error)), "text"
            raise
        finally:
            room.duration_ms = (perf_counter() - started) * 1000


def _fault_lines(error: FraiseQLError) -> list[str]:
    several = [f"{entry['message']}" for entry in error.extensions.get("errors", ())]
    first, *rest = several or [error.message]
    return [f"{error.code}: {first}", *rest, *filter(None, [error.hint])]


def _errors(body: bytes) -> list[str]:
    """Return the errors in an answer, a line each."""
    found = json.loads(body).get("errors", ())
    return [
        f"{'.'.join(map(str, error.get('path', ['request'])))}: {error['message']}"
        for error in found
    ]


def _count(room: Room, rows: Rows) -> None:
    before = room.facts or {"rows": 0, "bytes": 0}
    size = 0
    for number in range(3):
        try:
            size += sum(len(value or b"") for value in rows.column(number))
        except IndexError:
            break
    room.facts = {"rows": before["rows"] + len(rows), "bytes": before["bytes"] + size}


def _shape_lines(name: str, origin: str, node: Any, indent: str) -> Iterator[str]:
    """Yield a Shape as a tree: names, kinds, ``!`` where null bubbles, the document's key if it differs."""
    kind = node[0]
    if kind == shape.CONSTANT:
        yield f"{indent}{name}{node[1].decode()}"
        return
    if kind == shape.JOINED:
        yield from _shape_lines(name, f"{origin}, with values beside", node[1], indent)
        return
    required = "" if node[1] else "!"
    below = indent + "  "
    if kind == shape.LIST:
        yield f"{indent}{name}list{required}{origin}"
        yield from _shape_lines("", "", node[2], below)
    elif kind == shape.OBJECT:
        yield f"{indent}{name}object{required}{origin}"
        yield from _entry_lines(node[2], below)
    elif kind == shape.ABSTRACT:
        yield f"{indent}{name}object{required}, by its {node[2].decode()}{origin}"
        for value, entries in node[3]:
            yield f"{below}{value.decode()}"
            yield from _entry_lines(entries, below + "  ")
    else:
        yield f"{indent}{name}{_LEAVES[kind]}{required}{origin}"


def _entry_lines(entries: Any, indent: str) -> Iterator[str]:
    for key, response_key, _label, node in entries:
        stored = key.decode() if isinstance(key, bytes) else f"beside, {key}"
        origin = f" from {stored}" if stored not in ("", response_key) else ""
        yield from _shape_lines(f"{response_key}: ", origin, node, indent)


def _call_line(call: Call) -> str:
    function, spec = call.bound.function, call.selection.mutation
    takes = ", ".join(argument.name for argument in call.bound.arguments.values())
    if call.bound.document is not None:
        takes = f"{call.bound.document.name}: the whole input"
    back = call.bound.contract.value
    view = f" ({call.selection.view})" if len(call.statements) > 1 else ""
    return (
        f"{call.selection.response_key}: {spec.name} calls {function.schema}.{function.name}({takes}),"
        f" which returns {back}{view}"
    )


def _shown(statement: Statement) -> str:
    values = [f"-- ${n} = {value!r}" for n, value in enumerate(statement.params, 1)]
    return "\n".join([numbered(statement.text).decode(), *values])

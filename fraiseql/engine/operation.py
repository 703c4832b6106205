"""
Operations compiled once: their outlines, Shapes and statements.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

from graphql import OperationDefinitionNode, OperationType, type_from_ast

from fraiseql.conf import Settings
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.engine import result
from fraiseql.engine.document.document import Document, introspection_faults
from fraiseql.engine.document.variables import Variables, compile_variables
from fraiseql.engine.plan.calls import CallOutline, outline_calls
from fraiseql.engine.plan.cost import Cost, compile_cost
from fraiseql.engine.plan.plan import Plan
from fraiseql.engine.plan.planner import Outline, condition_variables, outline
from fraiseql.engine.plan.selection import RootSelection
from fraiseql.engine.plan.values import outline as outline_of
from fraiseql.engine.result import envelope
from fraiseql.engine.sql.calls import Bound
from fraiseql.engine.sql.template import Template
from fraiseql.errors import CostExceeded
from fraiseql.schema.build import Schema
from fraiseql.schema.shape import Error
from fraiseql.schema.specs import RootKind

MAX_TEMPLATES = 200
"""Statements kept per operation: one for each form its variables take."""

MAX_OUTLINES = 64
"""Outlines kept per operation: one for each combination of @skip and @include."""


Respond = Callable[[Rows], bytes | None]


class Operation:
    """One operation of a valid document. ``max_fields``: see ``outline``."""

    def __init__(
        self,
        schema: Schema,
        document: Document,
        node: OperationDefinitionNode,
        max_fields: int = 0,
    ) -> None:
        self.schema = schema
        self._max_fields = max_fields
        self.document = document
        self.node = node
        self.is_query = node.operation is OperationType.QUERY
        self.is_mutation = node.operation is OperationType.MUTATION
        self.is_subscription = node.operation is OperationType.SUBSCRIPTION
        self.coerce = compile_variables(schema.graphql, node)
        self._conditions = condition_variables(document, node)
        self._prepared: dict[tuple[Any, ...], Any] = {}
        self._costs: dict[tuple[Any, ...], tuple[Cost, int | None]] = {}

    @cached_property
    def variable_types(self) -> dict[str, Any]:
        """The types of the variables, by name."""
        return {
            node.variable.name.value: type_from_ast(self.schema.graphql, node.type)
            for node in self.node.variable_definitions
        }

    @cached_property
    def introspection(self) -> list[dict[str, Any]]:
        """The faults of this operation's document for those who may not see the schema."""
        return introspection_faults(self.schema.graphql, self.document)

    def cost(self, variables: Variables, settings: Settings) -> int:
        """Return what the operation costs under these variables."""
        return self._cost(variables, settings)[0].of(variables)

    def check_cost(self, variables: Variables, settings: Settings) -> None:
        """Raise CostExceeded if the operation costs more than the setting MAX_COST."""
        most = settings.MAX_COST
        if not most:
            return
        found, largest = self._cost(variables, settings)
        if (largest is None or largest > most) and (cost := found.of(variables)) > most:
            raise CostExceeded(
                f"The operation costs {cost:,}; at most {most:,} is allowed.",
                hint="Ask for fewer rows or fields at once, or raise FRAISEQL['MAX_COST'].",
                cost=cost,
                maxCost=most,
            )

    def _cost(self, variables: Variables, settings: Settings) -> tuple[Cost, int | None]:
        key = self._key(variables)
        found = self._costs.get(key)
        if found is None:
            if len(self._costs) >= MAX_OUTLINES:
                self._costs.clear()
            fragments = self.document.fragments
            cost = compile_cost(self.schema, fragments, self.node, variables, settings)
            found = self._costs[key] = cost, cost.most()
        return found

    def _key(self, variables: Variables) -> tuple[bool, ...]:
        if not self._conditions:
            return ()
        return tuple([bool(variables.get(name)) for name in self._conditions])

    def prepare(self, variables: Variables) -> "Prepared":
        """
        Return the outline of a query under these variables' ``@skip`` and ``@include``.

        Raises ValidationFailed if it has too many fields.
        """
        prepared: Prepared = self._kept(variables, outline, Prepared)
        return prepared

    def prepare_calls(self, variables: Variables) -> "PreparedCalls":
        """Return the outline of a mutation; see ``prepare``."""
        prepared: PreparedCalls = self._kept(variables, outline_calls, PreparedCalls)
        return prepared

    def is_settled(self, prepared: "Prepared", settings: Settings) -> bool:
        """Tell whether no variables change a query's outline, or make it cost too much."""
        if self._conditions or not prepared.outline.is_fast:
            return False
        largest = self._costs[()][1] if settings.MAX_COST else 0
        return largest is not None and largest <= settings.MAX_COST

    def _kept(self, variables: Variables, look: Any, made: Any) -> Any:
        key = self._key(variables)
        found = self._prepared.get(key)
        if found is None:
            if len(self._prepared) >= MAX_OUTLINES:
                self._prepared.clear()
            found = made(look(self.schema, self.document, self.node, variables, self._max_fields))
            self._prepared[key] = found
        return found


class RootField(NamedTuple):
    """
    A field of a response: ``begin``, and what ``shape`` makes of its documents.

    ``item``: None of ``__typename``, whose value ``begin`` has. ``is_nullable``: null stays where it is.
    """

    key: str
    begin: bytes
    item: RootSelection | None = None
    shape: Any = None
    is_list: bool = False
    is_nullable: bool = True

    def project(self, documents: Sequence[bytes | None]) -> tuple[bytes, Sequence[Error]]:
        """Return the value of a field of documents, and what is wrong in it. Raises MalformedRow."""
        projected: tuple[bytes, Sequence[Error]]
        if self.is_list:
            projected = self.shape.project_rows(documents)
        else:
            projected = self.shape.project_row(documents[0] if documents else None)
        return projected


@dataclass(slots=True)
class Made:
    """A statement and the plan it was made from. ``lessons``: how many forms were made of what it served."""

    template: Template
    plan: Plan
    lessons: int = 0


class Prepared:
    """
    The outline of a query, its compiled Shapes, and the statements it has needed so far.

    ``respond``: returns the whole response from the rows of a query with one plain field, None of others and if
    there is anything wrong in it. ``forms``: of variables that the statements serve, if the accelerator runs.
    """

    def __init__(self, selected: Outline) -> None:
        self.outline = selected
        selections = {item.response_key: item for item in selected.selections}
        self.fields = tuple(_root_field(key, selections.get(key)) for key in selected.order)
        only = self.fields[0] if len(self.fields) == 1 else None
        is_plain = only and only.item and only.item.root.kind in (RootKind.ONE, RootKind.MANY)
        self.respond: Respond = _respond_none
        if only is not None and is_plain:
            self.respond = _responder(only)
        accelerated = result.implementation().forms
        self.forms = accelerated() if accelerated is not None else None
        self._templates: dict[Any, list[Made]] = {}
        self._count = 0

    def find(self, variables: Variables) -> Made | None:
        """Return the statement made for variables like these, if there is one."""
        for made in self._templates.get(outline_of(variables), ()):
            if made.template.accepts(variables):
                return made
        return None

    def keep(self, variables: Variables, made: Made) -> None:
        """Remember a statement for the next variables like these."""
        if not made.template.is_reusable:
            return
        if self._count >= MAX_TEMPLATES:
            self.forget()
        self._templates.setdefault(outline_of(variables), []).append(made)
        self._count += 1

    def forget(self) -> None:
        """Drop all statements: too many, or the catalog they were made from has changed."""
        self.unlearn()
        self._templates.clear()
        self._count = 0

    def unlearn(self) -> None:
        """Drop the forms."""
        if self.forms is not None:
            self.forms.clear()
        for alike in list(self._templates.values()):
            for made in alike:
                made.lessons = 0


def _respond_none(_rows: Rows) -> None:
    """Stands for what makes the response of one plain field."""


def _responder(field: RootField) -> Respond:
    in_place = result.implementation().results
    if in_place is not None:
        return partial(in_place.respond, field.shape, field.begin)

    def respond(rows: Rows) -> bytes | None:
        response: bytes | None = field.shape.respond(field.begin, rows.column(0))
        return response

    return respond


def _root_field(key: str, item: RootSelection | None) -> RootField:
    begin = envelope.member(key)
    if item is None:
        return RootField(key, begin + b'"Query"')
    kind = item.root.kind
    return RootField(key, begin, item, result.Shape(item.node), kind.is_list, kind is RootKind.ONE)


class PreparedCalls:
    """
    The outline of a mutation, its compiled Shapes, and what was made for it so far.

    ``bound``: the functions by mutation; ``texts``: of calls, by response key and the fields given; ``reads``: of
    what they write, by response key.
    """

    def __init__(self, selected: CallOutline) -> None:
        self.outline = selected
        self.shapes = {item.response_key: result.Shape(item.node) for item in selected.selections}
        self.bound: dict[str, Bound] = {}
        self.texts: dict[tuple[str, tuple[str, ...]], str] = {}
        self.reads: dict[str, Statement] = {}

    def forget(self) -> None:
        """Drop all of it: the catalog it was made from has changed."""
        self.bound.clear()
        self.texts.clear()
        self.reads.clear()

"""
Documents to plans.

``outline`` looks at a query once: its root fields, their Shapes, their arguments as trees. ``plan`` puts the
variables in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, VariableNode

from fraiseql.conf import Settings
from fraiseql.engine.document.document import Document
from fraiseql.engine.plan.aggregate import plan_group_order, plan_groups
from fraiseql.engine.plan.filters import check_amount, compare, id_parser, plan_where
from fraiseql.engine.plan.narrow import plan_distinct, plan_search, rank_first
from fraiseql.engine.plan.order import plan_cursor, plan_order
from fraiseql.engine.plan.plan import (
    Below,
    Condition,
    EmbeddedObject,
    Every,
    Groups,
    Guard,
    Order,
    Page,
    Plan,
    Read,
    RelatedRead,
    Target,
)
from fraiseql.engine.plan.selection import Below as BelowSelection
from fraiseql.engine.plan.selection import (
    RelatedSelection,
    RootSelection,
    Selected,
)
from fraiseql.engine.plan.values import ABSENT, Given, Leaf, give
from fraiseql.errors import BadUserInput, FraiseQLError
from fraiseql.schema.build import Schema
from fraiseql.schema.complete import ResponsePath
from fraiseql.schema.inputs import filter_operators
from fraiseql.schema.specs import RootKind, RootSpec

Variables = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Outline:
    """
    A query as far as it can be known without variables.

    ``typenames``: response keys of ``__typename`` at the root. ``order``: all response keys.
    ``is_fast``: every field is bound, so no executor is needed. ``nodes``: where each response path stands
    in the document.
    """

    selections: tuple[RootSelection, ...]
    typenames: tuple[str, ...]
    order: tuple[str, ...]
    is_fast: bool
    nodes: Mapping[ResponsePath, list[FieldNode]]


def condition_variables(document: Document, operation: OperationDefinitionNode) -> tuple[str, ...]:
    """Return the variables that ``@skip`` and ``@include`` read, on which an outline depends."""
    found: dict[str, None] = {}
    definitions = [operation, *document.fragments.values()]
    stack: list[Any] = [definition.selection_set for definition in definitions]
    while stack:
        selections = stack.pop()
        for node in selections.selections if selections else ():
            stack.append(getattr(node, "selection_set", None))
            for directive in node.directives:
                if directive.name.value in {"skip", "include"}:
                    value = directive.arguments[0].value
                    if isinstance(value, VariableNode):
                        found[value.name.value] = None
    return tuple(found)


def outline(
    schema: Schema,
    document: Document,
    operation: OperationDefinitionNode,
    conditions: Variables,
    max_fields: int = 0,
) -> Outline:
    """
    Return the outline of a query operation under the given values of its condition variables.

    Raises ValidationFailed if it has more than ``max_fields`` fields; 0: never.
    """
    selected = Selected(schema.graphql, document.fragments, conditions, max_fields)
    collected = selected.collect(("Query",), [operation.selection_set])
    selections, typenames, fast = [], [], True
    for response_key, nodes in collected.items():
        name = nodes[0].name.value
        selected.nodes[response_key,] = nodes
        if name in schema.roots:
            selections.append(selected.rows("Query", schema.roots[name], nodes, (response_key,)))
        elif name == "__typename":
            typenames.append(response_key)
        else:
            fast = False
    return Outline(
        selections=tuple(selections),
        typenames=tuple(typenames),
        order=tuple(collected),
        is_fast=fast and not selected.computed,
        nodes=selected.nodes,
    )


@dataclass(frozen=True)
class Planned:
    """A plan, and the root fields whose arguments were refused."""

    plan: Plan
    refused: Mapping[str, FraiseQLError]


def plan(
    selections: tuple[RootSelection, ...], variables: Variables, settings: Settings
) -> Planned:
    """Return the plan of the bound root fields; a refused argument fails its own field only."""
    guards: list[Guard] = []
    reads: list[Read] = []
    refused: dict[str, FraiseQLError] = {}
    reusable = True
    for selection in selections:
        reading = _Reading(variables, settings, guards)
        try:
            reads.append(reading.read(selection))
        except BadUserInput as error:
            refused[selection.response_key] = error
        reusable = reusable and reading.is_reusable
    return Planned(Plan(tuple(reads), tuple(guards), reusable and not refused), refused)


@dataclass
class _Reading:
    """One root field with all that is related below; ``is_reusable``: as of ``Plan``."""

    variables: Variables
    settings: Settings
    guards: list[Guard]
    is_reusable: bool = True

    def read(self, selection: RootSelection) -> Read:
        trees = selection.arguments.items()
        given = {name: give(tree, self.variables) for name, tree in trees}
        given = {name: value for name, value in given.items() if value is not ABSENT}
        self.is_reusable = self.is_reusable and all(map(_is_reusable, given.values()))
        read = _read(selection, given, self.settings, self.guards)
        return replace(read, below=self._below(selection.below))

    def _below(self, selections: tuple[BelowSelection, ...]) -> tuple[Below, ...]:
        return tuple(
            RelatedRead(item.related, self.read(item.rows), item.only)
            if isinstance(item, RelatedSelection)
            else EmbeddedObject(item.entry, self._below(item.below), item.only)
            for item in selections
        )


def _is_reusable(given: Given) -> bool:
    if isinstance(given, Leaf):
        return given.is_fixed or given.path is not None
    return all(map(_is_reusable, given.values() if isinstance(given, dict) else given))


def _read(
    selection: RootSelection, given: dict[str, Given], settings: Settings, guards: list[Guard]
) -> Read:
    root = selection.root
    order: tuple[Order, ...] = ()
    groups: Groups | None = None
    search = plan_search(given.get("search"), root.type)
    if root.kind is RootKind.ONE:
        # A related object is found by its key alone.
        where = _by_keys(root, given, guards) if root.keys else Every(())
        page = Page(1)
    else:
        wanted = given.get("where", Leaf(None))
        check_amount(wanted)
        where = plan_where(wanted, root.type, guards)
        if root.aggregate is not None:
            groups = plan_groups(given, root.aggregate, guards)
            order = plan_group_order(given.get("orderBy"), root.aggregate, groups, guards)
        else:
            keys = given.get("orderBy")
            order = plan_order(keys, root.type, guards)
            if search is not None and not (isinstance(keys, list) and keys):
                order = rank_first(order)
        window = _cursor_page if root.kind is RootKind.CONNECTION else _offset_page
        page = window(root, given, order, settings, guards)
    return Read(
        selection.response_key,
        root.kind,
        root.type,
        where,
        order,
        page,
        selection.keys,
        selection.wants,
        groups,
        search,
        plan_distinct(given.get("distinct"), root.type, guards),
    )


def _by_keys(root: RootSpec, given: dict[str, Leaf], guards: list[Guard]) -> Condition:
    conditions = []
    for key in root.keys:
        leaf = given.get(key.name)
        if leaf is None or leaf.value is None:
            continue
        equal = next(operator for operator in filter_operators(key) if operator.name == "eq")
        if key.is_id:
            id_parser(key, key.name)(leaf.value)
        conditions.append(compare(Target((key,)), equal, leaf, key.name, guards))
    if not conditions:
        names = " or ".join(f"'{key.name}'" for key in root.keys)
        raise BadUserInput(f"{root.name} needs {names}.")
    return conditions[0] if len(conditions) == 1 else Every(tuple(conditions))


def _offset_page(
    root: RootSpec,
    given: dict[str, Given],
    _order: tuple[Order, ...],
    settings: Settings,
    guards: list[Guard],
) -> Page:
    limit = _count(root, given, "limit", settings, guards)
    offset = given.get("offset")
    if offset is None or offset.value is None:
        return Page(limit)
    if offset.value < 0:
        raise BadUserInput("offset must not be negative.")
    if offset.path is not None:
        guards.append(Guard(offset.path, _is_offset, True))
    return Page(limit, offset)


def _cursor_page(
    root: RootSpec,
    given: dict[str, Given],
    order: tuple[Order, ...],
    settings: Settings,
    guards: list[Guard],
) -> Page:
    has_last = isinstance(given.get("last"), Leaf) and given["last"].value is not None
    has_first = isinstance(given.get("first"), Leaf) and given["first"].value is not None
    if has_first and has_last:
        raise BadUserInput("Give first or last, not both.")
    limit = _count(root, given, "last" if has_last else "first", settings, guards)
    return Page(
        limit,
        after=plan_cursor(given.get("after"), order, "after", guards),
        before=plan_cursor(given.get("before"), order, "before", guards),
        backward=has_last,
    )


def _count(
    root: RootSpec, given: dict[str, Given], name: str, settings: Settings, guards: list[Guard]
) -> int:
    """Return a number of rows, which stands in the statement's text: PostgreSQL plans for it."""
    most = root.max_limit if root.max_limit is not None else settings.MAX_LIMIT
    leaf = given.get(name)
    if leaf is not None and leaf.path is not None:
        guards.append(Guard(leaf.path, _same, leaf.value))
    if leaf is None or leaf.value is None:
        default = root.default_limit if root.default_limit is not None else settings.DEFAULT_LIMIT
        return min(default, most)
    if leaf.value < 0:
        raise BadUserInput(f"{name} must not be negative.")
    if leaf.value > most:
        raise BadUserInput(
            f"{name} is {leaf.value}; {root.name} returns at most {most} rows.",
            hint="Ask for pages: with offset, or faster with a connection's cursors.",
        )
    return int(leaf.value)


def _same(value: Any) -> Any:
    return value


def _is_offset(value: Any) -> bool:
    return isinstance(value, int) and value >= 0

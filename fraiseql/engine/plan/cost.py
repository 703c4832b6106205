"""
What an operation costs before it runs: each selected field, times the rows it is selected of.

Sizes of lists come from arguments, variables and defaults. What does not depend on variables is added up once;
the rest is left as a sum of products, which each request evaluates.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SchemaMetaFieldDef,
    TypeMetaFieldDef,
    VariableNode,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    introspection_types,
    is_composite_type,
    parse,
)

from fraiseql.conf import Settings
from fraiseql.engine.document.fields import Sets, fields_of
from fraiseql.engine.plan.selection import Selected
from fraiseql.schema.build import Schema
from fraiseql.schema.specs import RootKind, RootSpec

Variables = Mapping[str, Any]

WRITE_COST = 10
"""Of a mutation, for each item in its arguments' lists."""

MAX_ITEMS = 100
"""Items that lists in lists of one document are taken to have at most: they are read, whatever is selected."""

# The arguments that say how many rows a field has.
_WINDOWS = {
    RootKind.ONE: (),
    RootKind.MANY: ("limit",),
    RootKind.AGGREGATE: ("limit",),
    RootKind.CONNECTION: ("first", "last"),
}
_ANY_WINDOW = ("first", "last", "limit")
# Lists that are as long as the window of the field above them says.
_PAGED = frozenset({"edges", "nodes"})
_META = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}


@dataclass(frozen=True)
class Window:
    """
    The rows that arguments ask for. ``literals``: numbers in the document; ``names``: of variables;
    ``default``: where neither says; ``most``: None if any number is possible.
    """

    literals: tuple[int, ...]
    names: tuple[str, ...]
    default: int
    most: int | None

    def of(self, variables: Variables) -> int:
        """Return the number of rows; of several numbers the largest."""
        given = [value for name in self.names if (value := variables.get(name)) is not None]
        size = max(*self.literals, *given, -1) if given or self.literals else self.default
        return max(0, size if self.most is None else min(size, self.most))


@dataclass(frozen=True)
class Items:
    """The items in lists of arguments: so many in the document, and those of variables, with their types."""

    literals: int
    variables: tuple[tuple[str, Any], ...]
    most: None = None

    def of(self, variables: Variables) -> int:
        """Return the number of items, at least one."""
        count = self.literals
        for name, declared in self.variables:
            count += _count_items(variables.get(name), declared)
        return max(1, count)


Size = int | Window | Items


@dataclass(frozen=True)
class Cost:
    """``fixed``, and for each of ``terms`` a size times what one row costs."""

    fixed: int = 0
    terms: tuple[tuple[Size, "Cost"], ...] = ()

    def of(self, variables: Variables) -> int:
        """Return the cost under these variables."""
        total = self.fixed
        for size, each in self.terms:
            total += (size if isinstance(size, int) else size.of(variables)) * each.of(variables)
        return total

    def most(self) -> int | None:
        """Return the cost that no variables exceed, None if there is none."""
        total = self.fixed
        for size, each in self.terms:
            rows, below = size if isinstance(size, int) else size.most, each.most()
            if rows is None or below is None:
                return None
            total += rows * below
        return total

    def times(self, size: Size) -> "Cost":
        """Return what so many rows cost."""
        if isinstance(size, int) and not self.terms:
            return Cost(size * self.fixed)
        return Cost(0, ((size, self),))


def _sum(costs: Iterable[Cost]) -> Cost:
    fixed = 0
    terms: list[tuple[Size, Cost]] = []
    for cost in costs:
        fixed += cost.fixed
        terms += cost.terms
    return Cost(fixed, tuple(terms))


def compile_cost(
    schema: Schema,
    fragments: Mapping[str, FragmentDefinitionNode],
    operation: OperationDefinitionNode,
    conditions: Variables,
    settings: Settings,
) -> Cost:
    """
    Return the cost of an operation whose ``@skip`` and ``@include`` have these ``conditions``.

    Two introspections of the whole schema are free: tools send them, and their size is the schema's.
    """
    costing = _Costing(schema, fragments, conditions, settings)
    root = schema.graphql.get_root_type(operation.operation)
    is_write = operation.operation is OperationType.MUTATION
    cost = costing.selections([(operation.selection_set, root)], is_write=is_write)
    if not costing.introspection:
        return cost
    free = min(costing.introspection, 2 * _full_introspection(schema, settings))
    return Cost(cost.fixed - free, cost.terms)


@lru_cache(maxsize=4)
def _full_introspection(schema: Schema, settings: Settings) -> int:
    text = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
        input_object_one_of=True,
    )
    operation, *fragments = parse(text).definitions
    by_name = {
        node.name.value: node for node in fragments if isinstance(node, FragmentDefinitionNode)
    }
    assert isinstance(operation, OperationDefinitionNode)  # noqa: S101 - the text's first definition
    costing = _Costing(schema, by_name, {}, settings)
    costing.selections([(operation.selection_set, schema.graphql.query_type)])
    return costing.introspection


def uncapped_lists(schema: Schema) -> Iterator[str]:
    """
    Yield the fields, as Type.field, that return lists of objects which nothing cuts.

    Bound lists are cut by their limits; a list in a document is as long as its row has it.
    """
    for owner in schema.graphql.type_map.values():
        if owner.name.startswith("__") or not isinstance(owner, GraphQLObjectType):
            continue
        spec = schema.objects.get(owner.name)
        bound = schema.roots if owner is schema.graphql.query_type else {}
        for name, entry in owner.fields.items():
            is_list = _list_levels(entry.type) and is_composite_type(get_named_type(entry.type))
            if (
                not is_list
                or name in bound
                or name in _PAGED
                or not entry.args.keys().isdisjoint(_ANY_WINDOW)
            ):
                continue
            if spec is None or spec.fields[name].compute is not None:
                yield f"{owner.name}.{name}"


class _Costing:
    """Costs of one operation. ``introspection``: of its fields ``__schema`` and ``__type``, so far."""

    def __init__(
        self,
        schema: Schema,
        fragments: Mapping[str, FragmentDefinitionNode],
        conditions: Variables,
        settings: Settings,
    ) -> None:
        self.schema, self.fragments, self.settings = schema, fragments, settings
        self.introspection = 0
        self._is_included = Selected(schema.graphql, fragments, conditions).is_included

    def selections(
        self, sets: Sets, page: Size | None = None, items: int = 1, is_write: bool = False
    ) -> Cost:
        """
        Return the cost of one object.

        ``page``: the length of the lists that page through rows. ``items``: objects like this one in its document.
        """
        groups: dict[tuple[str, Any], list[FieldNode]] = {}
        schema = self.schema.graphql
        for node, parent in fields_of(sets, schema, self.fragments, self._is_included):
            # Merged as the executor merges; one more per type, of which an object has but one.
            groups.setdefault(((node.alias or node.name).value, parent), []).append(node)
        return _sum(
            self._field(nodes, parent, page, items, is_write)
            for (_, parent), nodes in groups.items()
        )

    def _field(
        self, nodes: list[FieldNode], parent: Any, page: Size | None, items: int, is_write: bool
    ) -> Cost:
        node = nodes[0]
        definition = self._definition(parent, node.name.value)
        if definition is None:
            return Cost(1)
        own = Cost(WRITE_COST).times(_items(node, definition)) if is_write else Cost(1)
        named = get_named_type(definition.type)
        sets = [(each.selection_set, named) for each in nodes if each.selection_set is not None]
        if not sets:
            return own
        window = self._window(node, parent, definition)
        levels = _list_levels(definition.type)
        stored = items if self._is_stored(parent, node.name.value) else None
        size: Size = 1
        if page is not None and node.name.value in _PAGED:
            size = page
        elif window is not None and levels:
            size = window
        elif levels:
            size = assumed = self._assumed(node, parent, levels, stored)
            stored = stored and stored * assumed
        cost = self.selections(sets, None if levels else window, stored or 1).times(size)
        if node.name.value in _META:
            self.introspection += cost.fixed
        return _sum([own, cost])

    def _definition(self, parent: Any, name: str) -> GraphQLField | None:
        if name.startswith("__"):
            return _META.get(name)
        return parent.fields[name] if hasattr(parent, "fields") else None

    def _window(self, node: FieldNode, parent: Any, definition: GraphQLField) -> Size | None:
        """Return how many rows a field's arguments ask for, None if it has none that say."""
        root = self._root(parent, node.name.value)
        if root is None:
            names = tuple(name for name in _ANY_WINDOW if name in definition.args)
            default, most = self.settings.DEFAULT_LIMIT, None
        else:
            names = _WINDOWS[root.kind]
            most = self.settings.MAX_LIMIT if root.max_limit is None else root.max_limit
            default = (
                self.settings.DEFAULT_LIMIT if root.default_limit is None else root.default_limit
            )
        if not names:
            return None
        given = {argument.name.value: argument.value for argument in node.arguments}
        values = [given.get(name, definition.args[name].default_value) for name in names]
        literals = [number for value in values if (number := _number(value)) is not None]
        variables = [value.name.value for value in values if isinstance(value, VariableNode)]
        window = Window(tuple(literals), tuple(variables), default, most)
        return window if variables else window.of({})

    def _root(self, parent: Any, name: str) -> RootSpec | None:
        """Return how a bound field reads its rows; None: it is not bound."""
        if parent is self.schema.graphql.query_type:
            return self.schema.roots.get(name)
        spec = self.schema.objects.get(parent.name)
        entry = spec.fields.get(name) if spec else None
        return entry.related.root if entry and entry.related else None

    def _is_stored(self, parent: Any, name: str) -> bool:
        """Tell whether a field's value is in its object's document, which has been read by then."""
        spec = self.schema.objects.get(parent.name)
        return spec is not None and spec.fields[name].is_stored

    def _assumed(self, node: FieldNode, parent: Any, levels: int, stored: int | None) -> int:
        """
        Return how long a list is taken to be that no argument bounds.

        ``stored``: objects like its own in the document it is in, None if it is in none.
        """
        if parent.name in introspection_types:
            return _introspection_sizes(self.schema).get(f"{parent.name}.{node.name.value}", 1)
        size: int = self.settings.ASSUMED_ROWS**levels
        return size if stored is None else min(size, max(1, MAX_ITEMS // stored))


def _number(value: Any) -> int | None:
    """Return the number in a literal or a default; None if it has none, or is a variable."""
    if isinstance(value, IntValueNode):
        return int(value.value)
    return value if isinstance(value, int) else None


def _list_levels(declared: Any) -> int:
    levels = 0
    while isinstance(declared, GraphQLList | GraphQLNonNull):
        levels += isinstance(declared, GraphQLList)
        declared = declared.of_type
    return levels


def _items(node: FieldNode, definition: GraphQLField) -> Size:
    """Return the number of items in the lists of a field's arguments, at least one."""
    count, variables = 0, []
    values: list[tuple[Any, Any]] = [
        (each.value, definition.args[each.name.value].type) for each in node.arguments
    ]
    for value, declared in values:  # Which grows meanwhile.
        declared = get_nullable_type(declared)
        if isinstance(value, VariableNode):
            variables.append((value.name.value, declared))
        elif isinstance(value, ListValueNode) and isinstance(declared, GraphQLList):
            count += len(value.values)
            values += [(item, declared.of_type) for item in value.values]
        elif isinstance(value, ObjectValueNode) and isinstance(declared, GraphQLInputObjectType):
            fields = declared.fields
            values += [(entry.value, fields[entry.name.value].type) for entry in value.fields]
    items = Items(count, tuple(variables))
    return items if variables else items.of({})


def _count_items(value: Any, declared: Any) -> int:
    """Return the number of items in a coerced value's lists; those inside a scalar are no items."""
    count = 0
    values = [(value, declared)]
    for each, kind in values:  # Which grows meanwhile.
        kind = get_nullable_type(kind)
        if isinstance(each, list) and isinstance(kind, GraphQLList):
            count += len(each)
            values += [(item, kind.of_type) for item in each]
        elif isinstance(each, dict) and isinstance(kind, GraphQLInputObjectType):
            fields = kind.fields
            values += [(item, fields[name].type) for name, item in each.items() if name in fields]
    return count


@lru_cache(maxsize=4)
def _introspection_sizes(schema: Schema) -> Mapping[str, int]:
    """Return the mean length of each list in ``__schema``, rounded up."""
    types = schema.graphql.type_map.values()
    totals: Counter[str] = Counter()
    for declared in types:
        members = getattr(declared, "fields", {})
        is_input = isinstance(declared, GraphQLInputObjectType)
        totals["inputFields" if is_input else "fields"] += len(members)
        if not is_input:
            totals["args"] += sum(len(entry.args) for entry in members.values())
        totals["enumValues"] += len(getattr(declared, "values", ()))
        totals["interfaces"] += len(getattr(declared, "interfaces", ()))
        if isinstance(declared, GraphQLInterfaceType | GraphQLUnionType):
            totals["possibleTypes"] += len(schema.graphql.get_possible_types(declared))
    sizes = {
        f"__Type.{name}": ceil(totals[name] / len(types))
        for name in ("fields", "inputFields", "enumValues", "interfaces", "possibleTypes")
    }
    return sizes | {
        "__Schema.types": len(types),
        "__Schema.directives": len(schema.graphql.directives),
        "__Field.args": ceil(totals["args"] / max(1, totals["fields"])),
        "__Directive.args": 2,
    }

"""
Mutations to calls: what ``planner.py`` is to queries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, OperationDefinitionNode

from fraiseql.engine.document.document import Document
from fraiseql.engine.plan.plan import Compare, Page, Read, Target, Written
from fraiseql.engine.plan.selection import Selected, all_keys
from fraiseql.engine.plan.values import ABSENT, Given, Leaf, Tree, compile_value, give
from fraiseql.schema import shape
from fraiseql.schema.build import Schema
from fraiseql.schema.complete import ResponsePath
from fraiseql.schema.inputs import filter_operators
from fraiseql.schema.mutations import CURRENT, RESULT
from fraiseql.schema.specs import FieldSpec, MutationSpec, ObjectSpec, RootKind, TypeRef

Variables = Mapping[str, Any]

ALL_ROWS = 2_147_483_647
"""A limit for what a function has written: every list has one, and none of these is to be cut."""


@dataclass(frozen=True, eq=False)
class CallSelection:
    """
    One bound mutation of an operation.

    ``node``: the Shape of its payload. ``keys``: what of the result's document the selection needs, None if
    the result is not selected. ``asks_cascade``, ``asks_current``: the payload's fields of that name are.
    """

    response_key: str
    mutation: MutationSpec
    argument: Tree | None
    node: shape.Node
    keys: tuple[str, ...] | None
    current_keys: tuple[str, ...] | None
    asks_cascade: bool

    @property
    def view(self) -> str:
        """Return the view that holds what is written, "" if none does."""
        named = self.result_type
        return (named.view if named is not None else None) or ""

    @property
    def result_type(self) -> ObjectSpec | None:
        """Return the type of the objects that the payload holds, None if it holds none."""
        result = self.mutation.result
        named = result.type.innermost if result is not None else None
        return named if isinstance(named, ObjectSpec) else None


@dataclass(frozen=True, eq=False)
class CallOutline:
    """
    A mutation operation as far as it can be known without variables; see ``planner.Outline``.

    ``is_fast``: every field is bound, so no executor is needed. ``has_python``: not every mutation is.
    """

    selections: tuple[CallSelection, ...]
    order: tuple[str, ...]
    is_fast: bool
    has_python: bool
    nodes: Mapping[ResponsePath, list[FieldNode]]


def outline_calls(
    schema: Schema,
    document: Document,
    operation: OperationDefinitionNode,
    conditions: Variables,
    max_fields: int = 0,
) -> CallOutline:
    """
    Return the outline of a mutation operation under the given values of its condition variables.

    Raises ValidationFailed if it has more than ``max_fields`` fields; 0: never.
    """
    selected = Selected(schema.graphql, document.fragments, conditions, max_fields)
    collected = selected.collect(("Mutation",), [operation.selection_set])
    selections, is_fast = [], True
    for response_key, nodes in collected.items():
        name = nodes[0].name.value
        selected.nodes[response_key,] = nodes
        if name in schema.mutations:
            mutation = schema.mutations[name]
            selections.append(_select(schema, selected, response_key, mutation, nodes))
        elif name != "__typename":
            is_fast = False
    return CallOutline(
        selections=tuple(selections),
        order=tuple(collected),
        is_fast=is_fast and not selected.computed,
        has_python=not is_fast,
        nodes=selected.nodes,
    )


def _select(
    schema: Schema,
    selected: Selected,
    response_key: str,
    mutation: MutationSpec,
    nodes: list[FieldNode],
) -> CallSelection:
    assert schema.graphql.mutation_type is not None  # noqa: S101 - a bound mutation exists
    declared = schema.graphql.mutation_type.fields[mutation.name].args
    arguments = [
        compile_value(argument.value, declared[argument.name.value].type)
        for argument in nodes[0].arguments
    ]
    node = selected.node(TypeRef(False, mutation.payload), nodes, (response_key,))
    below = _fields_below(selected, mutation.payload, nodes)
    return CallSelection(
        response_key=response_key,
        mutation=mutation,
        argument=arguments[0] if arguments else None,
        node=node,
        keys=_keys(selected, below.get(RESULT), mutation.result),
        current_keys=_keys(selected, below.get(CURRENT), mutation.result),
        asks_cascade="cascade" in below,
    )


def _fields_below(
    selected: Selected, payload: ObjectSpec, nodes: list[FieldNode]
) -> dict[str, list[FieldNode]]:
    """Return the payload's fields that are selected, by the key they stand under in its document."""
    found: dict[str, list[FieldNode]] = {}
    for kind in payload.possible_types():
        names = (kind.name, *(union.name for union in kind.unions))
        for fields in selected.collect(names, (node.selection_set for node in nodes)).values():
            entry = kind.fields.get(fields[0].name.value)
            if entry is not None:
                found.setdefault(entry.key, []).extend(fields)
    return found


def _keys(
    selected: Selected, nodes: list[FieldNode] | None, result: FieldSpec | None
) -> tuple[str, ...] | None:
    named = result.type.innermost if result is not None else None
    if nodes is None:
        return None
    if not isinstance(named, ObjectSpec):
        return ()
    return all_keys(named) if selected.computed else selected.keys(named, nodes)


def given_input(selection: CallSelection, variables: Variables) -> Any:
    """Return the input as coerced values, by GraphQL name; only what was sent; None if it takes none."""
    if selection.argument is None:
        return None
    return _plain(give(selection.argument, variables))


def _plain(given: Given) -> Any:
    if isinstance(given, Leaf):
        return given.value
    if isinstance(given, dict):
        return {name: _plain(value) for name, value in given.items() if value is not ABSENT}
    return [_plain(item) for item in given]


def written_read(selection: CallSelection) -> Read:
    """Return the read of what the function has written, from the view of its type."""
    spec, result = selection.result_type, selection.mutation.result
    assert spec is not None and result is not None  # noqa: S101, PT018 - bind() looked
    is_list = result.type.item is not None
    return Read(
        response_key=selection.response_key,
        kind=RootKind.MANY if is_list else RootKind.ONE,
        type=spec,
        where=Written(Target((_identity(spec),))),
        order=(),
        page=Page(ALL_ROWS if is_list else 1),
        keys=selection.keys or (),
    )


def current_read(selection: CallSelection, given: Mapping[str, Any]) -> Read | None:
    """Return the read of the row that the input names by its id; None if it does not."""
    spec, taken = selection.result_type, selection.mutation.input
    assert spec is not None and taken is not None  # noqa: S101, PT018 - version_type() looked
    entry = _identity(spec)
    name = next(field.name for field in taken.fields.values() if field.python_name == "id")
    value = given.get(name)
    if value is None:
        return None
    equal = next(operator for operator in filter_operators(entry) if operator.name == "eq")
    return Read(
        response_key=selection.response_key,
        kind=RootKind.ONE,
        type=spec,
        where=Compare(Target((entry,)), equal, Leaf(str(value))),
        order=(),
        page=Page(1),
        keys=selection.current_keys or (),
    )


def _identity(spec: ObjectSpec) -> FieldSpec:
    found = spec.by_python_name("id")
    assert found is not None  # noqa: S101 - bind() looked
    return found

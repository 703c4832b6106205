"""
Whether fields of the same response name can be merged (GraphQL September 2025, 5.3.2).

graphql-core compares fields pair by pair, in quadratic time. Here all that meet under one name are looked at
together, as two relations that need no pairs: fields of one type must be the same field with the same
arguments, and all of a name must have the same shape. A set of selections is looked at once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    is_leaf_type,
)

from fraiseql.engine.document.fields import fields_of
from fraiseql.engine.document.limits import MAX_FAULTS
from fraiseql.errors import ValidationFailed

MAX_LOOKS = 50_000
"""Fields looked at in one document: sets of fragments can meet in more ways than there is time for."""


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """A field where it stands. ``parent``, ``type``: of graphql-core; the type is None for meta fields."""

    node: FieldNode
    parent: Any
    type: Any


_Group = list[_Field]
_Sets = Sequence[tuple[SelectionSetNode, Any]]


def merge_conflicts(
    schema: GraphQLSchema,
    operations: Iterable[OperationDefinitionNode],
    fragments: Mapping[str, FragmentDefinitionNode],
) -> list[GraphQLError]:
    """
    Return the conflicts in an otherwise valid document, at most ``MAX_FAULTS``.

    Raises ValidationFailed if there is too much to look at.
    """
    merging = _Merging(schema, fragments)
    for operation in operations:
        root = schema.get_root_type(operation.operation)
        merging.check([(operation.selection_set, root)])
    return merging.errors


class _Merging:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self.schema, self.fragments = schema, fragments
        self.errors: list[GraphQLError] = []
        self._looks = 0
        self._done: set[tuple[bool, frozenset[int]]] = set()

    def check(self, sets: _Sets, shapes_only: bool = False) -> None:
        """
        Look at the fields of ``sets`` and below for conflicts.

        ``shapes_only``: the fields belong to objects of different types, of which only the shape must agree.
        """
        key = shapes_only, frozenset([id(selections) for selections, _ in sets])
        if key in self._done:
            return
        self._done.add(key)
        for name, fields in self._collect(sets).items():
            if len(self.errors) >= MAX_FAULTS:
                return
            groups = [fields] if shapes_only else list(_by_parent(fields))
            for group in groups:
                reason = _difference(group) if len(group) > 1 and not shapes_only else None
                if self._is_refused(name, reason or _shapes(group)):
                    break
                if below := _below(group):
                    self.check(below, shapes_only)
            else:
                if len(groups) > 1 and not self._is_refused(name, _shapes(fields)):
                    self.check(_below(fields), shapes_only=True)

    def _is_refused(self, name: str, conflict: tuple[str, _Field, _Field] | None) -> bool:
        if conflict is None:
            return False
        reason, one, other = conflict
        self.errors.append(
            GraphQLError(
                f"Fields {name!r} conflict because {reason}. Use different aliases on the fields to"
                " fetch both if this was intentional.",
                [one.node, other.node],
            )
        )
        return True

    def _collect(self, sets: _Sets) -> dict[str, _Group]:
        """Return the fields of ``sets`` by response name, each once, those of fragments among them."""
        found: dict[str, _Group] = {}
        for node, parent in fields_of(sets, self.schema, self.fragments):
            self._count()
            declared = getattr(parent, "fields", {}).get(node.name.value)
            field = _Field(node, parent, declared and declared.type)
            found.setdefault((node.alias or node.name).value, []).append(field)
        return found

    def _count(self) -> None:
        self._looks += 1
        if self._looks > MAX_LOOKS:
            raise ValidationFailed(
                "The document's fragments meet in too many ways.",
                hint="Use fewer fragments inside fragments.",
            )


def _by_parent(fields: _Group) -> Iterator[_Group]:
    """
    Yield the fields that may belong to the same object.

    An object has one type, so those of different object types never do; those of interfaces and unions may
    belong to any.
    """
    concrete: dict[str, _Group] = {}
    anywhere: _Group = []
    for field in fields:
        if isinstance(field.parent, GraphQLObjectType):
            concrete.setdefault(field.parent.name, []).append(field)
        else:
            anywhere.append(field)
    if not concrete:
        yield anywhere
    for group in concrete.values():
        yield anywhere + group


def _below(fields: _Group) -> list[tuple[SelectionSetNode, Any]]:
    return [
        (field.node.selection_set, _named(field.type))
        for field in fields
        if field.node.selection_set is not None
    ]


def _named(declared: Any) -> Any:
    while isinstance(declared, GraphQLList | GraphQLNonNull):
        declared = declared.of_type
    return declared


def _difference(fields: _Group) -> tuple[str, _Field, _Field] | None:
    """Return the reason if the fields are not all the same one with the same arguments."""
    first = fields[0]
    name, arguments = first.node.name.value, _arguments(first.node)
    for field in fields:
        if field.node.name.value != name:
            reason = f"'{name}' and '{field.node.name.value}' are different fields"
            return reason, first, field
        if _arguments(field.node) != arguments:
            return "they have differing arguments", first, field
    return None


def _arguments(node: FieldNode) -> Any:
    if not node.arguments:
        return None
    return sorted((argument.name.value, _value(argument.value)) for argument in node.arguments)


def _value(node: ValueNode) -> tuple[Any, ...]:
    """Return a literal in a form that is equal for literals that are."""
    if isinstance(node, VariableNode):
        return node.kind, node.name.value
    if isinstance(node, ListValueNode):
        return node.kind, *[_value(item) for item in node.values]
    if isinstance(node, ObjectValueNode):
        return node.kind, *sorted((entry.name.value, _value(entry.value)) for entry in node.fields)
    if isinstance(node, StringValueNode):
        return node.kind, node.value, bool(node.block)
    return node.kind, getattr(node, "value", None)


def _shapes(fields: _Group) -> tuple[str, _Field, _Field] | None:
    """Return the reason if the fields' values cannot have one shape."""
    first: _Field | None = None
    shape: Any = None
    for field in fields:
        if field.type is None:
            continue
        if first is None:
            first, shape = field, _shape(field.type)
        elif field.type is not first.type and _shape(field.type) != shape:
            reason = f"they return conflicting types '{first.type}' and '{field.type}'"
            return reason, first, field
    return None


def _shape(declared: Any) -> Any:
    if isinstance(declared, GraphQLList | GraphQLNonNull):
        return type(declared), _shape(declared.of_type)
    return declared.name if is_leaf_type(declared) else None

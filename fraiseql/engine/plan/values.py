"""
Arguments as trees that know where each value came from.

A leaf remembers its place in the variables, so that a statement compiled once can be filled again from other
variables of the same outline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast,
)

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Leaf:
    """
    A coerced value. ``path``: its place in the variables, None if it does not come from there.

    ``is_fixed``: the value is the same in every request with this document.
    """

    value: Any
    path: Path | None = None
    is_fixed: bool = True


class _Absent:
    pass


ABSENT = _Absent()

Tree = Any
"""What ``compile_value`` returns: Leaf, or a node below; opaque to others."""

Given = Any
"""What ``give`` returns: a Leaf, a dict of Given, or a list of Given."""


@dataclass(frozen=True)
class _Variable:
    name: str
    type: Any


@dataclass(frozen=True)
class _Object:
    fields: dict[str, Tree]


@dataclass(frozen=True)
class _List:
    items: list[Tree]


@dataclass(frozen=True)
class _Mixed:
    """A leaf's literal with variables inside, as a list of them."""

    node: ValueNode
    type: Any


def compile_value(node: ValueNode, declared: Any) -> Tree:
    """Return the tree of an argument's literal, whose type is ``declared``."""
    if isinstance(node, VariableNode):
        return _Variable(node.name.value, declared)
    declared = get_nullable_type(declared)
    if isinstance(node, NullValueNode):
        return Leaf(None)
    if not isinstance(get_named_type(declared), GraphQLInputObjectType):
        if _has_variable(node):
            return _Mixed(node, declared)
        return Leaf(value_from_ast(node, declared))
    if is_list_type(declared):
        nodes = node.values if isinstance(node, ListValueNode) else (node,)
        return _List([compile_value(item, declared.of_type) for item in nodes])
    return _compile_object(node, declared)


def _compile_object(node: Any, declared: GraphQLInputObjectType) -> _Object:
    fields = {
        name: Leaf(field.default_value)
        for name, field in declared.fields.items()
        if field.default_value is not Undefined
    }
    for entry in node.fields:
        name = entry.name.value
        fields[name] = compile_value(entry.value, declared.fields[name].type)
    return _Object(fields)


def _has_variable(node: ValueNode) -> bool:
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, ListValueNode):
        return any(_has_variable(item) for item in node.values)
    if isinstance(node, ObjectValueNode):
        return any(_has_variable(entry.value) for entry in node.fields)
    return False


def give(tree: Tree, variables: Mapping[str, Any]) -> Given:
    """Return the tree with the variables in it; ABSENT for a variable that was not sent."""
    if isinstance(tree, Leaf):
        return tree
    if isinstance(tree, _Variable):
        if tree.name not in variables:
            return ABSENT
        return _wrap(variables[tree.name], tree.type, (tree.name,))
    if isinstance(tree, _Object):
        given = {name: give(field, variables) for name, field in tree.fields.items()}
        return {name: value for name, value in given.items() if value is not ABSENT}
    if isinstance(tree, _List):
        items = (give(item, variables) for item in tree.items)
        return [item for item in items if item is not ABSENT]
    value = value_from_ast(tree.node, tree.type, dict(variables))
    return ABSENT if value is Undefined else Leaf(value, is_fixed=False)


def _wrap(value: Any, declared: Any, path: Path) -> Given:
    declared = get_nullable_type(declared)
    if value is None or not isinstance(get_named_type(declared), GraphQLInputObjectType):
        return Leaf(value, path, is_fixed=False)
    if is_list_type(declared):
        return [_wrap(item, declared.of_type, (*path, index)) for index, item in enumerate(value)]
    return {
        name: _wrap(item, declared.fields[name].type, (*path, name)) for name, item in value.items()
    }


_NESTED = (dict, list)


def outline(value: Any) -> Any:
    """Return the part of the variables that a statement's text may depend on, hashable."""
    if type(value) is dict:
        return tuple(
            [
                (name, outline(item) if type(item) in _NESTED else item is None)
                for name, item in value.items()
            ]
        )
    if type(value) is list:
        if not value:
            return "[]"  # Neither null nor a list of scalars.
        return tuple([outline(item) for item in value if type(item) in _NESTED])
    return value is None

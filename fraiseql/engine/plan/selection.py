"""
Selections to Shapes: what of each document goes out, under which names, in which order.

Independent of variables but for ``@skip`` and ``@include``, so compiled once per document (and per
combination of these).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
)

from fraiseql.errors import ValidationFailed
from fraiseql.schema import shape
from fraiseql.schema.scalars import Scalar
from fraiseql.schema.specs import EnumSpec, ObjectSpec, TypeRef

ResponsePath = tuple[str, ...]


@dataclass
class Selected:
    """
    What a selection turned into. ``computed``: it has Python fields, so graphene's executor must run it.
    ``max_fields``: more are refused (ValidationFailed); 0: never.

    ``nodes``: response path -> the AST fields merged there, for the locations of errors.
    """

    fragments: Mapping[str, FragmentDefinitionNode]
    conditions: Mapping[str, Any]
    max_fields: int = 0
    computed: bool = False
    nodes: dict[ResponsePath, list[FieldNode]] = field(default_factory=dict)
    _count: int = 0

    def collect(
        self, type_names: Iterable[str], sets: Iterable[SelectionSetNode | None]
    ) -> dict[str, list[FieldNode]]:
        """Return response key -> merged fields that apply to an object known by ``type_names``."""
        names = frozenset(type_names)
        found: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selections in sets:
            if selections is not None:
                self._collect(selections, names, found, visited)
        return found

    def _collect(
        self,
        selections: SelectionSetNode,
        names: frozenset[str],
        found: dict[str, list[FieldNode]],
        visited: set[str],
    ) -> None:
        for node in selections.selections:
            if node.directives and not self._is_included(node.directives):
                continue
            if isinstance(node, FieldNode):
                key = (node.alias or node.name).value
                found.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or node.type_condition.name.value in names:
                    self._collect(node.selection_set, names, found, visited)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                fragment = self.fragments[name]
                if name not in visited:
                    visited.add(name)
                    if fragment.type_condition.name.value in names:
                        self._collect(fragment.selection_set, names, found, visited)

    def _is_included(self, directives: Iterable[DirectiveNode]) -> bool:
        for directive in directives:
            name = directive.name.value
            if name in {"skip", "include"}:
                value: Any = directive.arguments[0].value
                if isinstance(value, VariableNode):
                    holds = bool(self.conditions.get(value.name.value))
                else:
                    holds = value.value
                if holds == (name == "skip"):
                    return False
        return True

    def node(
        self, ref: TypeRef, fields: list[FieldNode], path: ResponsePath, as_id: bool = False
    ) -> shape.Node:
        """Return the Shape node of a value of type ``ref`` under the selections of ``fields``."""
        nullable = int(ref.nullable)
        if ref.item is not None:
            return (shape.LIST, nullable, self.node(ref.item, fields, path))
        named = ref.named
        if isinstance(named, ObjectSpec):
            return self._object(named, nullable, fields, path)
        if isinstance(named, EnumSpec):
            return (shape.ENUM, nullable, named.tokens)
        assert isinstance(named, Scalar)  # noqa: S101 - the kinds of types
        return (shape.ID if as_id else named.output, nullable)

    def _object(
        self, spec: ObjectSpec, nullable: int, fields: list[FieldNode], path: ResponsePath
    ) -> shape.Node:
        if not spec.is_interface:
            return (shape.OBJECT, nullable, self.entries(spec, fields, path))
        variants = tuple(
            (_in_quotes(value), self.entries(concrete, fields, path))
            for value, concrete in spec.variants.items()
        )
        return (shape.ABSTRACT, nullable, _in_quotes(spec.discriminator or ""), variants)

    def entries(
        self, spec: ObjectSpec, fields: list[FieldNode], path: ResponsePath
    ) -> tuple[Any, ...]:
        """Return the Shape entries of an object of the concrete type ``spec``."""
        collected = self.collect(type_names(spec), (node.selection_set for node in fields))
        entries = []
        self._count_fields(len(collected))
        for response_key, nodes in collected.items():
            name = nodes[0].name.value
            below = (*path, response_key)
            self.nodes.setdefault(below, nodes)
            if name == "__typename":
                constant = (shape.CONSTANT, b'"' + spec.name.encode() + b'"')
                entries.append((b"", response_key, f"{spec.name}.__typename", constant))
                continue
            entry = spec.fields[name]
            if entry.compute is not None:
                self.computed = True
                continue
            node = self.node(entry.type, nodes, below, as_id=entry.is_id)
            entries.append((_in_quotes(entry.key), response_key, f"{spec.name}.{name}", node))
        return tuple(entries)

    def _count_fields(self, number: int) -> None:
        # Fragments and interfaces multiply: a short document can stand for more fields than memory holds.
        self._count += number
        if self.max_fields and self._count > self.max_fields:
            raise ValidationFailed(
                f"The operation selects more than {self.max_fields:,} fields.",
                hint="Ask for less in one operation, or raise FRAISEQL['MAX_FIELDS'].",
            )

    def keys(self, spec: ObjectSpec, fields: list[FieldNode]) -> tuple[str, ...]:
        """Return the document keys that the selection needs of rows of type ``spec``."""
        keys: dict[str, None] = {}
        if spec.discriminator:
            keys[spec.discriminator] = None
        for concrete in spec.possible_types():
            collected = self.collect(type_names(concrete), (node.selection_set for node in fields))
            for nodes in collected.values():
                entry = concrete.fields.get(nodes[0].name.value)
                if entry is not None:
                    keys[entry.key] = None
        return tuple(keys)


def _in_quotes(text: str) -> bytes:
    """Return ``text`` as it stands between quotes in PostgreSQL's JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1].encode()


def type_names(spec: ObjectSpec) -> tuple[str, ...]:
    """Return the names under which fragments may speak of an object of type ``spec``."""
    return (spec.name, *(parent.name for parent in (*spec.interfaces, *spec.unions)))


def all_keys(spec: ObjectSpec) -> tuple[str, ...]:
    """Return every key a document of the type may have, for computed fields, which may read any."""
    keys: dict[str, None] = {spec.discriminator: None} if spec.discriminator else {}
    for concrete in (spec, *spec.possible_types()):
        keys |= {entry.key: None for entry in concrete.fields.values() if entry.compute is None}
    return tuple(keys)

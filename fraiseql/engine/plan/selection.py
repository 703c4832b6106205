"""
Selections to Shapes: what of each document goes out, under which names, in which order.

Independent of variables but for ``@skip`` and ``@include``, so compiled once per document (and per
combination of these).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
)

from fraiseql.engine.plan.plan import Target, Wants
from fraiseql.engine.plan.values import Tree, compile_value
from fraiseql.errors import ValidationFailed
from fraiseql.schema import shape
from fraiseql.schema.complete import ResponsePath
from fraiseql.schema.scalars import Scalar
from fraiseql.schema.specs import (
    EnumSpec,
    FieldSpec,
    ObjectSpec,
    RelatedSpec,
    RootKind,
    RootSpec,
    TypeRef,
)

Only = tuple[str, tuple[str, ...]] | None


@dataclass(frozen=True, eq=False)
class RootSelection:
    """
    One bound root field of an outline, or a related field. ``node``: the Shape spec of its whole value;
    ``below``: what stands beside each of its documents.
    """

    response_key: str
    root: RootSpec
    arguments: Mapping[str, Tree]
    node: shape.Node
    keys: tuple[str, ...]
    wants: Wants
    below: "tuple[Below, ...]" = ()

    @property
    def label(self) -> str:
        """Return the root field's name in messages."""
        return f"Query.{self.root.name}"


@dataclass(frozen=True, eq=False)
class RelatedSelection:
    """A related field; ``only``: see ``RelatedRead``."""

    related: RelatedSpec
    rows: RootSelection
    only: Only


@dataclass(frozen=True, eq=False)
class EmbeddedSelection:
    """An embedded object, or a list of them, with related fields below."""

    entry: FieldSpec
    below: "tuple[Below, ...]"
    only: Only


Below = RelatedSelection | EmbeddedSelection


@dataclass
class Beside:
    """What must stand beside the documents at one place, each thing once."""

    items: list[Below] = field(default_factory=list)
    _known: dict[Any, tuple[int, shape.Node]] = field(default_factory=dict)

    def find(self, key: Any, only: Only) -> tuple[int, shape.Node] | None:
        """Return index and node of what another type has asked for under ``key``, for both from now on."""
        found = self._known.get(key)
        if found is not None and only is not None:
            item = self.items[found[0] - 1]
            assert item.only is not None  # noqa: S101 - of the same interface
            kinds = (only[0], (*item.only[1], *only[1]))
            self.items[found[0] - 1] = replace(item, only=kinds)
        return found

    def add(self, key: Any, item: Below, node: shape.Node) -> int:
        """Return the index of ``item`` in a JOINED array."""
        self.items.append(item)
        self._known[key] = (len(self.items), node)
        return len(self.items)

    def forget_kinds(self, count: int) -> None:
        """Have what all of an interface's ``count`` types ask for read whatever the type."""
        for place, item in enumerate(self.items):
            if item.only is not None and len(item.only[1]) == count:
                self.items[place] = replace(item, only=None)


@dataclass
class Selected:
    """
    What a selection turned into. ``computed``: it has Python fields, so graphene's executor must run it.
    ``max_fields``: more are refused (ValidationFailed); 0: never.

    ``nodes``: response path -> the AST fields merged there, for the locations of errors.
    """

    graphql: GraphQLSchema
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
            if node.directives and not self.is_included(node.directives):
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

    def is_included(self, directives: Iterable[DirectiveNode]) -> bool:
        """Tell whether ``@skip`` and ``@include`` let a selection with these directives stand."""
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

    def rows(
        self, owner: str, root: RootSpec, nodes: list[FieldNode], path: ResponsePath
    ) -> RootSelection:
        """Return the selection of a field of ``owner`` that reads rows: of the query, or a related one."""
        declared = self.graphql.type_map[owner].fields[nodes[0].name.value].args  # type: ignore[attr-defined]  # a type with fields
        arguments = {
            argument.name.value: compile_value(argument.value, declared[argument.name.value].type)
            for argument in nodes[0].arguments
        }
        below = Beside()
        wants, rows = Wants(), nodes
        if root.kind is RootKind.ONE:
            node = self.value(TypeRef(True, root.type), nodes, path, below)
        elif root.kind is RootKind.MANY:
            ref = TypeRef(False, item=TypeRef(False, root.type))
            node = self.value(ref, nodes, path, below)
        elif root.aggregate is not None:
            ref = TypeRef(False, item=TypeRef(False, root.aggregate))
            node = self.value(ref, nodes, path, below)
            figures = dict.fromkeys(self._figures(root.aggregate, nodes, ()))
            wants, rows = Wants(figures=tuple(figures)), []
        else:
            node, wants, rows = self._page(root, nodes, path, below)
        keys = all_keys(root.type) if self.computed else self.keys(root.type, rows)
        return RootSelection(path[-1], root, arguments, node, keys, wants, tuple(below.items))

    def _page(
        self, root: RootSpec, nodes: list[FieldNode], path: ResponsePath, below: Beside
    ) -> tuple[shape.Node, Wants, list[FieldNode]]:
        """Return the node of a connection, what its selection needs, and the ``node`` fields in it."""
        assert root.connection is not None  # noqa: S101 - resolve.py made it
        node = self.value(TypeRef(False, root.connection), nodes, path, below)
        wants, rows = _connection_wants(self, root, nodes)
        return _with_joined_rows(node) if below.items else node, wants, rows

    def _figures(
        self, spec: ObjectSpec, nodes: list[FieldNode], above: tuple[FieldSpec, ...]
    ) -> Iterator[Target]:
        """Yield the places of an aggregate type that are asked for, objects before what is in them."""
        collected = self.collect((spec.name,), (node.selection_set for node in nodes))
        for merged in collected.values():
            entry = spec.fields.get(merged[0].name.value)
            if entry is not None:
                fields = (*above, entry)
                yield Target(fields)
                if isinstance(entry.type.named, ObjectSpec):
                    yield from self._figures(entry.type.named, merged, fields)

    def node(self, ref: TypeRef, fields: list[FieldNode], path: ResponsePath) -> shape.Node:
        """
        Return the Shape node of a value that no view holds: a mutation's payload.

        Raises ValidationFailed if related fields are selected in it.
        """
        below = Beside()
        node = self.value(ref, fields, path, below)
        if below.items:
            raise ValidationFailed(
                "Related fields are not read below a mutation.",
                hint="Select ids and keys, and query what belongs to them.",
            )
        return node

    def value(
        self,
        ref: TypeRef,
        fields: list[FieldNode],
        path: ResponsePath,
        below: Beside,
        as_id: bool = False,
    ) -> shape.Node:
        """
        Return the Shape node of a value of type ``ref`` under the selections of ``fields``.

        What must stand beside the objects in it is added to ``below``.
        """
        nullable = int(ref.nullable)
        if ref.item is not None:
            return (shape.LIST, nullable, self.value(ref.item, fields, path, below))
        named = ref.named
        if isinstance(named, ObjectSpec):
            node = self._object(named, nullable, fields, path, below)
            # Pages are no documents: what they need stands beside the rows in them.
            return (shape.JOINED, node) if below.items and not is_page(named) else node
        if isinstance(named, EnumSpec):
            return (shape.ENUM, nullable, named.tokens)
        assert isinstance(named, Scalar)  # noqa: S101 - the kinds of types
        return (shape.ID if as_id else named.output, nullable)

    def _object(
        self,
        spec: ObjectSpec,
        nullable: int,
        fields: list[FieldNode],
        path: ResponsePath,
        below: Beside,
    ) -> shape.Node:
        if not spec.is_interface:
            return (shape.OBJECT, nullable, self.entries(spec, fields, path, below))
        key = spec.discriminator or ""
        variants = tuple(
            (_in_quotes(value), self.entries(concrete, fields, path, below, (key, (value,))))
            for value, concrete in spec.variants.items()
        )
        below.forget_kinds(len(variants))
        return (shape.ABSTRACT, nullable, _in_quotes(key), variants)

    def entries(
        self,
        spec: ObjectSpec,
        fields: list[FieldNode],
        path: ResponsePath,
        below: Beside,
        only: Only = None,
    ) -> tuple[Any, ...]:
        """Return the Shape entries of an object of the concrete type ``spec``."""
        collected = self.collect(type_names(spec), (node.selection_set for node in fields))
        entries: list[Any] = []
        self._count_fields(len(collected))
        for response_key, nodes in collected.items():
            name = nodes[0].name.value
            inner = (*path, response_key)
            self.nodes.setdefault(inner, nodes)
            if name == "__typename":
                constant = (shape.CONSTANT, b'"' + spec.name.encode() + b'"')
                entries.append((b"", response_key, f"{spec.name}.__typename", constant))
                continue
            entry = spec.fields[name]
            if entry.compute is not None:
                self.computed = True
                continue
            if is_page(spec):
                node = self.value(entry.type, nodes, inner, below)
                key: bytes | int = _in_quotes(entry.key)
            else:
                key, node = self._entry(spec, entry, nodes, inner, below, only)
            entries.append((key, response_key, f"{spec.name}.{name}", node))
        return tuple(entries)

    def _entry(
        self,
        spec: ObjectSpec,
        entry: FieldSpec,
        nodes: list[FieldNode],
        path: ResponsePath,
        below: Beside,
        only: Only,
    ) -> tuple[bytes | int, shape.Node]:
        """Return where the value of a document's field stands, and its node."""
        same = (path, tuple(map(id, nodes)), entry.related or (entry.key, entry.type))
        found = below.find(same, only)
        if found is not None:
            return found
        inside = Beside()
        if entry.related is not None:
            rows = self.rows(spec.name, entry.related.root, nodes, path)
            node = _as_declared(rows.node, entry.type)
            item: Below = RelatedSelection(entry.related, rows, only)
        else:
            node = self.value(entry.type, nodes, path, inside, as_id=entry.is_id)
            if not inside.items:
                return _in_quotes(entry.key), node
            item = EmbeddedSelection(entry, tuple(inside.items), only)
        return below.add(same, item, node), node

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
                if entry is not None and entry.related is None:
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
        keys |= {entry.key: None for entry in concrete.fields.values() if entry.is_stored}
    return tuple(keys)


def is_page(spec: ObjectSpec) -> bool:
    """Tell whether a type was made for pages: a connection, or an edge."""
    return spec.python is object


def _as_declared(node: shape.Node, ref: TypeRef) -> shape.Node:
    """Return the node of a related field as nullable as its annotation says, at both levels."""
    if node[0] == shape.JOINED:
        return (shape.JOINED, _as_declared(node[1], ref))
    if ref.item is not None:
        return (node[0], int(ref.nullable), _as_declared(node[2], ref.item))
    return (node[0], int(ref.nullable), *node[2:])


def _with_joined_rows(node: shape.Node) -> shape.Node:
    """Return the node of a connection with every ``node`` in it JOINED: one of them needs it."""
    if node[0] == shape.LIST:
        return (*node[:2], _with_joined_rows(node[2]))
    entries = []
    for key, response_key, label, inner in node[2]:
        if key == b"edges":
            inner = _with_joined_rows(inner)
        elif key == b"node" and inner[0] != shape.JOINED:
            inner = (shape.JOINED, inner)
        entries.append((key, response_key, label, inner))
    return (*node[:2], tuple(entries))


def _connection_wants(
    selected: Selected, root: RootSpec, nodes: list[FieldNode]
) -> tuple[Wants, list[FieldNode]]:
    """Return what a connection's selection needs, and the ``node`` fields below its edges."""
    assert root.connection is not None  # noqa: S101 - resolve.py made it
    edge = root.connection.fields["edges"].type.innermost
    assert isinstance(edge, ObjectSpec)  # noqa: S101 - resolve.py made it
    top = _named(selected.collect((root.connection.name,), (node.selection_set for node in nodes)))
    edges = top.get("edges", [])
    below = _named(selected.collect((edge.name,), (node.selection_set for node in edges)))
    info = _named(
        selected.collect(("PageInfo",), (node.selection_set for node in top.get("pageInfo", [])))
    )
    cursors = "cursor" in below or "startCursor" in info or "endCursor" in info
    total, estimate = "totalCount" in top, "estimatedCount" in top
    # Of a connection that is only asked for its type, rows: a statement must read something.
    rows = "edges" in top or "pageInfo" in top or not (total or estimate)
    wants = Wants(rows, cursors, total, estimate)
    return wants, below.get("node", [])


def _named(collected: Mapping[str, list[FieldNode]]) -> dict[str, list[FieldNode]]:
    """Return collected fields by field name: aliases of one field together."""
    found: dict[str, list[FieldNode]] = {}
    for nodes in collected.values():
        found.setdefault(nodes[0].name.value, []).extend(nodes)
    return found

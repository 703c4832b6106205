"""
Document text to a parsed, validated and limited document.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    TokenKind,
    parse,
    specified_rules,
    validate,
)

from fraiseql.errors import OperationUnresolved, ParseFailed, ValidationFailed

MAX_NESTING = 100
"""Levels of brackets in a document and in its variables: each costs the rooms that follow several calls."""

_OPENING = frozenset({TokenKind.PAREN_L, TokenKind.BRACKET_L, TokenKind.BRACE_L})
_CLOSING = frozenset({TokenKind.PAREN_R, TokenKind.BRACKET_R, TokenKind.BRACE_R})


@dataclass(frozen=True)
class Limits:
    """What a document may cost before it is looked at any further."""

    max_tokens: int
    max_depth: int
    introspection: bool
    suggestions: bool


@dataclass(frozen=True, eq=False)
class Document:
    """A valid document; ``operations`` in their order, ``fragments`` by name."""

    ast: DocumentNode
    operations: tuple[OperationDefinitionNode, ...]
    fragments: dict[str, FragmentDefinitionNode]

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation ``name``, or the only one. Raises OperationUnresolved."""
        if name is None:
            if len(self.operations) == 1:
                return self.operations[0]
            raise OperationUnresolved(
                "The document has several operations: say which with 'operationName'."
                if self.operations
                else "The document has no operation."
            )
        for operation in self.operations:
            if operation.name and operation.name.value == name:
                return operation
        raise OperationUnresolved(f"The document has no operation {name!r}.")


def read_document(text: str, schema: GraphQLSchema, limits: Limits) -> Document:
    """Return the document in ``text``. Raises ParseFailed or ValidationFailed, every fault in it."""
    try:
        ast = parse(text, max_tokens=limits.max_tokens or None)
    except GraphQLSyntaxError as error:
        raise ParseFailed(error.message, errors=[_as_dict(error)]) from error
    _check_nesting(ast)
    fragments = {
        node.name.value: node
        for node in ast.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    operations = tuple(
        node for node in ast.definitions if isinstance(node, OperationDefinitionNode)
    )
    _check_depth(operations, fragments, limits.max_depth)
    rules = list(specified_rules)
    if not limits.introspection:
        rules.append(NoSchemaIntrospectionCustomRule)
    if faults := validate(schema, ast, rules):
        errors = [_as_dict(fault, limits.suggestions) for fault in faults]
        raise ValidationFailed(errors[0]["message"], errors=errors)
    return Document(ast, operations, fragments)


def _as_dict(error: GraphQLError, suggestions: bool = True) -> dict[str, Any]:
    message = error.message if suggestions else error.message.partition(" Did you mean")[0]
    shown: dict[str, Any] = {"message": message}
    if error.locations:
        shown["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    return shown


def _check_nesting(ast: DocumentNode) -> None:
    depth = 0
    token = ast.loc.start_token if ast.loc else None
    while token is not None:
        if token.kind in _OPENING:
            depth += 1
            if depth > MAX_NESTING:
                raise ParseFailed(f"The document nests more than {MAX_NESTING} levels of brackets.")
        elif token.kind in _CLOSING:
            depth -= 1
        token = token.next


def _check_depth(
    operations: Collection[OperationDefinitionNode],
    fragments: dict[str, FragmentDefinitionNode],
    max_depth: int,
) -> None:
    if not max_depth:
        return
    known: dict[str, int] = {}
    for operation in operations:
        depth = _depth(operation.selection_set, fragments, known, ())
        if depth > max_depth:
            raise ValidationFailed(
                f"The operation nests {depth} levels; at most {max_depth} are allowed.",
                hint="Ask for less in one operation, or raise FRAISEQL['MAX_DEPTH'].",
            )


def _depth(
    selections: SelectionSetNode | None,
    fragments: dict[str, FragmentDefinitionNode],
    known: dict[str, int],
    inside: tuple[str, ...],
) -> int:
    """Return the levels below; every fragment is measured once, so the cost is linear."""
    deepest = 0
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            depth = 1 + _depth(node.selection_set, fragments, known, inside)
        elif isinstance(node, InlineFragmentNode):
            depth = _depth(node.selection_set, fragments, known, inside)
        else:
            assert isinstance(node, FragmentSpreadNode)  # noqa: S101 - the three kinds of selections
            name = node.name.value
            # Cycles and unknown fragments are the validator's to refuse.
            if name in inside or name not in fragments:
                continue
            if name not in known:
                known[name] = _depth(
                    fragments[name].selection_set, fragments, known, (*inside, name)
                )
            depth = known[name]
        deepest = max(deepest, depth)
    return deepest

"""
Document text to a parsed, validated and limited document.
"""

from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    parse,
    specified_rules,
    validate,
)

from fraiseql.engine.document.limits import MAX_FAULTS, MAX_WORD, Limits
from fraiseql.engine.document.measure import check_operations
from fraiseql.engine.document.merging import merge_conflicts
from fraiseql.engine.document.scan import check_text
from fraiseql.errors import OperationUnresolved, ParseFailed, ValidationFailed

MAX_MESSAGE = 1_000
"""Characters of a fault's message."""

# merge_conflicts stands for the one left out.
_RULES = [rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule]


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
        raise OperationUnresolved(f"The document has no operation {name[:MAX_WORD]!r}.")


def read_document(text: str, schema: GraphQLSchema, limits: Limits) -> Document:
    """Return the document in ``text``. Raises ParseFailed or ValidationFailed, every fault in it."""
    check_text(text, limits)
    try:
        ast = parse(text)
    except GraphQLSyntaxError as error:
        raise ParseFailed(error.message, errors=[_as_dict(error)]) from error
    fragments = {
        node.name.value: node
        for node in ast.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    operations = tuple(
        node for node in ast.definitions if isinstance(node, OperationDefinitionNode)
    )
    check_operations(operations, fragments, limits)
    rules = _RULES if limits.introspection else [*_RULES, NoSchemaIntrospectionCustomRule]
    faults = validate(
        schema, ast, rules, max_errors=MAX_FAULTS, hide_suggestions=not limits.suggestions
    )
    if faults := faults or merge_conflicts(schema, operations, fragments):
        errors = [_as_dict(fault) for fault in faults]
        raise ValidationFailed(errors[0]["message"], errors=errors)
    return Document(ast, operations, fragments)


def introspection_faults(schema: GraphQLSchema, document: Document) -> list[dict[str, Any]]:
    """Return what is wrong with a document for those who may not see the schema: each look at it."""
    faults = validate(schema, document.ast, [NoSchemaIntrospectionCustomRule])
    return [_as_dict(fault) for fault in faults]


def _as_dict(error: GraphQLError) -> dict[str, Any]:
    # Some messages of graphql-core repeat what was sent.
    shown: dict[str, Any] = {"message": error.message[:MAX_MESSAGE]}
    if error.locations:
        shown["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    return shown

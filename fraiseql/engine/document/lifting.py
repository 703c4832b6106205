"""
Texts that differ in their strings alone, as one text with variables.

Many clients write values into their texts, so that hardly one comes twice; to parse, validate and plan a text
costs far more than to answer it. So the first of such texts is rewritten to one with a variable for each string,
and the others are asked as that one.
"""

import re
from typing import Any, NamedTuple

from graphql import (
    SKIP,
    DirectiveNode,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    visit,
)

from fraiseql.engine.document.document import Document
from fraiseql.engine.document.request import GraphQLRequest

_NAME = "_string"
_VARIABLE = re.compile(rf"\${_NAME}(\d+)")
_LINE_END = re.compile(r"\r\n|[\n\r]")  # As GraphQL has it, which knows fewer than Python.


class Text(NamedTuple):
    """A text with a variable in place of each string; ``header``: what declares them, as it stands there."""

    text: str
    header: str


class Lifted(NamedTuple):
    """What is asked in place of a request whose strings, the ``values``, are lifted out."""

    request: GraphQLRequest
    header: str
    values: list[str]

    def sent(self, line: int, column: int) -> int:
        """Return the column that a place in the text asked has in the one sent; lines are the same."""
        before = _LINE_END.split(self.request.query)[line - 1][: column - 1]
        before = before.replace(self.header, "")
        return 1 + len(_VARIABLE.sub(lambda name: f'"{self.values[int(name[1])]}"', before))


class Lifting:
    """Of at most ``most`` texts what is left without their strings, and the text that stands for it."""

    def __init__(self, schema: GraphQLSchema, most: int) -> None:
        self._schema = schema
        self._most = most
        # None: these strings cannot be lifted out.
        self._known: dict[str, Text | None] = {}

    def learn(self, text: str, document: Document) -> None:
        """Remember what stands for valid texts like this one."""
        parts = split(text)
        if parts is None or parts[0] in self._known:
            return
        if len(self._known) >= self._most:
            self._known = {}
        self._known[parts[0]] = lift(text, len(parts[1]), document, self._schema)

    def refuse(self, text: str) -> None:
        """Take texts like this one as they are."""
        if (parts := split(text)) is not None:
            self._known[parts[0]] = None

    def find(self, request: GraphQLRequest) -> Lifted | None:
        """Return what to ask in place of ``request``; None: itself."""
        parts = split(request.query)
        if parts is None or (known := self._known.get(parts[0])) is None:
            return None
        values = parts[1]
        strings = {f"{_NAME}{number}": value for number, value in enumerate(values)}
        asked = request._replace(query=known.text, variables=request.variables | strings)
        return Lifted(asked, known.header, values)


def split(text: str) -> tuple[str, list[str]] | None:
    """
    Return a text without its strings, each of which leaves a quote, and their values; None: they are not plain.

    Where nothing is escaped, no comment hides a quote and no string is a block, every second part is a value.
    """
    if '"' not in text or '"""' in text or "\\" in text or "#" in text:
        return None
    parts = text.split('"')
    values = parts[1::2]
    if len(parts) % 2 == 0 or not all(map(str.isprintable, values)):
        return None
    return '"'.join(parts[::2]), values


def lift(text: str, number: int, document: Document, schema: GraphQLSchema) -> Text | None:
    """Return what stands for ``text``; None: not each of its ``number`` strings is a scalar argument."""
    types = TypeInfo(schema)
    strings = _Strings(types)
    visit(document.ast, TypeInfoVisitor(types, strings))
    if len(document.operations) != 1 or len(strings.found) != number or f"${_NAME}" in text:
        return None
    names = [f"${_NAME}{each}" for each in range(number)]
    declared = ", ".join(
        f"{name}: {scalar}!" for name, (_, _, scalar) in zip(names, strings.found, strict=True)
    )
    at, before, after = _place(text, document.operations[0])
    header = f"{before}{declared}{after}"
    edits = [(start, end, name) for name, (start, end, _) in zip(names, strings.found, strict=True)]
    written: list[str] = []
    done = 0
    for start, end, new in sorted([(at, at, header), *edits]):
        written += text[done:start], new
        done = end
    return Text("".join([*written, text[done:]]), header)


class _Strings(Visitor):
    """Finds the strings that are arguments of fields: where they begin and end, and their types' names."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.found: list[tuple[int, int, str]] = []

    def enter_directive(self, _node: DirectiveNode, *_: Any) -> Any:
        return SKIP

    def enter_variable_definition(self, _node: VariableDefinitionNode, *_: Any) -> Any:
        return SKIP

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        expected: Any = self._types.get_input_type()
        if isinstance(expected, GraphQLNonNull):
            expected = expected.of_type
        if isinstance(expected, GraphQLScalarType) and node.loc:
            self.found.append((node.loc.start, node.loc.end, expected.name))


def _place(text: str, operation: OperationDefinitionNode) -> tuple[int, str, str]:
    """Return where in a text variables are declared, and what stands before and after them."""
    if operation.variable_definitions:
        return operation.variable_definitions[0].loc.start, "", ", "  # type: ignore[union-attr]  # of a text
    if operation.name:
        return operation.name.loc.end, "(", ")"  # type: ignore[union-attr]  # of a text
    start: int = operation.loc.start  # type: ignore[union-attr]  # of a text
    if text[start] == "{":
        return start, "query(", ")"
    return start + len("query"), "(", ")"

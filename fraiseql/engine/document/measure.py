"""
What a parsed document stands for once its fragments are put where they are used.

Each fragment is measured once, so that counting is linear where what is counted grows exponentially.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from fraiseql.engine.document.limits import MAX_NESTING, Limits, exceeded
from fraiseql.errors import ValidationFailed

Fragments = Mapping[str, FragmentDefinitionNode]


@dataclass
class Measured:
    """``depth``: levels of fields, ``nesting``: of selection sets. The rest are counts."""

    depth: int = 0
    nesting: int = 1
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def add(self, below: "Measured", depth: int = 0) -> None:
        """Add what stands one selection set further down, and ``depth`` fields."""
        self.depth = max(self.depth, below.depth + depth)
        self.nesting = max(self.nesting, below.nesting + 1)
        self.fields += below.fields
        self.aliases += below.aliases
        self.directives += below.directives


def check_operations(
    operations: Iterable[OperationDefinitionNode], fragments: Fragments, limits: Limits
) -> None:
    """Raise ValidationFailed if an operation stands for too much. Other faults are not looked for."""
    measure = _Measure(fragments)
    for operation in operations:
        found = measure.selections(operation.selection_set)
        found.directives += len(operation.directives)
        if found.nesting > MAX_NESTING:
            raise _too_deep()
        if limits.max_depth and found.depth > limits.max_depth:
            raise ValidationFailed(
                f"The operation nests {found.depth} levels; at most {limits.max_depth} are allowed.",
                hint="Ask for less in one operation, or raise FRAISEQL['MAX_DEPTH'].",
            )
        _check("selects", found.fields, limits.max_fields, "fields", "MAX_FIELDS")
        _check("has", found.aliases, limits.max_aliases, "aliases", "MAX_ALIASES")
        _check("has", found.directives, limits.max_directives, "directives", "MAX_DIRECTIVES")
        if limits.max_root_fields:
            number = len(_root_keys(operation, fragments))
            _check("selects", number, limits.max_root_fields, "root fields", "MAX_ROOT_FIELDS")


def _check(verb: str, number: int, most: int, things: str, setting: str) -> None:
    if most and number > most:
        raise exceeded(f"The operation {verb}", most, things, setting)


def _too_deep() -> ValidationFailed:
    return exceeded("The operation has", MAX_NESTING, "levels of selections and fragments")


class _Measure:
    def __init__(self, fragments: Fragments) -> None:
        self._fragments = fragments
        self._known: dict[str, Measured] = {}

    def selections(self, selections: SelectionSetNode, level: int = 1) -> Measured:
        """Return what ``selections`` stand for, ``level`` selection sets down."""
        if level > MAX_NESTING:
            raise _too_deep()
        found = Measured()
        for node in selections.selections:
            found.directives += len(node.directives)
            if isinstance(node, FieldNode):
                found.fields += 1
                found.aliases += node.alias is not None
                if node.selection_set is None:
                    found.depth = max(found.depth, 1)
                else:
                    found.add(self.selections(node.selection_set, level + 1), depth=1)
            elif isinstance(node, InlineFragmentNode):
                found.add(self.selections(node.selection_set, level + 1))
            elif isinstance(node, FragmentSpreadNode):
                found.add(self._fragment(node.name.value, level + 1))
        return found

    def _fragment(self, name: str, level: int) -> Measured:
        if name not in self._known:
            # Unknown fragments and circles are validation's to refuse: they count as nothing.
            self._known[name] = Measured()
            if name in self._fragments:
                self._known[name] = self.selections(self._fragments[name].selection_set, level)
        return self._known[name]


def _root_keys(operation: OperationDefinitionNode, fragments: Fragments) -> set[str]:
    """Return the response keys of an operation's root fields, whatever ``@skip`` will say."""
    keys: set[str] = set()
    seen: set[str] = set()
    stack = [operation.selection_set]
    while stack:
        for node in stack.pop().selections:
            if isinstance(node, FieldNode):
                keys.add((node.alias or node.name).value)
            elif isinstance(node, InlineFragmentNode):
                stack.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                if node.name.value in fragments:
                    stack.append(fragments[node.name.value].selection_set)
    return keys

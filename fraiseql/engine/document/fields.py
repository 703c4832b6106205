"""
The fields of selection sets, through their fragments.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
)

# Selection sets that are answered as one object, each with the GraphQL type its fields are of.
Sets = Iterable[tuple[SelectionSetNode, Any]]


def fields_of(
    sets: Sets,
    schema: GraphQLSchema,
    fragments: Mapping[str, FragmentDefinitionNode],
    is_included: Callable[[Any], bool] | None = None,
) -> Iterator[tuple[FieldNode, Any]]:
    """
    Yield each field of ``sets`` once, with the type that its selection is on.

    ``is_included``: tells whether a selection with such directives is wanted.
    """
    seen: set[str] = set()
    queue = list(sets)
    for selections, parent in queue:  # Which grows meanwhile.
        for node in selections.selections:
            if node.directives and is_included is not None and not is_included(node.directives):
                continue
            if isinstance(node, FieldNode):
                yield node, parent
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                kind = schema.get_type(condition.name.value) if condition else parent
                queue.append((node.selection_set, kind))
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = fragments[node.name.value]
                kind = schema.get_type(fragment.type_condition.name.value)
                queue.append((fragment.selection_set, kind))

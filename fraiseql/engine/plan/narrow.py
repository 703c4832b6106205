"""
``search`` and ``distinct``: which rows a list is made of, besides ``where``.
"""

from typing import Any

from fraiseql.engine.plan.plan import RANK, Guard, Order, Search, Target
from fraiseql.engine.plan.values import Given, Leaf
from fraiseql.errors import BadUserInput
from fraiseql.schema.specs import ObjectSpec

MAX_SEARCH_LENGTH = 1_000
"""Characters of a text that is searched for: ranking takes the square of its words."""


def plan_search(given: Given, spec: ObjectSpec) -> Search | None:
    """Return what a ``search`` argument looks for, or None if it is absent or null."""
    if spec.search is None or not isinstance(given, Leaf) or given.value is None:
        return None
    return Search(given)


def search_text(text: str) -> str:
    """Return the text of a search. Raises BadUserInput if it is too long."""
    if len(text) > MAX_SEARCH_LENGTH:
        raise BadUserInput(f"search has more than {MAX_SEARCH_LENGTH:,} characters.")
    return text


def rank_first(order: tuple[Order, ...]) -> tuple[Order, ...]:
    """Return the order of a search that has none of its own: the best first, ties in that of ``order``."""
    # All keys one way, so that a cursor compares them as one row.
    keys = (key if key.descending else key.reverse() for key in order)
    return (Order(RANK, descending=True, nulls_first=True), *keys)


def plan_distinct(given: Given, spec: ObjectSpec, guards: list[Guard]) -> tuple[Target, ...]:
    """Return the fields of a ``distinct`` argument, each once."""
    if not isinstance(given, Leaf) or given.value is None:
        return ()
    if given.path is not None:
        guards.append(Guard(given.path, _names, _names(given.value)))
    return tuple(Target((spec.fields[name],)) for name in dict.fromkeys(_names(given.value)))


def _names(value: Any) -> Any:
    return None if value is None else [member.value for member in value]

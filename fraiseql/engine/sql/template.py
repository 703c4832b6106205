"""
Statements with slots: compiled once, filled from each request's variables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from fraiseql.db.statement import Statement
from fraiseql.engine.plan.plan import Guard
from fraiseql.engine.plan.values import Leaf
from fraiseql.errors import BadUserInput

Encode = Callable[[Any], str | None]


STAYS, UUID, INT32, INT64, INSTANT = range(5)
Way = int | tuple[str, str]
"""
What becomes of a text, in words that the accelerator knows: it stays as it is, if it is an identifier as
PostgreSQL prints it; it is a moment; or it is escaped between what a LIKE pattern has before and after it.
"""


class Slot(NamedTuple):
    """
    One parameter: where its value stands, and how PostgreSQL wants it.

    ``way``: the same as ``encode``, or less: of what it does not take, ``encode`` may make something.
    """

    leaf: Leaf
    encode: Encode
    response_key: str
    way: Way | None = None


@dataclass(frozen=True)
class Template:
    """
    A statement's text and slots.

    ``columns``: what the rows hold, ``True`` if they carry (field, cursor keys, document), ``False`` if the
    document alone. ``response_keys``: the field numbers' meaning.
    """

    text: str
    slots: tuple[Slot, ...]
    is_tagged: bool
    guards: tuple[Guard, ...]
    is_reusable: bool

    def accepts(self, variables: Mapping[str, Any]) -> bool:
        """Tell whether the template serves these variables, whose outline is the one it was made for."""
        for guard in self.guards:
            try:
                if guard.classify(_at(variables, guard.path)) != guard.expected:
                    return False
            except BadUserInput:
                return False
        return True

    def fill(self, variables: Mapping[str, Any]) -> Statement:
        """
        Return the statement for these variables.

        Raises BadUserInput, with ``response_key`` among its extensions, if a value does not fit.
        """
        params = []
        for slot in self.slots:
            leaf, encode, _, _ = slot
            path = leaf.path
            try:
                params.append(encode(leaf.value if path is None else _at(variables, path)))
            except BadUserInput as error:
                error.extensions["response_key"] = slot.response_key
                raise
        return Statement(self.text, tuple(params))


def _at(variables: Mapping[str, Any], path: tuple[str | int, ...]) -> Any:
    value: Any = variables
    for part in path:
        value = value[part]
    return value

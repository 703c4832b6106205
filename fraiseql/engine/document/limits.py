"""
What a document may hold, and how it is refused when it holds more.
"""

from dataclasses import dataclass

from fraiseql.errors import ValidationFailed

MAX_NESTING = 100
"""Levels of brackets in a document, of selections through its fragments, and in its variables."""

MAX_LENGTH = 250_000
"""Characters of a document: what is longer carries values, which are cheaper to read as variables."""

MAX_WORD = 250
"""Characters of a name or a number: faults repeat them, and no more of what a request names."""

MAX_DEFINITIONS = 500
"""Operations and fragments of a document: validation follows the fragments of each operation."""

MAX_VARIABLES = 250
"""Variables that a document's operations declare."""

MAX_OBJECTS = 5_000
"""Objects in a variable of a query: conditions, each looked at field by field. Writes may bring many rows."""

MAX_FAULTS = 50
"""Faults of a document that are told before validation stops."""


@dataclass(frozen=True)
class Limits:
    """What a document may cost before it is looked at any further; 0: any number."""

    max_tokens: int
    max_depth: int
    introspection: bool
    suggestions: bool
    max_selections: int = 0
    max_fields: int = 0
    max_root_fields: int = 0
    max_aliases: int = 0
    max_directives: int = 0


def exceeded(whole: str, most: int, things: str, setting: str | None = None) -> ValidationFailed:
    """Return the error about a ``whole`` that has more than ``most`` of something."""
    hint = "Ask for less at once"
    return ValidationFailed(
        f"{whole} more than {most:,} {things}.",
        hint=f"{hint}, or raise FRAISEQL[{setting!r}]." if setting else f"{hint}.",
    )

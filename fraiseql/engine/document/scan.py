"""
What a document's text gives away before it is parsed.

The parser makes objects of every token, and validation follows them; a pass of one regular expression counts in
a tenth of the time, and stops where a limit is passed.
"""

import re

from fraiseql.engine.document.limits import (
    MAX_DEFINITIONS,
    MAX_LENGTH,
    MAX_NESTING,
    MAX_VARIABLES,
    MAX_WORD,
    Limits,
    exceeded,
)
from fraiseql.errors import ParseFailed

# Nothing is tried twice (++, *+, ?>), so that a string that is never closed is read once. Groups repeat inside
# (?>...): Python 3.11.2 has no right *+ for them (result/text.py). The end (\Z) matches so
# that spaces before it are.
_TOKEN = re.compile(
    r'[ \t\n\r,\ufeff]*+(\w++|"""(?>(?:[^"\\]++|\\"""|\\|"(?!""))*)(?:""")?|"(?>(?:[^"\\\n\r]++|\\.)*)"?'
    r"|#[^\n\r]*+|-?\d[\w.+-]*+|\.\.\.|[^ \t\n\r,\ufeff]|\Z)",
    re.ASCII,
)
_MARKS = frozenset("({[)}]@:")


def check_text(text: str, limits: Limits) -> None:
    """
    Raise ParseFailed or ValidationFailed if the text of a document has too much of something.

    A text that is no GraphQL may pass; it is the parser's to refuse. Time is linear in the text up to the limit.
    """
    if len(text) > MAX_LENGTH:
        raise ParseFailed(
            f"The document has more than {MAX_LENGTH:,} characters.",
            hint="Send values as variables.",
        )
    scan = _Scan(limits)
    before = ""
    for number, match in enumerate(_TOKEN.finditer(text), 1):
        word = match[1]
        if not word:
            return
        if number > limits.max_tokens > 0:
            raise ParseFailed(
                f"The document has more than {limits.max_tokens:,} tokens.",
                hint="Send long lists as variables, or raise FRAISEQL['MAX_TOKENS'].",
            )
        if word in _MARKS:
            scan.mark(word)
        elif len(word) > MAX_WORD and word[0] not in '"#':
            raise ParseFailed(f"A name or number has more than {MAX_WORD} characters.")
        elif scan.is_in_selections and before != "@" and word.isidentifier():
            # "on" and a type are one selection, as a field is.
            scan.selections.add(before != "..." or word != "on")
        before = word


class _Count:
    """A number that may not pass ``most``; 0: may pass any."""

    def __init__(self, most: int, things: str, setting: str | None = None) -> None:
        self.number, self.most, self.things, self.setting = 0, most, things, setting

    def add(self, number: int) -> None:
        self.number += number
        if self.number > self.most > 0:
            raise exceeded("The document has", self.most, self.things, self.setting)


class _Scan:
    """Where in a document the scan is, and what it has counted so far."""

    def __init__(self, limits: Limits) -> None:
        self.depth = self.parentheses = 0
        self.selections = _Count(limits.max_selections, "selections", "MAX_SELECTIONS")
        self.aliases = _Count(limits.max_aliases, "aliases", "MAX_ALIASES")
        self.directives = _Count(limits.max_directives, "directives", "MAX_DIRECTIVES")
        self.definitions = _Count(MAX_DEFINITIONS, "definitions")
        self.variables = _Count(MAX_VARIABLES, "variables")

    @property
    def is_in_selections(self) -> bool:
        """Tell whether names are those of fields, fragments and their types."""
        return self.depth > 0 and not self.parentheses

    def mark(self, word: str) -> None:
        """Take note of a bracket, a directive or a colon."""
        if word in "({[":
            if not self.depth and word == "{":
                self.definitions.add(1)
            self.parentheses += word == "("
            self.depth += 1
            if self.depth > MAX_NESTING:
                raise ParseFailed(f"The document nests more than {MAX_NESTING} levels of brackets.")
        elif word in ")}]":
            self.parentheses -= word == ")"
            self.depth -= 1
        elif word == "@":
            self.directives.add(1)
        elif self.is_in_selections:
            self.aliases.add(1)
            # The name before it was taken for a selection of its own.
            self.selections.add(-1)
        elif self.depth == 1:
            self.variables.add(1)

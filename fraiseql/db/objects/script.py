"""
An SQL file: its statements with their lines, the objects it makes, the names it speaks of.

Read by PostgreSQL's lexical rules, no further: what a statement means, the server says.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from fraiseql.errors import MigrationError

_WORD = r"[A-Za-z_\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*"
_TOKEN = re.compile(
    rf"""(?P<space>\s+|--[^\n]*)
       | (?P<comment>/\*)
       | (?P<body>\$(?:[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff]*)?\$)
       | (?P<text>[eE]'(?:[^'\\]|\\.|'')*'|(?:[nNbBxX]|[uU]&)?'(?:[^']|'')*')
       | (?P<name>(?:[uU]&)?"(?:[^"]|"")*"|{_WORD})
       | (?P<other>\d[\w.]*|.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT_END = re.compile(r"/\*|\*/")
_HEAD = re.compile(
    rf"""CREATE\s+(?P<replace>OR\s+REPLACE\s+)?(?:(?:UNIQUE|RECURSIVE|UNLOGGED)\s+)?
        (?P<kind>TABLE|VIEW|MATERIALIZED\s+VIEW|FUNCTION|PROCEDURE|INDEX|POLICY|TRIGGER|TYPE|DOMAIN)\s+
        (?P<concurrently>CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?
        (?P<name>(?:{_WORD}|"(?:[^"]|"")+")(?:\s*\.\s*(?:{_WORD}|"(?:[^"]|"")+"))?)
        (?=[\s(])""",
    re.VERBOSE | re.IGNORECASE,
)
_ON = re.compile(
    rf"""\sON\s+(?:ONLY\s+)?(?P<table>(?:{_WORD}|"(?:[^"]|"")+")(?:\s*\.\s*(?:{_WORD}|"(?:[^"]|"")+"))?)""",
    re.VERBOSE | re.IGNORECASE,
)
_PART = re.compile(rf'{_WORD}|"(?:[^"]|"")+"')
_ROW_SECURITY = re.compile(
    r"ALTER\s+TABLE\s+(?P<table>.+?)\s+(?P<verb>ENABLE|FORCE)\s+ROW\s+LEVEL\s+SECURITY",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Name:
    """An object's name as it is stored, its schema if the file says it."""

    schema: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(frozen=True)
class Head:
    """
    What a CREATE statement makes. ``kind``: view, materialized view, function, procedure, table ...

    ``table``: of an index, a policy or a trigger.
    """

    kind: str
    name: Name
    table: Name | None
    is_concurrent: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Statement:
    """A statement of a file. ``line``: where it begins, from 1. ``words``: its tokens without comments."""

    text: str
    line: int
    words: tuple[str, ...]

    @cached_property
    def bare(self) -> str:
        """The text without its comments."""
        return " ".join(self.words)

    @cached_property
    def head(self) -> Head | None:
        """What the statement makes, or None."""
        found = _HEAD.match(self.bare)
        if found is None:
            return None
        kind = " ".join(found["kind"].lower().split())
        table = None
        if kind in ("index", "policy", "trigger"):
            on = _ON.search(self.bare, found.end())
            table = None if on is None else name_of(on["table"])
        return Head(kind, name_of(found["name"]), table, bool(found["concurrently"]))

    @property
    def replacing(self) -> str:
        """The text with OR REPLACE."""
        if re.match(r"CREATE OR REPLACE ", self.bare, re.IGNORECASE):
            return self.text
        return re.sub(r"\bCREATE\b", "CREATE OR REPLACE", self.text, count=1, flags=re.IGNORECASE)

    @property
    def row_security(self) -> tuple[str, str] | None:
        """The table and the verb (ENABLE, FORCE) of a statement that switches row-level security on."""
        found = _ROW_SECURITY.fullmatch(self.bare)
        return None if found is None else (found["table"], found["verb"].upper())


@dataclass(frozen=True)
class Script:
    """A file's text. ``label``: how messages name the file."""

    label: str
    text: str

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The statements, in order. Raises MigrationError for a quote or comment that does not end."""
        return tuple(_statements(self))

    @cached_property
    def heads(self) -> tuple[Head, ...]:
        """What the file makes, in order."""
        return tuple(found.head for found in self.statements if found.head is not None)

    def moved(self, schemas: Mapping[Name, str]) -> "Script":
        """Return the file with the schemas of qualified names replaced, outside of quoted bodies."""
        tokens = [item for item in _tokens(self) if item[0] != "space"]
        text, done = [], 0
        for (kind, begin, end), (_, dot, _), (_, last, last_end) in zip(
            tokens, tokens[1:], tokens[2:], strict=False
        ):
            if kind != "name" or self.text[dot] != ".":
                continue
            schema, name = _stored(self.text[begin:end]), _stored(self.text[last:last_end])
            if (moved := schemas.get(Name(schema, name))) is not None:
                text += [self.text[done:begin], moved]
                done = end
        return Script(self.label, "".join([*text, self.text[done:]]))

    @property
    def main(self) -> Head:
        """What the file is about: the first thing it makes. Raises MigrationError if it makes nothing."""
        if not self.heads:
            raise MigrationError(
                f"{self.label} makes nothing.",
                hint="It needs a CREATE statement of a table, view, function, policy, index, trigger or type.",
            )
        return self.heads[0]

    @property
    def is_concurrent(self) -> bool:
        """Tell whether it cannot run in a transaction."""
        return any(head.is_concurrent for head in self.heads)

    @cached_property
    def fingerprint(self) -> tuple[tuple[str, ...], ...]:
        """What makes two versions differ: neither comments nor white space outside of bodies."""
        return tuple(statement.words for statement in self.statements)

    @cached_property
    def mentions(self) -> frozenset[str]:
        """The names outside of quoted bodies, which must exist when the file runs."""
        words = (word for statement in self.statements for word in statement.words)
        return frozenset(_stored(word) for word in words if _PART.fullmatch(word))

    @cached_property
    def mentions_in_bodies(self) -> frozenset[str]:
        """The names in quoted bodies, which must exist when the function is called."""
        words = (word for statement in self.statements for word in statement.words)
        bodies = (word for word in words if word.startswith("$") and len(word) > 1)
        return frozenset(_stored(part) for body in bodies for part in _PART.findall(body))


def name_of(text: str) -> Name:
    """Return the name that ``text`` spells, quoted or not."""
    *schema, name = (_stored(part) for part in _PART.findall(text))
    return Name(schema[0] if schema else None, name)


def _stored(word: str) -> str:
    return word[1:-1].replace('""', '"') if word.startswith('"') else word.lower()


def _statements(script: Script) -> Iterator[Statement]:
    words: list[str] = []
    start = depth = 0
    for kind, begin, end in _tokens(script):
        word = script.text[begin:end]
        if kind == "space":
            continue
        if word == ";" and not depth:
            if words:
                yield _statement(script, start, begin, words)
            words = []
            continue
        if not words:
            start = begin
        words.append(word)
        depth = _depth(depth, kind, words)
    if words:
        yield _statement(script, start, len(script.text), words)


def _depth(depth: int, kind: str, words: list[str]) -> int:
    """Return how deep in parentheses, and in a body BEGIN ATOMIC ... END, the last word leaves us."""
    word = words[-1].upper()
    if kind == "other":
        return depth + (word == "(") - (word == ")")
    if kind != "name":
        return depth
    begins_body = word == "ATOMIC" and len(words) > 1 and words[-2].upper() == "BEGIN"
    # Of what has an END, only CASE may stand in such a body.
    if begins_body or (depth and word == "CASE"):
        return depth + 1
    return depth - 1 if depth and word == "END" else depth


def _statement(script: Script, start: int, end: int, words: list[str]) -> Statement:
    text = script.text[start:end].rstrip()
    return Statement(text, script.text.count("\n", 0, start) + 1, tuple(words))


def _tokens(script: Script) -> Iterator[tuple[str, int, int]]:
    """Yield the kind and the ends of each token; comments are space."""
    text, at = script.text, 0
    while found := _TOKEN.match(text, at):
        kind, end = str(found.lastgroup), found.end()
        if kind == "comment":
            kind, end = "space", _end_of_comment(script, end)
        elif kind == "body":
            end = text.find(found[0], end) + len(found[0])
            if end < found.end() + len(found[0]):
                raise _unended(script, at, f"The text after {found[0]} does not end.")
        elif found[0] in ("'", '"'):
            raise _unended(script, at, f"A quote ({found[0]}) is not closed.")
        yield kind, at, end
        at = end


def _end_of_comment(script: Script, at: int) -> int:
    depth = 1
    while found := _COMMENT_END.search(script.text, at):
        depth, at = depth + (1 if found[0] == "/*" else -1), found.end()
        if depth == 0:
            return at
    raise _unended(script, len(script.text), "A comment (/*) is not closed.")


def _unended(script: Script, at: int, message: str) -> MigrationError:
    line = script.text.count("\n", 0, at) + 1
    return MigrationError(f"{script.label}, line {line}: {message}")

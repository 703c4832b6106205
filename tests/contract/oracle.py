"""What goes out of a document by way of Python objects: written without a look at the reference."""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, NoReturn

from fraiseql.schema.shape import (
    ABSTRACT,
    BOOLEAN,
    CONSTANT,
    DATETIME,
    DIGITS,
    ENUM,
    FLOAT,
    ID,
    INT,
    JOINED,
    JSON,
    LIST,
    NULL,
    OBJECT,
    STRING,
    TEXT,
    UNKNOWN_TYPE,
    WRONG_TYPE,
    Error,
    Node,
    Path,
)

REFUSED = object()


@dataclass(frozen=True)
class Number:
    """A number by its digits, which JSON libraries lose."""

    digits: str


class Bubble(Exception):
    """A value is null where it must not be."""


def load(text: bytes) -> Any:
    """Return the objects of a JSON text. Raises ValueError if it is none."""
    # latin-1: bytes stand for themselves, so that any may stand in a string.
    return json.loads(
        text.decode("latin-1"),
        parse_int=Number,
        parse_float=Number,
        parse_constant=_refuse,
    )


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


@dataclass
class Oracle:
    """One projection; ``errors`` fills as it goes."""

    errors: list[Error] = field(default_factory=list)

    def answer(self, node: Node, value: Any) -> Any:
        try:
            return self.project(node, value, (), "")
        except Bubble:
            return None

    def project(self, node: Node, value: Any, path: Path, label: str) -> Any:
        if node[0] == CONSTANT:
            return load(node[1])
        if node[0] == JOINED:
            # A set is nothing JSON has, so that it is of the wrong type.
            document, *beside = (value if isinstance(value, list) else []) or [set()]
            value = None if value is None else document
            if isinstance(value, dict):
                value = {**value, **dict(enumerate(beside, 1))}
            node = node[1]
        try:
            if value is None:
                if not node[1]:
                    self.fail(path, label, NULL)
                return None
            return self.convert(node, value, path, label)
        except Bubble:
            if not node[1]:
                raise
            return None

    def fail(self, path: Path, label: str, reason: int) -> NoReturn:
        self.errors.append((path, label, reason))
        raise Bubble

    def convert(self, node: Node, value: Any, path: Path, label: str) -> Any:
        if node[0] == LIST and isinstance(value, list):
            return [self.project(node[2], item, (*path, i), label) for i, item in enumerate(value)]
        if node[0] == OBJECT and isinstance(value, dict):
            return self.select(node[2], value, path)
        if node[0] == ABSTRACT and isinstance(value, dict):
            known = {spelled(kind): entries for kind, entries in node[3]}
            kind = value.get(spelled(node[2]))
            if not isinstance(kind, str) or kind not in known:
                self.fail(path, label, UNKNOWN_TYPE)
            return self.select(known[kind], value, path)
        found = leaf(node, value) if node[0] < LIST else REFUSED
        if found is REFUSED:
            self.fail(path, label, WRONG_TYPE)
        return found

    def select(self, entries: tuple[Any, ...], value: dict[Any, Any], path: Path) -> Any:
        return {
            name: self.project(
                node,
                value.get(spelled(key) if isinstance(key, bytes) else key),
                (*path, name),
                label,
            )
            for key, name, label, node in entries
        }


def spelled(key: bytes) -> str:
    return key.decode("latin-1")


def leaf(node: Node, value: Any) -> Any:
    kind = node[0]
    if kind == JSON:
        return value
    if isinstance(value, dict | list):
        return REFUSED
    if kind == ENUM:
        token = value.digits if isinstance(value, Number) else json.dumps(value)
        return dict(node[2]).get(token.encode(), b"").decode() or REFUSED
    if isinstance(value, bool):
        written = {STRING: "true" if value else "false", BOOLEAN: value}
        return written.get(kind, REFUSED)
    if isinstance(value, Number):
        return number(kind, value)
    if kind == DATETIME:
        return timestamp(value)
    return value if kind in (STRING, DIGITS, ID, TEXT) else REFUSED


def number(kind: int, value: Number) -> Any:
    digits = value.digits
    if kind in (STRING, DIGITS) or (kind == ID and digits.removeprefix("-").isdecimal()):
        return digits
    if kind == FLOAT and math.isfinite(float(digits)):
        return value
    exact = Fraction(digits)
    if kind == INT and exact.denominator == 1 and -(2**31) <= exact < 2**31:
        return Number(str(exact.numerator))
    return REFUSED


def timestamp(value: str) -> Any:
    if len(value) < 19 or value[10] not in " T":
        return REFUSED
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return REFUSED
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()

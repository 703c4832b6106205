"""
The projector in Python: what a Shape means, and what runs where the accelerator is not installed.

A row is checked whole, then walked. Nothing is decoded: what goes out is slices of the row, so that
numbers keep their digits and strings their escapes.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fraiseql.engine.result.text import fault, is_string, items, members, value
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
    MAX_DEPTH,
    MAX_ELEMENTS,
    MAX_ERRORS,
    NULL,
    OBJECT,
    STRING,
    TEXT,
    UNKNOWN_TYPE,
    WRONG_TYPE,
    Error,
    Node,
)


class MalformedRow(ValueError):
    """A row is not JSON. ``row``: its index, ``offset``: the byte at which it stops being JSON."""

    def __init__(self, row: int, offset: int) -> None:
        super().__init__(row, offset)
        self.row, self.offset = row, offset


class Shape:
    """
    What goes out of JSON documents, compiled from a node (see ``shape.py``).

    Raises ValueError if the node is not one. Immutable; may be shared between threads.
    """

    def __init__(self, node: Node) -> None:
        self._root = _compile(node, MAX_DEPTH)

    def project_row(self, row: bytes | None) -> tuple[bytes, tuple[Error, ...]]:
        """
        Return what the shape asks for of one document, as JSON, and the errors met.

        ``row``: UTF-8; None is null. Time is linear in its length, times the depth of the shape.
        Raises MalformedRow if it is not JSON.
        """
        walk = _Walk()
        if not walk.row(self._root, 0, row):
            walk.out = [b"null"]
        return b"".join(walk.out), tuple(walk.errors)

    def project_rows(self, rows: Sequence[bytes | None]) -> tuple[bytes, tuple[Error, ...]]:
        """
        Return what the shape, a LIST, asks for, its items being ``rows``, as one JSON array.

        As ``project_row`` otherwise; error paths begin with the row's index. Raises ValueError if
        the root is not a LIST.
        """
        if not isinstance(self._root, _List):
            raise ValueError("project_rows needs a LIST at the root")
        walk = _Walk()
        walk.out.append(b"[")
        for index, row in enumerate(rows):
            if index:
                walk.out.append(b",")
            walk.path.append(index)
            if not walk.row(self._root.item, index, row):
                return b"null", tuple(walk.errors)
            walk.path.pop()
        walk.out.append(b"]")
        return b"".join(walk.out), tuple(walk.errors)

    def respond(self, member: bytes, rows: Sequence[bytes | None]) -> bytes | None:
        """
        Return the response of a query of one field, whose documents are ``rows``; None: it has errors.

        ``member``: the field's name, quoted, and a colon. ``rows``: the items of a LIST, or else the first is
        the value.
        """
        try:
            if isinstance(self._root, _List):
                value, errors = self.project_rows(rows)
            else:
                value, errors = self.project_row(rows[0] if rows else None)
        except MalformedRow:
            return None
        return None if errors else b'{"data":{%b%b}}' % (member, value)


# What a leaf makes of a token that is not null; None: it does not take it.


def _string(token: bytes) -> bytes | None:
    if token[0] in b"{[":
        return None
    return token if token[0] in b'"' else b'"%b"' % token


def _int(token: bytes) -> bytes | None:
    if token[0] not in b"-0123456789":
        return None
    value = _integer(token)
    return None if value is None or not -(2**31) <= value < 2**31 else b"%d" % value


def _float(token: bytes) -> bytes | None:
    return token if token[0] in b"-0123456789" and math.isfinite(float(token)) else None


def _boolean(token: bytes) -> bytes | None:
    return token if token[0] in b"tf" else None


def _digits(token: bytes) -> bytes | None:
    if token[0] in b"-0123456789":
        return b'"%b"' % token
    return _text(token)


def _id(token: bytes) -> bytes | None:
    if token.lstrip(b"-").isdigit():
        return b'"%b"' % token
    return _text(token)


def _datetime(token: bytes) -> bytes | None:
    if not (found := _TIMESTAMP.fullmatch(token)):
        return None
    date, time, sign, hours, minutes = found.groups()
    offset = b"%b%b:%b" % (sign, hours, minutes or b"00") if sign else b"+00:00"
    return b'"%bT%b%b"' % (date, time, b"Z" if token.endswith(b'Z"') else offset)


def _text(token: bytes) -> bytes | None:
    return token if token[0] in b'"' else None


def _json(token: bytes) -> bytes | None:
    return token


_TIMESTAMP: Final = re.compile(
    rb'"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?)'
    rb'(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"'
)
_NUMBER: Final = re.compile(rb"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)0*([0-9]+))?")
_NAME: Final = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")

_LEAVES: Final[Mapping[int, Callable[[bytes], bytes | None]]] = {
    STRING: _string,
    INT: _int,
    FLOAT: _float,
    BOOLEAN: _boolean,
    DIGITS: _digits,
    ID: _id,
    DATETIME: _datetime,
    TEXT: _text,
    JSON: _json,
}


def _integer(token: bytes) -> int | None:
    """Return the exact value of a JSON number if it is an integer of few digits."""
    found = _NUMBER.fullmatch(token)
    sign, whole, fraction, exponent_sign, exponent = found.groups(b"") if found else (b"",) * 5
    digits = (whole + fraction).lstrip(b"0")
    if not digits:
        return 0
    # No text is long enough for its digits to make up for an exponent of 18 digits.
    shift = int(exponent or b"0") if len(exponent) <= 18 else 10**18
    shift = (-shift if exponent_sign == b"-" else shift) - len(fraction)
    significant = digits.rstrip(b"0")
    shift += len(digits) - len(significant)
    if shift < 0 or len(significant) + shift > 10:
        return None
    value: int = int(significant) * 10**shift
    return -value if sign else value


@dataclass(frozen=True, slots=True)
class _Leaf:
    nullable: bool
    convert: Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class _List:
    nullable: bool
    item: "_Node"


@dataclass(frozen=True, slots=True)
class _Entry:
    key: bytes | int
    response_key: str
    prefix: bytes
    label: str
    node: "_Node"


_Entries = tuple[_Entry, ...]


@dataclass(frozen=True, slots=True)
class _Object:
    nullable: bool
    # By the discriminator's token; None: there is no discriminator.
    entries: Mapping[bytes | None, _Entries]
    discriminator: bytes | None


@dataclass(frozen=True, slots=True)
class _Constant:
    json: bytes


@dataclass(frozen=True, slots=True)
class _Joined:
    inner: _Object


_Node = _Leaf | _List | _Object | _Constant | _Joined
_NOTHING: Final = b"[]"


class _Walk:
    """One call: what has been written, the way from the root to here, and the errors so far."""

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.path: list[_Entry | int] = []
        self.errors: list[Error] = []

    def row(self, node: _Node, index: int, row: bytes | None) -> bool:
        if row is not None and (offset := fault(row)) is not None:
            raise MalformedRow(index, offset)
        return self.value(node, None if row is None else value(row))

    def value(self, node: _Node, token: bytes | None, joined: Sequence[bytes] = ()) -> bool:
        """Write what ``node`` makes of ``token``, or return False: then its parent is null."""
        if isinstance(node, _Constant):
            self.out.append(node.json)
            return True
        if isinstance(node, _Joined):
            return self.joined(node, token)
        if token is None or token == b"null":
            if node.nullable:
                self.out.append(b"null")
                return True
            return self.error(NULL)
        if isinstance(node, _Leaf) and (written := node.convert(token)) is not None:
            self.out.append(written)
            return True
        mark = len(self.out)
        if self.fill(node, token, joined):
            return True
        if node.nullable:
            self.out[mark:] = [b"null"]
        return node.nullable

    def fill(self, node: _Leaf | _List | _Object, token: bytes, joined: Sequence[bytes]) -> bool:
        if isinstance(node, _List) and token.startswith(b"["):
            return self.list(node, token)
        if isinstance(node, _Object) and token.startswith(b"{"):
            return self.object(node, token, joined)
        return self.error(WRONG_TYPE)

    def joined(self, node: _Joined, token: bytes | None) -> bool:
        if token is None or token == b"null":
            return self.value(node.inner, None)
        # What is no array has no items: an object is not taken for its document.
        document, *joined = list(items(token) if token.startswith(b"[") else ()) or [_NOTHING]
        return self.value(node.inner, document, joined)

    def list(self, node: _List, token: bytes) -> bool:
        separator = b"["
        for index, item in enumerate(items(token)):
            self.out.append(separator)
            separator = b","
            self.path.append(index)
            written = self.value(node.item, item)
            self.path.pop()
            if not written:
                return False
        self.out.append(b"]" if separator == b"," else b"[]")
        return True

    def object(self, node: _Object, token: bytes, joined: Sequence[bytes]) -> bool:
        found: dict[Any, bytes] = members(token)
        found.update(enumerate(joined, 1))
        kind = None if node.discriminator is None else found.get(node.discriminator, b"")
        entries = node.entries.get(kind)
        if entries is None:
            return self.error(UNKNOWN_TYPE)
        return self.members(entries, found)

    def members(self, entries: _Entries, found: Mapping[bytes | int, bytes]) -> bool:
        self.out.append(b"{")
        for entry in entries:
            self.out.append(entry.prefix)
            self.path.append(entry)
            written = self.value(entry.node, found.get(entry.key))
            self.path.pop()
            if not written:
                return False
        self.out.append(b"}")
        return True

    def error(self, reason: int) -> bool:
        if len(self.errors) < MAX_ERRORS:
            label = next(
                (step.label for step in reversed(self.path) if isinstance(step, _Entry)), ""
            )
            path = (step.response_key if isinstance(step, _Entry) else step for step in self.path)
            self.errors.append((tuple(path), label, reason))
        return False


def _compile(spec: object, depth: int) -> _Node:
    if type(spec) is not tuple or not spec or type(spec[0]) is not int:
        raise ValueError(f"a node is a tuple that begins with its kind, not {spec!r:.100}")
    if depth == 0:
        raise ValueError(f"nodes nest more than {MAX_DEPTH} deep")
    kind, parts = spec[0], spec[1:]
    if kind == CONSTANT:
        return _constant(*_parts(parts, bytes))
    if kind in _LEAVES:
        (nullable,) = _parts(parts, int)
        return _Leaf(_flag(nullable), _LEAVES[kind])
    if kind == ENUM:
        nullable, pairs = _parts(parts, int, tuple)
        return _Leaf(_flag(nullable), _enum(pairs))
    if kind == LIST:
        nullable, item = _parts(parts, int, tuple)
        return _List(_flag(nullable), _compile(item, depth - 1))
    if kind in (OBJECT, ABSTRACT):
        return _object(kind, parts, depth - 1, is_joined=False)
    if kind == JOINED:
        (inner,) = _parts(parts, tuple)
        if not inner or type(inner[0]) is not int or inner[0] not in (OBJECT, ABSTRACT):
            raise ValueError(f"only objects are joined, not {inner!r:.100}")
        if depth == 1:
            raise ValueError(f"nodes nest more than {MAX_DEPTH} deep")
        return _Joined(_object(inner[0], inner[1:], depth - 2, is_joined=True))
    raise ValueError(f"no node has the kind {kind}")


def _object(kind: int, parts: tuple[Any, ...], depth: int, is_joined: bool) -> _Object:
    if kind == OBJECT:
        nullable, entries = _parts(parts, int, tuple)
        return _Object(_flag(nullable), {None: _entries(entries, depth, is_joined)}, None)
    nullable, key, types = _parts(parts, int, bytes, tuple)
    return _Object(_flag(nullable), _types(types, depth, is_joined), _content(key))


def _parts(parts: object, *kinds: type) -> list[Any]:
    if type(parts) is not tuple or tuple(map(type, parts)) != kinds:
        names = ", ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"expected ({names}), not {parts!r:.100}")
    return list(parts)


def _flag(nullable: int) -> bool:
    if nullable not in (0, 1):
        raise ValueError(f"nullable is 0 or 1, not {nullable}")
    return nullable == 1


def _constant(json: bytes) -> _Constant:
    if fault(json) is not None:
        raise ValueError(f"a constant is JSON, not {json!r:.100}")
    return _Constant(json)


def _enum(pairs: Sequence[object]) -> Callable[[bytes], bytes | None]:
    names: dict[bytes, bytes] = {}
    for pair in pairs:
        token, name = _parts(pair, bytes, bytes)
        if fault(token) is not None or value(token) != token or token[0] in b"{[n":
            raise ValueError(f"an enum token is a JSON scalar, not {token!r:.100}")
        if token in names:
            raise ValueError(f"the token {token!r:.100} stands twice")
        names[token] = b'"%b"' % _name(name.decode("latin-1")).encode()
    return names.get


def _types(types: Sequence[object], depth: int, is_joined: bool) -> Mapping[bytes | None, _Entries]:
    known: dict[bytes | None, _Entries] = {}
    for pair in types:
        value, entries = _parts(pair, bytes, tuple)
        token = b'"%b"' % _content(value)
        if token in known:
            raise ValueError(f"the type {value!r:.100} stands twice")
        known[token] = _entries(entries, depth, is_joined)
    return known


def _entries(specs: Sequence[object], depth: int, is_joined: bool) -> _Entries:
    entries = tuple(
        _entry(spec, b"," if at else b"", depth, is_joined) for at, spec in enumerate(specs)
    )
    if len({entry.response_key for entry in entries}) != len(entries):
        raise ValueError("a response key stands twice")
    return entries


def _entry(spec: object, comma: bytes, depth: int, is_joined: bool) -> _Entry:
    is_index = is_joined and type(spec) is tuple and bool(spec) and type(spec[0]) is int
    key, response_key, label, node = _parts(spec, int if is_index else bytes, str, str, tuple)
    prefix = b'%b"%b":' % (comma, _name(response_key).encode())
    key = _index(key) if type(key) is int else _content(key)
    return _Entry(key, response_key, prefix, label, _compile(node, depth))


def _index(key: int) -> int:
    if not 1 <= key <= MAX_ELEMENTS:
        raise ValueError(f"an index is from 1 to {MAX_ELEMENTS}, not {key}")
    return key


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a GraphQL name: {name!r:.100}")
    return name


def _content(content: bytes) -> bytes:
    if not is_string(b'"%b"' % content):
        raise ValueError(f"not legal between JSON quotes: {content!r:.100}")
    return content

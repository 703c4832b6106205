"""
Reading JSON text in bytes, without decoding it.

``fault`` is strict and says where a text goes wrong; the others find their way through a text in
which it found none. Nothing here recurses: a text may nest as deep as it likes.
"""

import re
from collections.abc import Iterator
from typing import Final

# Groups repeat inside (?>...) and never by *+ or ?+: in those Python 3.11.2, which Debian 12 has, loses its
# place (python/cpython issue 106052).
_SPACE: Final = rb"[ \t\n\r]*+"
_PLAIN: Final = rb'[^"\\\x00-\x1f]*+'
_UNCLOSED: Final = rb'"' + _PLAIN + rb'(?>(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})' + _PLAIN + rb")*)"
_STRING: Final = _UNCLOSED + rb'"'
_WHOLE: Final = rb"-?(?:0|[1-9][0-9]*+)"
_NUMBER: Final = _WHOLE + rb"(?>(?:\.[0-9]++)?)(?>(?:[eE][+-]?[0-9]++)?)(?![0-9.eE])"

_space: Final = re.compile(_SPACE)
_string: Final = re.compile(_STRING)
_WORD: Final = rb"true|false|null"
_PLAIN_VALUE: Final = rb"(?:" + _STRING + rb"|" + _NUMBER + rb"|" + _WORD + rb")" + _SPACE
_KEY: Final = _STRING + _SPACE + rb":" + _SPACE
_scalar: Final = re.compile(_PLAIN_VALUE)
# The last key of a run of members with scalars: one match for many, or for one where that fails.
_key: Final = re.compile(rb"(?:" + _KEY + _PLAIN_VALUE + rb"," + _SPACE + rb")*" + _KEY)

# The longest beginnings, to find the byte at which a scalar goes wrong.
_string_beginning: Final = re.compile(_UNCLOSED + rb'(?>(?:"|\\(?>(?:u[0-9a-fA-F]{0,3}+)?))?)')
_number_beginning: Final = re.compile(
    rb"-?(?>(?:(?:0|[1-9][0-9]*+)"
    rb"(?>(?:\.(?>(?:[0-9]++(?>(?:[eE][+-]?[0-9]*+)?))?)|[eE][+-]?[0-9]*+)?))?)"
)
_word_beginning: Final = re.compile(rb"t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|n(?:u(?:ll?)?)?|")

# In a text without fault a string ends at its quote, another scalar at the next delimiter. Of the
# containers those of two levels match as a whole; a deeper one takes all that follows with it.
_QUOTED: Final = rb'"[^"\\]*+(?>(?:\\.[^"\\]*+)*)"'
_FLAT: Final = rb"[\[{](?>(?:[^\"\[\]{}]++|" + _QUOTED + rb")*)[\]}]"
_NESTED: Final = rb"[\[{](?>(?:[^\"\[\]{}]++|" + _QUOTED + rb"|" + _FLAT + rb")*)[\]}]"
_VALUE: Final = rb"(" + _QUOTED + rb"|[^ \t\n\r,:\"\[\]{}]++|" + _NESTED + rb"|[\[{].*+)"
_member: Final = re.compile(
    rb'"([^"\\]*+(?>(?:\\.[^"\\]*+)*))"' + _SPACE + rb":" + _SPACE + _VALUE, re.DOTALL
)
_item: Final = re.compile(_VALUE, re.DOTALL)
_bracket: Final = re.compile(rb'(?>(?:[^"\[\]{}]++|' + _QUOTED + rb")*)([\[\]{}])", re.DOTALL)


def is_string(token: bytes) -> bool:
    """Return whether ``token`` is one JSON string, quotes included."""
    return _string.fullmatch(token) is not None


def fault(text: bytes) -> int | None:
    """
    Return where ``text`` stops being one JSON text (RFC 8259), or None if it is one.

    The offset is that of the first byte with which it is no longer the beginning of any JSON text,
    or its length if it ends too early. Bytes from 0x80 inside strings are not looked at.
    """
    closers: list[bytes] = []
    at = _after_space(text, 0)
    while True:
        opener = text[at : at + 1]
        if opener in (b"{", b"["):
            closer = b"}" if opener == b"{" else b"]"
            at = _after_space(text, at + 1)
            if text.startswith(closer, at):
                at = _after_space(text, at + 1)
            else:
                closers.append(closer)
                if opener == b"{":
                    if not (found := _key.match(text, at)):
                        return _key_fault(text, at)
                    at = found.end()
                continue
        elif found := _scalar.match(text, at):
            at = found.end()
        else:
            return _scalar_fault(text, at)
        while closers and text.startswith(closers[-1], at):
            closers.pop()
            at = _after_space(text, at + 1)
        if not closers:
            return None if at == len(text) else at
        if not text.startswith(b",", at):
            return at
        at = _after_space(text, at + 1)
        if closers[-1] == b"}":
            if not (found := _key.match(text, at)):
                return _key_fault(text, at)
            at = found.end()


def value(text: bytes) -> bytes:
    """Return the value of ``text`` without the white space around it."""
    return text.strip(b" \t\n\r")


def members(value: bytes) -> dict[bytes, bytes]:
    """Return the members of an object by key, without its quotes; of a repeated key the last."""
    found: list[tuple[bytes, bytes]] = _member.findall(value)
    if found and value.endswith(found[-1][1]):
        return {match[1]: token for match, token in _each(_member, value)}
    return dict(found)


def items(value: bytes) -> list[bytes]:
    """Return the items of an array."""
    found: list[bytes] = _item.findall(value, 1)
    if found and value.endswith(found[-1]):
        return [token for _, token in _each(_item, value)]
    return found


def _each(pattern: re.Pattern[bytes], value: bytes) -> Iterator[tuple[re.Match[bytes], bytes]]:
    at = 1
    while match := pattern.search(value, at):
        start, at = match.span(pattern.groups)
        if at == len(value):
            at = _container_end(value, start)
        yield match, value[start:at]


def _after_space(text: bytes, at: int) -> int:
    found = _space.match(text, at)
    return found.end() if found else at


def _container_end(text: bytes, at: int) -> int:
    depth = 0
    for found in _bracket.finditer(text, at):
        depth += 1 if found[1] in b"[{" else -1
        at = found.end()
        if depth == 0:
            break
    return at


def _key_fault(text: bytes, at: int) -> int:
    found = _string.match(text, at)
    return _after_space(text, found.end()) if found else _longest(_string_beginning, text, at)


def _scalar_fault(text: bytes, at: int) -> int:
    return max(
        _longest(beginning, text, at)
        for beginning in (_string_beginning, _number_beginning, _word_beginning)
    )


def _longest(beginning: re.Pattern[bytes], text: bytes, at: int) -> int:
    found = beginning.match(text, at)
    return found.end() if found else at

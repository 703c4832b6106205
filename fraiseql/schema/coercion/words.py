"""
Text, and words of one form.
"""

import re
import zoneinfo
from collections.abc import Callable

_UNSAFE = re.compile("[\x00\ud800-\udfff]")
# PostgreSQL 16 added the hyphen; 15 refuses it itself.
_LTREE = re.compile(r"[\w-]{1,1000}(\.[\w-]{1,1000})*")
# https://semver.org, "Is there a suggested regular expression".
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-((0|[1-9]\d*|\d*[a-z-][0-9a-z-]*)(\.(0|[1-9]\d*|\d*[a-z-][0-9a-z-]*))*))?"
    r"(\+([0-9a-z-]+(\.[0-9a-z-]+)*))?",
    re.ASCII | re.IGNORECASE,
)
_TIMEZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}", re.ASCII)


def text(value: object) -> str:
    """Return a string that PostgreSQL can store."""
    if not isinstance(value, str):
        raise ValueError("expected a string.")
    if _UNSAFE.search(value):
        raise ValueError("a string may not hold NUL (U+0000) or lone surrogates.")
    return str(value)


def matching(
    pattern: str, expected: str, max_length: int, flags: re.RegexFlag = re.ASCII
) -> Callable[[object], str]:
    """Return a parse function for strings of one form; ``expected`` completes its message."""
    compiled = re.compile(pattern, flags)

    def parse(value: object) -> str:
        return matched(compiled, value, expected, max_length)

    return parse


def matched(pattern: re.Pattern[str], value: object, expected: str, max_length: int = 200) -> str:
    """Return a string that is all of the pattern; ``expected`` completes the message of another."""
    given = text(value)
    if len(given) > max_length or pattern.fullmatch(given) is None:
        raise ValueError(f"expected {expected}.")
    return given


def ltree(value: object) -> str:
    """Return a path of labels."""
    return matched(_LTREE, value, "a path of labels, Top.Science.Astronomy", 65_535)


def semantic_version(value: object) -> str:
    """Return a version, as semver.org writes it."""
    return matched(_SEMVER, value, "a semantic version, 1.2.3")


def timezone(value: object) -> str:
    """Return the name of a time zone in the IANA database."""
    name = matched(_TIMEZONE, value, "a time zone, Europe/Berlin")
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("expected a time zone of the IANA database, Europe/Berlin.") from None
    return name

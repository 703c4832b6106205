"""
How input becomes Python values: the ``parse`` and ``encode`` functions of the scalar table.

A ``parse`` function takes what JSON can hold, or the Python value itself (defaults, ``find(where=...)``),
and returns the Python value. What it refuses is a ``ValueError``, never another exception, and the
message does not repeat the value: variables hold passwords. An ``encode`` function returns PostgreSQL's
text format.
"""

import datetime as dt
import decimal
import ipaddress
import json
import math
import re
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T")

INT_BITS, BIGINT_BITS = 32, 64

# Deeper documents have no use and would exhaust the stack of json.dumps and of PostgreSQL's parser.
MAX_JSON_DEPTH = 100

# numeric holds this many digits before and after the point (PostgreSQL, "Numeric Types").
_NUMERIC_BEFORE, _NUMERIC_AFTER = 131_072, 16_383

_UNSAFE = re.compile("[\x00\ud800-\udfff]")
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,9})?)?", re.ASCII)
# RFC 3339; its offset may lack the colon or the minutes, as in what PostgreSQL prints.
_DATETIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d(:?\d\d)?)?", re.ASCII
)
_DURATION = re.compile(
    r"(?P<sign>[+-])?P(?!$)((?P<weeks>\d{1,9})W)?((?P<days>\d{1,9})D)?"
    r"(T(?!$)((?P<hours>\d{1,12})H)?((?P<minutes>\d{1,12})M)?((?P<seconds>\d{1,12}(\.\d{1,6})?)S)?)?",
    re.ASCII,
)
# What PostgreSQL prints under its default IntervalStyle, without years and months.
_INTERVAL = re.compile(
    r"((?P<days>[+-]?\d{1,9}) days?( (?=\S)|\Z))?"
    r"((?P<sign>[+-])?(?P<hours>\d{1,12}):(?P<minutes>\d\d):(?P<seconds>\d\d(\.\d{1,6})?))?",
    re.ASCII,
)
# The rule of <input type=email> (WHATWG HTML, 4.10.5.1.5), with at least two labels after the @.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    re.ASCII | re.IGNORECASE,
)
_HOSTNAME = re.compile(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    re.ASCII | re.IGNORECASE,
)
_MAC = re.compile(r"[0-9a-f]{2}([:-])([0-9a-f]{2}\1){4}[0-9a-f]{2}", re.ASCII | re.IGNORECASE)
# PostgreSQL 16 added the hyphen; 15 refuses it itself.
_LTREE = re.compile(r"[\w-]{1,1000}(\.[\w-]{1,1000})*")
_RANGE = re.compile(
    r"\s*(?P<empty>empty)\s*|(?P<open>[\[(])(?P<lower>[^,]*),(?P<upper>[^,]*)(?P<close>[\])])"
)
# https://semver.org, "Is there a suggested regular expression".
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-((0|[1-9]\d*|\d*[a-z-][0-9a-z-]*)(\.(0|[1-9]\d*|\d*[a-z-][0-9a-z-]*))*))?"
    r"(\+([0-9a-z-]+(\.[0-9a-z-]+)*))?",
    re.ASCII | re.IGNORECASE,
)
_TIMEZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}", re.ASCII)
_URL_SCHEMES = frozenset({"http", "https", "ftp", "ftps", "ws", "wss"})


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
        return _matched(compiled, value, expected, max_length)

    return parse


def _matched(pattern: re.Pattern[str], value: object, expected: str, max_length: int = 200) -> str:
    given = text(value)
    if len(given) > max_length or pattern.fullmatch(given) is None:
        raise ValueError(f"expected {expected}.")
    return given


# Numbers


def int32(value: object) -> int:
    """Return an integer of 32 bits; 1.0 is one, "1" and true are not (GraphQL, 3.5.1)."""
    return _sized(_integral(value, "an integer"), INT_BITS)


def bigint(value: object) -> int:
    """Return an integer of 64 bits, from a number or a string of digits."""
    if isinstance(value, str):
        return _sized(int(_matched(_INTEGER, value, "an integer")), BIGINT_BITS)
    return _sized(_integral(value, "an integer, or a string of digits"), BIGINT_BITS)


def port(value: object) -> int:
    """Return a TCP or UDP port."""
    number = _integral(value, "an integer")
    if not 1 <= number <= 65_535:
        raise ValueError("expected a port, 1 to 65535.")
    return number


def _integral(value: object, expected: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    # Above 2^53 a float no longer says which integer was meant.
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    if isinstance(value, decimal.Decimal) and _is_whole(value):
        return int(value)
    raise ValueError(f"expected {expected}.")


def _is_whole(number: decimal.Decimal) -> bool:
    # int() of 1E+1000000 would take its time; no integer scalar is that long.
    return number.is_finite() and number.adjusted() < 20 and number == number.to_integral_value()


def _sized(number: int, bits: int) -> int:
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise ValueError(f"expected an integer of {bits} bits.")
    return number


def float64(value: object) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | decimal.Decimal):
        raise ValueError("expected a number.")
    try:
        number = float(value)
    except (OverflowError, ValueError):
        raise ValueError("expected a number a double can hold.") from None
    if not math.isfinite(number):
        raise ValueError("expected a finite number.")
    return number


def between(low: float, high: float) -> Callable[[object], float]:
    """Return a parse function for numbers from ``low`` to ``high``."""

    def parse(value: object) -> float:
        number = float64(value)
        if not low <= number <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}.")
        return number

    return parse


def exact(value: object) -> decimal.Decimal:
    """Return a decimal number that ``numeric`` can hold, from a number or a string of digits."""
    if isinstance(value, decimal.Decimal):
        number = value
    elif isinstance(value, str):
        number = decimal.Decimal(_matched(_DECIMAL, value, "a decimal number", _NUMERIC_BEFORE))
    elif isinstance(value, float) and math.isfinite(value):
        number = decimal.Decimal(repr(value))
    else:
        number = decimal.Decimal(
            _short(_integral(value, "a decimal number, or a string of digits"))
        )
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("expected a finite number.")
    if len(digits) + exponent > _NUMERIC_BEFORE or -exponent > _NUMERIC_AFTER:
        raise ValueError("expected a number that numeric can hold.")
    return number


def _short(number: int) -> int:
    # Python refuses to print longer integers (sys.set_int_max_str_digits), and so to send them.
    if number.bit_length() > 14_000:
        raise ValueError("expected a number of at most 4,000 digits.")
    return number


def digits(value: decimal.Decimal) -> str:
    """Return a decimal number without an exponent, as PostgreSQL prints it."""
    return format(value, "f")


def boolean(value: object) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise ValueError("expected true or false.")
    return value


def encode_boolean(value: bool) -> str:
    """Return a boolean as PostgreSQL reads it, and as ``->>`` prints it."""
    return "true" if value else "false"


# Identifiers


def identifier(value: object) -> str:
    """Return an ID: a string, or an integer's digits (GraphQL, 3.5.5)."""
    if isinstance(value, str | uuid.UUID):
        return text(str(value))
    return str(_short(_integral(value, "a string or an integer")))


def uuid_(value: object) -> uuid.UUID:
    """Return a UUID, from 32 hexadecimal digits with or without hyphens."""
    if isinstance(value, uuid.UUID):
        return value
    return uuid.UUID(_matched(_UUID, value, "a UUID"))


# Dates and times


def date(value: object) -> dt.date:
    """Return a date, from YYYY-MM-DD."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    given = _matched(_DATE, value, "a date, YYYY-MM-DD")
    return _calendar(dt.date.fromisoformat, given)


def time(value: object) -> dt.time:
    """Return a time of day without an offset, from HH:MM[:SS[.ffffff]]."""
    if isinstance(value, dt.time):
        given = value
    else:
        given = _calendar(dt.time.fromisoformat, _matched(_TIME, value, "a time, HH:MM:SS"))
    if given.tzinfo is not None:
        raise ValueError("expected a time without an offset.")
    return given


def instant(value: object) -> dt.datetime:
    """Return a moment with its offset, from RFC 3339; what has no offset names no moment."""
    if isinstance(value, dt.datetime):
        moment = value
    else:
        given = _matched(
            _DATETIME, value, "a date and time as RFC 3339 writes it, 2024-01-31T12:00:00Z"
        )
        moment = _calendar(dt.datetime.fromisoformat, given.upper())
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("expected an offset after the time: Z, or +02:00.")
    try:
        moment.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("expected a moment in the years 1 to 9999 of UTC.") from None
    return moment


def _calendar(read: Callable[[str], T], given: str) -> T:
    try:
        return read(given)
    except ValueError:
        raise ValueError("the calendar or the clock has no such value.") from None


def encode_instant(value: dt.datetime) -> str:
    """Return a moment in UTC: ``timestamp`` would drop another offset without a word."""
    return value.astimezone(dt.UTC).isoformat()


def duration(value: object) -> dt.timedelta:
    """Return a duration, from ISO 8601 (P1DT2H) or PostgreSQL's own style (1 day 02:00:00)."""
    if isinstance(value, dt.timedelta):
        return value
    given = text(value)
    if len(given) > 100:
        raise ValueError("expected a duration, P1DT2H30M.")
    if found := _DURATION.fullmatch(given):
        sign, clock_sign = (-1 if found["sign"] == "-" else 1,) * 2
        weeks = int(found["weeks"] or 0)
    elif given and (found := _INTERVAL.fullmatch(given)):
        sign, clock_sign, weeks = 1, (-1 if found["sign"] == "-" else 1), 0
    else:
        raise ValueError(
            "expected a duration of weeks, days, hours, minutes and seconds, P1DT2H30M."
        )
    try:
        days = dt.timedelta(days=int(found["days"] or 0), weeks=weeks)
        clock = dt.timedelta(
            hours=int(found["hours"] or 0),
            minutes=int(found["minutes"] or 0),
            microseconds=int(decimal.Decimal(found["seconds"] or 0) * 1_000_000),
        )
        return sign * days + clock_sign * clock
    except OverflowError:
        raise ValueError("expected a duration of less than a thousand million days.") from None


def encode_duration(value: dt.timedelta) -> str:
    """Return a duration as PostgreSQL prints it under its default IntervalStyle."""
    sign, size = ("-", -value) if value < dt.timedelta() else ("", value)
    minutes, seconds = divmod(size.seconds, 60)
    clock = f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    if size.microseconds:
        clock += f".{size.microseconds:06d}".rstrip("0")
    if not size.days:
        return clock
    days = f"{sign}{size.days} {'day' if size.days == 1 and not sign else 'days'}"
    return f"{days} {clock}" if size.seconds or size.microseconds else days


def timezone(value: object) -> str:
    """Return the name of a time zone in the IANA database."""
    name = _matched(_TIMEZONE, value, "a time zone, Europe/Berlin")
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("expected a time zone of the IANA database, Europe/Berlin.") from None
    return name


# Network


def ip_address(value: object) -> IpAddress:
    """Return an address, version 4 or 6, without a prefix length or a zone."""
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
        address = value
    else:
        address = _network_value(ipaddress.ip_address, text(value), "an IP address")
    if getattr(address, "scope_id", None) is not None:
        raise ValueError("expected an IP address without a zone.")
    return address


def cidr(value: object) -> IpNetwork:
    """Return a network whose bits right of the mask are zero."""
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    given = text(value)
    if "%" in given:
        raise ValueError("expected a network without a zone.")
    return _network_value(
        ipaddress.ip_network, given, "a network, 10.0.0.0/8, with zeros right of the mask"
    )


def _network_value(read: Callable[[str], T], given: str, expected: str) -> T:
    # A /255.0.0.0 mask is Python's, not PostgreSQL's.
    if len(given) > 60 or given.partition("/")[2].count("."):
        raise ValueError(f"expected {expected}.")
    try:
        return read(given)
    except ValueError:
        raise ValueError(f"expected {expected}.") from None


def ip_range(value: object) -> tuple[IpAddress, IpAddress]:
    """Return the first and the last address of ``10.0.0.1-10.0.0.99``."""
    first, dash, last = text(value).partition("-")
    if not dash:
        raise ValueError("expected two IP addresses with a hyphen between, first-last.")
    low, high = ip_address(first.strip()), ip_address(last.strip())
    if low.version != high.version:
        raise ValueError("expected two addresses of one IP version.")
    return low, high


def encode_ip_range(value: tuple[IpAddress, IpAddress]) -> str:
    """Return two addresses as an array."""
    return f"{{{value[0]},{value[1]}}}"


def mac_address(value: object) -> str:
    """Return a MAC address of six bytes, in lower case with colons."""
    return _matched(_MAC, value, "a MAC address, 08:00:2b:01:02:03").lower().replace("-", ":")


def hostname(value: object) -> str:
    """Return a host name (RFC 1123)."""
    return _matched(_HOSTNAME, value, "a host name", 253)


def email(value: object) -> str:
    """Return an e-mail address."""
    return _matched(_EMAIL, value, "an e-mail address", 254)


def url(value: object) -> str:
    """Return an absolute URL of a scheme that browsers may safely follow."""
    given = text(value)
    expected = "expected an absolute URL, https://example.com/path."
    if len(given) > 8_192 or any(character.isspace() or ord(character) < 32 for character in given):
        raise ValueError(expected)
    try:
        parts = urlsplit(given)
        known = parts.scheme in _URL_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(expected) from None
    if not known:
        raise ValueError(expected)
    return given


# Words of one form


def ltree(value: object) -> str:
    """Return a path of labels."""
    return _matched(_LTREE, value, "a path of labels, Top.Science.Astronomy", 65_535)


def semantic_version(value: object) -> str:
    """Return a version, as semver.org writes it."""
    return _matched(_SEMVER, value, "a semantic version, 1.2.3")


# Ranges


def range_of(
    bound: Callable[[object], Any], print_bound: Callable[[Any], str]
) -> Callable[[object], str]:
    """Return a parse function for ranges, ``[lower,upper)``, with ``bound`` for what is between."""

    def parse(value: object) -> str:
        found = _RANGE.fullmatch(text(value))
        if found is None or len(found.string) > 200:
            raise ValueError("expected a range, [lower,upper).")
        if found["empty"]:
            return "empty"
        ends = [_bound(found[side], bound) for side in ("lower", "upper")]
        if None not in ends and ends[0] > ends[1]:
            raise ValueError("expected a range whose lower bound is not above the upper one.")
        printed = ["" if end is None else print_bound(end) for end in ends]
        return f"{found['open']}{printed[0]},{printed[1]}{found['close']}"

    return parse


def _bound(given: str, parse: Callable[[object], Any]) -> Any:
    bare = given.strip().removeprefix('"').removesuffix('"')
    return parse(bare) if bare else None


def int32_digits(value: object) -> int:
    """Return a range's bound: an integer of 32 bits in digits."""
    return _sized(int(_matched(_INTEGER, value, "an integer")), INT_BITS)


# Documents and vectors


def document(value: object) -> Any:
    """Return any JSON value that jsonb can store."""
    level: list[object] = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [item for entry in level for item in _parts(entry)]
        if not level:
            return value
    raise ValueError(f"expected JSON of at most {MAX_JSON_DEPTH} levels.")


def _parts(value: object) -> list[Any]:
    """Return what a JSON value holds one level down."""
    match value:
        case None | bool():
            return []
        case str():
            text(value)
            return []
        case int():
            _short(value)
            return []
        case float():
            float64(value)
            return []
        case list() | tuple():
            return list(value)
        case dict():
            for key in value:
                text(key)
            return list(value.values())
        case _:
            raise ValueError("expected JSON.")


def encode_document(value: Any) -> str:
    """Return JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def vector(value: object) -> tuple[float, ...]:
    """Return a vector, from a list of numbers."""
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= 16_000:
        raise ValueError("expected a list of 1 to 16,000 numbers.")
    return tuple(float64(item) for item in value)


def encode_vector(value: tuple[float, ...]) -> str:
    """Return a vector as pgvector reads it."""
    return f"[{','.join(map(repr, value))}]"


def vector_distance(value: object) -> tuple[tuple[float, ...], float]:
    """Return a vector and a distance from it, from ``{vector: [...], distance: 0.5}``."""
    if not isinstance(value, dict) or value.keys() != {"vector", "distance"}:
        raise ValueError("expected an object of `vector` and `distance`.")
    return vector(value["vector"]), float64(value["distance"])


def encode_vector_distance(value: tuple[tuple[float, ...], float]) -> str:
    """Return a vector and a distance as JSON, whose lists pgvector reads as they are."""
    return encode_document({"vector": list(value[0]), "distance": value[1]})

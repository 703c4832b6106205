"""
Dates, times and durations.
"""

import datetime as dt
import decimal
import re
from collections.abc import Callable
from typing import TypeVar

from fraiseql.schema.coercion.words import matched, text

T = TypeVar("T")
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


def date(value: object) -> dt.date:
    """Return a date, from YYYY-MM-DD."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    given = matched(_DATE, value, "a date, YYYY-MM-DD")
    return _calendar(dt.date.fromisoformat, given)


def time(value: object) -> dt.time:
    """Return a time of day without an offset, from HH:MM[:SS[.ffffff]]."""
    if isinstance(value, dt.time):
        given = value
    else:
        given = _calendar(dt.time.fromisoformat, matched(_TIME, value, "a time, HH:MM:SS"))
    if given.tzinfo is not None:
        raise ValueError("expected a time without an offset.")
    return given


def instant(value: object) -> dt.datetime:
    """Return a moment with its offset, from RFC 3339; what has no offset names no moment."""
    if isinstance(value, dt.datetime):
        moment = value
    else:
        given = matched(
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

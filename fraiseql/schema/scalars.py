"""
The one scalar table.

Each class below is a row, declared once: what PostgreSQL calls it, how input is read, how output goes
out and which where-operators apply. From here come the GraphQL types, the coercion of variables, the
filters and the reference in the documentation. The classes are annotations too::

    from fraiseql import scalars

    class Contact:
        email: scalars.Email
        phone: scalars.PhoneNumber | None

Python's own types (``str``, ``UUID``, ``datetime`` ...) stand for their scalars by themselves. An
application adds a scalar by one more subclass of ``Marker``.
"""
# ruff: noqa: SLOT000, SLOT001 - they annotate; nothing makes instances of them

import datetime as dt
import decimal
import enum
import inspect
import ipaddress
import typing
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, LiteralString

from fraiseql.errors import ConfigurationError
from fraiseql.schema import shape
from fraiseql.schema.coercion import (
    documents,
    identifiers,
    network,
    numbers,
    ranges,
    temporal,
    words,
)

Parse = Callable[[object], Any]
Encode = Callable[[Any], str]

_UNSORTABLE = frozenset({"fulltext", "json", "vector"})


@dataclass(frozen=True)
class Scalar:
    """
    One row of the scalar table.

    ``pg``: the PostgreSQL type values are compared as. ``parse``: JSON input -> Python value, or a
    ValueError that does not repeat the value. ``output``: the kind of leaf (``shape.py``). ``family``: whose
    operators apply. ``encode``: parsed value -> PostgreSQL's text format. ``python``: annotations that
    mean this row.
    """

    name: str
    pg: LiteralString
    parse: Parse
    output: int
    family: str
    encode: Encode = str
    python: tuple[type, ...] = ()
    description: str = ""
    specified_by: str | None = None

    @property
    def is_sortable(self) -> bool:
        """Whether rows can be ordered by it."""
        return self.family not in _UNSORTABLE


SCALARS: dict[str, Scalar] = {}
"""Every row, by its GraphQL name."""

_BY_PYTHON: dict[type, Scalar] = {}


class Marker:
    """
    The base of every row; a subclass is a scalar of its own name, described by its docstring.

    The defaults make a scalar that is text in PostgreSQL and in JSON; ``parse`` is left to say.
    """

    __slots__ = ()
    scalar: ClassVar[Scalar]

    def __init_subclass__(
        cls,
        *,
        parse: Parse = words.text,
        pg: LiteralString = "text",
        output: int = shape.TEXT,
        family: str = "text",
        encode: Encode = str,
        python: tuple[type, ...] = (),
        specified_by: str | None = None,
    ) -> None:
        description = " ".join(inspect.cleandoc(cls.__doc__ or "").split())
        cls.scalar = Scalar(
            cls.__name__, pg, parse, output, family, encode, python, description, specified_by
        )
        if SCALARS.setdefault(cls.__name__, cls.scalar) is not cls.scalar:
            raise ConfigurationError(
                f"The scalar {cls.__name__} is declared twice.",
                hint="Give one of them another name.",
            )
        _BY_PYTHON.update(dict.fromkeys(python, cls.scalar))


def scalar_for(annotation: Any) -> Scalar | None:
    """Return the row an annotation stands for: a marker, or a Python type some row names."""
    if typing.get_origin(annotation) is dict:
        return JSON.scalar
    if not isinstance(annotation, type):
        return None
    if issubclass(annotation, Marker):
        return getattr(annotation, "scalar", None)
    return _BY_PYTHON.get(annotation)


def enum_scalar(name: str, members: type[enum.Enum]) -> Scalar:
    """Return the row of an enum: names in GraphQL, the members' values in PostgreSQL."""

    def parse(value: object) -> enum.Enum:
        if isinstance(value, members):
            return value
        if not isinstance(value, str) or value not in members.__members__:
            raise ValueError(f"expected one of the names of {name}.")
        return members[value]

    # By number where they are numbers: 10 comes after 9.
    pg: LiteralString = "int8" if all(type(member.value) is int for member in members) else "text"
    return Scalar(name, pg, parse, shape.ENUM, "enum", _encode_member, (members,))


def _encode_member(member: enum.Enum) -> str:
    value = member.value
    return numbers.encode_boolean(value) if isinstance(value, bool) else str(value)


# GraphQL's own


class String(Marker, output=shape.STRING, python=(str,)):
    """Text of any length."""


class Int(Marker, parse=numbers.int32, pg="int4", output=shape.INT, family="number", python=(int,)):
    """An integer of 32 bits."""


class Float(
    Marker,
    parse=numbers.float64,
    pg="float8",
    output=shape.FLOAT,
    family="number",
    encode=repr,
    python=(float,),
):
    """A number of double precision (IEEE 754)."""


class Boolean(
    Marker,
    parse=numbers.boolean,
    pg="boolean",
    output=shape.BOOLEAN,
    family="boolean",
    encode=numbers.encode_boolean,
    python=(bool,),
):
    """True or false."""


class ID(Marker, str, parse=identifiers.identifier, output=shape.ID, family="id"):
    """An opaque identifier: a string or an integer in, always a string out."""


# Identifiers and numbers


class UUID(
    Marker,
    uuid.UUID,
    parse=identifiers.uuid_,
    pg="uuid",
    family="uuid",
    python=(uuid.UUID,),
    specified_by="https://www.rfc-editor.org/rfc/rfc9562",
):
    """A universally unique identifier, as hexadecimal digits with hyphens."""


class BigInt(Marker, int, parse=numbers.bigint, pg="int8", output=shape.DIGITS, family="number"):
    """An integer of 64 bits. Out: a string of digits; in: that or a number."""


class Decimal(
    Marker,
    decimal.Decimal,
    parse=numbers.exact,
    pg="numeric",
    output=shape.DIGITS,
    family="number",
    encode=numbers.digits,
    python=(decimal.Decimal,),
):
    """An exact decimal number. Out: a string of digits; in: that or a number."""


class Port(Marker, int, parse=numbers.port, pg="int4", output=shape.INT, family="number"):
    """A TCP or UDP port, 1 to 65535."""


class Latitude(
    Marker,
    float,
    parse=numbers.between(-90, 90),
    pg="float8",
    output=shape.FLOAT,
    family="number",
    encode=repr,
):
    """Degrees north of the equator, -90 to 90."""


class Longitude(
    Marker,
    float,
    parse=numbers.between(-180, 180),
    pg="float8",
    output=shape.FLOAT,
    family="number",
    encode=repr,
):
    """Degrees east of Greenwich, -180 to 180."""


# Dates and times


class DateTime(
    Marker,
    dt.datetime,
    parse=temporal.instant,
    pg="timestamptz",
    output=shape.DATETIME,
    family="temporal",
    encode=temporal.encode_instant,
    python=(dt.datetime,),
    specified_by="https://www.rfc-editor.org/rfc/rfc3339",
):
    """A moment, as RFC 3339 writes it, with an offset: 2024-01-31T12:00:00Z."""


class Date(
    Marker,
    dt.date,
    parse=temporal.date,
    pg="date",
    family="temporal",
    encode=dt.date.isoformat,
    python=(dt.date,),
    specified_by="https://www.rfc-editor.org/rfc/rfc3339",
):
    """A date, as RFC 3339 writes it: 2024-01-31."""


class Time(
    Marker,
    dt.time,
    parse=temporal.time,
    pg="time",
    family="temporal",
    encode=dt.time.isoformat,
    python=(dt.time,),
    specified_by="https://www.rfc-editor.org/rfc/rfc3339",
):
    """A time of day without an offset: 12:30:00."""


class Duration(
    Marker,
    dt.timedelta,
    parse=temporal.duration,
    pg="interval",
    family="temporal",
    encode=temporal.encode_duration,
    python=(dt.timedelta,),
    specified_by="https://www.rfc-editor.org/rfc/rfc3339#appendix-A",
):
    """
    A length of time. In: as ISO 8601 writes it (P1DT2H30M) or PostgreSQL does (1 day 02:30:00), without
    years and months, whose lengths vary; out: as PostgreSQL printed it.
    """


class Timezone(Marker, str, parse=words.timezone, specified_by="https://www.iana.org/time-zones"):
    """The name of a time zone in the IANA database: Europe/Berlin."""


# Ranges


class DateRange(
    Marker,
    str,
    parse=ranges.range_of(temporal.date, dt.date.isoformat),
    pg="daterange",
    family="date_range",
):
    """A range of dates, as PostgreSQL writes it: [2024-01-01,2024-02-01)."""


class DateTimeRange(
    Marker,
    str,
    parse=ranges.range_of(temporal.instant, temporal.encode_instant),
    pg="tstzrange",
    family="range",
):
    """A range of moments: [2024-01-01T00:00:00Z,2024-02-01T00:00:00Z)."""


class IntRange(
    Marker, str, parse=ranges.range_of(numbers.int32_digits, str), pg="int4range", family="range"
):
    """A range of integers: [1,10)."""


class NumRange(
    Marker,
    str,
    parse=ranges.range_of(numbers.exact, numbers.digits),
    pg="numrange",
    family="range",
):
    """A range of decimal numbers: [0.5,1.5]."""


# Network


class IpAddress(
    Marker,
    str,
    parse=network.ip_address,
    pg="inet",
    family="network",
    python=(ipaddress.IPv4Address, ipaddress.IPv6Address),
):
    """An IP address, version 4 or 6."""


class CIDR(
    Marker,
    str,
    parse=network.cidr,
    pg="cidr",
    family="network",
    python=(ipaddress.IPv4Network, ipaddress.IPv6Network),
    specified_by="https://www.rfc-editor.org/rfc/rfc4632",
):
    """An IP network: 10.0.0.0/8."""


class IpRange(
    Marker,
    str,
    parse=network.ip_range,
    pg="inet[]",
    family="network",
    encode=network.encode_ip_range,
):
    """Two IP addresses and all between: 10.0.0.1-10.0.0.99. Only for filters."""


class MacAddress(Marker, str, parse=network.mac_address, pg="macaddr", family="mac"):
    """A MAC address of six bytes: 08:00:2b:01:02:03."""


class Hostname(
    Marker, str, parse=network.hostname, specified_by="https://www.rfc-editor.org/rfc/rfc1123"
):
    """A host name."""


# Text of one form


class Email(
    Marker,
    str,
    parse=network.email,
    specified_by="https://html.spec.whatwg.org/#valid-e-mail-address",
):
    """An e-mail address."""


class URL(Marker, str, parse=network.url, specified_by="https://www.rfc-editor.org/rfc/rfc3986"):
    """An absolute URL of the schemes http, https, ftp, ftps, ws or wss."""


class PhoneNumber(
    Marker,
    str,
    parse=words.matching(r"\+[1-9]\d{1,14}", "a phone number, +4930123456", 16),
    specified_by="https://www.itu.int/rec/T-REC-E.164",
):
    """A phone number, as E.164 writes it: +4930123456."""


class Slug(Marker, str, parse=words.matching(r"[A-Za-z0-9_-]+", "letters, digits, _ and -", 255)):
    """Letters, digits, underscores and hyphens."""


class CurrencyCode(
    Marker,
    str,
    parse=words.matching(r"[A-Z]{3}", "three capital letters, EUR", 3),
    specified_by="https://www.iso.org/iso-4217-currency-codes.html",
):
    """A currency, three capital letters (ISO 4217): EUR. Only the form is checked."""


class CountryCode(
    Marker,
    str,
    parse=words.matching(r"[A-Z]{2}", "two capital letters, DE", 2),
    specified_by="https://www.iso.org/iso-3166-country-codes.html",
):
    """A country, two capital letters (ISO 3166-1): DE. Only the form is checked."""


class LanguageCode(
    Marker,
    str,
    parse=words.matching(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", "a language tag, en or pt-BR", 35),
    specified_by="https://www.rfc-editor.org/rfc/rfc5646",
):
    """A language tag (BCP 47): en, pt-BR. Only the form is checked."""


class SemanticVersion(
    Marker,
    str,
    parse=words.semantic_version,
    family="version",
    specified_by="https://semver.org",
):
    """A version, as semver.org writes it: 1.2.3-rc.1. It has no gt: text order is not its order."""


class Markdown(Marker, str, specified_by="https://spec.commonmark.org"):
    """Text with Markdown marks. It is neither rendered nor sanitised here."""


class HTML(Marker, str, specified_by="https://html.spec.whatwg.org"):
    """Text with HTML tags. It is not sanitised here."""


class LTree(
    Marker,
    str,
    parse=words.ltree,
    pg="ltree",
    family="ltree",
    specified_by="https://www.postgresql.org/docs/current/ltree.html",
):
    """A path of labels in a tree: Top.Science.Astronomy. It needs the extension ltree."""


# Documents, text search, vectors


class JSON(
    Marker,
    dict[str, Any],
    parse=documents.document,
    pg="jsonb",
    output=shape.JSON,
    family="json",
    encode=documents.encode_document,
    python=(dict,),
    specified_by="https://www.rfc-editor.org/rfc/rfc8259",
):
    """Any JSON value."""


class TSVector(
    Marker,
    str,
    pg="tsvector",
    family="fulltext",
    specified_by="https://www.postgresql.org/docs/current/datatype-textsearch.html",
):
    """A document prepared for full text search, as PostgreSQL prints it."""


class Vector(
    Marker,
    tuple[float, ...],
    parse=documents.vector,
    pg="vector",
    output=shape.JSON,
    family="vector",
    encode=documents.encode_vector,
    specified_by="https://github.com/pgvector/pgvector",
):
    """A list of numbers, compared by distance. It needs the extension vector."""


class VectorDistance(
    Marker,
    dict[str, Any],
    parse=documents.vector_distance,
    pg="jsonb",
    output=shape.JSON,
    family="json",
    encode=documents.encode_vector_distance,
):
    """A vector and a distance from it: {vector: [0.1, 0.2], distance: 0.5}. Only for filters."""

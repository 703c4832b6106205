"""
Every scalar through PostgreSQL: what was read is stored, goes out as GraphQL, and reads again.
"""

import datetime as dt
import json
import math
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier

from fraiseql.engine.result.reference import Shape
from fraiseql.schema.scalars import SCALARS, Scalar

EXTENSIONS = {"LTree": "ltree", "Vector": "vector"}

# Input, and what goes out when the document holds it; one value where they are the same.
THROUGH: dict[str, list[Any]] = {
    "String": ["", 'O\'Brien "x" \\ \U0001f600\n\u2028', "'; select pg_sleep(5)--"],
    "Int": [0, -(2**31), 2**31 - 1],
    "Float": [0.5, -1.25, 123456.75],
    "Boolean": [True, False],
    "ID": ["abc", (5, "5")],
    "UUID": [("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")],
    "BigInt": ["9223372036854775807", (5, "5")],
    "Decimal": ["1.10", ("1e3", "1000"), "-0.000000000000000000000000000001", "1" * 100],
    "Port": [65535],
    "Latitude": [-33.85],
    "Longitude": [151.21],
    "DateTime": [
        ("2024-01-31T14:00:00.5+02:00", "2024-01-31T12:00:00.5+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
    ],
    "Date": ["2024-02-29", "0001-01-01", "9999-12-31"],
    "Time": ["23:59:59.999999", ("08:00", "08:00:00")],
    "Duration": [("P1DT2H30M", "1 day 02:30:00"), ("-PT0.5S", "-00:00:00.5"), ("P2W", "14 days")],
    "Timezone": ["Europe/Berlin"],
    "DateRange": ["[2024-01-01,2024-02-01)", ("(,2024-01-01]", "(,2024-01-02)"), "empty"],
    "DateTimeRange": [
        (
            "[2024-01-01T00:00:00Z,2024-01-02T00:00:00Z)",
            '["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")',
        )
    ],
    "IntRange": [("[1,10]", "[1,11)")],
    "NumRange": ["[0.5,1.50]"],
    "IpAddress": ["10.0.0.1", ("::FFFF", "::ffff"), "::ffff:1.2.3.4"],
    "CIDR": ["10.0.0.0/8", "2001:db8::/32"],
    "MacAddress": [("08-00-2B-01-02-03", "08:00:2b:01:02:03")],
    "Hostname": ["db-1.example.com"],
    "Email": ["o'brien+tag@example.com"],
    "URL": ["https://example.com/?a=b&c=%20#d"],
    "PhoneNumber": ["+4930123456"],
    "Slug": ["a-b_c"],
    "CurrencyCode": ["EUR"],
    "CountryCode": ["DE"],
    "LanguageCode": ["pt-BR"],
    "SemanticVersion": ["1.2.3-rc.1+5"],
    "Markdown": ["# *x*"],
    "HTML": ["<b>&amp;</b>"],
    "LTree": ["Top.Science"],
    "JSON": [{"a": [1, 2.50, None, "ü", {"b": {}}]}, [], "text", 5, True],
    "TSVector": ["'cat':1 'dog':2"],
    "Vector": [([1, 0.5], "[1,0.5]")],
}
ONLY_ARGUMENTS = {"IpRange", "VectorDistance"}

OFFSETS = st.integers(-15 * 60, 15 * 60).map(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))
)

# Whatever Python can make of the type, PostgreSQL takes and gives back.
GENERATED: dict[str, st.SearchStrategy[Any]] = {
    "String": st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    "Int": st.integers(-(2**31), 2**31 - 1),
    "Float": st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False),
    "BigInt": st.integers(-(2**63), 2**63 - 1),
    "Decimal": st.decimals(allow_nan=False, allow_infinity=False),
    "UUID": st.uuids(),
    "DateTime": st.datetimes(timezones=OFFSETS),
    "Date": st.dates(),
    "Time": st.times(),
    "Duration": st.timedeltas(),
    "IpAddress": st.ip_addresses().filter(lambda address: not getattr(address, "scope_id", None)),
    "JSON": st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), inner
            )
        ),
        max_leaves=10,
    ),
}


@pytest.fixture(scope="module")
def connection(server_uri: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server_uri, autocommit=True) as opened:
        opened.execute("SET timezone = 'UTC'")
        available = {row[0] for row in opened.execute("SELECT name FROM pg_available_extensions")}
        for extension in EXTENSIONS.values():
            if extension in available:
                opened.execute(
                    SQL("CREATE EXTENSION IF NOT EXISTS {}").format(Identifier(extension))
                )
        yield opened


def stored(connection: psycopg.Connection[Any], scalar: Scalar, parsed: Any) -> bytes:
    """Return the document ``{"x": value}`` as PostgreSQL prints it."""
    found = connection.execute(
        SQL("SELECT jsonb_build_object('x', %s::{})::text").format(SQL(scalar.pg)),
        [scalar.encode(parsed)],
    ).fetchone()
    assert found is not None
    return str(found[0]).encode()


def projected(scalar: Scalar, document: bytes) -> Any:
    shape = Shape((11, 1, ((b"x", "x", "T.x", (scalar.output, 1)),)))
    row, errors = shape.project_row(document)
    assert errors == ()
    return json.loads(row)["x"]


def test_every_scalar_goes_through() -> None:
    assert set(THROUGH) | ONLY_ARGUMENTS == set(SCALARS)


@pytest.mark.parametrize(
    ("name", "value", "output"),
    [
        (name, *(entry if isinstance(entry, tuple) else (entry, entry)))
        for name, entries in THROUGH.items()
        for entry in entries
    ],
)
def test_what_comes_in_goes_out_and_comes_in_again(
    connection: psycopg.Connection[Any], name: str, value: Any, output: Any
) -> None:
    if EXTENSIONS.get(name) is not None:
        require(connection, EXTENSIONS[name])
    scalar = SCALARS[name]
    parsed = scalar.parse(value)

    found = projected(scalar, stored(connection, scalar, parsed))

    assert found == output
    if name != "Vector":
        again = scalar.parse(found)
        assert projected(scalar, stored(connection, scalar, again)) == output


def require(connection: psycopg.Connection[Any], extension: str) -> None:
    if not connection.execute(
        "SELECT 1 FROM pg_extension WHERE extname = %s", [extension]
    ).fetchone():
        pytest.skip(f"this server has no extension {extension}")


@pytest.mark.parametrize("name", GENERATED)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_is_read_survives_postgresql(
    connection: psycopg.Connection[Any], name: str, data: st.DataObject
) -> None:
    scalar = SCALARS[name]
    value = data.draw(GENERATED[name])
    try:
        parsed = scalar.parse(value)
    except ValueError:
        return

    found = scalar.parse(projected(scalar, stored(connection, scalar, parsed)))

    if isinstance(found, float):
        assert math.isclose(found, parsed)
    else:
        assert found == parsed


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_a_moment_is_the_same_in_every_session(
    connection: psycopg.Connection[Any], zone: str
) -> None:
    scalar = SCALARS["DateTime"]
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('timezone', %s, true)", [zone])
        found = projected(scalar, stored(connection, scalar, scalar.parse("2024-07-01T12:00:00Z")))

    assert scalar.parse(found) == dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)

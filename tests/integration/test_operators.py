"""
Every operator of the table, on a real column and on a field of a document, against PostgreSQL.

``STORED`` are the values; what each operator must find among them comes from ``ORACLES`` (the same
question asked in Python) or is written out in ``EXPECTED``.
"""

import contextlib
import datetime as dt
import enum
import ipaddress
import operator as python
import re
from collections.abc import Callable, Iterator
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal
from psycopg.types.array import ListDumper

from fraiseql.db.faults import fault
from fraiseql.engine.sql.operators import Column, Json, Operand, condition, encoder, sort_key
from fraiseql.errors import BadUserInput
from fraiseql.schema.operators import OPERATORS, Operator, operators_for
from fraiseql.schema.scalars import SCALARS, Scalar, enum_scalar

INJECTION = "'; select pg_sleep(5)--"
SPECIAL = [INJECTION, '"', "%", "_", "\\", "50%", "a_b", "{}", "{a,b}", "$1", "%s", "%(x)s", ""]

STORED: dict[str, list[Any]] = {
    "String": ["apple", "Apple pie", "axb", "pie\nb", "say \"x\"", "back\\slash", *SPECIAL, None],
    "Int": [9, 10, -1, 0, 2147483647, None],
    "Float": [9.5, 10.0, -0.25, 1e300, 0.1, None],
    "BigInt": [9, 10, -1, 2**63 - 1, None],
    "Decimal": ["9", "10.50", "-0.001", "123456789012345678901234567890.5", None],
    "Port": [80, 443, 8080, None],
    "Latitude": [52.5, -33.9, 0.0, None],
    "Boolean": [True, False, None],
    "ID": ["9", "10", INJECTION, "abc", None],
    "UUID": ["6ba7b810-9dad-11d1-80b4-00c04fd430c8", "00000000-0000-0000-0000-000000000000", None],
    "DateTime": ["2024-01-31T12:00:00Z", "2024-01-31T12:30:00+02:00", "1999-12-31T23:59:59.5Z", None],
    "Date": ["2024-01-31", "2024-02-01", "0099-01-01", None],
    "Time": ["09:30:00", "10:00:00.25", None],
    "Duration": ["PT10H", "PT9H", "P1D", "-PT1H30.5S", "P10D", None],
    "Timezone": ["Europe/Berlin", "UTC", None],
    "Email": ["a@example.com", "b_c@example.org", None],
    "SemanticVersion": ["1.2.3", "1.10.0", "2.0.0-rc.1", None],
    "IpAddress": [
        "10.0.0.5", "10.0.0.99", "192.168.1.1", "8.8.8.8", "127.0.0.1", "169.254.1.1", "100.64.0.1",
        "224.0.0.1", "192.0.2.7", "::1", "fe80::1", "fc00::1", "2001:db8::1", "2606:4700::1111",
        "ff02::1", "9.0.0.1", None,
    ],
    "CIDR": ["10.0.0.0/8", "10.1.0.0/16", "192.168.0.0/24", "2001:db8::/32", "8.8.8.0/24", None],
    "MacAddress": ["08:00:2b:01:02:03", "0a:00:00:00:00:01", None],
    "LTree": ["Top", "Top.Science", "Top.Science.Astronomy", "Top.Arts", "Other", None],
    "DateRange": ["[2024-01-01,2024-02-01)", "[2024-02-01,2024-03-01)", "[2024-01-15,)", "empty", None],
    "DateTimeRange": ["[2024-01-01T00:00:00Z,2024-01-02T00:00:00Z)", "(,2024-01-01T00:00:00Z)", None],
    "IntRange": ["[1,10)", "[10,20)", "[5,15)", None],
    "NumRange": ["[0.5,1.5]", "(1.5,9]", "[10,11)", None],
    "JSON": [{"a": 1, "b": [1, 2]}, {"a": 10}, {"b": None}, [1, 2, INJECTION], "text", 5, None],
    "TSVector": ["'cat':1 'fat':2 'rat':3", "'fat':1 'cat':5", "'dog':1", None],
    "Vector": [[1, 0, 0], [0, 1, 0], [0.9, 0.1, 0], None],
}  # fmt: skip

EXTENSIONS = {"LTree": "ltree", "Vector": "vector"}

LISTS: dict[str, list[Any]] = {
    "String": [
        ["a", "b"],
        ["b", "a"],
        [],
        [INJECTION, '"', "\\", "{}", ","],
        ["a"],
        ["NULL"],
        None,
    ],
    "Int": [[9, 10], [10], [], [10, 10], None],
    "BigInt": [[9, 2**60], [10], [], None],
    "Decimal": [["9.0", "10"], ["10"], [], None],
    "Boolean": [[True], [True, False], [], None],
    "UUID": [["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], [], None],
    "DateTime": [
        ["2024-01-31T12:00:00Z"],
        ["2024-01-31T12:00:00Z", "1999-12-31T23:59:59Z"],
        [],
        None,
    ],
    "Date": [["2024-01-31", "2024-02-01"], ["2024-02-01"], [], None],
    "ID": [["1", "b"], ["1"], [], None],
    "IpAddress": [["10.0.0.1", "::1"], ["::1"], [], None],
}

Oracle = Callable[[Any, Any], bool]
COMPARISONS: dict[str, Oracle] = {
    "eq": python.eq, "neq": python.ne, "gt": python.gt, "gte": python.ge, "lt": python.lt,
    "lte": python.le,
}  # fmt: skip


def length(compare: Oracle) -> Oracle:
    return lambda value, given: compare(len(value), given)


ORACLES: dict[str, Oracle] = {
    **COMPARISONS,
    "in": lambda value, given: value in given,
    "nin": lambda value, given: value not in given,
}
TEXT_ORACLES: dict[str, Oracle] = {
    "contains": lambda value, given: given in value,
    "icontains": lambda value, given: given.lower() in value.lower(),
    "startswith": lambda value, given: value.startswith(given),
    "istartswith": lambda value, given: value.lower().startswith(given.lower()),
    "endswith": lambda value, given: value.endswith(given),
    "iendswith": lambda value, given: value.lower().endswith(given.lower()),
}
LIST_ORACLES: dict[str, Oracle] = {
    "eq": python.eq,
    "neq": python.ne,
    "contains": lambda value, given: set(given) <= set(value),
    "contained_by": lambda value, given: set(value) <= set(given),
    "overlaps": lambda value, given: bool(set(value) & set(given)),
    "any_eq": lambda value, given: given in value,
    "all_eq": lambda value, given: all(item == given for item in value),
    **{f"len_{name}": length(compare) for name, compare in COMPARISONS.items()},
}

# Argument and the indexes of STORED that it finds.
EXPECTED: dict[tuple[str, str], list[tuple[Any, list[int]]]] = {
    ("String", "like"): [("a%e", [0]), ("a_b", [2, 12]), ("a\\_b", [12]), ("%", list(range(19)))],
    ("String", "ilike"): [("A%E", [0, 1]), ("A\\_B", [12])],
    ("String", "matches"): [("^a.*e$", [0]), ("^[A-Z]", [1]), (INJECTION, [])],
    ("String", "imatches"): [("^A.*E$", [0, 1])],
    ("SemanticVersion", "like"): [("1.%", [0, 1])],
    ("SemanticVersion", "ilike"): [("%RC%", [2])],
    ("SemanticVersion", "matches"): [(r"^\d+\.\d+\.0", [1, 2])],
    ("SemanticVersion", "imatches"): [("RC", [2])],
    ("IpAddress", "inSubnet"): [("10.0.0.0/24", [0, 1]), ("10.0.0.5/32", [0]), ("fe80::/10", [10])],
    ("IpAddress", "inRange"): [("10.0.0.5-10.0.0.98", [0]), ("9.0.0.1 - 10.0.0.99", [0, 1, 15])],
    ("IpAddress", "isIPv4"): [(True, [0, 1, 2, 3, 4, 5, 6, 7, 8, 15])],
    ("IpAddress", "isIPv6"): [(True, [9, 10, 11, 12, 13, 14])],
    ("IpAddress", "isPrivate"): [(True, [0, 1, 2, 11])],
    ("IpAddress", "isPublic"): [(True, [3, 13, 15])],
    ("IpAddress", "isLoopback"): [(True, [4, 9])],
    ("IpAddress", "isLinkLocal"): [(True, [5, 10])],
    ("IpAddress", "isMulticast"): [(True, [7, 14])],
    ("IpAddress", "isDocumentation"): [(True, [8, 12])],
    ("IpAddress", "isCarrierGrade"): [(True, [6])],
    ("CIDR", "inSubnet"): [("10.0.0.0/8", [0, 1])],
    ("CIDR", "inRange"): [("10.0.0.0-10.0.255.255", [0])],
    ("CIDR", "isIPv4"): [(True, [0, 1, 2, 4])],
    ("CIDR", "isIPv6"): [(True, [3])],
    ("CIDR", "isPrivate"): [(True, [0, 1, 2])],
    ("CIDR", "isPublic"): [(True, [4])],
    ("CIDR", "isLoopback"): [(True, [])],
    ("CIDR", "isLinkLocal"): [(True, [])],
    ("CIDR", "isMulticast"): [(True, [])],
    ("CIDR", "isDocumentation"): [(True, [3])],
    ("CIDR", "isCarrierGrade"): [(True, [])],
    ("LTree", "ancestor_of"): [("Top.Science.Astronomy", [0, 1, 2]), ("Nowhere", [])],
    ("LTree", "descendant_of"): [("Top.Science", [1, 2])],
    ("LTree", "matches_lquery"): [("*.Science.*", [1, 2]), ("Top.*{1}", [1, 3])],
    ("LTree", "matches_any_lquery"): [(["Other", "*.Arts"], [3, 4]), ([], [])],
    ("LTree", "matches_ltxtquery"): [("Science & Astronomy", [2]), ("!Top", [4])],
    ("LTree", "nlevel_eq"): [(2, [1, 3])],
    ("LTree", "nlevel_neq"): [(1, [1, 2, 3])],
    ("LTree", "nlevel_gt"): [(2, [2])],
    ("LTree", "nlevel_gte"): [(2, [1, 2, 3])],
    ("LTree", "nlevel_lt"): [(2, [0, 4])],
    ("LTree", "nlevel_lte"): [(2, [0, 1, 3, 4])],
    ("DateRange", "contains_date"): [("2024-01-31", [0, 2]), ("2024-02-01", [1, 2])],
    ("DateRange", "gt"): [("[2024-01-15,2024-01-20)", [1, 2])],
    ("DateRange", "gte"): [("[2024-01-15,)", [1, 2])],
    ("DateRange", "lt"): [("[2024-01-15,)", [0, 3])],
    ("DateRange", "lte"): [("[2024-01-15,)", [0, 2, 3])],
    ("IntRange", "gt"): [("[5,15)", [1])],
    ("IntRange", "gte"): [("[5,15)", [1, 2])],
    ("IntRange", "lt"): [("[5,15)", [0])],
    ("IntRange", "lte"): [("[5,15)", [0, 2])],
    ("DateRange", "contains"): [("[2024-01-10,2024-01-20)", [0]), ("empty", [0, 1, 2, 3])],
    ("DateRange", "contained_by"): [("[2024-01-01,2024-06-01)", [0, 1, 3])],
    ("DateRange", "overlaps"): [("[2024-01-31,2024-02-01)", [0, 2])],
    ("DateRange", "adjacent"): [("[2024-03-01,2024-04-01)", [1])],
    ("DateRange", "strictly_left"): [("[2024-02-01,2024-03-01)", [0])],
    ("DateRange", "strictly_right"): [("[2023-01-01,2024-01-10]", [1, 2])],
    ("DateRange", "not_left"): [("[2024-01-15,2024-03-01)", [1, 2])],
    ("DateRange", "not_right"): [("[2024-01-01,2024-02-15)", [0])],
    ("IntRange", "contains"): [("[5,5]", [0, 2])],
    ("IntRange", "contained_by"): [("[1,15)", [0, 2])],
    ("IntRange", "overlaps"): [("[15,30)", [1])],
    ("IntRange", "adjacent"): [("[20,30)", [1])],
    ("IntRange", "strictly_left"): [("[10,11)", [0])],
    ("IntRange", "strictly_right"): [("[0,3)", [1, 2])],
    ("IntRange", "not_left"): [("[5,6)", [1, 2])],
    ("IntRange", "not_right"): [("[0,15)", [0, 2])],
    ("DateTimeRange", "contains"): [("[2024-01-01T10:00:00+01:00,2024-01-01T10:00:00+01:00]", [0])],
    ("NumRange", "contains"): [("[1.5,1.5]", [0])],
    ("JSON", "eq"): [({"a": 10.0}, [1]), ([1, 2, INJECTION], [3]), ("text", [4])],
    ("JSON", "neq"): [("text", [0, 1, 2, 3, 5])],
    ("JSON", "has_key"): [("a", [0, 1]), (INJECTION, [3]), ("text", [4])],
    ("JSON", "has_any_keys"): [(["a", "b"], [0, 1, 2]), ([], [])],
    ("JSON", "has_all_keys"): [(["a", "b"], [0])],
    ("JSON", "contains"): [({"b": [2]}, [0]), ([INJECTION], [3]), ({}, [0, 1, 2])],
    ("JSON", "contained_by"): [({"a": 10, "z": 1}, [1])],
    ("JSON", "path_exists"): [("$.a ? (@ > 9)", [1]), ("$.b[*]", [0, 2])],
    ("JSON", "path_match"): [("$.a > 9", [1]), ("exists($.b)", [0, 2])],
    ("TSVector", "matches"): [("fat & !rat", [1]), ("fat <-> rat", [0])],
    ("TSVector", "plain_query"): [("the fat cat", [0, 1]), (INJECTION, [])],
    ("TSVector", "phrase_query"): [("fat rat", [0]), (INJECTION, [])],
    ("TSVector", "websearch_query"): [("fat -rat", [1]), ("dog or rat", [0, 2]), (INJECTION, [])],
    ("Vector", "eq"): [([1, 0, 0], [0])],
    ("Vector", "neq"): [([1, 0, 0], [1, 2])],
    ("Vector", "l2_distance_lt"): [({"vector": [1, 0, 0], "distance": 0.5}, [0, 2])],
    ("Vector", "cosine_distance_lt"): [({"vector": [0, 5, 0], "distance": 0.1}, [1])],
    ("Vector", "inner_product_distance_lt"): [({"vector": [1, 0, 0], "distance": -0.5}, [0, 2])],
}  # fmt: skip


def coerced(operator: Operator, scalar: Scalar, given: Any) -> Any:
    """Return an argument as the document's coercion would."""
    match operator.argument:
        case "same":
            return scalar.parse(given)
        case "list":
            return [scalar.parse(item) for item in given]
        case "texts":
            return [SCALARS["String"].parse(item) for item in given]
        case argument:
            names = {"boolean": "Boolean", "int": "Int", "text": "String", "json": "JSON"}
            return SCALARS[names.get(argument, argument)].parse(given)


class Table:
    """A table with STORED in the column ``col`` and, under ``x``, in the document ``data``."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        name: str,
        pg_type: LiteralString,
        values: list[str | None],
    ) -> None:
        self.connection = connection
        self.name = Identifier(name)
        connection.execute(
            SQL("CREATE TABLE {} (n int PRIMARY KEY, col {}, data jsonb)").format(
                self.name, SQL(pg_type)
            )
        )
        # One INSERT with both: after an UPDATE the indexes of this transaction would not be used.
        insert = SQL(
            "INSERT INTO {} SELECT given.n, given.col, jsonb_build_object('x', given.col)"
            " FROM (SELECT %s::int AS n, %s::{} AS col) AS given"
        ).format(self.name, SQL(pg_type))
        for number, value in enumerate(values):
            connection.execute(insert, (number, value))
        found = connection.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = to_regclass(%s) AND attname = 'col'",
            [f'"{name}"'],
        ).fetchone()
        assert found is not None
        self.operands: dict[str, Operand] = {
            "column": Column(Identifier("t", "col"), found[0]),
            "document": Json(SQL("(t.data -> {})").format(Literal("x")), SQL("(t.data ->> 'x')")),
        }

    def find(
        self, kind: str, name: str, scalar: Scalar, given: Any, is_list: bool = False
    ) -> list[int]:
        """Return the numbers of the rows that the operator finds."""
        operator = next(row for row in operators_for(scalar, is_list) if row.name == name)
        where = condition(operator, scalar, self.operands[kind], is_list, SQL("%s"))
        parameter = encoder(operator, scalar, is_list)(coerced(operator, scalar, given))
        query = SQL("SELECT n FROM {} AS t WHERE {} ORDER BY n").format(self.name, where)
        return [row[0] for row in self.connection.execute(query, [parameter])]

    def order(self, kind: str, scalar: Scalar) -> list[int]:
        """Return the numbers of the rows in the scalar's order, without nulls."""
        key = sort_key(scalar, self.operands[kind])
        query = SQL("SELECT n FROM {} AS t WHERE {} IS NOT NULL ORDER BY {}, n")
        return [row[0] for row in self.connection.execute(query.format(self.name, key, key))]


@pytest.fixture(scope="module")
def connection(server_uri: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server_uri, autocommit=True) as opened:
        opened.execute("SET timezone = 'UTC'")
        opened.execute("SET lock_timeout = '5s'; SET statement_timeout = '4s'")
        yield opened


@pytest.fixture(scope="module")
def tables(connection: psycopg.Connection[Any]) -> dict[str, Table]:
    return {}


def has_extension(connection: psycopg.Connection[Any], name: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = %s", [name])
    if found.fetchone() is None:
        return False
    connection.execute(SQL("CREATE EXTENSION IF NOT EXISTS {}").format(Identifier(name)))
    return True


def require(connection: psycopg.Connection[Any], extension: str) -> None:
    if not has_extension(connection, extension):
        pytest.skip(f"this server has no extension {extension}")


@pytest.fixture
def table(
    request: pytest.FixtureRequest,
    connection: psycopg.Connection[Any],
    tables: dict[str, Table],
) -> Table:
    """The table of the scalar and the shape the test is parametrised with."""
    name, is_list = request.param
    if name in EXTENSIONS:
        require(connection, EXTENSIONS[name])
    key = f"{name}{'List' if is_list else ''}"
    if key not in tables:
        scalar = SCALARS[name]
        values: list[str | None]
        if is_list:
            # The encoding of lists is under test elsewhere; here psycopg's own stores them.
            values = [None if items is None else literal(scalar, items) for items in LISTS[name]]
            pg_type: LiteralString = scalar.pg + "[]"
        else:
            parse = scalar.parse
            values = [None if item is None else scalar.encode(parse(item)) for item in STORED[name]]
            pg_type = scalar.pg
        tables[key] = Table(connection, key, pg_type, values)
    return tables[key]


def literal(scalar: Scalar, items: list[Any]) -> str:
    dumped = ListDumper(list).dump([scalar.encode(scalar.parse(item)) for item in items])
    return bytes(dumped or b"").decode()


def oracle_cases() -> Iterator[tuple[str, str]]:
    for name in STORED:
        for operator in operators_for(SCALARS[name], is_list=False):
            yield name, operator.name


@pytest.mark.parametrize("kind", ["column", "document"])
@pytest.mark.parametrize(
    ("table", "name", "operator"),
    [((name, False), name, operator) for name, operator in oracle_cases()],
    indirect=["table"],
    ids=[f"{name}-{operator}" for name, operator in oracle_cases()],
)
def test_operator_finds_what_python_finds(
    table: Table, name: str, operator: str, kind: str
) -> None:
    scalar = SCALARS[name]
    for given, expected in questions(scalar, operator):
        assert table.find(kind, operator, scalar, given) == expected, given


def questions(scalar: Scalar, operator: str) -> list[tuple[Any, list[int]]]:
    """Return arguments and what they find: written out, or by an oracle with all values asked for."""
    stored = STORED[scalar.name]
    if operator == "isnull":
        nulls = [number for number, value in enumerate(stored) if value is None]
        others = [number for number, value in enumerate(stored) if value is not None]
        return [(True, nulls), (False, others)]
    if (scalar.name, operator) in EXPECTED:
        written = EXPECTED[scalar.name, operator]
        if operator.startswith("is") and scalar.family == "network":
            present = set(range(len(stored) - 1))
            written = [*written, *((False, sorted(present - set(found))) for _, found in written)]
        return written
    known = [value for value in stored if value is not None]
    if operator in ("in", "nin"):
        asked: list[Any] = [known[:2], known[1:], []]
    else:
        asked = known
    if scalar.family in ("text", "version") and operator in TEXT_ORACLES:
        # Part of a value, none of a value, and every special character.
        return answers(scalar, stored, TEXT_ORACLES[operator], [*known, *SPECIAL, "pp", "PIE"])
    if scalar.family in ("range", "date_range") and operator not in ("eq", "neq", "in", "nin"):
        return []
    return answers(scalar, stored, ORACLES.get(operator), asked)


def rank(value: Any) -> Any:
    """Return what Python compares as PostgreSQL does: addresses of version 4 come before 6."""
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return (value.version, int(value.network_address), value.prefixlen)
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
        return (value.version, int(value))
    return value


def answers(
    scalar: Scalar, stored: list[Any], oracle: Oracle | None, asked: list[Any]
) -> list[tuple[Any, list[int]]]:
    if oracle is None:
        return []

    def value_of(given: Any) -> Any:
        return [value_of(item) for item in given] if isinstance(given, list) else parse(given)

    def parse(given: Any) -> Any:
        # Text arguments of the pattern operators are no whole values.
        try:
            return rank(scalar.parse(given))
        except ValueError:
            return given

    values = [(number, parse(value)) for number, value in enumerate(stored) if value is not None]
    found = [
        (given, [number for number, value in values if oracle(value, value_of(given))])
        for given in asked
    ]
    return [
        (
            given,
            [*numbers, len(stored) - 1] if oracle is ORACLES["nin"] and given == [] else numbers,
        )
        for given, numbers in found
    ]


@pytest.mark.parametrize("kind", ["column", "document"])
@pytest.mark.parametrize("operator", [row.name for row in OPERATORS if "list" in row.families])
@pytest.mark.parametrize(
    ("table", "name"), [((name, True), name) for name in LISTS], indirect=["table"], ids=list(LISTS)
)
def test_list_operator_finds_what_python_finds(
    table: Table, name: str, operator: str, kind: str
) -> None:
    scalar = SCALARS[name]
    values = [
        (number, [scalar.parse(item) for item in items])
        for number, items in enumerate(LISTS[name])
        if items is not None
    ]
    if operator == "isnull":
        assert table.find(kind, operator, scalar, True, is_list=True) == [len(LISTS[name]) - 1]
        return
    for given in list_arguments(LISTS[name], operator):
        if isinstance(given, list):
            asked: Any = [scalar.parse(item) for item in given]
        else:
            asked = given if operator.startswith("len_") else scalar.parse(given)
        expected = [number for number, value in values if LIST_ORACLES[operator](value, asked)]

        assert table.find(kind, operator, scalar, given, is_list=True) == expected, given


def list_arguments(stored: list[Any], operator: str) -> list[Any]:
    if operator.startswith("len_"):
        return [0, 1, 2]
    lists = [items for items in stored if items is not None]
    if operator in ("any_eq", "all_eq"):
        return [item for items in lists for item in items]
    return lists


def test_every_operator_is_executed_for_each_of_its_families() -> None:
    executed = {
        (SCALARS[name].family, operator)
        for name, operator in oracle_cases()
        if questions(SCALARS[name], operator)
    }
    declared = {
        (family, row.name) for row in OPERATORS for family in row.families if family != "list"
    }

    # Enums are rows of their own, and tested below.
    assert {pair for pair in declared - executed if pair[0] != "enum"} == set()


@pytest.mark.parametrize("kind", ["column", "document"])
@pytest.mark.parametrize(
    ("table", "name"),
    [((name, False), name) for name in STORED if SCALARS[name].is_sortable],
    indirect=["table"],
)
def test_rows_are_ordered_by_type(table: Table, name: str, kind: str) -> None:
    scalar = SCALARS[name]
    if scalar.family in ("network", "mac", "ltree", "range", "date_range", "text", "id", "version"):
        assert table.order(kind, scalar) == table.order("column", scalar)
        return
    values = [
        (scalar.parse(value), number)
        for number, value in enumerate(STORED[name])
        if value is not None
    ]

    assert table.order(kind, scalar) == [number for _, number in sorted(values)]


@pytest.mark.parametrize("kind", ["column", "document"])
@pytest.mark.parametrize(
    ("table", "scalar", "operator", "given"),
    [
        (("String", False), "String", "matches", "(["),
        (("String", False), "String", "like", "%\\"),
        (("JSON", False), "JSON", "path_exists", "$.a ? (@ > "),
        (("JSON", False), "JSON", "path_match", INJECTION),
        (("TSVector", False), "TSVector", "matches", "fat cat &&"),
        (("LTree", False), "LTree", "matches_lquery", "a..b"),
        (("LTree", False), "LTree", "matches_any_lquery", ["a", INJECTION]),
        (("LTree", False), "LTree", "matches_ltxtquery", "a &"),
        (("Vector", False), "Vector", "l2_distance_lt", {"vector": [1], "distance": 1}),
    ],
    indirect=["table"],
)
def test_broken_argument_is_an_error_of_the_data(
    table: Table, scalar: str, operator: str, given: Any, kind: str
) -> None:
    with pytest.raises(BadUserInput), faults():
        table.find(kind, operator, SCALARS[scalar], given)


@pytest.mark.parametrize("kind", ["column", "document"])
@pytest.mark.parametrize(
    ("table", "name", "operator", "argument"),
    [
        ((name, False), name, row.name, row.argument)
        for name in ("String", "LTree", "JSON", "TSVector")
        for row in operators_for(SCALARS[name], is_list=False)
        if row.argument in ("text", "texts", "json")
    ],
    indirect=["table"],
)
def test_arguments_are_data(
    table: Table, name: str, operator: str, argument: str, kind: str
) -> None:
    for text in (INJECTION, '"', "' OR true --", "\\'; SELECT 1", "{}", "$1 %s"):
        given = [text] if argument == "texts" else text
        with contextlib.suppress(BadUserInput), faults():
            assert len(table.find(kind, operator, SCALARS[name], given)) < len(STORED[name])


@contextlib.contextmanager
def faults() -> Iterator[None]:
    """Raise what a client is told; a syntax error in a statement of ours is not BadUserInput."""
    try:
        yield
    except psycopg.Error as error:
        raise fault(error) from error


class Mood(enum.Enum):
    HAPPY = "happy"
    SAD = INJECTION


class Level(enum.Enum):
    LOW = 1
    HIGH = 10


@pytest.mark.parametrize("kind", ["column", "document"])
@pytest.mark.parametrize(
    ("members", "pg_type"), [(Mood, "text"), (Mood, "mood"), (Level, "int"), (Level, "int8")]
)
def test_enum_compares_what_is_stored(
    connection: psycopg.Connection[Any], members: type[enum.Enum], pg_type: LiteralString, kind: str
) -> None:
    scalar = enum_scalar("E", members)
    first, second = members
    with connection.transaction(force_rollback=True):
        connection.execute(
            SQL("CREATE TYPE mood AS ENUM ({})").format(
                SQL(", ").join(Literal(member.value) for member in Mood)
            )
        )
        values = [scalar.encode(first), scalar.encode(second), None]
        table = Table(connection, "enums", pg_type, values)
        lists = Table(connection, "lists", pg_type + "[]", [f"{{{scalar.encode(first)}}}", "{}"])

        assert table.find(kind, "eq", scalar, first.name) == [0]
        assert table.find(kind, "neq", scalar, first) == [1]
        assert table.find(kind, "in", scalar, [first.name, second.name]) == [0, 1]
        assert table.find(kind, "nin", scalar, [second.name]) == [0]
        assert table.find(kind, "isnull", scalar, True) == [2]
        assert lists.find(kind, "any_eq", scalar, first.name, is_list=True) == [0]
        assert lists.find(kind, "contains", scalar, [second.name], is_list=True) == []


@pytest.mark.parametrize(
    ("pg_type", "scalar", "stored", "operator", "given", "expected"),
    [
        # The parameter is not cut to the column's size.
        ("varchar(3)", "String", ["abc"], "eq", "abcd", []),
        ("char(3)", "CurrencyCode", ["EUR", "USD"], "in", ["USD", "JPY"], [1]),
        ("numeric(4,1)", "Decimal", ["1.5"], "eq", "1.51", []),
        ("timestamp(0)", "DateTime", ["2024-01-01 10:00:00"], "eq", "2024-01-01T12:00:00+02:00", [0]),
        ("timestamp(0)", "DateTime", ["2024-01-01 10:00:00"], "gt", "2024-01-01T09:59:59.9Z", [0]),
        ("smallint", "Int", ["9", "10"], "lt", 40000, [0, 1]),
        ("bigint", "Int", ["9", "10"], "in", [10, 11], [1]),
        ("bigint", "Float", ["9", "10"], "gt", 9.5, [1]),
        ("integer", "Decimal", ["9", "10"], "gte", "9.5", [1]),
        ("real", "Float", ["0.1"], "eq", 0.1, [0]),
        ("numeric", "Float", ["0.1"], "eq", 0.1, [0]),
        ("double precision", "Decimal", ["0.1"], "eq", "0.1", [0]),
        # A column of text that is bound as something else compares as that.
        ("text", "Int", ["9", "10"], "gt", 9, [1]),
        ("text", "UUID", ["6BA7B810-9dad-11d1-80b4-00c04fd430c8"], "eq",
         "6ba7b8109dad11d180b400c04fd430c8", [0]),
        ("text", "DateTime", ["2024-01-01 10:00:00+00"], "eq", "2024-01-01T12:00:00+02:00", [0]),
        ("json", "JSON", ['{"a": 1}', '{"a": 10}'], "path_match", "$.a > 9", [1]),
        ("text", "JSON", ['{"a": 1}'], "contains", {"a": 1}, [0]),
        # Text and ids compare in the column's own type.
        ("uuid", "ID", ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], "eq",
         "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", [0]),
        ("bigint", "ID", ["9", "10"], "in", ["10", 9], [0, 1]),
        ("bigint", "String", ["9", "10"], "startswith", "1", [1]),
        ("uuid", "String", ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"], "contains", "9dad-11d1", [0]),
        ("positive", "Int", ["9", "10"], "gt", 9, [1]),
        ("name", "String", ["abc"], "istartswith", "AB", [0]),
        # A column that is a document by itself opens as one.
        ("jsonb", "Int", ["9", "10", "null", None], "gt", 9, [1]),
        ("jsonb", "String", ['"a"', '"b"', "null"], "neq", "a", [1]),
        ("json", "Boolean", ["true", "false"], "eq", True, [0]),
        ("jsonb", "JSON", ["1", "null", None], "isnull", True, [1, 2]),
        ("inet", "CIDR", ["10.1.0.0/16"], "inSubnet", "10.0.0.0/8", [0]),
        ("inet", "IpAddress", ["10.0.0.5/24"], "inRange", "10.0.0.4-10.0.0.6", [0]),
        ("macaddr8", "MacAddress", ["08:00:2b:ff:fe:01:02:03"], "eq", "08-00-2B-01-02-03", [0]),
    ],
)  # fmt: skip
def test_columns_of_other_types_compare_as_the_scalar_says(
    connection: psycopg.Connection[Any],
    pg_type: LiteralString,
    scalar: str,
    stored: list[str | None],
    operator: str,
    given: Any,
    expected: list[int],
) -> None:
    with connection.transaction(force_rollback=True):
        connection.execute("CREATE DOMAIN positive AS int CHECK (value > 0)")
        table = Table(connection, "others", pg_type, stored)

        assert table.find("column", operator, SCALARS[scalar], given) == expected


@pytest.mark.parametrize(
    ("pg_type", "scalar", "stored", "operator", "given", "expected"),
    [
        ("varchar(3)[]", "String", ["{abc}"], "contains", ["abcd"], []),
        ("varchar[]", "String", ["{abc}", "{b}"], "overlaps", ["b", "c"], [1]),
        ("bigint[]", "Int", ["{9,10}", "{9}"], "any_eq", 10, [0]),
        ("text[]", "Int", ["{09,10}", "{9}"], "any_eq", 9, [0, 1]),
        ("int[]", "Int", ["{1,NULL}", "{NULL}"], "all_eq", 1, []),
        ("jsonb", "String", ['["a", "b"]', "[]", "null", '"a"', None], "any_eq", "a", [0]),
        ("jsonb", "String", ['["a", "b"]', "[]", "null", '"a"', None], "len_lt", 5, [0, 1]),
        ("jsonb", "String", ['["a", null]', "null"], "contained_by", ["a"], []),
        ("json", "Date", ['["2024-01-01"]'], "contains", ["2024-01-01"], [0]),
        ("jsonb", "JSON", ['[{"a": 1}, 5]'], "contains", [{"a": 1.0}], [0]),
    ],
)
def test_lists_in_other_columns(
    connection: psycopg.Connection[Any],
    pg_type: LiteralString,
    scalar: str,
    stored: list[str | None],
    operator: str,
    given: Any,
    expected: list[int],
) -> None:
    with connection.transaction(force_rollback=True):
        table = Table(connection, "others", pg_type, stored)

        assert table.find("column", operator, SCALARS[scalar], given, is_list=True) == expected


def test_citext_ignores_case_everywhere(connection: psycopg.Connection[Any]) -> None:
    require(connection, "citext")
    scalar = SCALARS["String"]
    with connection.transaction(force_rollback=True):
        table = Table(connection, "folded", "citext", ["Apple", "pear"])
        lists = Table(connection, "folded_lists", "citext[]", ["{Apple}"])

        assert table.find("column", "eq", scalar, "aPPLE") == [0]
        assert table.find("column", "in", scalar, ["PEAR"]) == [1]
        assert table.find("column", "startswith", scalar, "aPP") == [0]
        assert lists.find("column", "any_eq", scalar, "APPLE", is_list=True) == [0]


@pytest.mark.parametrize(
    ("pg_type", "scalar", "value", "index", "operator", "given"),
    [
        ("uuid", "UUID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "(col)", "eq",
         "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("uuid", "ID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "(col)", "in",
         ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"]),
        ("varchar(50)", "String", "abc", "(col)", "eq", "abc"),
        ("text", "String", "abc", "(col text_pattern_ops)", "startswith", "ab"),
        ("bigint", "Int", "5", "(col)", "eq", 5),
        ("bigint", "Int", "5", "(col)", "in", [5, 6]),
        ("smallint", "Int", "5", "(col)", "gt", 4),
        ("timestamptz", "DateTime", "2024-01-01", "(col)", "lt", "2024-02-01T00:00:00Z"),
        ("text[]", "String", "{a,b}", "USING gin (col)", "any_eq", "a"),
        ("text[]", "String", "{a,b}", "USING gin (col)", "contains", ["a"]),
        ("int", "Int", "5", "(col) WHERE col IS NULL", "isnull", True),
        ("tsvector", "TSVector", "'a'", "USING gin (col)", "plain_query", "apples"),
        ("inet", "IpAddress", "10.0.0.1", "USING gist (col inet_ops)", "inSubnet", "10.0.0.0/8"),
        ("daterange", "DateRange", "empty", "USING gist (col)", "contains_date", "2024-01-01"),
    ],
)  # fmt: skip
def test_index_of_a_column_serves(
    connection: psycopg.Connection[Any],
    pg_type: LiteralString,
    scalar: str,
    value: str,
    index: LiteralString,
    operator: str,
    given: Any,
) -> None:
    with connection.transaction(force_rollback=True):
        table = Table(connection, "indexed", pg_type, [value])
        connection.execute(SQL("CREATE INDEX served ON indexed ") + SQL(index))
        is_list = pg_type.endswith("[]")

        assert "served" in plan(table, "column", operator, SCALARS[scalar], given, is_list)


@pytest.mark.parametrize(
    ("pg_type", "scalar", "value", "index", "operator", "given"),
    [
        ("int", "Int", "5", "(((data->>'x')::int4))", "gt", 4),
        ("text", "String", "abc", "((data->>'x'))", "eq", "abc"),
        ("text", "String", "abc", "((data->>'x') text_pattern_ops)", "startswith", "ab"),
        ("uuid", "UUID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "(((data->>'x')::uuid))", "in",
         ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"]),
        ("text[]", "String", "{a,b}", "USING gin ((data->'x'))", "contains", ["a"]),
        ("int[]", "Int", "{1,2}", "USING gin ((data->'x'))", "any_eq", 1),
        ("jsonb", "JSON", '{"a": 1}', "USING gin ((data->'x'))", "has_key", "a"),
        ("inet", "IpAddress", "10.0.0.1", "USING gist (((data->>'x')::inet) inet_ops)", "inSubnet",
         "10.0.0.0/8"),
    ],
)  # fmt: skip
def test_index_of_a_documents_field_serves(
    connection: psycopg.Connection[Any],
    pg_type: LiteralString,
    scalar: str,
    value: str,
    index: LiteralString,
    operator: str,
    given: Any,
) -> None:
    with connection.transaction(force_rollback=True):
        table = Table(connection, "indexed", pg_type, [value])
        connection.execute(SQL("CREATE INDEX served ON indexed ") + SQL(index))
        is_list = pg_type.endswith("[]")

        assert "served" in plan(table, "document", operator, SCALARS[scalar], given, is_list)


def plan(table: Table, kind: str, name: str, scalar: Scalar, given: Any, is_list: bool) -> str:
    """Return the plan of a query that may not read the whole table if it has another way."""
    operator = next(row for row in operators_for(scalar, is_list) if row.name == name)
    where = condition(operator, scalar, table.operands[kind], is_list, SQL("%s"))
    table.connection.execute("SET LOCAL enable_seqscan = off")
    rows = table.connection.execute(
        SQL("EXPLAIN SELECT n FROM {} AS t WHERE {}").format(table.name, where),
        [encoder(operator, scalar, is_list)(coerced(operator, scalar, given))],
    )
    return "\n".join(row[0] for row in rows)


def test_null_is_neither_equal_nor_unequal(connection: psycopg.Connection[Any]) -> None:
    scalar = SCALARS["Int"]
    with connection.transaction(force_rollback=True):
        table = Table(connection, "nulls", "int", ["1", None])

        for kind in ("column", "document"):
            assert table.find(kind, "neq", scalar, 5) == [0]
            assert table.find(kind, "nin", scalar, [5]) == [0]
            assert table.find(kind, "nin", scalar, []) == [0, 1]
            assert table.find(kind, "in", scalar, []) == []


def test_moments_compare_whatever_their_offset(connection: psycopg.Connection[Any]) -> None:
    scalar = SCALARS["DateTime"]
    moment = dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    with connection.transaction(force_rollback=True):
        table = Table(connection, "moments", "timestamptz", ["2024-01-01 10:00:00+00"])

        for kind in ("column", "document"):
            assert table.find(kind, "eq", scalar, moment) == [0]


def test_regular_expressions_agree_with_python() -> None:
    # The patterns of EXPECTED mean the same in both dialects; this keeps the expectations honest.
    for (name, operator), asked in EXPECTED.items():
        if operator in ("matches", "imatches") and SCALARS[name].family in ("text", "version"):
            flags = re.IGNORECASE if operator == "imatches" else re.NOFLAG
            for pattern, expected in asked:
                if pattern != INJECTION:
                    found = [
                        number
                        for number, value in enumerate(STORED[name])
                        if value is not None and re.search(pattern, value, flags)
                    ]
                    assert found == expected

"""Aggregates of random rows are what Python makes of the same rows."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

import fraiseql
from fraiseql import scalars
from fraiseql.db import catalog
from fraiseql.testing import Client, isolated
from tests.differential.documents import Colour
from tests.differential.operations import Draw
from tests.differential.test_paths import bounded

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]
UNITS = ["HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]
QUERY = """query ($by: [%sGroupByInput!], $zone: Timezone, $least: Int) {
  sales: %s(groupBy: $by, timeZone: $zone, having: {count: {gte: $least}}) {
    keys { colour place { city } soldAt soldOn }
    count
    countDistinct { colour pieces place { city } }
    sum { pieces price total }
    avg { pieces price }
    min { pieces price total soldAt soldOn note }
    max { pieces price total soldAt soldOn note }
  }
}"""


@dataclass(frozen=True)
class Row:
    colour: str | None
    city: str | None
    pieces: int | None
    price: Decimal | None
    total: int | None
    sold_at: datetime | None
    sold_on: date | None
    note: str | None


def rows() -> st.SearchStrategy[list[Row]]:
    """Few different values, so that rows meet in groups; instants around changes of clocks too."""
    around = [datetime(2024, 3, 31, tzinfo=UTC), datetime(2024, 10, 27, tzinfo=UTC)]
    instants = st.builds(
        lambda day, minutes: day + timedelta(minutes=minutes),
        st.sampled_from([*around, datetime(2023, 12, 31, 20, tzinfo=UTC)]),
        st.integers(-600, 600),
    )
    values = {
        "colour": st.sampled_from([member.value for member in Colour]),
        "city": st.sampled_from(["Oslo", "Århus"]),
        "pieces": st.integers(-(2**31), 2**31 - 1) | st.integers(0, 2),
        "price": st.decimals(-9, 9, places=2),
        "total": st.integers(-(2**63), 2**63 - 1),
        "sold_at": instants,
        "sold_on": st.dates(date(2023, 12, 1), date(2024, 4, 1)),
        "note": st.sampled_from(["a", "B", "ä", ""]),
    }
    row = st.builds(Row, **{name: st.none() | strategy for name, strategy in values.items()})
    return st.lists(row, max_size=12)


@st.composite
def keys(draw: Draw) -> list[dict[str, Any]]:
    """What rows are grouped by."""
    units = st.sampled_from([*UNITS, "EXACT"])
    choices: dict[str, st.SearchStrategy[Any]] = {
        "colour": st.just(True),
        "place": st.just({"city": True}),
        "soldAt": units,
        "soldOn": units,
    }
    names = draw(st.lists(st.sampled_from(sorted(choices)), unique=True, max_size=3))
    return [{name: draw(choices[name])} for name in names]


@pytest.mark.django_db
@bounded
@given(rows(), keys(), st.sampled_from(ZONES), st.integers(0, 2), st.booleans())
def test_groups_are_what_python_makes_of_the_rows(
    found: list[Row], by: list[dict[str, Any]], zone: str, least: int, of_columns: bool
) -> None:
    with isolated(), transaction.atomic():
        declare()
        fill(found)
        catalog.forget("default")
        variables = {"by": by, "zone": zone, "least": least}
        query = QUERY % (
            ("ColumnSale", "columnFigures") if of_columns else ("Sale", "documentFigures")
        )
        data = Client().query(query, variables).assert_ok()
        transaction.set_rollback(True)
    catalog.forget("default")
    expected = [figures(key, group) for key, group in grouped(found, by, ZoneInfo(zone)).items()]

    assert sorted(map(comparable, data["sales"])) == sorted(
        comparable(group) for group in expected if group["count"] >= least
    )


@pytest.mark.django_db
@bounded
@given(
    rows(),
    st.lists(st.sampled_from(["COLOUR", "PIECES", "SOLD_ON", "NOTE"]), min_size=1, max_size=3),
    st.lists(
        st.sampled_from(["colour: ASC", "pieces: DESC", "soldOn: ASC_NULLS_FIRST", "note: DESC_NULLS_LAST"]),
        max_size=2,
        unique=True,
    ),
    st.booleans(),
)  # fmt: skip
def test_distinct_rows_are_the_first_of_each_kind(
    found: list[Row], by: list[str], order: list[str], of_columns: bool
) -> None:
    name = "columnSale" if of_columns else "documentSale"
    ordered = ", ".join(f"{{{key}}}" for key in [*order, "number: ASC"])
    query = f"""{{
      whole: {name}s(orderBy: [{ordered}]) {{ number colour pieces soldOn note }}
      narrow: {name}s(distinct: [{", ".join(by)}], orderBy: [{ordered}], limit: 5) {{ number }}
      feed: {name}Feed(distinct: [{", ".join(by)}], orderBy: [{ordered}]) {{ totalCount }}
    }}"""
    with isolated(), transaction.atomic():
        declare()
        fill(found)
        catalog.forget("default")
        data = Client().query(query).assert_ok()
        transaction.set_rollback(True)
    catalog.forget("default")
    fields = ["soldOn" if name == "SOLD_ON" else name.lower() for name in by]
    first: dict[tuple[Any, ...], Any] = {}
    for row in data["whole"]:
        first.setdefault(tuple(row[name] for name in fields), row["number"])

    assert [row["number"] for row in data["narrow"]] == list(first.values())[:5]
    assert data["feed"]["totalCount"] == len(first)


def declare() -> None:
    """Declare the sales twice: as documents and as columns."""
    fraiseql.enum(Colour)
    place = fraiseql.type(type("Place", (), {"__annotations__": {"city": str | None}}))
    fields = {
        "id": UUID, "number": int, "colour": Colour | None, "place": place, "pieces": int | None,
        "price": Decimal | None, "total": scalars.BigInt | None, "sold_at": datetime | None,
        "sold_on": date | None, "note": str | None,
    }  # fmt: skip
    namespace = {"__annotations__": fields, "__module__": __name__}
    documents = fraiseql.type(view="v_sale", name="Sale")(type("Sale", (), dict(namespace)))
    columns = fraiseql.type(view="v_sale", jsonb=None, name="ColumnSale")(
        type("ColumnSale", (), dict(namespace))
    )

    class Query(fraiseql.Query):
        document_sales = fraiseql.aggregate(documents, name="documentFigures")
        column_sales = fraiseql.aggregate(columns, name="columnFigures")
        document_rows = fraiseql.many(documents, name="documentSales")
        column_rows = fraiseql.many(columns, name="columnSales")
        document_feed = fraiseql.connection(documents, name="documentSaleFeed")
        column_feed = fraiseql.connection(columns, name="columnSaleFeed")


def fill(found: Sequence[Row]) -> None:
    """Make the view that holds the rows, as columns and as documents of them."""
    with connection.cursor() as cursor:
        cursor.execute("""CREATE TABLE tb_sale (
            colour text, city text, pieces integer, price numeric(9,2), total bigint,
            sold_at timestamptz, sold_on date, note text COLLATE "C",
            number int GENERATED ALWAYS AS IDENTITY, id uuid DEFAULT gen_random_uuid())""")
        cursor.executemany(
            "INSERT INTO tb_sale VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [tuple(vars(row).values()) for row in found],
        )
        cursor.execute("""CREATE VIEW v_sale AS
            SELECT s.*, row_to_json(s.*)::jsonb AS data
              FROM (SELECT *, jsonb_build_object('city', city) AS place FROM tb_sale) AS s""")


def grouped(
    found: Sequence[Row], by: Sequence[dict[str, Any]], zone: ZoneInfo
) -> dict[tuple[Any, ...], list[Row]]:
    """Return the rows of each group by its keys: colour, city, instant, day."""
    groups: dict[tuple[Any, ...], list[Row]] = {} if by else {(None,) * 4: []}
    chosen = {name: unit for item in by for name, unit in item.items()}
    for row in found:
        key = (
            row.colour if "colour" in chosen else None,
            row.city if "place" in chosen else None,
            cut(row.sold_at, chosen.get("soldAt"), zone),
            cut(row.sold_on, chosen.get("soldOn"), zone),
        )
        groups.setdefault(key, []).append(row)
    return groups


def cut(value: Any, unit: str | None, zone: ZoneInfo) -> Any:
    """Return the beginning of the unit of time that ``value`` lies in."""
    if value is None or unit is None or unit == "EXACT":
        return None if unit is None else value
    if not isinstance(value, datetime):
        return value if unit == "HOUR" else first_day(value, unit)
    local = value.astimezone(zone)
    if unit == "HOUR":
        # Minutes of the local clock, which runs evenly within an hour.
        return value - timedelta(minutes=local.minute, seconds=local.second)
    day = first_day(local.date(), unit)
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def first_day(day: date, unit: str) -> date:
    """Return the first day of the unit of time that ``day`` lies in."""
    if unit == "WEEK":
        return day - timedelta(days=day.weekday())
    month = {
        "DAY": day.month,
        "MONTH": day.month,
        "QUARTER": (day.month - 1) // 3 * 3 + 1,
        "YEAR": 1,
    }
    return day.replace(month=month[unit], day=day.day if unit == "DAY" else 1)


def figures(key: tuple[Any, ...], group: Sequence[Row]) -> dict[str, Any]:
    """Return a group as the answer has it."""
    colour, city, instant, day = key
    named = {"pieces": "pieces", "price": "price", "total": "total", "soldAt": "sold_at",
             "soldOn": "sold_on", "note": "note"}  # fmt: skip

    def values(name: str) -> list[Any]:
        return [value for row in group if (value := getattr(row, name)) is not None]

    def each(made: Any, *names: str) -> dict[str, Any]:
        return {name: made(values(named[name])) if values(named[name]) else None for name in names}

    ends = ("pieces", "price", "total", "soldAt", "soldOn", "note")
    return {
        "keys": {
            "colour": None if colour is None else Colour(colour).name,
            "place": {"city": city},
            "soldAt": instant,
            "soldOn": day,
        },
        "count": len(group),
        "countDistinct": {
            "colour": len(set(values("colour"))),
            "pieces": len(set(values("pieces"))),
            "place": {"city": len(set(values("city")))},
        },
        "sum": each(sum, "pieces", "price", "total"),
        "avg": each(statistics.mean, "pieces", "price"),
        "min": each(least_text, *ends),
        "max": each(greatest_text, *ends),
    }


def least_text(values: list[Any]) -> Any:
    """Return the least; text by its bytes in UTF-8, as the collation "C" does."""
    return min(values, key=lambda value: value.encode() if isinstance(value, str) else value)


def greatest_text(values: list[Any]) -> Any:
    """Return the greatest, as ``least_text`` compares."""
    return max(values, key=lambda value: value.encode() if isinstance(value, str) else value)


def comparable(value: Any) -> str:
    """Return a value as text that is equal for equal values, whatever they came as."""
    if isinstance(value, dict):
        return "{" + " ".join(f"{name}={comparable(item)}" for name, item in value.items()) + "}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        try:
            return comparable(Decimal(value))
        except ArithmeticError:
            return value
    if isinstance(value, int | float | Decimal | Fraction) and not isinstance(value, bool):
        # An average has as many digits as PostgreSQL finds good.
        return f"{float(value):.10g}"
    return str(value)

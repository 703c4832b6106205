"""Reading bound types from Python."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser

from fraiseql.engine.context import Context
from fraiseql.engine.database import AsyncDatabase, Database
from fraiseql.errors import BadUserInput, ConfigurationError, Conflict
from fraiseql.testing import Client, assert_statements
from tests.shop.bindings import (
    Book,
    Category,
    Courier,
    Grade,
    Maker,
    Office,
    Status,
    StockLevel,
    Tool,
    Ware,
)

pytestmark = pytest.mark.django_db

ANVIL = UUID("00000000-0000-4000-8000-0000000000a1")


@pytest.fixture
def db() -> Database:
    """The default database."""
    return Database()


def names(found: list[Any]) -> list[str]:
    return [item.name for item in found]


def test_instances_with_python_values(db: Database) -> None:
    atlas = db.find_one(Ware, identifier="atlas")

    assert isinstance(atlas, Book)
    assert (atlas.price, atlas.status, atlas.grade) == (
        Decimal("40.5000"),
        Status.ON_SALE,
        Grade.HIGH,
    )
    assert atlas.released_at == datetime(2024, 1, 31, 12, tzinfo=UTC)
    assert atlas.barcode == 9007199254740993
    assert atlas.maker is not None
    assert atlas.maker.label() == "Birch Bücher (DE)"


def test_columns_are_instances_too(db: Database) -> None:
    level = db.find_one(StockLevel, ware="Drill")
    courier = db.find_one(Courier, id=1)

    assert level is not None
    assert (level.quantity, level.price) == (3, Decimal("129.0001"))
    assert courier is not None
    assert (courier.zones, courier.grade) == ([1, 2], Grade.LOW)


def test_one_statement_a_read(db: Database) -> None:
    with assert_statements(1):
        db.find(Maker, order_by="name")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (None, ["Anvil & Sons", "Birch Bücher", "Cobalt"]),
        ({"name": "Cobalt"}, ["Cobalt"]),
        ({"id": ANVIL}, ["Anvil & Sons"]),
        ({"id": str(ANVIL)}, ["Anvil & Sons"]),
        ({"id": {"in": [ANVIL]}}, ["Anvil & Sons"]),
        ({"country": None}, ["Cobalt"]),
        ({"country": {"isnull": False}}, ["Anvil & Sons", "Birch Bücher"]),
        ({"country": {"eq": None}}, ["Cobalt"]),
        ({"founded": {"gte": 1899, "lt": 1950}}, ["Anvil & Sons"]),
        ({"office": {"address_line_1": {"startswith": "3"}}}, ["Cobalt"]),
        ({"office": {"dns_1_id": 53}}, ["Anvil & Sons"]),
        ({"OR": [{"name": "Cobalt"}, {"country": "DE"}]}, ["Birch Bücher", "Cobalt"]),
        ({"NOT": {"name": "Cobalt"}}, ["Anvil & Sons", "Birch Bücher"]),
        ({"AND": [{"NOT": {"name": "Cobalt"}}, {"founded": 1950}]}, ["Birch Bücher"]),
        ({"name": {"icontains": "bücher"}}, ["Birch Bücher"]),
    ],
)
def test_where(db: Database, where: Any, found: list[str]) -> None:
    assert names(db.find(Maker, where, order_by="name")) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"tags": {"contains": ["maps"]}}, ["Atlas", "Fables"]),
        ({"tags": {"contains": "maps"}}, ["Atlas", "Fables"]),
        ({"tags": {"overlaps": {"steel"}}}, ["Crowbar", "Drill"]),
        ({"tags": []}, ["Bradawl"]),
        ({"status": Status.WITHDRAWN}, ["Drill"]),
        ({"status": "WITHDRAWN"}, ["Drill"]),
        ({"status": {"in": [Status.WITHDRAWN, "SOLD_OUT"]}}, ["Bradawl", "Drill", "Fables"]),
        ({"attributes": {"length": 9}}, ["Drill"]),
        ({"released_at": {"gt": datetime(2024, 2, 1, tzinfo=UTC)}}, ["Drill"]),
        ({"price": {"lt": Decimal("7.01")}}, ["Bradawl"]),
        ({"maker": {"office": {"ipv4_address": {"inSubnet": "10.0.0.0/8"}}, "founded": 1899}},
         ["Bradawl", "Crowbar", "Drill"]),
    ],
)  # fmt: skip
def test_where_in_python_s_values(db: Database, where: Any, found: list[str]) -> None:
    assert names(db.find(Ware, where, order_by="name", limit=10)) == found


def test_json_takes_operators_and_documents(db: Database) -> None:
    contains = {"contains": {"length": 9}}

    assert names(db.find(Ware, {"attributes": contains})) == ["Drill"]
    assert names(db.find(Ware, {"attributes": {"eq": {"length": 9}}})) == ["Drill"]
    assert names(db.find(Ware, {"attributes": {"length": 9}})) == ["Drill"]
    assert names(db.find(Ware, {"attributes": [1, {"a": None}]})) == ['Essays "50%"']


@pytest.mark.parametrize(
    ("order_by", "found"),
    [
        ("name", "ABC"),
        ("-name", "CBA"),
        (["-office.address_line_1", "name"], "BCA"),
        (["founded", "-name"], "ABC"),
    ],
)
def test_order(db: Database, order_by: Any, found: str) -> None:
    assert "".join(name[0] for name in names(db.find(Maker, order_by=order_by))) == found


def test_limit_and_offset(db: Database) -> None:
    assert names(db.find(Maker, order_by="name", limit=1, offset=1)) == ["Birch Bücher"]


def test_nothing_found(db: Database) -> None:
    assert db.find_one(Maker, name="Nobody") is None
    assert db.find(Maker, {"name": "Nobody"}) == []


def test_the_same_awaited() -> None:
    async def scenario() -> None:
        for database in (AsyncDatabase(), AsyncDatabase(in_thread=True)):
            assert names(await database.find(Maker, {"name": "Cobalt"})) == ["Cobalt"]
            one = await database.find_one(Maker, {"founded": {"gt": 1}}, identifier="anvil")
            assert one is not None
            assert one.country == "NO"
            assert await database.find_one(Maker, name="Nobody") is None

    async_to_sync(scenario)()


@pytest.mark.parametrize(
    ("type_", "where", "order_by", "message", "hint"),
    [
        (Office, None, (), "Office is bound to no view", "view="),
        (int, None, (), "int is not declared", "@fraiseql.type"),
        (Maker, {"nam": 1}, (), "Maker has no field 'nam'", "Did you mean 'name'?"),
        (Maker, {"zzz": 1}, (), "Maker has no field 'zzz'", "It has: id, "),
        (Maker, {"name": {"equals": 1}}, (), "Maker.name has no operator 'equals'", ""),
        (Maker, {"name": {"startwith": "A"}}, (), "no operator 'startwith'", "'startswith'"),
        (Maker, None, "nme", "Maker has no field 'nme'", "'name'"),
        (Maker, None, "name.length", "Maker.name has no fields to order by", ""),
        (Maker, {"office": {"street": "x"}}, (), "Office has no field 'street'", ""),
    ],
)
def test_what_cannot_be_asked(
    db: Database, type_: Any, where: Any, order_by: Any, message: str, hint: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        db.find(type_, where, order_by)

    assert hint in (caught.value.hint or "")


def test_a_value_that_does_not_fit_is_refused(db: Database) -> None:
    with pytest.raises(BadUserInput, match="id is not a UUID"):
        db.find(Maker, {"id": "anvil"})
    with pytest.raises(BadUserInput, match="founded: expected an integer"):
        db.find(Maker, {"founded": {"gt": "x"}})


def test_fields_by_their_graphql_names(db: Database) -> None:
    assert db.find_one(Maker, {"office": {"dns1Id": 53}}) is not None


def test_integer_ids(db: Database) -> None:
    assert names(db.find(Category, {"id": {"in": [2, "3"]}}, order_by="name")) == ["Books", "Tools"]
    assert isinstance(db.find_one(Ware, identifier="drill"), Tool)


# The context


def test_a_context_is_the_request_with_the_database() -> None:
    request = Client().request
    context = Context(request, "db", "async db")
    context["answer"] = 42

    assert context.user == context["user"] == AnonymousUser()
    assert context.db == context["db"] == "db"
    assert (context.get("answer"), context.get("missing"), context.get("missing", 1)) == (
        42,
        None,
        1,
    )
    assert ("answer" in context, "db" in context, "missing" in context) == (True, True, False)
    assert list(context) == ["db", "request", "viewer", "answer"]
    with pytest.raises(KeyError):
        context["missing"]
    with pytest.raises(AttributeError):
        _ = context.missing
    with pytest.raises(AttributeError):
        _ = context.__wrapped__


def test_its_asynchronous_twin_shares_everything_but_the_database() -> None:
    context = Context(Client().request, "db", "async db")
    context["answer"] = 42
    context.bind({"a": 1, "b": Conflict("Taken.")})
    twin = context.for_async()
    twin["more"] = 43

    assert (twin.db, twin["answer"], context["more"]) == ("async db", 42, 43)
    assert twin.take_bound("a") == 1
    with pytest.raises(Conflict):
        twin.take_bound("b")


def test_a_context_without_a_request() -> None:
    context = Context(None, "db", "async db")

    with pytest.raises(AttributeError):
        _ = context.user

"""Reading and writing by the names of the database's own objects."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

import fraiseql
from fraiseql.cqrs import CommandRepository, QueryRepository
from fraiseql.engine.database import AsyncDatabase, PageOf
from fraiseql.errors import BadUserInput, ConfigurationError, Conflict
from fraiseql.schema import registry
from fraiseql.testing import Client, assert_statements
from tests.shop.bindings import Maker, Office, Ware

pytestmark = pytest.mark.django_db
QUERIES, COMMANDS = QueryRepository(), CommandRepository()


def names(found: list[Any]) -> list[str]:
    return [item.name for item in found]


@pytest.fixture
def commands() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE tb_note (id int PRIMARY KEY, text text);"
            "CREATE FUNCTION fn_note(p_id int, p_text text DEFAULT 'none') RETURNS int LANGUAGE sql AS"
            " $$ INSERT INTO tb_note VALUES (p_id, p_text) RETURNING id $$;"
            "CREATE FUNCTION fn_notes() RETURNS SETOF tb_note LANGUAGE sql AS $$ SELECT * FROM tb_note $$"
        )


def test_a_row_by_identifier_and_by_id() -> None:
    atlas = QUERIES.find_one("tv_ware", identifier="atlas")

    assert atlas.name == "Atlas"
    assert QUERIES.find_one(Ware, id=atlas.id).identifier == "atlas"
    assert QUERIES.find_one("tv_ware", identifier="nothing") is None


def test_rows_by_a_condition() -> None:
    found = QUERIES.find("v_maker", {"country": {"isnull": False}}, order_by="-name", limit=1)

    assert len(found) == 1
    assert isinstance(found[0], Maker)


def test_rows_are_counted_in_one_statement() -> None:
    with assert_statements(1):
        count = QUERIES.count("v_maker")
    assert count == len(QUERIES.find("v_maker"))
    assert QUERIES.count("v_maker", identifier="nobody") == 0
    assert QUERIES.exists("v_maker", name=names(QUERIES.find("v_maker"))[0])
    assert not QUERIES.exists("v_maker", identifier="nobody")


def test_pages_follow_each_other() -> None:
    everything = names(QUERIES.find("tv_ware", order_by="name"))
    seen: list[str] = []
    after = None
    while True:
        with assert_statements(1):
            page = QUERIES.paginate(
                "tv_ware", order_by="name", first=2, after=after, with_total=True
            )
        seen += names(page.items)
        assert page.total == len(everything)
        assert page.has_previous_page is (after is not None)
        if not page.has_next_page:
            break
        after = page.end_cursor
    back = QUERIES.paginate("tv_ware", order_by="name", last=1, before=page.start_cursor)

    assert seen == everything
    assert names(back.items) == [everything[-len(page.items) - 1]]
    assert back.total is None


def test_figures_are_those_of_graphql() -> None:
    with assert_statements(1):
        (all_of_them,) = QUERIES.aggregate("tv_ware", sum=["price", "stock"], max=["name"])
    by_maker = QUERIES.aggregate(
        Ware, {"stock": {"gt": 0}}, group_by=["status", "maker.id"], avg=["weight"]
    )
    asked = Client().query(
        """{ all: waresAggregate { count sum { price stock } max { name } }
        groups: waresAggregate(where: {stock: {gt: 0}}, groupBy: [{status: true}, {maker: {id: true}}]) {
            keys { status maker { id } } count avg { weight } } }"""
    )
    expected = asked.assert_ok()

    assert all_of_them == {
        "count": expected["all"][0]["count"],
        "sum_price": Decimal(expected["all"][0]["sum"]["price"]),
        "sum_stock": int(expected["all"][0]["sum"]["stock"]),
        "max_name": expected["all"][0]["max"]["name"],
    }
    assert [(row["count"], row["avg_weight"]) for row in by_maker] == [
        (group["count"], group["avg"]["weight"]) for group in expected["groups"]
    ]
    assert [str(row["maker.id"]) for row in by_maker] == [
        str(group["keys"]["maker"]["id"]) for group in expected["groups"]
    ]


def test_figures_that_there_are_not_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no sum of 'name'"):
        QUERIES.aggregate(Ware, sum=["name"])
    with pytest.raises(BadUserInput, match="no measure 'median'"):
        QUERIES.aggregate(Ware, median=["price"])


def test_a_page_has_one_direction() -> None:
    with pytest.raises(BadUserInput, match="first or last"):
        QUERIES.paginate("tv_ware", first=1, last=1)


def test_they_are_awaited_in_asynchronous_code(commands: None) -> None:
    async def work() -> tuple[int, bool, PageOf[Any], Any, Any, Any]:
        db = AsyncDatabase(in_thread=True)
        queries, writes = QueryRepository(db), CommandRepository(db)
        async with writes.transaction():
            made = await writes.call("fn_note", 7)
        return (
            await queries.count("v_maker"),
            await queries.exists("v_maker", identifier="nobody"),
            await queries.paginate("v_maker", first=1),
            made,
            await queries.find_one("tv_ware", identifier="atlas"),
            await queries.aggregate("v_maker"),
        )

    count, exists, page, made, atlas, figures = async_to_sync(work)()

    assert (count, exists, made, atlas.name) == (QUERIES.count("v_maker"), False, 7, "Atlas")
    assert len(page.items) == 1
    assert figures == [{"count": count}]


def test_functions_are_called_by_position_and_by_name(commands: None) -> None:
    assert COMMANDS.call("fn_note", 1, "one") == 1
    assert COMMANDS.call("public.fn_note", 2, p_text="two") == 2
    assert COMMANDS.call("fn_note", p_id=3) == 3

    assert COMMANDS.rows("fn_notes") == [
        {"id": 1, "text": "one"}, {"id": 2, "text": "two"}, {"id": 3, "text": "none"},
    ]  # fmt: skip


def test_calls_of_a_block_all_happen_or_none(commands: None) -> None:
    def twice() -> None:
        with COMMANDS.transaction():
            COMMANDS.call("fn_note", 1)
            COMMANDS.call("fn_note", 1)

    with pytest.raises(Conflict):
        twice()

    assert COMMANDS.rows("fn_notes") == []


def test_names_are_quoted(commands: None) -> None:
    with pytest.raises(Exception, match="no longer has"):
        COMMANDS.call('fn_note"(1); DROP TABLE tb_note; --')

    assert COMMANDS.rows("fn_notes") == []


def test_a_view_nobody_is_bound_to_is_named() -> None:
    with pytest.raises(ConfigurationError, match="No type is bound to 'v_makr'") as caught:
        QUERIES.find_one("v_makr", id=UUID(int=1))

    assert caught.value.hint
    assert "v_maker" in caught.value.hint


def test_a_type_that_is_only_embedded_cannot_be_counted() -> None:
    with pytest.raises(ConfigurationError, match="Office is bound to no view"):
        QUERIES.count(Office)


def test_of_two_types_over_one_view_the_class_says_which() -> None:
    with registry.isolated():

        @fraiseql.type(view="v_maker")
        class Firm:
            name: str

        @fraiseql.type(view="v_maker")
        class Brand:
            name: str

        class Query(fraiseql.Query):
            firms = fraiseql.many(Firm)

        with pytest.raises(ConfigurationError, match="v_maker is bound to Firm, Brand"):
            QUERIES.count("v_maker")
        assert QUERIES.count(Brand) == QUERIES.count(Firm) > 0

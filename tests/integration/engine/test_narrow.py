"""Lists narrowed by a search and to one row of a kind, and counts that are estimated."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

import fraiseql
from fraiseql.db import catalog
from fraiseql.testing import AsyncClient, Client, Result, isolated
from tests.integration.engine.conftest import Ask

Answer = Callable[..., Result]
Sql = Callable[..., list[tuple[Any, ...]]]


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in rows]


# Search


@pytest.fixture
def ranked(sql: Sql) -> None:
    """Wares that speak of steel once, twice and three times, and one that does not."""
    sql("DELETE FROM tv_ware")
    for number, name in enumerate(
        ["steel", "steel steel", "steel steel steel", "wood", "steel steel"]
    ):
        sql(
            """INSERT INTO tv_ware (id, identifier, data)
               SELECT %s::uuid, %s, data || jsonb_build_object('name', %s::text, 'tags', '[]'::jsonb)
                 FROM v_ware WHERE identifier = 'atlas'""",
            f"00000000-0000-4000-8000-00000000000{number}", str(number), name,
        )  # fmt: skip


def test_the_best_comes_first(ask: Ask, ranked: None) -> None:
    assert [len(name.split()) for name in names(ask('{ wares(search: "steel") { name } }')["wares"])] == [
        3, 2, 2, 1,
    ]  # fmt: skip


def test_an_order_of_its_own_goes_before_the_rank(ask: Ask, ranked: None) -> None:
    query = '{ wares(search: "steel", orderBy: [{name: ASC}]) { name } }'

    assert [len(name.split()) for name in names(ask(query)["wares"])] == [1, 2, 2, 3]


@pytest.mark.parametrize("given", ["null", "$none"])
def test_a_search_for_null_is_none(ask: Ask, given: str) -> None:
    variable = "query ($none: String)" if given == "$none" else ""
    data = ask(f"{variable} {{ wareFeed(search: {given}) {{ totalCount }} }}")

    assert data["wareFeed"]["totalCount"] == 6


@pytest.mark.parametrize(
    "text",
    ["", " ", "the", '"', '""" or', "-", "or or or", "a & | ! <-> b:*", "\\", "'; SELECT 1 --", "%s %%",
     "(((", "steel" * 200, "s " * 500, "\N{PILE OF POO}"],
)  # fmt: skip
def test_whatever_is_searched_for_is_a_query(answer: Answer, text: str) -> None:
    query = """query ($text: String) {
      wares(search: $text) { name }
      wareFeed(search: $text, first: 1) { totalCount estimatedCount edges { cursor } }
      waresAggregate(search: $text) { count }
    }"""

    assert answer(query, text=text).errors == []


def test_a_text_that_postgresql_cannot_hold_is_refused(answer: Answer) -> None:
    for result in (
        answer("query ($text: String) { wares(search: $text) { name } }", text="a\0b"),
        answer('{ wares(search: "a\\u0000b") { name } }'),
    ):
        assert [error["extensions"]["code"] for error in result.errors] == ["BAD_USER_INPUT"]


def test_a_long_text_is_refused(answer: Answer) -> None:
    query = "query ($text: String) { wares(search: $text) { name } makers { name } }"
    result = answer(query, text="s" * 1001)

    assert [error["message"] for error in result.errors] == [
        "search has more than 1,000 characters."
    ]
    assert result.errors[0]["path"] == ["wares"]


def test_a_search_is_paged_by_rank(ask: Ask, ranked: None) -> None:
    query = """query ($after: String, $before: String, $first: Int, $last: Int) {
      wareFeed(search: "steel", first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { name identifier } } pageInfo { hasNextPage hasPreviousPage endCursor }
      }
    }"""
    whole = ask(query, first=10)["wareFeed"]["edges"]
    pages, after = [], None
    while True:
        page = ask(query, first=1, after=after)["wareFeed"]
        pages += page["edges"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    back = ask(query, last=2, before=whole[-1]["cursor"])["wareFeed"]["edges"]

    assert pages == whole
    assert back == whole[1:3]


def test_a_cursor_of_a_search_is_not_one_of_the_list(answer: Answer, ranked: None) -> None:
    cursor = Client().query('{ wareFeed(search: "steel") { pageInfo { endCursor } } }')
    after = cursor.assert_ok()["wareFeed"]["pageInfo"]["endCursor"]
    (error,) = answer("query ($after: String) { wareFeed(after: $after) { totalCount edges { cursor } } }",
                      after=after).errors  # fmt: skip

    assert error["message"] == "after is a cursor of another list or order."


def test_groups_are_those_of_the_search(ask: Ask, ranked: None) -> None:
    query = """{ waresAggregate(search: "steel", groupBy: [{name: true}], orderBy: [{count: DESC}], limit: 1)
                 { keys { name } count } }"""

    assert ask(query)["waresAggregate"] == [{"keys": {"name": "steel steel"}, "count": 2}]


def test_types_without_a_search_column_have_no_search(answer: Answer) -> None:
    (error,) = answer('{ makers(search: "x") { name } }').errors

    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_a_column_that_is_not_there_is_not_searched(answer: Answer) -> None:
    with isolated():

        @fraiseql.type(view="tv_ware", search="nowhere")
        class Ware:
            name: str

        class Query(fraiseql.Query):
            wares = fraiseql.many(Ware)

        (error,) = answer('{ wares(search: "x") { name } }').errors

    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


# Distinct


def test_the_first_of_each_kind_is_the_first_in_order(ask: Ask) -> None:
    query = """query ($by: [WareDistinctField!]) {
      wares(distinct: $by, orderBy: [{stock: DESC}]) { name status grade }
    }"""

    assert names(ask(query, by=["STATUS"])["wares"]) == ['Essays "50%"', "Drill", "Fables"]
    assert names(ask(query, by=["GRADE"])["wares"]) == ['Essays "50%"', "Atlas", "Fables"]
    assert len(ask(query, by=["GRADE", "STATUS", "GRADE"])["wares"]) == 4
    assert len(ask(query, by=[])["wares"]) == len(ask(query, by=None)["wares"]) == 5


def test_null_is_a_kind_of_its_own(ask: Ask) -> None:
    data = ask("{ wareFeed(distinct: [GRADE]) { totalCount } }")

    assert data["wareFeed"]["totalCount"] == 3


def test_where_comes_before_distinct(ask: Ask) -> None:
    query = """query ($least: Int) {
      wares(distinct: [STATUS], where: {stock: {lt: $least}}, orderBy: [{stock: DESC}]) { name }
    }"""

    assert names(ask(query, least=10)["wares"]) == ["Atlas", "Drill", "Fables"]


def test_pages_of_distinct_rows_make_the_whole(ask: Ask) -> None:
    query = """query ($after: String, $first: Int) {
      wareFeed(distinct: [STATUS, GRADE], orderBy: [{price: ASC}], first: $first, after: $after) {
        edges { node { name } } pageInfo { hasNextPage endCursor }
      }
    }"""
    whole = ask(query, first=10)["wareFeed"]["edges"]
    pages, after = [], None
    for _ in whole:
        page = ask(query, first=1, after=after)["wareFeed"]
        pages += page["edges"]
        after = page["pageInfo"]["endCursor"]

    assert pages == whole
    assert len(whole) == 4


def test_columns_are_distinct_as_documents_are(ask: Ask) -> None:
    data = ask(
        "{ stockLevels(distinct: [HAS_MAKER], orderBy: [{quantity: DESC}]) { ware hasMaker } }"
    )

    assert data["stockLevels"] == [
        {"ware": 'Essays "50%"', "hasMaker": True},
        {"ware": "Fables", "hasMaker": False},
    ]


# Related rows


@pytest.fixture
def letters(sql: Sql) -> Iterator[None]:
    """Two people and their letters, which can be searched."""
    sql("""CREATE TABLE tb_person (id int PRIMARY KEY, name text NOT NULL)""")
    sql("""CREATE TABLE tb_letter (
           id int PRIMARY KEY, person_id int NOT NULL, topic text NOT NULL, body text NOT NULL,
           words tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED)""")
    sql("INSERT INTO tb_person VALUES (1, 'Ada'), (2, 'Bo')")
    sql("""INSERT INTO tb_letter VALUES (1, 1, 'a', 'sea'), (2, 1, 'a', 'sea sea'), (3, 1, 'b', 'sea hill'),
                                        (4, 2, 'a', 'hill'), (5, 2, 'b', 'sea'), (6, 2, 'b', 'wood')""")
    catalog.forget("default")
    with isolated():

        @fraiseql.type(view="tb_letter", search="words", search_config="simple")
        class Letter:
            id: int
            topic: str
            body: str

        @fraiseql.type(view="tb_person")
        class Person:
            id: int
            name: str
            letters: list[Letter] = fraiseql.related(key="person_id")
            letter_feed: list[Letter] = fraiseql.related(key="person_id", connection=True)

        class Query(fraiseql.Query):
            people = fraiseql.many(Person)

        yield
    catalog.forget("default")


def test_related_rows_are_searched_for_each_object(ask: Ask, letters: None) -> None:
    query = """query ($text: String) { people {
      name letters(search: $text, limit: 2) { body }
      letterFeed(search: $text, first: 1) {
        totalCount estimatedCount edges { node { body } } pageInfo { endCursor }
      }
    } }"""
    ada, bo = ask(query, text="sea")["people"]

    assert ada["letters"][0] == {"body": "sea sea"}
    assert bo["letters"] == [{"body": "sea"}]
    assert [person["letterFeed"]["totalCount"] for person in (ada, bo)] == [3, 1]
    assert [person["letterFeed"]["estimatedCount"] for person in (ada, bo)] == [3, 1]
    assert ada["letterFeed"]["edges"] == [{"node": {"body": "sea sea"}}]


def test_related_rows_are_distinct_within_each_object(ask: Ask, letters: None) -> None:
    query = """query ($text: String) { people {
      letters(distinct: [TOPIC], search: $text, orderBy: [{id: DESC}]) { id }
      letterFeed(distinct: [TOPIC], search: $text) { totalCount edges { node { id } } }
    } }"""
    ada, bo = ask(query)["people"]

    assert ada["letters"] == [{"id": "3"}, {"id": "2"}]
    assert bo["letters"] == [{"id": "6"}, {"id": "4"}]
    assert [person["letterFeed"]["totalCount"] for person in ask(query, text="sea")["people"]] == [
        2,
        1,
    ]


# Estimated counts


@pytest.fixture
def many_wares(sql: Sql) -> None:
    """Ten thousand wares of which the statistics know."""
    sql("""INSERT INTO tv_ware (id, identifier, data)
           SELECT gen_random_uuid(), 'w' || n, jsonb_build_object('kind', 'book', 'name', 'w', 'stock', n)
             FROM generate_series(1, 10000) AS n""")
    sql("CREATE STATISTICS tv_ware_stock ON ((data->>'stock')::int4) FROM tv_ware")
    sql("ANALYZE tv_ware")


def test_an_estimate_knows_the_condition(ask: Ask, many_wares: None) -> None:
    query = "query ($stock: Int) { wareFeed(where: {stock: {lte: $stock}}) { estimatedCount } }"

    assert 9_000 < ask(query)["wareFeed"]["estimatedCount"] < 11_000
    assert 4_000 < ask(query, stock=5_000)["wareFeed"]["estimatedCount"] < 6_000
    assert 0 < ask(query, stock=100)["wareFeed"]["estimatedCount"] < 500


def test_an_estimate_can_be_left_out_of_the_schema(answer: Answer) -> None:
    with override_settings(FRAISEQL={"ESTIMATED_COUNTS": False}):
        (error,) = answer("{ wareFeed { totalCount estimatedCount } }").errors

    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert answer("{ wareFeed { estimatedCount } }").errors == []


def test_an_estimate_quotes_what_clients_send(ask: Ask, many_wares: None) -> None:
    query = "query ($name: String) { wareFeed(where: {name: {eq: $name}}) { estimatedCount } }"

    for name in ("it's", "\\", "%s %L %% %1$s", "'; DROP TABLE tv_ware; --", 'x" OR true'):
        assert 0 < ask(query, name=name)["wareFeed"]["estimatedCount"] < 1_000


def test_an_estimate_is_part_of_the_one_statement(db: None) -> None:
    query = """{ wareFeed(first: 1, orderBy: [{name: ASC}]) { totalCount estimatedCount edges { node { name } } }
                 other: wareFeed { estimatedCount } }"""
    with CaptureQueriesContext(connection) as captured:
        data = Client().query(query).assert_ok()

    assert len(captured) == 1
    assert data["wareFeed"]["totalCount"] == 6
    assert data["wareFeed"]["edges"] == [{"node": {"name": "Atlas"}}]
    assert data["wareFeed"]["estimatedCount"] == data["other"]["estimatedCount"] > 0


@pytest.mark.django_db(transaction=True)
def test_an_estimate_comes_through_the_pool_too() -> None:
    query = 'query ($name: String) { wareFeed(search: "steel", where: {name: {neq: $name}}) { estimatedCount } }'
    data = async_to_sync(AsyncClient().query)(query, {"name": "50%"}).assert_ok()

    assert data["wareFeed"]["estimatedCount"] > 0


def test_an_estimate_reads_nothing(ask: Ask, sql: Sql) -> None:
    sql(
        "CREATE FUNCTION loud() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$read$$; END'"
    )
    sql("CREATE OR REPLACE VIEW v_book AS SELECT w.id, w.data FROM v_ware w WHERE loud()")

    assert ask("{ bookFeed { estimatedCount } }")["bookFeed"]["estimatedCount"] > 0

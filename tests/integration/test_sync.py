"""Projections and the views they store, on a real server."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

import fraiseql
from fraiseql.cqrs.sync import Drift, Projection, drift, in_order, projections, synchronize
from fraiseql.db import catalog
from fraiseql.errors import ConfigurationError, DatabaseFault
from fraiseql.schema import registry

pytestmark = pytest.mark.django_db

BOOK = Projection("tv_book", "v_book")
SHELF = Projection("tv_shelf", "v_shelf")


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    catalog.forget("default")


def rows(query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


@pytest.fixture
def book() -> None:
    execute(
        """CREATE TABLE tb_book (
               id uuid PRIMARY KEY DEFAULT gen_random_uuid(), identifier text NOT NULL, title text)""",
        """CREATE VIEW v_book AS
           SELECT id, identifier, jsonb_build_object('title', title) AS data, 1 AS unused FROM tb_book""",
        """CREATE TABLE tv_book (
               id uuid PRIMARY KEY, identifier text NOT NULL UNIQUE, data jsonb NOT NULL,
               updated_at timestamptz NOT NULL DEFAULT clock_timestamp())""",
        "INSERT INTO tb_book (identifier, title) VALUES ('emma', 'Emma'), ('ulysses', 'Ulysses')",
    )


@pytest.fixture
def declared(book: None) -> Iterator[None]:
    with registry.isolated():

        @fraiseql.type(view="tv_book", source="v_book")
        class Book:
            title: str

        yield


def test_a_projection_becomes_what_its_source_says(book: None) -> None:
    first = synchronize(BOOK, "default")
    execute(
        "UPDATE tb_book SET title = 'Emma!' WHERE identifier = 'emma'",
        "DELETE FROM tb_book WHERE identifier = 'ulysses'",
        "INSERT INTO tb_book (identifier, title) VALUES ('dracula', 'Dracula')",
    )
    second = synchronize(BOOK, "default")

    assert (first.inserted, first.updated, first.deleted) == (2, 0, 0)
    assert (second.inserted, second.updated, second.deleted) == (1, 1, 1)
    stored = rows("SELECT identifier, data->>'title' FROM tv_book ORDER BY identifier")
    assert stored == [("dracula", "Dracula"), ("emma", "Emma!")]


def test_rows_that_are_right_are_not_written_again(book: None) -> None:
    synchronize(BOOK, "default")
    before = rows("SELECT ctid, updated_at FROM tv_book ORDER BY id")
    again = synchronize(BOOK, "default")

    assert (again.inserted, again.updated, again.deleted) == (0, 0, 0)
    assert rows("SELECT ctid, updated_at FROM tv_book ORDER BY id") == before


def test_a_changed_row_carries_the_time_of_its_change(book: None) -> None:
    synchronize(BOOK, "default")
    before = dict(rows("SELECT identifier, updated_at FROM tv_book"))
    execute("UPDATE tb_book SET title = 'Emma!' WHERE identifier = 'emma'")
    synchronize(BOOK, "default")
    after = dict(rows("SELECT identifier, updated_at FROM tv_book"))

    assert after["emma"] > before["emma"]
    assert after["ulysses"] == before["ulysses"]


def test_rows_may_swap_a_unique_value(book: None) -> None:
    synchronize(BOOK, "default")
    execute(
        "UPDATE tb_book SET identifier = CASE identifier WHEN 'emma' THEN 'ulysses' ELSE 'emma' END"
    )
    swapped = synchronize(BOOK, "default")

    assert (swapped.inserted, swapped.updated, swapped.deleted) == (0, 2, 0)
    assert not drift(BOOK, "default")


def test_a_new_row_may_take_a_deleted_rows_identifier(book: None) -> None:
    synchronize(BOOK, "default")
    execute(
        "DELETE FROM tb_book WHERE identifier = 'emma'",
        "INSERT INTO tb_book (identifier, title) VALUES ('emma', 'Another Emma')",
    )
    replaced = synchronize(BOOK, "default")

    assert (replaced.inserted, replaced.updated, replaced.deleted) == (1, 0, 1)


def test_drift_counts_missing_stale_and_orphaned_rows(book: None) -> None:
    synchronize(BOOK, "default")
    execute(
        "INSERT INTO tb_book (identifier) VALUES ('new'), ('newer')",
        "UPDATE tv_book SET data = '{}' WHERE identifier = 'emma'",
        "INSERT INTO tv_book VALUES (gen_random_uuid(), 'gone', '{}')",
    )

    assert drift(BOOK, "default") == Drift("tv_book", missing=2, stale=1, orphaned=1)


def test_columns_without_equality_are_compared_too() -> None:
    execute(
        "CREATE TABLE tb_place (id int PRIMARY KEY, spot point, note json, nothing text)",
        "CREATE VIEW v_place AS SELECT * FROM tb_place",
        "CREATE TABLE tv_place (id int PRIMARY KEY, spot point, note json, nothing text)",
        "INSERT INTO tb_place VALUES (1, '(1,2)', '{\"a\": 1}', NULL)",
    )
    place = Projection("tv_place", "v_place")
    synchronize(place, "default")
    execute("UPDATE tb_place SET spot = '(2,1)'")

    assert drift(place, "default").stale == 1
    assert synchronize(place, "default").updated == 1
    assert synchronize(place, "default").updated == 0


def test_names_that_need_quotes_are_quoted() -> None:
    execute(
        'CREATE SCHEMA "Sales 100%"',
        'CREATE VIEW "Sales 100%"."v %s" AS SELECT 1 AS "the ""key""", 2 AS "select"',
        'CREATE TABLE "Sales 100%"."tv" ("the ""key""" int PRIMARY KEY, "select" int)',
    )
    odd = Projection('"Sales 100%".tv', '"Sales 100%"."v %s"')

    assert synchronize(odd, "default").inserted == 1
    assert not drift(odd, "default")


def test_a_projection_comes_after_those_its_source_reads(book: None) -> None:
    execute(
        "CREATE VIEW v_inner AS SELECT count(*) AS books FROM tv_book",
        "CREATE VIEW v_shelf AS SELECT 1 AS id, books FROM v_inner",
        "CREATE TABLE tv_shelf (id int PRIMARY KEY, books bigint)",
    )

    assert in_order([SHELF, BOOK], "default") == (BOOK, SHELF)


def test_projections_filled_from_each_other_are_refused() -> None:
    execute(
        "CREATE TABLE tv_a (id int PRIMARY KEY)",
        "CREATE TABLE tv_b (id int PRIMARY KEY)",
        "CREATE VIEW v_a AS SELECT * FROM tv_b",
        "CREATE VIEW v_b AS SELECT * FROM tv_a",
    )

    with pytest.raises(ConfigurationError, match="filled from each other: tv_"):
        in_order([Projection("tv_a", "v_a"), Projection("tv_b", "v_b")], "default")


def test_a_source_that_fails_leaves_the_projection_as_it_was(book: None) -> None:
    synchronize(BOOK, "default")
    execute(
        "CREATE OR REPLACE VIEW v_book AS SELECT id, identifier,"
        " jsonb_build_object('title', 1 / (length(title) - 7)) AS data, 1 AS unused FROM tb_book",
    )

    with pytest.raises(DatabaseFault, match="tv_book was left as it was: division by zero"):
        synchronize(BOOK, "default")
    assert rows("SELECT count(*) FROM tv_book") == [(2,)]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT 1", "The database has no 'tv_book'"),
        ("CREATE VIEW tv_book AS SELECT 1 AS id", "it is a view"),
        ("CREATE TABLE tv_book (id int)", "no unique key among the columns of v_book"),
    ],
)
def test_what_cannot_be_filled_is_named(statement: str, message: str) -> None:
    execute("CREATE VIEW v_book AS SELECT 1 AS id", statement)

    with pytest.raises(ConfigurationError, match=message):
        synchronize(BOOK, "default")


def test_a_projection_has_one_source(declared: None) -> None:
    @fraiseql.type(view="tv_book", source="v_other")
    class Other:
        title: str

    with pytest.raises(ConfigurationError, match="from v_book by one type and from v_other"):
        projections()


def test_the_command_syncs_what_is_declared(declared: None) -> None:
    out = StringIO()
    call_command("fraiseql_sync", format="json", stdout=out)

    (done,) = json.loads(out.getvalue())["projections"]
    assert (done["view"], done["inserted"]) == ("tv_book", 2)


def test_the_command_says_in_words_what_it_did(declared: None) -> None:
    out = StringIO()
    call_command("fraiseql_sync", "tv_book", stdout=out)

    assert out.getvalue().startswith("tv_book: 2 inserted, 0 updated, 0 deleted (")


def test_check_fails_until_projections_are_in_step(declared: None) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="not in step") as caught:
        call_command("fraiseql_sync", "--check", stdout=out)
    call_command("fraiseql_sync", verbosity=0)
    call_command("fraiseql_sync", "--check", stdout=out)

    assert caught.value.returncode == 1
    assert out.getvalue().splitlines() == [
        "tv_book: 2 missing, 0 stale, 0 orphaned",
        "tv_book: 0 missing, 0 stale, 0 orphaned",
    ]


def test_a_dry_run_writes_nothing(declared: None) -> None:
    call_command("fraiseql_sync", "--dry-run", stdout=StringIO())

    assert rows("SELECT count(*) FROM tv_book") == [(0,)]


def test_an_unknown_projection_is_answered_with_the_known_ones(declared: None) -> None:
    with pytest.raises(CommandError, match="No type is bound to a projection 'tv_boook'") as caught:
        call_command("fraiseql_sync", "tv_boook")

    assert "Known: tv_book." in str(caught.value)

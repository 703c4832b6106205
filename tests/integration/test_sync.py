"""Projections and the views they store, on a real server."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

import fraiseql
from fraiseql.cqrs.projection import Projection
from fraiseql.cqrs.sync import Drift, drift, in_order, projections, synchronize
from fraiseql.db import catalog
from fraiseql.errors import ConfigurationError, DatabaseFault
from fraiseql.schema import registry

pytestmark = pytest.mark.django_db

NOVEL = Projection("tv_novel", "v_novel")
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
def novel() -> None:
    execute(
        """CREATE TABLE tb_novel (
               id uuid PRIMARY KEY DEFAULT gen_random_uuid(), identifier text NOT NULL, title text)""",
        """CREATE VIEW v_novel AS
           SELECT id, identifier, jsonb_build_object('title', title) AS data, 1 AS unused FROM tb_novel""",
        """CREATE TABLE tv_novel (
               id uuid PRIMARY KEY, identifier text NOT NULL UNIQUE, data jsonb NOT NULL,
               updated_at timestamptz NOT NULL DEFAULT clock_timestamp())""",
        "INSERT INTO tb_novel (identifier, title) VALUES ('emma', 'Emma'), ('ulysses', 'Ulysses')",
    )


@pytest.fixture
def declared(novel: None) -> Iterator[None]:
    with registry.isolated():

        @fraiseql.type(view="tv_novel", source="v_novel")
        class Novel:
            title: str

        yield


def test_a_projection_becomes_what_its_source_says(novel: None) -> None:
    first = synchronize(NOVEL, "default")
    execute(
        "UPDATE tb_novel SET title = 'Emma!' WHERE identifier = 'emma'",
        "DELETE FROM tb_novel WHERE identifier = 'ulysses'",
        "INSERT INTO tb_novel (identifier, title) VALUES ('dracula', 'Dracula')",
    )
    second = synchronize(NOVEL, "default")

    assert (first.inserted, first.updated, first.deleted) == (2, 0, 0)
    assert (second.inserted, second.updated, second.deleted) == (1, 1, 1)
    stored = rows("SELECT identifier, data->>'title' FROM tv_novel ORDER BY identifier")
    assert stored == [("dracula", "Dracula"), ("emma", "Emma!")]


def test_rows_that_are_right_are_not_written_again(novel: None) -> None:
    synchronize(NOVEL, "default")
    before = rows("SELECT ctid, updated_at FROM tv_novel ORDER BY id")
    again = synchronize(NOVEL, "default")

    assert (again.inserted, again.updated, again.deleted) == (0, 0, 0)
    assert rows("SELECT ctid, updated_at FROM tv_novel ORDER BY id") == before


def test_a_changed_row_carries_the_time_of_its_change(novel: None) -> None:
    synchronize(NOVEL, "default")
    before = dict(rows("SELECT identifier, updated_at FROM tv_novel"))
    execute("UPDATE tb_novel SET title = 'Emma!' WHERE identifier = 'emma'")
    synchronize(NOVEL, "default")
    after = dict(rows("SELECT identifier, updated_at FROM tv_novel"))

    assert after["emma"] > before["emma"]
    assert after["ulysses"] == before["ulysses"]


def test_rows_may_swap_a_unique_value(novel: None) -> None:
    synchronize(NOVEL, "default")
    execute(
        "UPDATE tb_novel SET identifier = CASE identifier WHEN 'emma' THEN 'ulysses' ELSE 'emma' END"
    )
    swapped = synchronize(NOVEL, "default")

    assert (swapped.inserted, swapped.updated, swapped.deleted) == (0, 2, 0)
    assert not drift(NOVEL, "default")


def test_a_new_row_may_take_a_deleted_rows_identifier(novel: None) -> None:
    synchronize(NOVEL, "default")
    execute(
        "DELETE FROM tb_novel WHERE identifier = 'emma'",
        "INSERT INTO tb_novel (identifier, title) VALUES ('emma', 'Another Emma')",
    )
    replaced = synchronize(NOVEL, "default")

    assert (replaced.inserted, replaced.updated, replaced.deleted) == (1, 0, 1)


def test_drift_counts_missing_stale_and_orphaned_rows(novel: None) -> None:
    synchronize(NOVEL, "default")
    execute(
        "INSERT INTO tb_novel (identifier) VALUES ('new'), ('newer')",
        "UPDATE tv_novel SET data = '{}' WHERE identifier = 'emma'",
        "INSERT INTO tv_novel VALUES (gen_random_uuid(), 'gone', '{}')",
    )

    assert drift(NOVEL, "default") == Drift("tv_novel", missing=2, stale=1, orphaned=1)


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


def test_a_projection_comes_after_those_its_source_reads(novel: None) -> None:
    execute(
        "CREATE VIEW v_inner AS SELECT count(*) AS books FROM tv_novel",
        "CREATE VIEW v_shelf AS SELECT 1 AS id, books FROM v_inner",
        "CREATE TABLE tv_shelf (id int PRIMARY KEY, books bigint)",
    )

    assert in_order([SHELF, NOVEL], "default") == (NOVEL, SHELF)


def test_projections_filled_from_each_other_are_refused() -> None:
    execute(
        "CREATE TABLE tv_a (id int PRIMARY KEY)",
        "CREATE TABLE tv_b (id int PRIMARY KEY)",
        "CREATE VIEW v_a AS SELECT * FROM tv_b",
        "CREATE VIEW v_b AS SELECT * FROM tv_a",
    )

    with pytest.raises(ConfigurationError, match="filled from each other: tv_"):
        in_order([Projection("tv_a", "v_a"), Projection("tv_b", "v_b")], "default")


def test_a_source_that_fails_leaves_the_projection_as_it_was(novel: None) -> None:
    synchronize(NOVEL, "default")
    execute(
        "CREATE OR REPLACE VIEW v_novel AS SELECT id, identifier,"
        " jsonb_build_object('title', 1 / (length(title) - 7)) AS data, 1 AS unused FROM tb_novel",
    )

    with pytest.raises(DatabaseFault, match="tv_novel was left as it was: division by zero"):
        synchronize(NOVEL, "default")
    assert rows("SELECT count(*) FROM tv_novel") == [(2,)]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT 1", "The database has no 'tv_novel'"),
        ("CREATE VIEW tv_novel AS SELECT 1 AS id", "it is a view"),
        ("CREATE TABLE tv_novel (id int)", "no unique key among the columns of v_novel"),
    ],
)
def test_what_cannot_be_filled_is_named(statement: str, message: str) -> None:
    execute("CREATE VIEW v_novel AS SELECT 1 AS id", statement)

    with pytest.raises(ConfigurationError, match=message):
        synchronize(NOVEL, "default")


def test_a_projection_has_one_source(declared: None) -> None:
    @fraiseql.type(view="tv_novel", source="v_other")
    class Other:
        title: str

    with pytest.raises(ConfigurationError, match="from v_novel by one type and from v_other"):
        projections()


def test_types_that_store_nothing_are_left_out(declared: None) -> None:
    @fraiseql.type(view="v_novel")
    class Computed:
        title: str

    @fraiseql.type
    class Embedded:
        title: str

    assert projections() == (NOVEL,)


def test_nothing_is_written_if_one_projection_cannot_be_filled(declared: None) -> None:
    @fraiseql.type(view="tv_odd", source="no name(")
    class Odd:
        title: str

    with pytest.raises(CommandError, match="The database has no 'tv_odd'"):
        call_command("fraiseql_sync")
    assert rows("SELECT count(*) FROM tv_novel") == [(0,)]


def test_the_command_syncs_what_is_declared(declared: None) -> None:
    out = StringIO()
    call_command("fraiseql_sync", format="json", stdout=out)

    (done,) = json.loads(out.getvalue())["projections"]
    assert (done["view"], done["inserted"]) == ("tv_novel", 2)


def test_the_command_says_in_words_what_it_did(declared: None) -> None:
    out = StringIO()
    call_command("fraiseql_sync", "tv_novel", stdout=out)

    assert out.getvalue().startswith("tv_novel: 2 inserted, 0 updated, 0 deleted (")


def test_check_fails_until_projections_are_in_step(declared: None) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="not in step") as caught:
        call_command("fraiseql_sync", "--check", stdout=out)
    call_command("fraiseql_sync", verbosity=0)
    call_command("fraiseql_sync", "--check", stdout=out)

    assert caught.value.returncode == 1
    assert out.getvalue().splitlines() == [
        "tv_novel: 2 missing, 0 stale, 0 orphaned",
        "tv_novel: 0 missing, 0 stale, 0 orphaned",
    ]


def test_a_dry_run_writes_nothing(declared: None) -> None:
    call_command("fraiseql_sync", "--dry-run", stdout=StringIO())

    assert rows("SELECT count(*) FROM tv_novel") == [(0,)]


def test_an_unknown_projection_is_answered_with_the_known_ones(declared: None) -> None:
    with pytest.raises(
        CommandError, match="No type is bound to a projection 'tv_novvel'"
    ) as caught:
        call_command("fraiseql_sync", "tv_novvel")

    assert "Known: tv_novel." in str(caught.value)

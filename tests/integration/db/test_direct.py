"""SQL of an application's own: rows, parameters, transactions, failures."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from fraiseql.db import direct
from fraiseql.engine.database import AsyncDatabase, Database
from fraiseql.errors import BadUserInput, Conflict, StaleCatalog

SESSION = (("app.user_id", "7"),)


@pytest.fixture
def table(client: psycopg.Connection) -> Iterator[None]:
    client.execute(
        "DROP TABLE IF EXISTS thing; CREATE TABLE thing (id int PRIMARY KEY, data jsonb)"
    )
    yield
    client.execute("DROP TABLE thing")


def test_values_go_and_come_as_python_has_them(alias: str) -> None:
    key = uuid.uuid4()
    values = [1, "a", None, [1, 2], key, Decimal("1.50"), date(2024, 1, 2), {"a": [1, "é"]}, True]
    (row,) = Database(alias).fetch(
        "SELECT $1::int a, $2::text b, $3::text c, $4::int[] d, $5::uuid e, $6::numeric f, $7::date g,"
        " $8::jsonb h, $9::boolean i, '%s'::text j, '{\"k\": 1}'::json k",
        *values,
    )

    assert list(row.values()) == [*values, "%s", {"k": 1}]
    assert list(row) == list("abcdefghijk")
    moment = datetime(2024, 1, 2, tzinfo=UTC)
    assert Database(alias).fetchval("SELECT $1::timestamptz", moment) == moment


@pytest.mark.usefixtures("table")
def test_one_row_one_value_and_how_many(alias: str) -> None:
    db = Database(alias)

    assert db.execute("INSERT INTO thing SELECT n FROM generate_series(1, $1) n", 3) == 3
    assert db.fetchrow("SELECT id FROM thing WHERE id > $1 ORDER BY id", 1) == {"id": 2}
    assert db.fetchrow("SELECT id FROM thing WHERE id > 9") is None
    assert db.fetchval("SELECT max(id) FROM thing") == 3
    assert db.fetchval("SELECT id FROM thing WHERE id > 9") is None
    assert db.fetch("DELETE FROM thing") == []
    assert db.execute("UPDATE thing SET id = 0") == 0


@pytest.mark.usefixtures("table")
def test_failures_are_those_of_the_table_of_errors(alias: str) -> None:
    db = Database(alias)
    db.execute("INSERT INTO thing VALUES (1)")

    with pytest.raises(Conflict):
        db.execute("INSERT INTO thing VALUES (1)")
    with pytest.raises(StaleCatalog):
        db.fetch("SELECT nothing FROM thing")
    with pytest.raises(BadUserInput):
        db.fetchval("SELECT $1::int", "x")


@pytest.mark.usefixtures("table")
def test_a_block_happens_as_a_whole(alias: str) -> None:
    db = Database(alias)
    with db.transaction():
        db.execute("INSERT INTO thing VALUES (1)")
        # What fails is undone alone.
        with pytest.raises(Conflict):
            db.execute("INSERT INTO thing VALUES (1)")
        db.execute("INSERT INTO thing VALUES (2)")

        def fails() -> None:
            with db.transaction():
                db.execute("INSERT INTO thing VALUES (3)")
                raise ValueError

        with pytest.raises(ValueError):
            fails()

    assert [row["id"] for row in db.fetch("SELECT id FROM thing ORDER BY id")] == [1, 2]


@pytest.mark.usefixtures("table")
def test_the_same_awaited(alias: str) -> None:
    db = AsyncDatabase(alias)

    async def fail() -> None:
        async with db.transaction():
            await db.execute("INSERT INTO thing VALUES (3)")
            raise ValueError

    async def run() -> list[object]:
        async with db.transaction():
            await db.execute("INSERT INTO thing VALUES ($1, $2)", 1, {"a": 1})
            await db.execute("INSERT INTO thing VALUES (2)")
        with pytest.raises(ValueError):
            await fail()
        return [
            await db.fetchval("SELECT count(*) FROM thing"),
            await db.fetchrow("SELECT * FROM thing WHERE id = $1", 1),
            await db.fetch("SELECT id FROM thing WHERE id > 9"),
        ]

    assert async_to_sync(run)() == [2, {"id": 1, "data": {"a": 1}}, []]


def test_the_viewers_settings_hold_for_each_statement_and_no_longer(alias: str) -> None:
    text = "SELECT current_setting('app.user_id', true) AS found"
    db = Database(alias, SESSION)

    assert db.fetchval(text) == "7"
    assert Database(alias).fetchval(text) in {None, ""}
    with db.transaction():
        assert db.fetchval(text) == "7"
    assert Database(alias).fetchval(text) in {None, ""}


@pytest.mark.usefixtures("table")
def test_what_is_undone_leaves_nothing(alias: str) -> None:
    with direct.undone(alias):
        Database(alias).execute("INSERT INTO thing VALUES (1)")
        assert Database(alias).fetchval("SELECT count(*) FROM thing") == 1

    assert Database(alias).fetchval("SELECT count(*) FROM thing") == 0


@pytest.mark.usefixtures("table")
def test_what_is_undone_is_checked_as_at_a_commit(alias: str) -> None:
    db = Database(alias)
    db.execute("ALTER TABLE thing ADD parent int REFERENCES thing DEFERRABLE INITIALLY DEFERRED")

    def broken() -> None:
        with direct.undone(alias):
            db.execute("INSERT INTO thing VALUES (1, NULL, 9)")

    with pytest.raises(BadUserInput):
        broken()
    assert db.fetchval("SELECT count(*) FROM thing") == 0


class InATestCase(TestCase):
    """What a test has written is there, and what it asks is counted."""

    def test_a_test_sees_its_own_writes(self) -> None:
        db = Database()
        db.execute("INSERT INTO tb_stall (identifier, name) VALUES ($1, $2)", "a", "A")

        with CaptureQueriesContext(connection) as captured, self.assertNumQueries(1):
            assert db.fetchval("SELECT count(*) FROM tb_stall") == 1
        assert "tb_stall" in captured.captured_queries[0]["sql"]
        with transaction.atomic(), self.assertNumQueries(2):
            db.fetchval("SELECT 1")
            db.fetchval("SELECT 2")

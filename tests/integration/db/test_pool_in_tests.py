"""Under Django's test runner, outside a transaction, the pool reads the test database."""

from django.db import connection
from django.test import TransactionTestCase

from fraiseql.db import pool
from fraiseql.db.flight import step_of
from fraiseql.db.statement import Statement


class OutsideATransaction(TransactionTestCase):
    """What is committed is seen through the pool."""

    async def test_the_pool_serves(self) -> None:
        pid = await pool.fetch(Statement("SELECT pg_backend_pid(), current_database()"))

        assert pid.column(1) == [str(connection.settings_dict["NAME"]).encode()]

    async def test_observers_see_the_statement(self) -> None:
        seen: list[Statement] = []
        statement = Statement("SELECT %s", ("1",))
        pool.observers.append(seen.append)
        self.addCleanup(pool.observers.remove, seen.append)
        await pool.fetch(statement)

        assert seen == [statement]

    async def test_observers_see_what_is_only_to_be_sent(self) -> None:
        seen: list[Statement] = []
        statement = Statement("SELECT %s || %s::text", ("ä", None))
        pool.observers.append(seen.append)
        self.addCleanup(pool.observers.remove, seen.append)
        (rows,) = await pool.read(step_of(statement), "default", ())

        assert seen == [statement]
        assert rows.column(0) == [None]

    async def test_another_database_behind_the_alias_gets_another_pool(self) -> None:
        name = Statement("SELECT current_database()")
        settings = connection.settings_dict
        test_name = settings["NAME"]
        before = await pool.fetch(name)
        settings["NAME"] = "postgres"
        try:
            other = await pool.fetch(name)
        finally:
            settings["NAME"] = test_name
        after = await pool.fetch(name)

        assert before.column(0) == after.column(0)
        assert other.column(0) == [b"postgres"]

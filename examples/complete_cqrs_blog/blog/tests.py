"""
What the blog promises: an answer to every operation of ``test_queries.graphql``, and projections in step.

``python manage.py test`` runs them, on a database of their own.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import TestCase
from graphql import OperationDefinitionNode, OperationType, parse

from fraiseql.cqrs import sync
from fraiseql.testing import Client, assert_statements

PROJECT = Path(__file__).resolve().parents[1]
QUERIES = (PROJECT / "test_queries.graphql").read_text(encoding="utf-8")
OPERATIONS = {
    node.name.value: node
    for node in parse(QUERIES).definitions
    if isinstance(node, OperationDefinitionNode) and node.name
}
ANSWERS: dict[str, Any] = json.loads((PROJECT / "test_queries.json").read_text(encoding="utf-8"))

# Of the demonstration, whose ids are always the same.
MARA = "e8eb3aab-ff0b-5eb1-8db5-e490ab8a58fe"
POST = "cecd89c3-448a-5ba5-9295-2e807357ddfd"


@contextmanager
def undone() -> Iterator[None]:
    """Undo what the block writes."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


class BlogTestCase(TestCase):
    """The demonstration's data, in the tables and in the projections."""

    @classmethod
    def setUpTestData(cls) -> None:
        """Load it."""
        call_command("demo_data", verbosity=0)
        call_command("fraiseql_sync", verbosity=0)

    def assert_in_step(self) -> None:
        """Fail if a projection is not what its source view computes."""
        for projection in sync.projections():
            drift = sync.drift(projection, "default")
            self.assertFalse(drift, drift)


class OperationTests(BlogTestCase):
    """``test_queries.graphql`` and ``test_queries.json`` side by side."""

    maxDiff = None

    def test_every_operation_has_its_answer(self) -> None:
        self.assertEqual(list(OPERATIONS), list(ANSWERS))
        for name in OPERATIONS:
            # What an operation writes is undone, so that each begins with the same data.
            with self.subTest(name), undone():
                answer = Client().query(QUERIES, operation_name=name)

                self.assertEqual(answer.errors, [])
                self.assertEqual(answer.data, ANSWERS[name])
                self.assert_in_step()

    def test_every_query_is_one_statement(self) -> None:
        for name, node in OPERATIONS.items():
            if node.operation == OperationType.QUERY:
                with self.subTest(name), assert_statements(1):
                    Client().query(QUERIES, operation_name=name)


class SyncTests(BlogTestCase):
    """Who writes, syncs: in SQL, in Python, or afterwards."""

    def test_a_write_past_the_functions_is_seen_by_the_check(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE tb_user SET name = 'Mara Berg' WHERE id = %s", [MARA])

        with self.assertRaisesMessage(CommandError, "not in step"):
            call_command("fraiseql_sync", check=True, verbosity=0)

    def test_cascade_refreshes_what_holds_the_row(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE tb_user SET name = 'Mara Berg' WHERE id = %s", [MARA])
        sync.sync_user([MARA], cascade=True)

        self.assert_in_step()

    def test_deferred_syncs_when_the_transaction_commits(self) -> None:
        with self.captureOnCommitCallbacks(execute=True), connection.cursor() as cursor:
            cursor.execute("UPDATE tb_post SET title = 'Why views' WHERE id = %s", [POST])
            sync.sync_post([POST], mode="deferred")
            self.assertEqual(title(), "Why our API is a set of views")

        self.assertEqual(title(), "Why views")

    def test_a_row_that_is_right_already_is_not_written(self) -> None:
        (done,) = sync.sync_post([POST])

        self.assertEqual(done.updated, 0)

    def test_every_sync_is_in_the_log(self) -> None:
        sync.sync_post([POST])
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT entity, mode, rows, success FROM tb_sync_log ORDER BY pk_sync_log DESC LIMIT 1"
            )
            logged = cursor.fetchone()

        self.assertEqual(logged, ("tv_post", "incremental", 0, True))


class PageTests(BlogTestCase):
    """What people and Prometheus see of the syncs."""

    def test_the_page_says_what_is_in_step(self) -> None:
        self.assertNotContains(self.client.get("/"), "out of step")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE tb_post SET title = 'Why views' WHERE id = %s", [POST])
        page = self.client.get("/")

        self.assertContains(page, "out of step", count=1)
        self.assertContains(page, "tv_post")

    def test_prometheus_reads_the_same(self) -> None:
        self.assertContains(self.client.get("/metrics"), 'fraiseql_syncs_24h{entity="tv_post"} 1.0')


def title() -> str:
    """Return the title that readers see."""
    answer = Client().query('{ post(identifier: "why-views") { title } }')
    return str(answer.assert_ok()["post"]["title"])

"""Commands and checks while no PostgreSQL answers."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings
from pytest_django import DjangoDbBlocker

import fraiseql
from fraiseql.checks.database import check_views
from fraiseql.checks.production import check_role
from fraiseql.schema import registry


@pytest.fixture(autouse=True)
def down(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Queries read the alias "down", where nobody listens."""
    connections.settings["down"] = {**connections.settings["default"], "PORT": "1"}
    with (
        registry.isolated(),
        override_settings(FRAISEQL={"DATABASE": "down"}),
        django_db_blocker.unblock(),
    ):

        @fraiseql.type(view="v_book")
        class Book:
            title: str

        class Query(fraiseql.Query):
            books = fraiseql.many(Book)

        yield
    del connections["down"]
    del connections.settings["down"]


def test_the_checks_are_one_message() -> None:
    (message,) = check_views(databases=["down"])

    assert message.id == "fraiseql.E100"
    assert "fraiseql_doctor" in str(message.hint)
    assert check_role(databases=["down"]) == []


def test_explain_says_so() -> None:
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("fraiseql_explain", "{ books { title } }", stdout=StringIO())


def test_draft_says_so() -> None:
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("fraiseql_draft", "v_book", stdout=StringIO())

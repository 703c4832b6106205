"""Commands and checks while no PostgreSQL answers."""

import json
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pytest_django import DjangoDbBlocker

import fraiseql
from fraiseql.checks.database import check_views
from fraiseql.checks.production import check_role
from fraiseql.db.embedded import EmbeddedServer, project_server
from fraiseql.schema import registry


def remove(alias: str) -> None:
    """Take an alias out of DATABASES, whether it has been used or not."""
    with suppress(AttributeError):
        del connections[alias]
    del connections.settings[alias]


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
    remove("down")


def test_the_checks_are_one_message() -> None:
    (message,) = check_views(databases=["down"])

    assert message.id == "fraiseql.E100"
    assert "fraiseql_doctor" in str(message.hint)
    assert check_role(databases=["down"]) == []


def test_explain_says_so() -> None:
    with pytest.raises(CommandError, match=r"cannot be reached\.\nconnection .*\n.*_doctor says"):
        call_command("fraiseql_explain", "{ books { title } }", stdout=StringIO())


def test_draft_says_so() -> None:
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("fraiseql_draft", "v_book", stdout=StringIO())


def test_doctor_says_so_and_shows_the_rest() -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("fraiseql_doctor", format="json", stdout=out)
    found = json.loads(out.getvalue())

    assert caught.value.code == 1
    (problem,) = found["problems"]
    assert problem["message"].startswith("The database 'down' cannot be used: ")
    assert problem["hint"]
    assert found["sections"]["bindings"]["schema"]
    assert "missing views" not in found["sections"]["bindings"]
    assert "does not answer" in found["sections"]["checks"]["views"]


def test_doctor_knows_the_private_server(tmp_path: Path) -> None:
    socket = project_server(tmp_path).status().socket
    connections.settings["down"]["HOST"] = str(socket)
    out = StringIO()
    with override_settings(BASE_DIR=tmp_path), pytest.raises(SystemExit):
        call_command("fraiseql_doctor", format="json", stdout=out)
    found = json.loads(out.getvalue())

    assert found["sections"]["database"]["server"].startswith("embedded, ")
    assert found["problems"][0]["hint"].startswith("manage.py fraiseql_postgres start")


def test_doctor_hides_the_password() -> None:
    connections.settings["down"]["PASSWORD"] = "secret"
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("fraiseql_doctor", stdout=out)

    assert "secret" not in out.getvalue()


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"OPTIONS": {"pool": True}}, "Django's pool"),
        ({"CONN_MAX_AGE": None}, "Django's connections, kept for good"),
        ({"CONN_MAX_AGE": 60}, "Django's connections, kept for 60 s"),
        ({"HOST": "127.0.0.1"}, " on 127.0.0.1:1 as fraiseql"),
    ],
)
def test_doctor_shows_how_django_connects(settings: dict[str, Any], shown: str) -> None:
    connections.settings["down"] |= settings
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("fraiseql_doctor", stdout=out)

    assert shown in out.getvalue()


@pytest.mark.parametrize("alias", ["nowhere", "lite"])
def test_doctor_names_a_database_that_is_none(alias: str) -> None:
    filled = connections.configure_settings(
        {"default": {}, "lite": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    )
    connections.settings["lite"] = filled["lite"]
    out = StringIO()
    try:
        with override_settings(FRAISEQL={"DATABASE": alias}), pytest.raises(SystemExit):
            call_command("fraiseql_doctor", format="json", stdout=out)
    finally:
        remove("lite")

    sources = [problem["source"] for problem in json.loads(out.getvalue())["problems"]]
    assert sources == ["fraiseql.E003" if alias == "nowhere" else "fraiseql.E004"]


def test_doctor_wants_utf8(server: EmbeddedServer) -> None:
    name = f"ascii_{uuid4().hex}"
    with psycopg.connect(server.uri(), autocommit=True) as connection:
        connection.execute(
            sql.SQL(
                "CREATE DATABASE {} ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'"
                " LOCALE_PROVIDER libc"
            ).format(sql.Identifier(name))
        )
    parts = conninfo_to_dict(server.uri())
    connections.settings["down"] |= {"NAME": name, "HOST": str(parts["host"]), "PORT": "5432"}
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("fraiseql_doctor", format="json", stdout=out)
    connections["down"].close()
    with psycopg.connect(server.uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))

    messages = [problem["message"] for problem in json.loads(out.getvalue())["problems"]]
    assert "The database's encoding is SQL_ASCII." in messages

"""What the system checks say of the rules by which a sync finds what embeds a row."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.core.checks import CheckMessage
from django.db import connection
from pytest_django import Settings

import fraiseql
from fraiseql.checks.database import check_views
from fraiseql.cqrs import cascade
from fraiseql.cqrs.sync import projections
from fraiseql.errors import ConfigurationError
from fraiseql.schema import registry

pytestmark = pytest.mark.django_db

SETUP = """
CREATE TABLE tb_writer (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_essay (id uuid PRIMARY KEY, writer uuid NOT NULL);
CREATE TABLE tv_writer (id uuid PRIMARY KEY, data jsonb NOT NULL);
CREATE TABLE tv_essay (id uuid PRIMARY KEY, data jsonb NOT NULL);
CREATE VIEW v_writer AS SELECT id, jsonb_build_object('id', id, 'name', name) AS data FROM tb_writer;
"""
READ_FROM = """
CREATE VIEW v_essay AS SELECT e.id, jsonb_build_object('id', e.id, 'writer', w.data) AS data
  FROM tb_essay e JOIN {} w ON w.id = e.writer"""
ALONE = """
CREATE VIEW v_essay AS SELECT id, jsonb_build_object(
    'id', id, 'writer', jsonb_build_object('id', writer, 'name', '')) AS data FROM tb_essay"""


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    """Essays embed their writer."""
    with registry.isolated():

        @fraiseql.type(view="tv_writer", source="v_writer")
        class Writer:
            id: UUID
            name: str

        @fraiseql.type(view="tv_essay", source="v_essay")
        class Essay:
            id: UUID
            writer: Writer

        class Query(fraiseql.Query):
            essays = fraiseql.many(Essay)

        yield


def found() -> list[CheckMessage]:
    return check_views(databases=["default"])


@pytest.mark.parametrize("relation", ["v_writer", "tv_writer"])
def test_a_rule_that_the_views_bear_out_is_silent(relation: str) -> None:
    execute(SETUP, READ_FROM.format(relation))

    assert found() == []


def test_a_rule_that_the_views_contradict_is_warned_of(settings: Settings) -> None:
    execute(SETUP, ALONE)

    (message,) = found()
    assert message.id == "fraiseql.W145"
    assert (
        "'tv_writer -> tv_essay at writer' is contradicted by the database: v_essay" in message.msg
    )
    assert "['without tv_writer -> tv_essay at writer']" in str(message.hint)
    settings.FRAISEQL = {"CASCADE_RULES": ["without tv_writer -> tv_essay at writer"]}
    assert found() == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("tv_essay -> tv_writer", "is no rule"),
        ("without tv_essay -> tv_writer at writer", "takes away a rule that there is not"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(settings: Settings, line: str, fault: str) -> None:
    execute(SETUP, READ_FROM.format("v_writer"))
    settings.FRAISEQL = {"CASCADE_RULES": [line]}

    with pytest.raises(ConfigurationError, match=fault):
        cascade.rules(projections())
    (message,) = found()
    assert (message.id, fault in message.msg) == ("fraiseql.E144", True)


def test_a_rules_function_has_to_be_there(settings: Settings) -> None:
    execute(SETUP, READ_FROM.format("v_writer"))
    settings.FRAISEQL = {"CASCADE_RULES": ["tv_essay -> tv_writer by fn_writers_of"]}

    (message,) = found()
    assert message.id == "fraiseql.E144"
    assert "tv_essay -> tv_writer by fn_writers_of: there is no function" in message.msg
    execute(
        "CREATE FUNCTION fn_writers_of(uuid[]) RETURNS SETOF uuid LANGUAGE sql RETURN NULL::uuid"
    )
    assert found() == []

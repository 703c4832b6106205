"""A deploy that would break registered operations is told of before it runs."""

import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

import fraiseql
from fraiseql.checks.operations import check_operations
from fraiseql.db import sync
from fraiseql.engine.document import persisted
from fraiseql.schema import registry

pytestmark = pytest.mark.django_db

TEXTS = ("query Names { makers { name } }", "query Old { makers { nickname } nothing }")


@pytest.fixture(autouse=True)
def registered(db: None) -> None:
    sync.fetch(
        persisted.register(
            [
                {"hash": persisted.hash_of(text), "text": text, "name": text.split()[1],
                 "client": "", "ids": ["an id"] if "Old" in text else []}
                for text in TEXTS
            ]
        )
    )  # fmt: skip


@pytest.fixture
def without_store() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE tb_persisted_operation_id, tb_persisted_operation")


def test_an_operation_that_no_longer_fits_is_an_error() -> None:
    (message,) = check_operations(databases=["default"])

    assert (message.id, message.is_serious()) == ("fraiseql.E121", True)
    assert message.msg == (
        "The registered operation Old no longer fits the schema: Cannot query field 'nickname' on type"
        " 'Maker'.; Cannot query field 'nothing' on type 'Query'."
    )
    assert persisted.hash_of(TEXTS[1]) in (message.hint or "")
    with pytest.raises(CommandError, match=r"fraiseql\.E121"):
        call_command("check", tags=["fraiseql"], databases=["default"])


def test_it_is_told_of_any_schema(settings: Settings) -> None:
    with registry.isolated():

        @fraiseql.type(view="v_maker")
        class Maker:
            nickname: str

        class Query(fraiseql.Query):
            makers = fraiseql.many(Maker)

        assert len(check_operations(databases=["default"])) == 2


def test_it_is_not_looked_at_without_a_database_nor_by_migrate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert check_operations(databases=None) == []
    assert check_operations(databases=["other"]) == []
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    assert check_operations(databases=["default"]) == []


def test_a_wrong_setting_is_for_another_check(settings: Settings) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "sometimes"}

    assert check_operations(databases=["default"]) == []


@pytest.mark.usefixtures("without_store")
def test_a_missing_store_is_told_where_it_is_needed(settings: Settings) -> None:
    assert check_operations(databases=["default"]) == []
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "enforce"}
    (message,) = check_operations(databases=["default"])

    assert message.id == "fraiseql.E122"
    assert "tb_persisted_operation" in message.msg

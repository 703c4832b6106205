"""Checks of the connection's role, as the superuser that no application should be."""

from collections.abc import Iterator

import pytest
from django.core.checks import run_checks
from django.db import connections
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from fraiseql.checks.production import check_role
from fraiseql.db.embedded.contents import SUPERUSER


@pytest.fixture
def as_superuser(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The alias "root", which queries read, connects as the server's superuser."""
    connections.settings["root"] = {**connections.settings["default"], "USER": SUPERUSER}
    with override_settings(FRAISEQL={"DATABASE": "root"}), django_db_blocker.unblock():
        yield
        connections["root"].close()
    del connections["root"]
    del connections.settings["root"]


def test_a_superuser_is_told_in_production(as_superuser: None) -> None:
    (message,) = check_role(databases=["root"])

    assert message.id == "fraiseql.W301"
    assert "The role 'postgres' is a superuser" in message.msg
    assert check_role(databases=None) == []


def test_deploy_runs_both_with_a_database(as_superuser: None) -> None:
    messages = run_checks(tags=["fraiseql"], include_deployment_checks=True, databases=["root"])

    assert "fraiseql.W301" in [message.id for message in messages]

"""``manage.py fraiseql_doctor``."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import override_settings
from psycopg import pq

import fraiseql
from fraiseql.asgi import GraphQLApplication
from fraiseql.db import catalog
from fraiseql.engine import result
from fraiseql.errors import ConfigurationError
from fraiseql.management import doctor
from fraiseql.schema import registry
from tests.standbys import Pair

pytestmark = pytest.mark.django_db


async def django_application(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that is never called."""


application = GraphQLApplication(django_application)


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    catalog.forget("default")


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    """A projection that is in step, and a view."""
    execute(
        "CREATE VIEW v_paper AS SELECT 1 AS id, '{\"id\": 1}'::jsonb AS data",
        "CREATE TABLE tv_paper (id int PRIMARY KEY, data jsonb)",
        "INSERT INTO tv_paper SELECT * FROM v_paper",
    )
    with registry.isolated():

        @fraiseql.type(view="tv_paper", source="v_paper")
        class Paper:
            id: int

        class Query(fraiseql.Query):
            papers = fraiseql.many(Paper)

        yield


def page(**options: Any) -> tuple[str, int]:
    """Return what is printed, and the exit code."""
    out, code = StringIO(), 0
    try:
        call_command("fraiseql_doctor", stdout=out, no_color=True, **options)
    except SystemExit as stop:
        code = int(str(stop.code))
    return out.getvalue(), code


def report() -> dict[str, Any]:
    text, code = page(format="json")
    found: dict[str, Any] = json.loads(text)
    assert code == bool(found["problems"])
    return found


def test_a_project_that_works_is_described() -> None:
    text, code = page()
    found = report()

    assert code == 0
    assert "Nothing is broken." in text
    assert found["problems"] == []
    assert list(found["sections"]) == [
        *("versions", "projector", "database", "serving"),
        *("bindings", "projections", "settings", "checks"),
    ]
    sections = found["sections"]
    assert sections["versions"]["fraiseql"] == fraiseql.__version__
    assert "PostgreSQL 1" in sections["database"]["state"]
    assert sections["database"]["role"] == "fraiseql, not a superuser"
    assert sections["database"]["migrations"] == "all applied"
    assert sections["bindings"]["missing views"] == "none"
    assert sections["projections"] == {"tv_paper": "in step with v_paper"}
    assert {"accelerator", "reference"} & set(sections["projector"])


def test_a_projection_out_of_step_is_a_problem() -> None:
    execute("DELETE FROM tv_paper")
    text, code = page()

    assert code == 1
    assert "1. tv_paper is not in step with v_paper: 1 missing, 0 stale, 0 orphaned." in text
    assert "     manage.py fraiseql_sync tv_paper\n" in text


def test_missing_views_are_named() -> None:
    execute("DROP TABLE tv_paper")
    found = report()

    assert found["sections"]["bindings"]["missing views"] == "tv_paper"
    assert "no 'tv_paper'" in found["sections"]["projections"]["tv_paper"]
    (problem,) = found["problems"]
    assert problem["source"] == "fraiseql.E101"
    assert "migrate" in problem["hint"]


def test_a_source_that_fails_is_told_and_the_rest_goes_on() -> None:
    execute(
        "CREATE OR REPLACE VIEW v_paper AS SELECT 1 AS id, to_jsonb(1 / (n - n)) AS data"
        " FROM generate_series(1, 1) AS n"
    )
    found = report()

    assert "division by zero" in found["sections"]["projections"]["tv_paper"]
    assert found["sections"]["checks"]


def test_a_schema_that_does_not_build_is_one_problem() -> None:
    @fraiseql.type
    class Wrong:
        value: complex

    found = report()

    assert found["sections"]["bindings"]["schema"].startswith("does not build: Wrong.value")
    assert found["sections"]["projections"] == {"tv_paper": "in step with v_paper"}
    assert [problem["source"] for problem in found["problems"]] == ["fraiseql.E001"]


def test_an_asgi_application_may_need_the_schema_that_does_not_build() -> None:
    registry.current().fault = ConfigurationError("Wrong.", hint="Make it right.")
    sys.modules.pop("blog.asgi", None)
    with override_settings(ASGI_APPLICATION="blog.asgi.application"):
        found = report()

    assert found["sections"]["serving"]["ASGI"] == "does not start"
    assert [problem["source"] for problem in found["problems"]] == ["fraiseql.E001"]


def test_projections_of_two_sources_are_a_problem() -> None:
    @fraiseql.type(view="tv_paper", source="v_other")
    class Other:
        id: int

    assert "projections" in [problem["source"] for problem in report()["problems"]]


def test_wrong_settings_leave_the_rest_standing() -> None:
    with override_settings(FRAISEQL={"MAX_LIMITS": 1}):
        found = report()

    assert found["sections"]["settings"] == {"FRAISEQL": "wrong"}
    assert found["sections"]["versions"]
    assert [problem["source"] for problem in found["problems"]] == ["fraiseql.E002"]


def test_settings_in_force_are_shown_where_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRAISEQL_ACCELERATOR", raising=False)
    with override_settings(FRAISEQL={"MAX_LIMIT": 50, "DEFAULT_LIMIT": 100, "MAX_DEPTH": 15}):
        found = report()

    assert found["sections"]["settings"] == {"MAX_LIMIT": "50 (1000 by default)"}
    assert "fraiseql.W003" in [warning["source"] for warning in found["warnings"]]


def test_more_connections_than_the_server_takes() -> None:
    with override_settings(FRAISEQL={"POOL_MAX_SIZE": 100_000}):
        (problem,) = report()["problems"]

    assert "POOL_MAX_SIZE is 100000" in problem["message"]


def test_migrations_that_wait_are_a_problem() -> None:
    execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    (problem,) = report()["problems"]

    assert problem == {
        "message": "1 migration not applied.",
        "hint": "manage.py migrate",
        "source": "database",
    }


def test_how_it_is_served() -> None:
    with override_settings(ASGI_APPLICATION=f"{__name__}.application"):
        fast = report()["sections"]["serving"]["ASGI"]
    with override_settings(ASGI_APPLICATION=f"{__name__}.django_application"):
        slow = report()["sections"]["serving"]["ASGI"]
    with override_settings(ASGI_APPLICATION="nowhere.application"):
        missing = report()

    assert fast == "GraphQLApplication at /graphql and /graphql/"
    assert slow == "function: GraphQL passes through Django's handler"
    assert missing["problems"][0]["source"] == "serving"


def test_a_slow_psycopg_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pq, "__impl__", "python")
    found = report()

    assert "pure Python" in found["warnings"][0]["message"]
    assert found["problems"] == []


def test_a_server_that_is_too_old_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SUPPORTED", (99, 100))

    assert report()["problems"][0]["hint"] == "Use 99 to 100."


def test_without_the_accelerator_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRAISEQL_ACCELERATOR", raising=False)
    result.implementation.cache_clear()
    with override_settings(FRAISEQL={"ACCELERATOR": "off"}):
        off = report()["sections"]["projector"]
    result.implementation.cache_clear()
    monkeypatch.setitem(sys.modules, "fraiseql_accelerator", None)
    with override_settings(FRAISEQL={"ACCELERATOR": "require"}):
        missing = report()
    result.implementation.cache_clear()

    assert off["accelerator"] == "not used: it is switched off"
    assert "required" in missing["sections"]["projector"]["none"]
    assert [problem["source"] for problem in missing["problems"]] == ["fraiseql.E005"]


def test_silenced_checks_stay_silent() -> None:
    with override_settings(SILENCED_SYSTEM_CHECKS=["fraiseql.W004"]):
        assert report()["warnings"] == []


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({}, "multiplexed, 4 lanes, at most 10 connections"),
        ({"POOL_MAX_SIZE": 3}, "multiplexed, 1 lane, at most 3 connections"),
        ({"POOL": "simple"}, "simple, at most 10 connections"),
        ({"POOL_MAX_SIZE": 1}, "simple, at most 1 connections"),
    ],
)
def test_the_pool_that_runs_is_named(settings: dict[str, Any], shown: str) -> None:
    with override_settings(FRAISEQL=settings):
        assert doctor.examine().sections["serving"]["pool"] == shown


def test_replicas_are_shown_with_how_far_they_are(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.standby.start()
    own = connections.settings["default"]
    place = {
        "HOST": str(pair.standby.status().socket),
        "NAME": "fraiseql",
        "TEST": own["TEST"] | {"MIRROR": "default"},
    }
    for alias, settings in {
        "copy": own | place,
        "itself": own,
        "gone": own | {"HOST": "/"},
    }.items():
        monkeypatch.setitem(connections.settings, alias, settings)
        with suppress(AttributeError):
            del connections[alias]  # What it was before.
    with override_settings(FRAISEQL={"REPLICAS": ["copy", "itself", "gone", "unknown"]}):
        report = doctor.examine()
        pair.pause()
        with override_settings(FRAISEQL={"REPLICAS": ["copy"], "DATABASE": "gone"}):
            paused = doctor.examine().sections["database"]["replica copy"]
        pair.resume()

    shown = report.sections["database"]
    assert re.fullmatch(
        r"at [0-9A-F/]+, [0-9,]+ bytes behind(, last transaction .*)?", shown["replica copy"]
    )
    assert re.fullmatch(r"at [0-9A-F/]+(, last transaction .*)?, replay is paused", paused)
    assert (shown["replica itself"], shown["replica gone"]) == ("no standby", "cannot be used")
    found = [finding.message for finding in report.problems if "replica" in finding.message]
    assert "replica unknown" not in shown
    assert found[0] == "The replica 'itself' is no standby."
    assert found[1].startswith("The replica 'gone' cannot be used: ")

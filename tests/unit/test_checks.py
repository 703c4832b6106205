"""Checks that need no database, and the table of all checks."""

import enum
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import graphene
import pytest
from django.apps import apps
from django.core.checks import CheckMessage
from django.db import connections
from django.test import override_settings
from django.urls import include, path

import fraiseql
from fraiseql.asgi import GraphQLApplication
from fraiseql.checks import CHECKS, production, table
from fraiseql.checks.bindings import check_bindings
from fraiseql.checks.database import check_views
from fraiseql.checks.production import (
    asgi_application,
    check_role,
    check_settings,
    embedded_server,
)
from fraiseql.db.embedded import project_server
from fraiseql.engine import result
from fraiseql.errors import ConfigurationError
from fraiseql.schema import registry
from fraiseql.schema.build import get_schema
from fraiseql.views import graphql

JOINED = graphene.Schema(query=type("Query", (graphene.ObjectType,), {"hello": graphene.String()}))


async def django_application(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that is never called."""


application = GraphQLApplication(django_application, path="/api/")


def urls(*patterns: Any) -> ModuleType:
    module = ModuleType("urls_of_test")
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]  # what Django reads
    return module


SERVED = urls(path("graphql/", include("fraiseql.urls")))


@pytest.fixture(autouse=True)
def declarations() -> Iterator[None]:
    """Nothing is declared but what the test declares, and GraphQL has its URL."""
    with registry.isolated(), override_settings(ROOT_URLCONF=SERVED):
        yield


@pytest.fixture
def thing() -> Any:
    """A declared type with a list of it."""

    @fraiseql.type(view="v_thing")
    class Thing:
        id: int

    class Query(fraiseql.Query):
        things = fraiseql.many(Thing)

    return Thing


def only(messages: list[CheckMessage]) -> CheckMessage:
    """Return the one message, which has an object and a hint."""
    (message,) = messages
    assert message.obj
    assert message.hint
    return message


def test_every_row_of_the_table_says_what_to_do() -> None:
    for identity, check in CHECKS.items():
        assert re.fullmatch(r"fraiseql\.[EW][013]\d\d", identity)
        assert check.looks_at
        assert check.hint.endswith((".", "}")), identity
        assert check.is_error is identity.startswith("fraiseql.E")


def test_no_id_is_given_twice() -> None:
    with pytest.raises(ValueError, match=r"fraiseql\.E001 is in the table twice"):
        table._check("E001", "", "", "")


@pytest.mark.parametrize("given", [{"LIMIT": 1}, {"DATABASE": "other"}])
def test_roles_are_looked_at_on_the_database_that_queries_read(given: dict[str, Any]) -> None:
    with override_settings(FRAISEQL=given):
        assert check_role(databases=["default"]) == []
        assert check_views(databases=["default"]) == []


def test_a_schema_that_does_not_build_is_told_once() -> None:
    registry.current().fault = ConfigurationError("Wrong.")

    assert check_views(databases=["default"]) == []
    assert [message.id for message in check_bindings()] == ["fraiseql.E001"]


def test_a_private_server_that_cannot_be_looked_at_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "HOST", "/run/postgresql")
    monkeypatch.setenv("FRAISEQL_POSTGRES", "1")
    with override_settings(BASE_DIR=tmp_path):
        assert embedded_server("default") is None


def test_every_check_is_provoked_by_a_test() -> None:
    here = Path(__file__).resolve().parents[1]
    texts = "".join(
        file.read_text(encoding="utf-8")
        for folder in ("unit", "integration")
        for file in (here / folder).glob("test_c*.py")
    )

    missing = [name for name in CHECKS if f'{name.removeprefix("fraiseql.")}"' not in texts]
    assert missing == []


def test_declarations_that_are_right_are_silent(thing: Any) -> None:
    assert check_bindings() == []
    assert check_settings() == []


def test_nothing_declared_is_a_warning() -> None:
    message = only(check_bindings())

    assert message.id == "fraiseql.W001"


def test_joined_graphene_schemas_are_something() -> None:
    with override_settings(FRAISEQL={"GRAPHENE_SCHEMAS": [f"{__name__}.JOINED"]}):
        assert check_bindings() == []


def test_a_schema_that_does_not_build_names_the_declaration() -> None:
    @fraiseql.type(view="v_thing")
    class Thing:
        id: int
        other: complex

    class Query(fraiseql.Query):
        things = fraiseql.many(Thing)

    message = only(check_bindings())

    assert message.id == "fraiseql.E001"
    assert "complex" in message.msg
    assert message.obj == f"{__name__}.Thing.other"
    assert (
        message.hint == "Decorate complex with @fraiseql.type, or use a scalar of fraiseql.scalars."
    )


def test_a_fault_that_names_no_declaration_is_of_the_bindings(thing: Any) -> None:
    with override_settings(FRAISEQL={"GRAPHENE_SCHEMAS": ["nowhere.SCHEMA"]}):
        message = only(check_bindings())

    assert message.id == "fraiseql.E001"
    assert message.obj == "bindings"


def test_bindings_that_cannot_be_read_are_told_by_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(*_names: str) -> None:
        raise ConfigurationError("Two classes are called 'Thing'.", hint="Rename one.")

    monkeypatch.setattr("fraiseql.apps.autodiscover_modules", read)
    monkeypatch.setattr("fraiseql.checks.register_all", lambda: None)
    apps.get_app_config("fraiseql").ready()
    message = only(check_bindings())

    assert message.id == "fraiseql.E001"
    assert message.hint == "Rename one."
    with pytest.raises(ConfigurationError, match="Two classes"):
        get_schema()


@pytest.mark.parametrize(
    "given",
    [{"LIMIT": 1}, {"MAX_LIMIT": "many"}, {"MAX_PLAN_COST_BY_ROLE": 7}, {"MAX_PLAN_COST_BY_ROLE": {"guest": -1}}],
)  # fmt: skip
def test_wrong_settings_are_named(given: dict[str, Any]) -> None:
    with override_settings(FRAISEQL=given):
        message = only(check_bindings())
        assert check_settings() == []

    assert message.id == "fraiseql.E002"
    assert next(iter(given)) in message.msg


def test_the_database_must_be_one_of_databases(thing: Any) -> None:
    with override_settings(FRAISEQL={"DATABASE": "replica"}):
        message = only(check_bindings())

    assert message.id == "fraiseql.E003"
    assert message.hint == "DATABASES has: default."


def test_the_database_must_be_postgresql(thing: Any) -> None:
    filled = connections.configure_settings(
        {"default": {}, "lite": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    )
    connections.settings["lite"] = filled["lite"]
    try:
        with override_settings(FRAISEQL={"DATABASE": "lite"}):
            message = only(check_bindings())
    finally:
        del connections["lite"]
        del connections.settings["lite"]

    assert message.id == "fraiseql.E004"
    assert "DATABASES['lite'] is SQLite" in message.msg


def test_a_required_accelerator_must_be_there(thing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRAISEQL_ACCELERATOR", raising=False)
    monkeypatch.setitem(sys.modules, "fraiseql_accelerator", None)
    result.implementation.cache_clear()
    try:
        with override_settings(FRAISEQL={"ACCELERATOR": "require"}):
            message = only(check_bindings())
    finally:
        result.implementation.cache_clear()

    assert message.id == "fraiseql.E005"
    assert "fraiseql_accelerator" in message.msg


def test_enum_values_are_what_documents_hold(thing: Any) -> None:
    @fraiseql.enum
    class Day(enum.Enum):
        FIRST = date(2024, 1, 1)
        SECOND = 2
        THIRD = 0.5

    first, third = check_bindings()

    assert first.id == third.id == "fraiseql.E006"
    assert first.msg.startswith("Day.FIRST has a value")
    assert third.msg.endswith("cannot be compared with: a float.")
    assert first.obj is Day


def test_a_list_that_is_always_empty(thing: Any) -> None:
    with override_settings(FRAISEQL={"MAX_LIMIT": 0}):
        message = only(check_bindings())

    assert message.id == "fraiseql.W002"


def test_a_root_field_that_is_always_empty(thing: Any) -> None:
    class Query(fraiseql.Query):
        none = fraiseql.many(thing, max_limit=0)

    message = only(check_bindings())

    assert message.id == "fraiseql.W002"
    assert message.obj == "Query.none"


def test_a_default_beyond_the_most(thing: Any) -> None:
    with override_settings(FRAISEQL={"DEFAULT_LIMIT": 20, "MAX_LIMIT": 10}):
        message = only(check_bindings())

    assert message.id == "fraiseql.W003"
    assert "is 20, more than the 10" in message.msg


def test_a_root_fields_default_beyond_the_most(thing: Any) -> None:
    class Query(fraiseql.Query):
        some = fraiseql.many(thing, default_limit=2000)

    message = only(check_bindings())

    assert message.id == "fraiseql.W003"
    assert message.obj == "Query.some"


def test_graphql_needs_a_url(thing: Any) -> None:
    with override_settings(ROOT_URLCONF="tests.urls"):
        message = only(check_bindings())

    assert message.id == "fraiseql.W004"
    assert "tests.urls" in str(message.hint)


def test_the_view_alone_is_a_url_too(thing: Any) -> None:
    with override_settings(ROOT_URLCONF=urls(path("api/", graphql))):
        assert check_bindings() == []


def test_a_pool_that_is_smaller_than_itself(thing: Any) -> None:
    with override_settings(FRAISEQL={"POOL_MIN_SIZE": 5, "POOL_MAX_SIZE": 2}):
        message = only(check_bindings())

    assert message.id == "fraiseql.W005"


@pytest.mark.parametrize(
    ("alias", "fault"),
    [("nowhere", "does not have"), ("default", "replica of"), ("lite", "SQLite, not PostgreSQL")],
)
def test_a_replica_that_cannot_be_one(
    thing: Any, alias: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    filled = connections.configure_settings({"default": {}, "lite": lite})
    monkeypatch.setitem(connections.settings, "lite", filled["lite"])
    with override_settings(FRAISEQL={"REPLICAS": [alias]}):
        message = only(check_bindings())

    assert message.id == "fraiseql.E008"
    assert fault in message.msg


def test_a_replica_is_a_mirror_in_tests(thing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = connections.settings["default"] | {"TEST": {"MIRROR": None}}
    monkeypatch.setitem(connections.settings, "copy", copy)
    with override_settings(FRAISEQL={"REPLICAS": ["copy"]}):
        message = only(check_bindings())
        copy["TEST"]["MIRROR"] = "default"

        assert message.id == "fraiseql.W006"
        assert check_bindings() == []


def test_graphiql_in_production() -> None:
    with override_settings(FRAISEQL={"GRAPHIQL": True}):
        assert only(check_settings()).id == "fraiseql.W303"
        with override_settings(DEBUG=True):
            assert check_settings() == []


@pytest.mark.parametrize("name", ["AUTHENTICATION", "SESSION_VARIABLES"])
def test_a_path_that_leads_nowhere(thing: Any, name: str) -> None:
    with override_settings(FRAISEQL={name: ["no.such.thing"]}):
        message = only(check_bindings())

    assert message.id == "fraiseql.E007"
    assert f"FRAISEQL['{name}'] names 'no.such.thing'" in message.msg


def test_introspection_in_production() -> None:
    with override_settings(FRAISEQL={"INTROSPECTION": "public"}):
        message = only(check_settings())

    assert message.id == "fraiseql.W304"


@pytest.mark.parametrize("name", production._LIMITS)
def test_limits_that_are_off(name: str) -> None:
    with override_settings(FRAISEQL={name: 0}):
        message = only(check_settings())

    assert message.id == "fraiseql.W305"
    assert name in message.msg


def test_lists_that_nothing_cuts(thing: Any) -> None:
    @fraiseql.type
    class Shelf:
        things: list[thing]

        @fraiseql.field
        def others(self) -> list[thing]:
            return []

        @fraiseql.field
        def numbers(self) -> list[int]:
            return []

    class Query(fraiseql.Query):
        some = fraiseql.many(thing)
        feed = fraiseql.connection(thing)

    @fraiseql.query
    def shelves(info: Any) -> list[Shelf]:
        return []

    @fraiseql.query
    def few_shelves(info: Any, limit: int = 3) -> list[Shelf]:
        return []

    messages = check_settings()

    assert {message.id for message in messages} == {"fraiseql.W308"}
    assert sorted(str(message.obj) for message in messages) == ["Query.shelves", "Shelf.others"]


def test_the_private_server_in_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(BASE_DIR=tmp_path):
        socket = str(project_server(tmp_path).status().socket)
        monkeypatch.setitem(connections.settings["default"], "HOST", socket)
        message = only(check_settings())
        monkeypatch.setitem(connections.settings["default"], "HOST", "/run/postgresql")
        assert embedded_server("default") is None

    assert message.id == "fraiseql.W306"


def test_asgi_and_urls_serve_graphql_at_one_path() -> None:
    with override_settings(ASGI_APPLICATION=f"{__name__}.application"):
        message = only(check_settings())
    with override_settings(ASGI_APPLICATION="nowhere.application"):
        assert check_settings() == []
    assert asgi_application() is None

    assert message.id == "fraiseql.W307"
    assert message.hint == "Give both the same: GraphQLApplication(path='/graphql/')."

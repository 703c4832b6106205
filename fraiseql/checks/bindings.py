"""
Checks of settings and declarations: nothing here asks the database.
"""

import enum
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage
from django.db import connections
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from fraiseql import views
from fraiseql.checks import table
from fraiseql.conf import Settings, get_settings
from fraiseql.engine.result import implementation
from fraiseql.errors import ConfigurationError
from fraiseql.schema import registry
from fraiseql.schema.build import get_schema

_SETTINGS = "settings.FRAISEQL"


def check_bindings(**_: Any) -> list[CheckMessage]:
    """Return what is wrong with the settings and the declarations."""
    try:
        settings = get_settings()
    except ConfigurationError as fault:
        return [table.SETTINGS(_SETTINGS, fault=fault.message, hint=fault.hint)]
    return [
        *_settings(settings),
        *_database(settings),
        *_replicas(settings),
        *_accelerator(),
        *_imports(settings),
        *_enums(),
        *_schema(settings),
        *_urls(),
    ]


def path_of_endpoint() -> str | None:
    """Return the path GraphQL is served at in this project's URLs, or None."""
    for name in ("fraiseql:graphql", views.graphql):
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return None


def _settings(settings: Settings) -> Iterator[CheckMessage]:
    if settings.MAX_LIMIT == 0:
        yield table.NO_ROWS(_SETTINGS, name="FRAISEQL['MAX_LIMIT']")
    elif settings.DEFAULT_LIMIT > settings.MAX_LIMIT:
        yield table.DEFAULT_LIMIT(
            _SETTINGS,
            name="FRAISEQL['DEFAULT_LIMIT']",
            default=settings.DEFAULT_LIMIT,
            most=settings.MAX_LIMIT,
        )
    if max(1, settings.POOL_MAX_SIZE) < settings.POOL_MIN_SIZE:
        yield table.POOL_SIZE(_SETTINGS, least=settings.POOL_MIN_SIZE, most=settings.POOL_MAX_SIZE)


def _imports(settings: Settings) -> Iterator[CheckMessage]:
    for name in ("AUTHENTICATION", "SESSION_VARIABLES"):
        for path in getattr(settings, name):
            try:
                import_string(path)
            except ImportError as fault:
                yield table.IMPORT(_SETTINGS, name=f"FRAISEQL[{name!r}]", path=path, fault=fault)


def _database(settings: Settings) -> Iterator[CheckMessage]:
    alias = settings.DATABASE
    if alias not in connections.settings:
        known = ", ".join(connections.settings)
        yield table.ALIAS(_SETTINGS, alias=alias, known=known)
    elif connections[alias].vendor != "postgresql":
        yield table.BACKEND(
            f"settings.DATABASES[{alias!r}]", alias=alias, vendor=connections[alias].display_name
        )


def _replicas(settings: Settings) -> Iterator[CheckMessage]:
    primary = settings.DATABASE
    for alias in settings.REPLICAS:
        if fault := _fault_of_replica(alias, primary):
            yield table.REPLICA(_SETTINGS, alias=alias, fault=fault, primary=primary)
        elif connections.settings[alias]["TEST"]["MIRROR"] != primary:
            yield table.MIRROR(f"settings.DATABASES[{alias!r}]", alias=alias, primary=primary)


def _fault_of_replica(alias: str, primary: str) -> str | None:
    if alias not in connections.settings:
        return "which DATABASES does not have"
    if alias == primary:
        return "the database that it would be a replica of"
    if connections[alias].vendor != "postgresql":
        return f"which is {connections[alias].display_name}, not PostgreSQL"
    return None


def _accelerator() -> Iterator[CheckMessage]:
    try:
        implementation()
    except ConfigurationError as fault:
        yield table.ACCELERATOR(_SETTINGS, fault=fault.message, hint=fault.hint)


def _enums() -> Iterator[CheckMessage]:
    for python in registry.current().enums:
        for member in _members(python):
            if not isinstance(member.value, str | int):
                yield table.ENUM_VALUE(
                    python, member=member, kind=f"a {type(member.value).__name__}"
                )


def _members(python: Any) -> list[enum.Enum]:
    return list(python)


def _schema(settings: Settings) -> Iterator[CheckMessage]:
    declared = registry.current()
    is_empty = not (declared.roots or declared.resolvers or settings.GRAPHENE_SCHEMAS)
    if is_empty and declared.fault is None:
        yield table.NOTHING_DECLARED("INSTALLED_APPS")
        return
    try:
        schema = get_schema()
    except ConfigurationError as fault:
        yield table.SCHEMA(_declared(fault.message), fault=fault.message, hint=fault.hint)
        return
    for root in schema.roots.values():
        name, most = f"Query.{root.name}", root.max_limit
        if most == 0:
            yield table.NO_ROWS(name, name=f"max_limit of {name}")
            continue
        most = settings.MAX_LIMIT if most is None else most
        if root.default_limit is not None and root.default_limit > most:
            yield table.DEFAULT_LIMIT(
                name, name=f"default_limit of {name}", default=root.default_limit, most=most
            )


def _declared(message: str) -> object:
    """Return the class or function a message begins with the name of."""
    word = message.split(":")[0].split(" ")[0]
    for python in registry.current().by_name().values():
        if word in (python.__name__, *_attributes(python)):
            return f"{python.__module__}.{word}"
    return word if "." in word else "bindings"


def _attributes(python: type) -> list[str]:
    return [f"{python.__name__}.{entry.name}" for entry in _dataclass_fields(python)]


def _dataclass_fields(python: Any) -> tuple[Any, ...]:
    return () if issubclass(python, enum.Enum) else fields(python)


def _urls() -> Iterator[CheckMessage]:
    if path_of_endpoint() is None:
        urlconf = getattr(django_settings, "ROOT_URLCONF", "ROOT_URLCONF")
        yield table.URLS(urlconf, urlconf=urlconf)

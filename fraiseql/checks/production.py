"""
Checks of what is right in development and wrong in production (``check --deploy``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage
from django.db import DatabaseError, connections
from django.utils.module_loading import import_string

from fraiseql.asgi import GraphQLApplication
from fraiseql.checks import table
from fraiseql.checks.bindings import path_of_endpoint
from fraiseql.checks.database import statement
from fraiseql.conf import Settings, get_settings
from fraiseql.db import inspection
from fraiseql.db.embedded import Status, project_server
from fraiseql.engine.plan.cost import uncapped_lists
from fraiseql.errors import ConfigurationError, EmbeddedServerError
from fraiseql.schema import registry
from fraiseql.schema.build import get_schema

_SETTINGS = "settings.FRAISEQL"
_LIMITS = {
    "STATEMENT_TIMEOUT_MS": "the time a statement takes",
    "MAX_TOKENS": "the length of a document",
    "MAX_DEPTH": "how deep a document nests",
    "MAX_SELECTIONS": "how many fields a document spells out",
    "MAX_FIELDS": "how many fields a document stands for",
    "MAX_ROOT_FIELDS": "how many lists a query reads and how many tries a mutation has",
    "MAX_ALIASES": "how often a document gives a field another name",
    "MAX_DIRECTIVES": "how many directives a document has",
    "MAX_COST": "how many rows and fields an operation reads",
    "MAX_RESPONSE_BYTES": "the size of a response",
}


def check_settings(**_: Any) -> list[CheckMessage]:
    """Return what production should not have in its settings."""
    try:
        settings = get_settings()
    except ConfigurationError:
        return []  # Reported by check_bindings.
    return [*_exposed(settings), *_limits(settings), *_lists(), *_embedded(settings), *_asgi()]


def check_role(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Return what the role of the connection may that it should not."""
    try:
        using = get_settings().DATABASE
    except ConfigurationError:
        return []
    if using not in (databases or ()):
        return []
    declared = registry.current().objects.values()
    views = list(dict.fromkeys(entry.view for entry in declared if entry.view))
    try:
        with inspection.reading(using) as cursor:
            cursor.execute(statement("role"), [views])
            role, is_superuser, bypasses, owned = cursor.fetchone()
    except DatabaseError:
        return []  # Reported by check_views.
    obj = f"settings.DATABASES[{using!r}]"
    if is_superuser or bypasses:
        power = "is a superuser" if is_superuser else "has BYPASSRLS"
        return [table.SUPERUSER(obj, role=role, power=power)]
    return [table.OWNER(obj, role=role, views=_few(owned))] if owned else []


def embedded_server(using: str) -> Status | None:
    """Return how the private server of development is, if the alias leads to it."""
    host = str(connections.settings[using].get("HOST", ""))
    if not host.startswith("/"):
        return None
    try:
        found = project_server(getattr(django_settings, "BASE_DIR", Path.cwd())).status()
    except EmbeddedServerError:
        return None
    return found if str(found.socket) == host else None


def asgi_application() -> Any:
    """
    Return the application ASGI_APPLICATION names, or None if there is none.

    Raises ImportError, and ConfigurationError if the schema does not build.
    """
    path = getattr(django_settings, "ASGI_APPLICATION", None)
    return import_string(path) if path else None


def _exposed(settings: Settings) -> Iterator[CheckMessage]:
    if django_settings.DEBUG:
        return
    if settings.GRAPHIQL:
        yield table.GRAPHIQL(_SETTINGS)
    if settings.INTROSPECTION == "public":
        yield table.INTROSPECTION(_SETTINGS)


def _limits(settings: Settings) -> Iterator[CheckMessage]:
    defaults = {entry.name: entry.default for entry in fields(Settings)}
    for name, what in _LIMITS.items():
        if getattr(settings, name) == 0:
            yield table.UNLIMITED(_SETTINGS, name=name, what=what, default=defaults[name])


def _lists() -> Iterator[CheckMessage]:
    try:
        schema = get_schema()
    except ConfigurationError:
        return  # Reported by check_bindings.
    for name in uncapped_lists(schema):
        yield table.UNCAPPED(name, name=name)


def _embedded(settings: Settings) -> Iterator[CheckMessage]:
    if settings.DATABASE in connections.settings and embedded_server(settings.DATABASE):
        yield table.EMBEDDED(f"settings.DATABASES[{settings.DATABASE!r}]")


def _asgi() -> Iterator[CheckMessage]:
    try:
        application = asgi_application()
    except (ImportError, ConfigurationError):
        return  # The server says so when it starts.
    path = path_of_endpoint()
    if isinstance(application, GraphQLApplication) and path and path not in application.paths:
        paths = " and ".join(sorted(application.paths))
        yield table.ASGI(django_settings.ASGI_APPLICATION, paths=paths, path=path)


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown

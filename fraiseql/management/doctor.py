"""
What runs here, and what is wrong with it.

Each section is looked at by itself, so that a database that is down or a schema that does not build leaves the
others standing.
"""

import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import django
import graphene
import graphene_django
import graphql
import psycopg
from django.apps import apps
from django.core.checks import CheckMessage, run_checks
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import module_has_submodule
from psycopg import pq

import fraiseql
from fraiseql.asgi import GraphQLApplication
from fraiseql.checks import TAG
from fraiseql.checks.bindings import path_of_endpoint
from fraiseql.checks.database import statement
from fraiseql.checks.production import asgi_application, embedded_server
from fraiseql.conf import Settings, get_settings
from fraiseql.cqrs.projection import Projection
from fraiseql.cqrs.sync import drift, projections
from fraiseql.db import catalog, inspection
from fraiseql.db.connections import parameters
from fraiseql.db.lanes import lanes_of
from fraiseql.engine.result import implementation
from fraiseql.errors import ConfigurationError, FraiseQLError
from fraiseql.management.generate import triggers
from fraiseql.management.messages import reason
from fraiseql.schema import registry
from fraiseql.schema.build import get_schema

SUPPORTED = (15, 18)
"""The first and the last major version of PostgreSQL that the tests run on."""

DRIFT_TIMEOUT_MS = 60_000


@dataclass(frozen=True)
class Finding:
    """Something wrong, and what to do. ``source``: the check that found it, or the section."""

    message: str
    hint: str
    source: str


@dataclass
class Report:
    """
    The page. ``sections``: facts by name, in order. ``problems``: what does not work; ``warnings``: what may not.
    """

    sections: dict[str, dict[str, str]] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the report for programs."""
        return asdict(self)


def examine(using: str | None = None) -> Report:
    """Return the report on this project. ``using``: an alias; the one that queries read by default."""
    return _Examination(using).run()


class _Examination:
    def __init__(self, using: str | None) -> None:
        self.report = Report()
        self.settings: Settings | None = None
        with suppress(ConfigurationError):  # The checks tell.
            self.settings = get_settings()
        self.using = using or (self.settings.DATABASE if self.settings else "default")
        self.is_reachable = False

    def run(self) -> Report:
        sections: dict[str, Callable[[dict[str, str]], None]] = {
            "versions": self._versions,
            "projector": self._projector,
            "database": self._database,
            "serving": self._serving,
            "bindings": self._bindings,
            "projections": self._projections,
            "settings": self._settings,
            "checks": self._checks,
        }
        for name, look in sections.items():
            facts: dict[str, str] = {}
            look(facts)
            self.report.sections[name] = facts
        return self.report

    def _problem(self, message: str, hint: str | None, source: str) -> None:
        self.report.problems.append(Finding(message, hint or "", source))

    # Sections

    def _versions(self, facts: dict[str, str]) -> None:
        facts["fraiseql"] = fraiseql.__version__
        facts["Python"] = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
        facts["Django"] = django.get_version()
        facts["graphene"] = f"{graphene.__version__}, graphene-django {graphene_django.__version__}"
        facts["graphql-core"] = graphql.__version__
        facts["psycopg"] = f"{psycopg.__version__} ({pq.__impl__})"
        facts["libpq"] = _libpq()
        if pq.__impl__ == "python":
            self.report.warnings.append(
                Finding(
                    "psycopg runs as pure Python, which is slower.",
                    "pip install 'psycopg[c]' or 'psycopg[binary]'",
                    "versions",
                )
            )
        for extra in ("channels", "daphne", "uvicorn", "granian", "celery"):
            try:
                facts[extra] = version(extra)
            except PackageNotFoundError:
                continue

    def _projector(self, facts: dict[str, str]) -> None:
        try:
            chosen = implementation()
        except ConfigurationError as error:
            facts["none"] = error.message  # The checks tell what to do.
            return
        facts[chosen.name] = chosen.version
        if chosen.reason:
            facts["accelerator"] = f"not used: {chosen.reason}"

    def _database(self, facts: dict[str, str]) -> None:
        if self.using not in connections.settings:
            facts["alias"] = f"{self.using}, which DATABASES does not have"
            return
        facts["alias"] = self.using
        facts["address"] = _address(connections.settings[self.using])
        server = embedded_server(self.using)
        if server is not None:
            facts["server"] = f"embedded, {server.state.value}, in {server.directory}"
        elif connections.settings[self.using]["ENGINE"].endswith("postgresql"):
            facts["server"] = "not the embedded one"
        try:
            self._ask_server(facts)
        except ConfigurationError as error:
            facts["state"] = error.message
        except (FraiseQLError, DatabaseError, psycopg.Error) as error:
            facts["state"] = "cannot be used"
            hint = "Start it, or correct DATABASES."
            if server is not None:
                hint = (
                    "manage.py fraiseql_postgres start; manage.py fraiseql_postgres logs says more."
                )
            self._problem(
                f"The database {self.using!r} cannot be used: {reason(error)}", hint, "database"
            )
        self._replicas(facts)

    def _ask_server(self, facts: dict[str, str]) -> None:
        # Not Django's connection, which may wait for minutes.
        with psycopg.connect(**parameters(self.using), autocommit=True) as connection:
            row = connection.execute(statement("server").encode()).fetchone()
        assert row is not None  # noqa: S101 - a connection has a role
        release, major, role, is_superuser, bypasses, is_standby, most, encoding = row
        facts["state"] = f"PostgreSQL {release}" + (", a standby" if is_standby else "")
        power = "a superuser" if is_superuser else "not a superuser"
        facts["role"] = f"{role}, {power}" + (", with BYPASSRLS" if bypasses else "")
        first, last = SUPPORTED
        if not first <= major:
            self._problem(f"PostgreSQL {major} is too old.", f"Use {first} to {last}.", "database")
        if encoding != "UTF8":
            self._problem(
                f"The database's encoding is {encoding}.", "Make it anew with UTF8.", "database"
            )
        settings = self.settings
        if settings is not None and most < settings.POOL_MAX_SIZE:
            self._problem(
                f"POOL_MAX_SIZE is {settings.POOL_MAX_SIZE}, and the server takes {most} connections.",
                "Lower FRAISEQL['POOL_MAX_SIZE']; every server process has a pool.",
                "database",
            )
        self.is_reachable = True
        self._migrations(facts)

    def _replicas(self, facts: dict[str, str]) -> None:
        aliases = self.settings.REPLICAS if self.settings else ()
        for alias in aliases:
            if alias not in connections.settings:
                continue  # The checks tell.
            try:
                facts[f"replica {alias}"] = self._replica(alias)
            except (ConfigurationError, psycopg.Error) as error:
                facts[f"replica {alias}"] = "cannot be used"
                self._problem(
                    f"The replica {alias!r} cannot be used: {reason(error)}",
                    "Start it, or correct DATABASES; the primary does its work meanwhile.",
                    "database",
                )

    def _replica(self, alias: str) -> str:
        with psycopg.connect(**parameters(alias), autocommit=True) as connection:
            found = connection.execute(statement("replica").encode(), [self._position()]).fetchone()
        assert found is not None  # noqa: S101 - it has no FROM
        is_standby, lsn, behind, seconds, is_paused = found
        if not is_standby:
            self._problem(
                f"The replica {alias!r} is no standby.",
                "Make it one, or take it out of FRAISEQL['REPLICAS'].",
                "database",
            )
            return "no standby"
        lag = "" if behind is None else f", {max(0, behind):,} bytes behind"
        last = "" if seconds is None else f", last transaction {seconds:.1f} s ago"
        return f"at {lsn}{lag}{last}{', replay is paused' if is_paused else ''}"

    def _position(self) -> str | None:
        """Return where the primary is, None if it does not tell."""
        if not self.is_reachable:
            return None
        with psycopg.connect(**parameters(self.using), autocommit=True) as connection:
            row = connection.execute(statement("position").encode()).fetchone()
        return None if row is None else str(row[0])

    def _migrations(self, facts: dict[str, str]) -> None:
        executor = MigrationExecutor(connections[self.using])
        waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        facts["migrations"] = f"{waiting} to apply" if waiting else "all applied"
        if waiting:
            self._problem(
                f"{counted(waiting, 'migration')} not applied.", "manage.py migrate", "database"
            )

    def _serving(self, facts: dict[str, str]) -> None:
        facts["URL"] = path_of_endpoint() or "none"
        if self.settings is not None and self.using in connections.settings:
            facts["pool"] = self._pool(self.settings)
        try:
            application = asgi_application()
        except ConfigurationError:
            facts["ASGI"] = "does not start"  # The checks tell why.
        except ImportError as error:
            facts["ASGI"] = f"cannot be imported: {error}"
            self._problem(f"ASGI_APPLICATION cannot be imported: {error}", "Correct it.", "serving")
        else:
            if isinstance(application, GraphQLApplication):
                facts["ASGI"] = f"GraphQLApplication at {' and '.join(sorted(application.paths))}"
            elif application is None:
                facts["ASGI"] = "ASGI_APPLICATION is not set"
            else:
                facts["ASGI"] = (
                    f"{type(application).__name__}: GraphQL passes through Django's handler"
                )
        settings = self.settings
        if settings is not None:
            facts["asynchronous"] = (
                f"a pool of {settings.POOL_MIN_SIZE} to {settings.POOL_MAX_SIZE} connections"
                " per process"
            )
        if self.using in connections.settings:
            facts["synchronous"] = _own_connections(connections.settings[self.using])

    def _pool(self, settings: Settings) -> str:
        count = lanes_of(settings, self.using)
        kind = f"multiplexed, {counted(count, 'lane')}" if count else "simple"
        return f"{kind}, at most {settings.POOL_MAX_SIZE} connections"

    def _bindings(self, facts: dict[str, str]) -> None:
        modules = [
            app.name
            for app in apps.get_app_configs()
            if app.module is not None and module_has_submodule(app.module, "bindings")
        ]
        facts["found in"] = ", ".join(modules) or "no installed app"
        declared = registry.current()
        views = list(dict.fromkeys(entry.view for entry in declared.objects.values() if entry.view))
        facts["declared"] = (
            f"{counted(len(declared.objects), 'type')} on {counted(len(views), 'view')},"
            f" {counted(len(declared.enums), 'enum')},"
            f" {counted(len(declared.roots), 'bound field')},"
            f" {counted(len(declared.resolvers), 'Python field')}"
        )
        try:
            facts["schema"] = f"{len(get_schema().graphql.type_map)} types"
        except ConfigurationError as error:
            facts["schema"] = f"does not build: {error.message}"
        if self.is_reachable and views:
            missing = [view for view in views if view not in catalog.relations(views, self.using)]
            facts["missing views"] = ", ".join(missing) or "none"

    def _projections(self, facts: dict[str, str]) -> None:
        try:
            found = projections()
        except ConfigurationError as error:
            self._problem(error.message, error.hint, "projections")
            return
        for projection in found:
            facts[projection.view] = (
                self._drift(projection) if self.is_reachable else "not looked at"
            )
        if self.is_reachable and (watched := triggers.installed(self.using)):
            facts["synced by triggers"] = ", ".join(watched)

    def _drift(self, projection: Projection) -> str:
        try:
            with inspection.reading(self.using, DRIFT_TIMEOUT_MS):
                found = drift(projection, self.using)
        except ConfigurationError as error:
            return error.message  # The checks tell what to do.
        except FraiseQLError as error:
            return f"cannot be compared: {error.message}".strip()
        if not found:
            return f"in step with {projection.source}"
        text = f"{found.missing} missing, {found.stale} stale, {found.orphaned} orphaned"
        self._problem(
            f"{projection.view} is not in step with {projection.source}: {text}.",
            f"manage.py fraiseql_sync {projection.view}",
            "projections",
        )
        return text

    def _settings(self, facts: dict[str, str]) -> None:
        if self.settings is None:
            facts["FRAISEQL"] = "wrong"
            return
        for entry in fields(self.settings):
            value = getattr(self.settings, entry.name)
            if value != entry.default:
                facts[entry.name] = f"{value!r} ({entry.default!r} by default)"

    def _checks(self, facts: dict[str, str]) -> None:
        databases = [self.using] if self.is_reachable else None
        messages = [
            message
            for message in run_checks(tags=[TAG], databases=databases)
            if not message.is_silenced()
        ]
        errors = [message for message in messages if message.is_serious()]
        others = [message for message in messages if not message.is_serious()]
        self.report.problems += map(_finding, errors)
        self.report.warnings += map(_finding, others)
        facts["errors"], facts["warnings"] = str(len(errors)), str(len(others))
        if not self.is_reachable:
            facts["views"] = "not looked at: the database does not answer"


def counted(number: int, word: str) -> str:
    """Return a number with its noun: 1 view, 2 views."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def _finding(message: CheckMessage) -> Finding:
    return Finding(f"{message.obj}: {message.msg}", str(message.hint or ""), str(message.id))


def _libpq() -> str:
    number = pq.version()
    return f"{number // 10000}.{number % 10000}"


def _address(settings: dict[str, Any]) -> str:
    """Return where a database is, without its password."""
    host = settings.get("HOST") or "the default socket"
    port = f":{settings['PORT']}" if settings.get("PORT") and not host.startswith("/") else ""
    return f"{settings.get('NAME')} on {host}{port} as {settings.get('USER') or 'the default user'}"


def _own_connections(settings: dict[str, Any]) -> str:
    if settings.get("OPTIONS", {}).get("pool"):
        return "Django's pool"
    age = settings.get("CONN_MAX_AGE", 0)
    if age is None:
        return "Django's connections, kept for good"
    return f"Django's connections, {f'kept for {age} s' if age else 'one a request'}"

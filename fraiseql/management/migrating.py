"""
Django's ``migrate`` as one step: all migrations or none, after a look at what they would break.

A migration that cannot be in a transaction (CREATE INDEX CONCURRENTLY) makes it several: then all is rehearsed
first, in a transaction that is rolled back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from django.core.checks import ERROR, CheckMessage
from django.core.management import call_command
from django.core.management.commands import migrate as django_migrate
from django.db import DatabaseError, connections, transaction
from django.db.migrations import Migration
from django.db.migrations.exceptions import AmbiguityError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from fraiseql.checks import check_functions, check_operations, check_views
from fraiseql.db import catalog, database
from fraiseql.errors import ConfigurationError, FraiseQLError, MigrationError
from fraiseql.management import ledger
from fraiseql.management.making import changes
from fraiseql.management.messages import reason
from fraiseql.management.progress import Steps, steps
from fraiseql.operations import VersionedObject, rehearsing

Plan = list[tuple[Migration, bool]]
"""Migrations in the order in which they run, each with whether it is undone."""


class _Undo(Exception):
    """The end of a rehearsal."""


class _Migrate(django_migrate.Command):
    """Django's command, which says to ``bar`` and ``current`` where it is."""

    def __init__(self, bar: Steps, using: str) -> None:
        super().__init__()
        self.bar = bar
        self.using = using
        self.current: Migration | None = None
        self.done: list[str] = []

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        """Follow the migrations."""
        if action in ("apply_start", "unapply_start"):
            self.current = migration
            self.bar.begin(str(migration))
        elif action in ("apply_success", "unapply_success"):
            self.done.append(str(migration))
            if connections[self.using].in_atomic_block:
                # What a migration left to its transaction's end would be in the next one's way.
                connections[self.using].check_constraints()
            self.current = None


def plan(using: str, app: str | None, name: str | None) -> Plan:
    """Return what there is to do. ``name``: a migration, or zero. Raises MigrationError, ConfigurationError."""
    executor = MigrationExecutor(connections[using])
    executor.loader.check_consistent_history(connections[using])
    found: Plan = executor.migration_plan(_targets(executor.loader, app, name))
    return found


def migrate(
    using: str,
    app: str | None = None,
    name: str | None = None,
    *,
    is_dry: bool = False,
    is_forced: bool = False,
    verbosity: int = 1,
) -> list[str]:
    """
    Bring a database to a migration, or to the last ones, and return the migrations that were applied or undone.

    Raises MigrationError, with the statement that failed, or with what bound types and registered operations would
    miss afterwards unless ``is_forced``; then nothing is changed.
    """
    todo = plan(using, app, name)
    if not todo:
        return []
    arguments = [item for item in (app, name) if item is not None]
    with steps(len(todo), enabled=verbosity > 0) as bar:
        command = _Migrate(bar, using)
        if is_dry or not _is_atomic(todo):
            if _can_be_rehearsed(todo):
                _rehearse(command, arguments, is_forced=is_forced)
            if not is_dry:
                _run(_Migrate(bar, using), arguments, is_atomic=False)
        else:
            with _whole(using):
                known = set() if is_forced else _faults(using)
                _run(command, arguments, is_atomic=True)
                if not is_forced:
                    _refuse_faults(using, known)
    return [str(migration) for migration, _ in todo]


def build(using: str, *, is_dry: bool = False, verbosity: int = 1) -> list[str]:
    """
    Bring an empty database, made if it is not there, to the last migrations, and return these.

    Raises MigrationError if it is not empty; ``is_dry``: a database that is not there is not made either.
    """
    connection = connections[using]
    if not database.exists(connection):
        name = connection.settings_dict["NAME"]
        if is_dry:
            return [f"{name}, a new database", *(str(item) for item in _everything())]
        database.create(connection)
    with connection.cursor() as cursor:
        there = connection.introspection.get_table_list(cursor)
    if there:
        raise MigrationError(
            f"The database {connection.settings_dict['NAME']!r} is not empty: it has {there[0].name}.",
            hint="Bring it to the last migrations: manage.py fraiseql_migrate up.",
        )
    return migrate(using, is_dry=is_dry, verbosity=verbosity)


def _everything() -> list[Migration]:
    graph = MigrationLoader(None).graph
    plan = dict.fromkeys(node for leaf in graph.leaf_nodes() for node in graph.forwards_plan(leaf))
    return [graph.nodes[node] for node in plan]


@contextmanager
def _whole(using: str) -> Iterator[None]:
    """Do all or nothing, and forget what was seen of the catalog in between."""
    try:
        with transaction.atomic(using):
            yield
    finally:
        catalog.forget(using)


def _rehearse(command: _Migrate, arguments: list[str], *, is_forced: bool) -> None:
    token = rehearsing.set(True)
    try:
        with _whole(command.using):
            known = set() if is_forced else _faults(command.using)
            _run(command, arguments, is_atomic=True)
            if not is_forced:
                _refuse_faults(command.using, known)
            raise _Undo
    except _Undo:
        pass
    finally:
        rehearsing.reset(token)


def _run(command: _Migrate, arguments: list[str], *, is_atomic: bool) -> None:
    try:
        call_command(
            command,
            *arguments,
            database=command.using,
            verbosity=0,
            interactive=False,
            run_syncdb=not arguments,
            skip_checks=True,
        )
    except (FraiseQLError, DatabaseError) as error:
        message = error.message if isinstance(error, FraiseQLError) else reason(error)
        hint = getattr(error, "hint", None)
        if getattr(error.__cause__, "sqlstate", None) == "55P04":
            hint = "A new label of an enum is used in the transaction that adds it: run manage.py migrate."
        state = "Nothing was changed."
        if not is_atomic and command.done:
            state = f"Before it, and kept: {', '.join(command.done)}."
        where = f"{command.current}: " if command.current is not None else ""
        raise MigrationError(f"{where}{message}\n{state}", hint=hint) from error


def _is_atomic(todo: Plan) -> bool:
    return all(migration.atomic for migration, _ in todo)


def _can_be_rehearsed(todo: Plan) -> bool:
    """Tell whether what cannot be in a transaction is ours, which knows what a rehearsal is."""
    return all(
        migration.atomic or all(isinstance(item, VersionedObject) for item in migration.operations)
        for migration, _ in todo
    )


# What would break


def _faults(using: str) -> set[str]:
    """Return the errors there are already: they are not these migrations' fault."""
    if not MigrationExecutor(connections[using]).loader.applied_migrations:
        return set()
    return {_told(message) for message in _checked(using)}


def _refuse_faults(using: str, known: set[str]) -> None:
    found = [_told(message) for message in _checked(using)]
    if new := [text for text in found if text not in known]:
        raise MigrationError(
            "Nothing was changed: it would break what is bound.\n" + "\n".join(new),
            hint="Change the bindings with it, or give --force.",
        )


def _checked(using: str) -> list[CheckMessage]:
    catalog.forget(using)
    return [
        message
        for check in (check_views, check_functions, check_operations)
        for message in check(databases=[using])
        if message.level >= ERROR
    ]


def _told(message: CheckMessage) -> str:
    return f"  {message.obj}: {message.msg} ({message.id})"


# Where to


def _targets(
    loader: MigrationLoader, app: str | None, name: str | None
) -> list[tuple[str, str | None]]:
    leaves = loader.graph.leaf_nodes()
    if app is None:
        return list(leaves)
    if app not in loader.migrated_apps:
        known = ", ".join(sorted(loader.migrated_apps))
        raise ConfigurationError(f"No application {app!r} has migrations.", hint=f"Those: {known}.")
    if name is None:
        return [leaf for leaf in leaves if leaf[0] == app]
    if name == "zero":
        return [(app, None)]
    try:
        return [(app, loader.get_migration_by_prefix(app, name).name)]
    except (AmbiguityError, KeyError) as error:
        names = ", ".join(sorted(known for label, known in loader.graph.nodes if label == app))
        raise ConfigurationError(
            f"{name!r} is no migration of {app!r}, or several.", hint=f"Its migrations: {names}."
        ) from error


# Status


@dataclass(frozen=True)
class File:
    """A file and the version the migrations have. ``state``: recorded, new, changed, gone, RunSQLFile."""

    app: str
    path: str
    version: int | None
    state: str

    def __str__(self) -> str:
        version = f"version {self.version}" if self.version else ""
        return f"sql/{self.path}  {version}  {self.state}".replace("    ", "  ")


@dataclass(frozen=True)
class Step:
    """A migration, and whether the database has it."""

    app: str
    name: str
    is_applied: bool

    def __str__(self) -> str:
        return f"[{'X' if self.is_applied else ' '}] {self.name}"


@dataclass(frozen=True)
class Status:
    """All files, and all migrations of applications that have files."""

    files: list[File]
    migrations: list[Step]

    def by_app(self) -> dict[str, list[File | Step]]:
        """Return the lines of each application."""
        rows: list[File | Step] = [*self.migrations, *self.files]
        labels = dict.fromkeys(row.app for row in rows)
        return {label: [row for row in rows if row.app == label] for label in labels}

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return asdict(self)


def status(using: str) -> Status:
    """Return where files and migrations are. Raises FraiseQLError, DatabaseError."""
    files, known = ledger.declared(), ledger.read()
    verbs = {change.key: change.verb for change in changes(files, known)}
    rows = []
    for key in sorted({*files, *known.objects}):
        old = known.objects.get(key)
        is_by_hand = old is not None and old.script is None
        state = "RunSQLFile" if is_by_hand else verbs.get(key, "recorded")
        rows.append(File(*key, None if old is None or is_by_hand else old.version, state))
    loader = MigrationLoader(connections[using])
    labels = {row.app for row in rows}
    nodes = sorted(node for node in loader.graph.nodes if node[0] in labels)
    done = loader.applied_migrations
    return Status(rows, [Step(app, name, (app, name) in done) for app, name in nodes])

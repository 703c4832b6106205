"""
Migration operations for SQL that lives in files.

Django migrations are the only ledger. ``RunSQLFile`` runs a file as it stands; the others bring an object from one
recorded version of its file to another, forwards and backwards: ``manage.py fraiseql_migrate make`` records the
versions and writes these operations.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from django.apps import apps
from django.db import router
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunSQL
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from fraiseql.conf import get_settings
from fraiseql.db.objects.change import Change, Waiting, changing, create_index, drop_index
from fraiseql.db.objects.script import Script, name_of
from fraiseql.errors import ConfigurationError, MigrationError

__all__ = [
    "AlterTable",
    "CreateFunction",
    "CreateIndex",
    "CreateMaterializedView",
    "CreatePolicy",
    "CreateProjection",
    "CreateTable",
    "CreateTrigger",
    "CreateType",
    "CreateView",
    "DropObject",
    "RunSQLFile",
]


class RunSQLFile(RunSQL):
    """
    Run ``<app>/sql/<path>``; undo it with ``reverse``, an SQL statement.

    The file is read when the migration runs: edit it freely until it is released, and afterwards
    bring a change to existing databases by another migration that runs it (``CREATE OR REPLACE``).
    """

    def __init__(self, path: str, reverse: str) -> None:
        super().__init__(sql=path, reverse_sql=reverse)
        self.path = path
        self.reverse = reverse

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what Django writes into a migration file."""
        return type(self).__qualname__, [self.path], {"reverse": self.reverse}

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Run the file's statement. Raises ConfigurationError if there is no such file."""
        file = Path(apps.get_app_config(app_label).path, "sql", self.path)
        try:
            self.sql = file.read_text(encoding="utf-8")
        except FileNotFoundError as missing:
            raise ConfigurationError(
                f"The migration of {app_label!r} needs {file}, which does not exist.",
                hint="Paths are relative to the application's sql/ folder.",
            ) from missing
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """Return the line ``migrate --plan`` prints."""
        return f"Run sql/{self.path}"


# Versions


def version_path(path: str, version: int) -> str:
    """Return where a version of ``sql/<path>`` is recorded, below ``migrations/sql``."""
    file = PurePosixPath(path)
    return str(file.with_name(f"{file.stem}.{version:04}.sql"))


def migrations_folder(app_label: str) -> Path:
    """Return the folder of an application's migrations (setting MIGRATION_MODULES)."""
    name, _ = MigrationLoader.migrations_module(app_label)
    if name is None:
        raise ConfigurationError(
            f"settings.MIGRATION_MODULES says that {app_label!r} has no migrations.",
            hint="Take it out of there: objects of SQL come by migrations.",
        )
    return Path(next(iter(import_module(name).__path__)))


def recorded(app_label: str, path: str, version: int) -> Script:
    """Return a recorded version. Raises ConfigurationError if its file is gone."""
    below = version_path(path, version)
    file = migrations_folder(app_label) / "sql" / below
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise ConfigurationError(
            f"A migration of {app_label!r} needs {file}, which does not exist.",
            hint="Versions of SQL files belong to the migrations: check them in together.",
        ) from missing
    return Script(f"{app_label}/migrations/sql/{below}", text)


# Objects

rehearsing: ContextVar[bool] = ContextVar("rehearsing", default=False)
"""Whether migrations run only to see what would be: then what cannot be rolled back does nothing."""


class VersionedObject(Operation):
    """What all operations on recorded versions have in common. ``path``: below the application's sql/ folder."""

    reduces_to_sql = True
    reversible = True
    kinds: ClassVar[tuple[str, ...]] = ()

    def __init__(self, path: str, version: int, replaces: int | None = None) -> None:
        self.path = path
        self.version = version
        self.replaces = replaces

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing: there are no models in SQL files."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Bring the object from what it replaces, or from nothing, to its version. Raises MigrationError."""
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            old, new = self._versions(app_label)
            self._change(schema_editor, old, new)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Bring the object back. Raises MigrationError."""
        if router.allow_migrate(schema_editor.connection.alias, app_label):
            old, new = self._versions(app_label)
            self._change(schema_editor, new, old, is_back=True)

    def describe(self) -> str:
        """Return the line ``migrate --plan`` prints."""
        verb = "Create" if self.replaces is None else "Replace"
        return f"{verb} sql/{self.path}, version {self.version}"

    @property
    def migration_name_fragment(self) -> str:
        """Return what a migration of this operation alone is called after."""
        return Path(self.path).stem

    def _versions(self, app_label: str) -> tuple[Script | None, Script | None]:
        new = recorded(app_label, self.path, self.version)
        if self.kinds and new.main.kind not in self.kinds:
            raise MigrationError(
                f"{new.label} makes a {new.main.kind}.",
                hint=f"{type(self).__name__} is for a {' or '.join(self.kinds)}.",
            )
        if self.replaces is None:
            return None, new
        return recorded(app_label, self.path, self.replaces), new

    def _change(
        self,
        editor: BaseDatabaseSchemaEditor,
        old: Script | None,
        new: Script | None,
        *,
        is_back: bool = False,
    ) -> None:
        if editor.collect_sql:
            for statement in new.statements if new is not None else ():
                editor.execute(statement.text, None)
        elif any(script is not None and script.is_concurrent for script in (old, new)):
            self._concurrently(editor, old, new)
        else:
            with _changing(editor) as change:
                self._apply(change, old, new, is_back=is_back)

    def _apply(
        self, change: Change, old: Script | None, new: Script | None, *, is_back: bool
    ) -> None:
        if new is None and old is not None:
            change.drop(old)
        elif new is not None:
            change.bring(old, new, may_wait=is_back)

    def _concurrently(
        self, editor: BaseDatabaseSchemaEditor, old: Script | None, new: Script | None
    ) -> None:
        if rehearsing.get():
            return
        if editor.connection.in_atomic_block:
            raise MigrationError(
                f"sql/{self.path} has CONCURRENTLY, which PostgreSQL refuses in a transaction.",
                hint="Give it a migration of its own with atomic = False.",
            )
        if old is not None:
            drop_index(editor.connection, old)
        if new is not None:
            create_index(editor.connection, new)


class CreateView(VersionedObject):
    """A view, or its next version; where it cannot be replaced in place, what depends on it is made again."""

    kinds = ("view",)


class CreateMaterializedView(VersionedObject):
    """A materialized view, or its next version, filled; its indexes that are not in the file stay."""

    kinds = ("materialized view",)


class CreateFunction(VersionedObject):
    """A function or procedure with all its overloads, or the next version; an overload it no longer has goes."""

    kinds = ("function", "procedure")


class CreatePolicy(VersionedObject):
    """The row-level security of a table, or its next version."""

    kinds = ("policy",)


class CreateTrigger(VersionedObject):
    """A trigger, or its next version."""

    kinds = ("trigger",)


class CreateIndex(VersionedObject):
    """An index, or its next version; CONCURRENTLY in a migration that is not atomic."""

    kinds = ("index",)


class CreateProjection(VersionedObject):
    """
    A projection, or its next version: a table made anew, and filled from ``source``, the view it stores.

    Without ``source`` the rows it had are kept.
    """

    kinds = ("table",)

    def __init__(
        self, path: str, version: int, replaces: int | None = None, source: str | None = None
    ) -> None:
        super().__init__(path, version, replaces)
        self.source = source

    def _apply(
        self, change: Change, old: Script | None, new: Script | None, *, is_back: bool
    ) -> None:
        if old is None or new is None:
            super()._apply(change, old, new, is_back=is_back)
        else:
            change.refill(old, new, None if self.source is None else name_of(self.source))


class CreateTable(VersionedObject):
    """A table, the first time; what changes it afterwards is ``AlterTable``."""

    kinds = ("table",)


class CreateType(VersionedObject):
    """A type or domain, the first time; what changes it afterwards is ``AlterTable``."""

    kinds = ("type", "domain")


class AlterTable(VersionedObject):
    """
    What makes of a table (or type, or domain) of one version of its file that of the next: SQL written by hand.

    ``forwards`` and ``backwards`` are statements; the recorded version is what the table then is.
    """

    def __init__(
        self, path: str, version: int, replaces: int, forwards: str, backwards: str
    ) -> None:
        super().__init__(path, version, replaces)
        self.forwards = forwards
        self.backwards = backwards

    def _change(
        self,
        editor: BaseDatabaseSchemaEditor,
        old: Script | None,
        new: Script | None,
        *,
        is_back: bool = False,
    ) -> None:
        text = self.backwards if is_back else self.forwards
        script = Script(f"AlterTable of {self.path} to version {self.version}", text)
        super()._change(editor, None, script)


class DropObject(VersionedObject):
    """What a file made, of which there is no file any more; undone from its recorded version."""

    def describe(self) -> str:
        """Return the line ``migrate --plan`` prints."""
        return f"Drop what sql/{self.path} made"

    def _versions(self, app_label: str) -> tuple[Script | None, Script | None]:
        return recorded(app_label, self.path, self.version), None


class _Unmade:
    """Among the statements Django keeps for a migration's end: raises if something could not be made by then."""

    def __init__(self, editor: BaseDatabaseSchemaEditor) -> None:
        self.editor = editor
        self.waiting: list[Waiting] = []

    def __str__(self) -> str:
        fault = self.waiting[0].fault
        if self.editor.atomic_migration:
            # Django does not end its transaction when a statement at the migration's end fails.
            self.editor.atomic.__exit__(type(fault), fault, None)
        raise fault


@contextmanager
def _changing(editor: BaseDatabaseSchemaEditor) -> Iterator[Change]:
    """Yield what changes objects; what has to wait for a later operation waits until the migration's end."""
    kept = next((item for item in editor.deferred_sql if isinstance(item, _Unmade)), None)
    kept = kept or _Unmade(editor)
    with changing(editor.connection, get_settings().LOCK_TIMEOUT_MS, kept.waiting) as change:
        yield change
    editor.deferred_sql = [item for item in editor.deferred_sql if item is not kept]
    if kept.waiting:
        editor.deferred_sql.append(kept)

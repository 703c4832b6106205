"""
What SQL files declare, and what migrations have recorded of them.

Django's migrations are the ledger: which version of a file an application is at, its operations say.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

from fraiseql.db.objects.script import Script
from fraiseql.errors import ConfigurationError, MigrationError
from fraiseql.operations import DropObject, RunSQLFile, VersionedObject, recorded

FOLDERS = ("types", "tables", "projections", "views", "functions", "triggers", "policies")
"""The folders of ``<app>/sql`` whose files are objects; what others hold is nobody's but the application's."""

Key = tuple[str, str]
"""An application's label, and a path below its sql/ folder."""


@dataclass(frozen=True)
class Recorded:
    """A file as the migrations have it. ``script``: None for what RunSQLFile ran, whose text nobody kept."""

    version: int
    script: Script | None
    migration: str


@dataclass(frozen=True)
class Ledger:
    """
    What the migrations on disk have recorded.

    ``objects``: what is there after all of them; ``versions``: the highest number each file has had;
    ``leaves``: the last migration of each application.
    """

    objects: Mapping[Key, Recorded]
    versions: Mapping[Key, int]
    leaves: Mapping[str, str]


def known(labels: Iterable[str] = ()) -> list[str]:
    """Return the labels of all applications, or those given. Raises ConfigurationError for an unknown one."""
    try:
        return [apps.get_app_config(label).label for label in labels] or list(apps.app_configs)
    except LookupError as error:
        raise ConfigurationError(
            str(error), hint="Name applications by their labels in INSTALLED_APPS."
        ) from error


def declared() -> dict[Key, Script]:
    """Return the SQL files of all applications."""
    found = {}
    for config in apps.get_app_configs():
        label, root = config.label, Path(config.path, "sql")
        for folder in FOLDERS:
            for file in sorted(Path(root, folder).rglob("*.sql")):
                path = file.relative_to(root).as_posix()
                text = file.read_text(encoding="utf-8")
                found[label, path] = Script(f"{label}/sql/{path}", text)
    return found


def read() -> Ledger:
    """Return the ledger. Raises MigrationError if migrations branch."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    if conflicts := loader.detect_conflicts():
        names = "; ".join(f"{app}: {', '.join(sorted(both))}" for app, both in conflicts.items())
        raise MigrationError(
            f"Migrations branch: {names}.", hint="Run manage.py makemigrations --merge."
        )
    objects: dict[Key, Recorded] = {}
    versions: dict[Key, int] = {}
    for app, migration in _in_order(loader):
        for operation in _operations(loader.graph.nodes[app, migration].operations):
            key = (app, operation.path)
            if isinstance(operation, RunSQLFile):
                objects[key] = Recorded(0, None, migration)
            elif isinstance(operation, DropObject):
                objects.pop(key, None)
            else:
                script = recorded(app, operation.path, operation.version)
                objects[key] = Recorded(operation.version, script, migration)
                versions[key] = max(versions.get(key, 0), operation.version)
    return Ledger(objects, versions, dict(loader.graph.leaf_nodes()))


def _in_order(loader: MigrationLoader) -> Iterator[Key]:
    seen: set[Key] = set()
    for leaf in loader.graph.leaf_nodes():
        for node in loader.graph.forwards_plan(leaf):
            if node not in seen:
                seen.add(node)
                yield node


def _operations(given: Iterable[Operation]) -> Iterator[RunSQLFile | VersionedObject]:
    for operation in given:
        if isinstance(operation, SeparateDatabaseAndState):
            yield from _operations(operation.database_operations)
        elif isinstance(operation, RunSQLFile | VersionedObject):
            yield operation

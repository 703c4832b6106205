"""Applications made for one test, with SQL files and the migrations that are written for them."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import invalidate_caches
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.test import override_settings
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from fraiseql.db import catalog
from fraiseql.db.embedded import EmbeddedServer
from fraiseql.management.commands.fraiseql_migrate import Command

ALIAS = "migrated"


@dataclass
class Project:
    """Installed applications in a folder, and an empty database."""

    folder: Path
    uri: str

    def write(self, app: str, **files: str) -> None:
        """Write SQL files: ``views__v_user="CREATE VIEW ..."`` is ``sql/views/v_user.sql``."""
        for name, text in files.items():
            file = self.path(app, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def path(self, app: str, name: str) -> Path:
        """Return where a file of that name is."""
        return self.folder / app / "sql" / f"{name.replace('__', '/')}.sql"

    def replace(self, app: str, name: str, old: str, new: str) -> None:
        """Edit a file."""
        file = self.path(app, name)
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, *arguments: str, **options: Any) -> str:
        """Run ``fraiseql_migrate`` and return what it printed."""
        self.forget()
        out = StringIO()
        database = {} if arguments[0] in ("make", "alter") else {"database": ALIAS}
        call_command(Command(), *arguments, stdout=out, **database, **options)
        return out.getvalue()

    def forget(self) -> None:
        """Have Python read the migrations again, which tests write faster than it looks."""
        invalidate_caches()
        for name in [name for name in sys.modules if ".migrations" in name]:
            if name.partition(".")[0] in {folder.name for folder in self.folder.iterdir()}:
                del sys.modules[name]

    def migrations(self, app: str) -> list[str]:
        """Return the names of an application's migrations."""
        return sorted(file.stem for file in (self.folder / app / "migrations").glob("0*.py"))

    def execute(self, text: str) -> list[tuple[Any, ...]]:
        """Run SQL on a connection of its own, and return the rows of the last statement."""
        with psycopg.connect(self.uri, autocommit=True) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description else []

    def value(self, text: str) -> Any:
        """Return the one value of the one row that comes back."""
        ((value,),) = self.execute(text)
        return value


@pytest.fixture
def reader(server: EmbeddedServer) -> Iterator[str]:
    """A role that the one who migrates is a member of; asked for before the project, it goes after it."""
    name = f"reader_{uuid4().hex}"
    role = sql.Identifier(name)
    with psycopg.connect(server.uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
        yield name
        connection.execute(sql.SQL("DROP ROLE {}").format(role))


NewProject = Callable[..., Project]


@pytest.fixture
def new_project(
    server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any
) -> Iterator[NewProject]:
    """Return a function that installs applications by their labels; on each version of PostgreSQL."""
    name = f"migrated_{uuid4().hex}"
    with psycopg.connect(server.uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    uri = server.uri(database=name)
    parts = conninfo_to_dict(uri)
    filled = connections.configure_settings(
        {
            "default": {},
            ALIAS: {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": name,
                "USER": parts["user"],
                "HOST": parts["host"],
                "PORT": str(parts["port"]),
            },
        }
    )
    connections.settings[ALIAS] = filled[ALIAS]
    monkeypatch.syspath_prepend(tmp_path)
    overridden: list[Any] = []

    def install(*labels: str) -> Project:
        for label in [label for label in labels if find_spec(label) is None]:
            (tmp_path / label).mkdir()
            (tmp_path / label / "__init__.py").touch()
        project = Project(tmp_path, uri)
        override = override_settings(INSTALLED_APPS=list(labels))
        override.enable()
        overridden.append(override)
        return project

    with django_db_blocker.unblock():
        yield install
        connections[ALIAS].close()
    for override in overridden:
        override.disable()
    for module in [item for item in sys.modules if (tmp_path / item.partition(".")[0]).exists()]:
        del sys.modules[module]
    del connections[ALIAS]
    del connections.settings[ALIAS]
    catalog.forget("default")
    apps.clear_cache()
    with psycopg.connect(server.uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

"""Migrations that run SQL files."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.state import ProjectState
from django.db.migrations.writer import OperationWriter

from fraiseql.errors import ConfigurationError
from fraiseql.operations import RunSQLFile


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sql/ folder of an installed application."""
    monkeypatch.setattr(apps.get_app_config("fraiseql"), "path", str(tmp_path))
    sql = tmp_path / "sql"
    sql.mkdir()
    return sql


@pytest.mark.django_db
def test_a_file_is_run_and_undone(folder: Path) -> None:
    (folder / "v_one.sql").write_text(
        "-- 100 % of it\nCREATE VIEW v_one AS SELECT '50%'::text AS share"
    )
    operation = RunSQLFile("v_one.sql", reverse="DROP VIEW v_one")
    state = ProjectState()
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("fraiseql", editor, state, state)
        with connection.cursor() as cursor:
            cursor.execute("SELECT share FROM v_one")
            stored = cursor.fetchone()
        operation.database_backwards("fraiseql", editor, state, state)

    assert stored == ("50%",)
    assert "v_one" not in connection.introspection.table_names(include_views=True)


@pytest.mark.django_db
def test_a_missing_file_is_named(folder: Path) -> None:
    operation = RunSQLFile("views/v_gone.sql", reverse="DROP VIEW v_gone")

    with (
        connection.schema_editor(atomic=False) as editor,
        pytest.raises(ConfigurationError, match=r"needs .*v_gone.sql, which does not exist"),
    ):
        operation.database_forwards("fraiseql", editor, ProjectState(), ProjectState())


def test_it_can_be_written_into_a_migration() -> None:
    operation = RunSQLFile("views/v_post.sql", reverse="DROP VIEW v_post")
    written, imports = OperationWriter(operation, indentation=0).serialize()
    scope = SimpleNamespace()
    exec("\n".join([*imports, f"operation = {written.strip().rstrip(',')}"]), vars(scope))

    assert scope.operation.deconstruct() == operation.deconstruct()
    assert scope.operation.reversible
    assert scope.operation.describe() == "Run sql/views/v_post.sql"

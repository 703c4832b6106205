"""
Migration operations for SQL that lives in files.

Django migrations are the only ledger; a file holds one statement, as it stands in the database.
"""

from pathlib import Path
from typing import Any

from django.apps import apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import RunSQL
from django.db.migrations.state import ProjectState

from fraiseql.errors import ConfigurationError


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

"""
Files against what a database has: both as PostgreSQL writes them, never the text of a file.

The files are run in schemas that nobody else sees, in a transaction that is rolled back; nothing of the database's
own is changed, and no lock on it is held that would keep readers out.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

from django.db import DatabaseError, transaction
from psycopg import sql

from fraiseql.db.objects.change import failed
from fraiseql.db.objects.script import Head, Name, Script, Statement, name_of
from fraiseql.db.texts import sql_text
from fraiseql.errors import MigrationError

_SCRATCH = "fraiseql_declared"
# What a file says besides what it makes; of rights, which roles have them is each database's own affair.
_RUN_BESIDES = {"COMMENT", "ALTER"}

Shapes = dict[str, dict[str, str]]
"""By what tells overloads apart, the texts of an object's parts."""


@dataclass(frozen=True)
class Difference:
    """
    Something that a file and the database say otherwise. ``file``: where it is declared; ``object``: what it is.

    ``part``: of the object (definition, column x ...); ``declared``, ``live``: None where it is not there.
    """

    file: str
    object: str
    part: str
    declared: str | None
    live: str | None


def differences(connection: Any, scripts: Sequence[Script]) -> list[Difference]:
    """
    Return what differs between files, each after those it needs, and the database. Raises DatabaseError.

    A file that cannot be run on this database is a difference too: of the part "file", with what PostgreSQL says.
    """
    with _scratch(connection) as cursor:
        return list(_Comparison(cursor, connection.alias, scripts).found())


@contextmanager
def _scratch(connection: Any) -> Iterator[Any]:
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        # A function's body is compared, not run; and whoever waits for a lock had better not wait for this.
        cursor.execute(
            "SELECT set_config('check_function_bodies', 'off', true), set_config('lock_timeout', '2s', true)"
        )
        yield cursor
        transaction.set_rollback(True, connection.alias)


class _Comparison:
    def __init__(self, cursor: Any, using: str, scripts: Sequence[Script]) -> None:
        self.cursor, self.using, self.scripts = cursor, using, scripts
        cursor.execute("SELECT current_schema(), current_setting('search_path')")
        self.schema, self.path = cursor.fetchone()
        heads = [head for script in scripts for head in script.heads]
        schemas = dict.fromkeys([self.schema, *(self._schema(head) for head in heads)])
        self.scratch = {schema: f"{_SCRATCH}_{i}" for i, schema in enumerate(schemas)}
        cursor.execute(
            "SELECT quote_ident(name) FROM unnest(%s::text[]) AS name", [list(self.scratch)]
        )
        quoted = (name for (name,) in cursor.fetchall())
        self.written = dict(zip(self.scratch.values(), quoted, strict=True))
        # Qualified names of what is declared, and of the tables that policies and the like are on.
        self.moved: dict[Name, str] = {}
        for head in heads:
            for name in (head.name, head.table):
                if name is not None and name.schema is not None:
                    self.moved[name] = self.scratch[name.schema]

    def _schema(self, head: Head) -> str:
        return (head.table or head.name).schema or self.schema

    def found(self) -> Iterator[Difference]:
        for name in self.scratch.values():
            self._run("CREATE SCHEMA {}", name)
        self._set_path(f"{self.scratch[self.schema]}, {self.path}")
        faults = [fault for script in self.scripts if (fault := self._build(script))]
        # With an empty path, PostgreSQL writes every name with its schema.
        self._set_path("pg_catalog")
        yield from faults
        broken = {fault.file for fault in faults}
        for script in self.scripts:
            if script.label not in broken:
                for head in dict.fromkeys(script.heads):
                    yield from self._compared(script, head)

    # Building

    def _build(self, script: Script) -> Difference | None:
        try:
            with transaction.atomic(self.using):
                for statement in script.moved(self.moved).statements:
                    self._statement(script, statement)
        except MigrationError as error:
            return Difference(script.label, str(script.main), "file", error.message, None)
        return None

    def _statement(self, script: Script, statement: Statement) -> None:
        head = statement.head
        if head is None and statement.words[0].upper() not in _RUN_BESIDES:
            return
        if statement.row_security is not None:
            self._stand_in(name_of(statement.row_security[0]))
        if head is not None and head.table is not None:
            self._stand_in(head.table)
        text = statement.text
        if head is not None and head.is_concurrent:
            text = re.sub(r"\bCONCURRENTLY\b", "", text, count=1, flags=re.IGNORECASE)
        if head is not None and head.kind == "materialized view":
            text = re.sub(r"\bWITH\s+(NO\s+)?DATA\s*$", "", text, flags=re.IGNORECASE)
            text = f"{text}\nWITH NO DATA"
        try:
            self.cursor.execute(text)
        except DatabaseError as error:
            raise failed(error, text, script, statement) from error

    def _stand_in(self, table: Name) -> None:
        """Make a table that no file declares, like the one there is, to carry what files put on it."""
        scratch = table.schema or self.scratch[self.schema]
        schema = next(name for name, moved in self.scratch.items() if moved == scratch)
        if self._named(Head("table", Name(scratch, table.name), None, is_concurrent=False)):
            return
        with_schema = sql.SQL("CREATE TABLE {} (LIKE {})").format(
            sql.Identifier(scratch, table.name), sql.Identifier(schema, table.name)
        )
        self.cursor.execute(with_schema)

    # Comparing

    def _compared(self, script: Script, head: Head) -> Iterator[Difference]:
        schema = self._schema(head)
        declared = self._shapes(head, self.scratch[schema])
        live = self._shapes(head, schema)
        for identity in sorted({*declared, *live}):
            shown = f"{head.kind} {head.name}" + (f"({identity})" if identity else "")
            here, there = declared.get(identity), live.get(identity)
            if here is None or there is None:
                yield Difference(script.label, shown, "object", _whole(here), _whole(there))
                continue
            for part in sorted({*here, *there}):
                if here.get(part) != there.get(part) and not _is_own(part, here):
                    yield Difference(script.label, shown, part, here.get(part), there.get(part))

    def _shapes(self, head: Head, schema: str) -> Shapes:
        table = None if head.table is None else head.table.name
        head = Head(
            head.kind,
            Name(schema, head.name.name),
            None if table is None else Name(schema, table),
            False,
        )
        named = self._named(head)
        self.cursor.execute(
            sql_text("fraiseql.db.objects", "shapes"),
            [[item for item, _, _ in named], [item for _, item, _ in named]],
        )
        rows = [json.loads(text) for (text,) in self.cursor.fetchall()]
        return {
            self._plain(identity): {name: self._plain(text) for name, text in row.items()}
            for (_, _, identity), row in zip(named, rows, strict=True)
        }

    def _named(self, head: Head) -> list[tuple[int, int, str]]:
        table = None if head.table is None else head.table.name
        params = [head.name.schema, head.name.name, table, head.kind]
        self.cursor.execute(sql_text("fraiseql.db.objects", "named"), params)
        found: list[tuple[int, int, str]] = self.cursor.fetchall()
        return found

    def _plain(self, text: str) -> str:
        """Return what PostgreSQL wrote with the schemas as they are called outside."""
        for scratch, quoted in self.written.items():
            text = text.replace(f"{scratch}.", f"{quoted}.")
        return text

    def _set_path(self, path: str) -> None:
        self.cursor.execute("SELECT set_config('search_path', %s, true)", [path])

    def _run(self, text: LiteralString, name: str) -> None:
        self.cursor.execute(sql.SQL(text).format(sql.Identifier(name)))


def _is_own(part: str, declared: Mapping[str, str]) -> bool:
    """Tell whether the database may have what no file speaks of: comments, and indexes made besides."""
    return part not in declared and part.startswith(("comment", "index "))


def _whole(shape: Mapping[str, str] | None) -> str | None:
    return None if shape is None else shape.get("definition", "there")

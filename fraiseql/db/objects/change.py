"""
Bring the database from one version of a file to another.

A view or function is replaced where PostgreSQL can; where it cannot, what depends on it is dropped and made
again with it, each with its owner, grants, comments, options and indexes. Nothing goes by CASCADE: what cannot
be made again is not dropped.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg
from django.db import DatabaseError, transaction
from psycopg import sql

from fraiseql.db import faults
from fraiseql.db.objects import live
from fraiseql.db.objects.live import FUNCTIONS, PG_CLASS, PG_PROC, VIEWS, Definition
from fraiseql.db.objects.script import Head, Name, Script, Statement
from fraiseql.errors import MigrationError

_REPLACEABLE = (*FUNCTIONS, "view")
# SQLSTATEs by which PostgreSQL says that it cannot do it in place: invalid definition of a table or function,
# wrong kind of object, others depend on it, it is there already.
_THERE = {"42P07", "42723", "42710"}
_NOT_IN_PLACE = {"42P16", "42P13", "42809", "2BP01", *_THERE}
_ASIDE = "fraiseql_aside"
_SYNTAX, _DENIED, _LOCKED = "42601", "42501", "55P03"


@dataclass
class Waiting:
    """Something to be made once what it needs is there. ``fault``: why it cannot be made now."""

    work: Definition | Script
    fault: MigrationError


class _NotInPlace(Exception):
    """The new version cannot replace the old one by itself."""


@contextmanager
def changing(connection: Any, lock_timeout_ms: int, waiting: list[Waiting]) -> Iterator["Change"]:
    """Yield what changes objects, in a transaction that waits for a lock for so long."""
    setting = "SELECT set_config('lock_timeout', %s, true)"
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (before,) = cursor.fetchone()
        cursor.execute(setting, [str(lock_timeout_ms)])
        change = Change(cursor, connection.alias, waiting)
        yield change
        change.settle()
        cursor.execute(setting, [before])


def create_index(connection: Any, script: Script) -> None:
    """
    Run a file with CREATE INDEX CONCURRENTLY, outside of a transaction. Raises MigrationError.

    What an attempt that failed has left, now or before, is dropped: an invalid index costs and serves nothing.
    """
    with connection.cursor() as cursor:
        change = Change(cursor, connection.alias)
        change.drop_invalid(script)
        try:
            change.create(script)
        except MigrationError as error:
            if change.drop_invalid(script):
                error.hint = (
                    "What was left of the index is dropped: correct the cause, and run this again."
                )
            raise


def drop_index(connection: Any, script: Script) -> None:
    """Drop what such a file made, outside of a transaction. Raises MigrationError."""
    with connection.cursor() as cursor:
        Change(cursor, connection.alias).drop(script)


@dataclass
class Change:
    """
    A change under way, on Django's connection.

    ``waiting``: what earlier changes of the same migration could not make again; what is made here leaves it.
    """

    cursor: Any
    using: str
    waiting: list[Waiting] = field(default_factory=list)

    def bring(self, old: Script | None, new: Script, *, may_wait: bool = False) -> None:
        """
        Bring the old version, if there is one, to the new one. Raises MigrationError.

        ``may_wait``: what it needs may come later in the same migration, as when one is undone, last things first.
        """
        try:
            with transaction.atomic(self.using):
                if old is None:
                    self.create(new)
                else:
                    self.replace(old, new)
        except MigrationError as error:
            if not (may_wait and _may_wait(error)):
                raise
            self.waiting.append(Waiting(new, error))

    def create(self, script: Script) -> None:
        """Run a file. Raises MigrationError, with file, line and statement."""
        self._run(script)

    def replace(self, old: Script, new: Script) -> None:
        """Put the new version in the place of the old one. Raises MigrationError; then all is as before."""
        if {head.kind for head in (old.main, new.main)} <= set(_REPLACEABLE):
            try:
                with transaction.atomic(self.using):
                    self._in_place(old, new)
                return
            except _NotInPlace:
                pass
            except MigrationError as error:
                if _state(error) not in _NOT_IN_PLACE:
                    raise
        with transaction.atomic(self.using):
            self._rebuild(old, new)

    def refill(self, old: Script, new: Script, source: Name | None) -> None:
        """
        Make a table anew and fill it: from ``source``, or with what it held. Raises MigrationError.

        The columns that both have are filled; the others need a default, or to be nullable.
        """
        with transaction.atomic(self.using):
            (was,) = live.definitions(self.cursor, live.addresses(self.cursor, [old.main]))
            others = live.definitions(
                self.cursor, live.dependents(self.cursor, [(was.catalog, was.object)])
            )
            for item in reversed(others):
                self._execute(_ddl("DROP {} {}", item.kind, item.address), old)
            # In a schema of its own it keeps its rows, and its names are free.
            aside = Name(_ASIDE, was.name)
            self._execute(_ddl("CREATE SCHEMA {}", _ASIDE))
            self._execute(_ddl("ALTER TABLE {} SET SCHEMA {}", was.address, _ASIDE))
            row_security = "ALTER TABLE {} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY"
            self._execute(_ddl(row_security, _spelled(aside)))
            self._run(new, old, own=[was])
            self._fill(new.main, aside if source is None else source, new)
            if was.after is not None:
                self._execute(was.after)
            self._execute(_ddl("DROP TABLE {}", _spelled(aside)), old)
            self._execute(_ddl("DROP SCHEMA {}", _ASIDE))
            for item in others:
                self._again(item, new)

    def _fill(self, head: Head, source: Name, script: Script) -> None:
        tables = [head, Head("table", source, None, is_concurrent=False)]
        found = live.definitions(self.cursor, live.addresses(self.cursor, tables))
        if len(found) < len(tables):
            raise MigrationError(
                f"{script.label}: there is no {source} to fill {head.name} from.",
                hint="CreateProjection(source=...) names the view that the projection stores.",
            )
        now, filled_from = found
        columns = ", ".join(_quoted(name) for name in now.columns if name in filled_from.columns)
        # Rather an error than the rows alone that policies let this role see.
        self._execute("SET LOCAL row_security = off")
        self._execute(
            _ddl(
                "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}",
                now.address,
                columns,
                columns,
                filled_from.address,
            ),
            script,
            script.statements[0],
        )
        self._execute("SET LOCAL row_security = on")

    def drop(self, script: Script) -> None:
        """Undo what a file made, last things first. Raises MigrationError if something depends on it."""
        for statement in reversed(script.statements):
            if statement.head is not None:
                self._drop(statement.head, script, statement)
            elif statement.row_security is not None:
                table, verb = statement.row_security
                off = "DISABLE" if verb == "ENABLE" else "NO FORCE"
                text = _ddl("ALTER TABLE {} {} ROW LEVEL SECURITY", table, off)
                self._execute(text, script, statement)

    def settle(self) -> None:
        """Make what was waiting, as far as it can be made now."""
        is_moving = True
        while is_moving and self.waiting:
            is_moving = False
            for item in list(self.waiting):
                if item in self.waiting and self._retry(item):
                    is_moving = True

    def drop_invalid(self, script: Script) -> bool:
        """Drop the indexes of a file that were not built to their end; tell whether there were any."""
        was_left = False
        for head in script.heads:
            there = live.relation(self.cursor, _index_name(head)) if head.is_concurrent else None
            if there is not None and not there[1]:
                was_left = True
                self._execute(
                    _ddl("DROP INDEX CONCURRENTLY {}", _spelled(_index_name(head))), script
                )
        return was_left

    # Ways

    def _in_place(self, old: Script, new: Script) -> None:
        if {(head.kind, head.name) for head in old.heads} - {
            (head.kind, head.name) for head in new.heads
        }:
            raise _NotInPlace
        names = {head.name for head in old.heads if head.kind in FUNCTIONS}
        before = {name: live.functions(self.cursor, name) for name in names}
        self._run(new, old, replacing=True)
        for name, versions in before.items():
            now = live.functions(self.cursor, name)
            # An overload that the new file does not have: its rights go to the one that comes instead.
            if any(now.get(oid) == version for oid, version in versions.items()):
                raise _NotInPlace

    def _rebuild(self, old: Script, new: Script) -> None:
        made = live.addresses(self.cursor, (*old.heads, *new.heads))
        own = live.definitions(self.cursor, made)
        others = live.definitions(self.cursor, live.dependents(self.cursor, made))
        in_file = {(head.kind, head.name.name) for head in old.heads}
        others = [item for item in others if (item.kind, item.name) not in in_file]
        for item in reversed(others):
            self._execute(_ddl("DROP {} {}", item.kind, item.address), old)
        self.drop(old)
        self._run(new, old, own=own)
        for item in others:
            self._again(item, new)

    def _again(self, item: Definition, script: Script) -> None:
        try:
            with transaction.atomic(self.using):
                self._make(item)
        except MigrationError as error:
            if not _may_wait(error):
                raise
            self.waiting.append(Waiting(item, _cannot_again(item, script, error)))

    def _retry(self, item: Waiting) -> bool:
        try:
            with transaction.atomic(self.using):
                if isinstance(item.work, Definition):
                    self._make(item.work)
                else:
                    self._run(item.work, item.work, replacing=True)
        except MigrationError:
            return False
        if item in self.waiting:
            self.waiting.remove(item)
        return True

    # Steps

    def _run(
        self,
        new: Script,
        old: Script | None = None,
        own: Sequence[Definition] = (),
        *,
        replacing: bool = False,
    ) -> None:
        """Run a file; what it makes gets the owner, the rights and the comments that ``own`` had."""
        for statement in new.statements:
            head = statement.head
            is_replaced = replacing and head is not None and head.kind in _REPLACEABLE
            self._execute(statement.replacing if is_replaced else statement.text, new, statement)
        waiting = [item.work for item in self.waiting if isinstance(item.work, Definition)]
        if not own and not waiting:
            return
        pairs = _paired(
            [*own, *waiting],
            live.definitions(self.cursor, live.addresses(self.cursor, new.heads)),
        )
        for before, now in pairs:
            self._restore(before, now)
            self.waiting[:] = [item for item in self.waiting if item.work is not before]
        for statement in new.statements:
            # What the file itself says of rights and comments comes last.
            if pairs and statement.words[0].upper() in ("GRANT", "REVOKE", "COMMENT"):
                self._execute(statement.text, new, statement)
        from_file = {head.name.name for head in (old.heads if old else ()) if head.kind == "index"}
        for before, now in pairs:
            self._indexes(before, now, from_file)

    def _make(self, item: Definition) -> None:
        self._execute(item.create)
        if item.kind in VIEWS or item.kind in FUNCTIONS:
            head = Head(item.kind, Name(item.schema, item.name), None, is_concurrent=False)
            made = live.definitions(self.cursor, live.addresses(self.cursor, [head]))
            for now in made:
                if now.address == item.address:
                    self._restore(item, now)
                    self._indexes(item, now, set())
        elif item.comment is not None:
            self._comment(item.kind, item.address, item.comment)
        if item.after is not None:
            self._execute(item.after)

    def _restore(self, before: Definition, now: Definition) -> None:
        if now.owner != before.owner:
            self._execute(_ddl("ALTER {} {} OWNER TO {}", now.kind, now.address, str(before.owner)))
        self._grant(before, now)
        if before.comment is not None and now.comment is None:
            self._comment(now.kind, now.address, before.comment)
        for column in now.columns:
            place = f"{now.address}.{_quoted(column)}"
            if column in before.column_comments and column not in now.column_comments:
                self._comment("column", place, before.column_comments[column])
            if column in before.column_defaults:
                default = before.column_defaults[column]
                text = "ALTER VIEW {} ALTER COLUMN {} SET DEFAULT {}"
                self._execute(_ddl(text, now.address, _quoted(column), default))

    def _grant(self, before: Definition, now: Definition) -> None:
        address = (PG_PROC if now.kind in FUNCTIONS else PG_CLASS, now.object)
        (now,) = live.definitions(self.cursor, [address])
        if sorted(map(str, now.grants)) == sorted(map(str, before.grants)) and not (
            before.column_grants
        ):
            return
        place = f"{now.kind if now.kind in FUNCTIONS else 'TABLE'} {now.address}"
        for role in live.grantees(self.cursor, address):
            self._execute(_ddl("REVOKE ALL ON {} FROM {}", place, role or "PUBLIC"))
        for privilege, role, is_grantable, column in (*before.grants, *before.column_grants):
            if column is None or column in now.columns:
                columns = "" if column is None else f" ({_quoted(column)})"
                handed = " WITH GRANT OPTION" if is_grantable else ""
                self._execute(
                    _ddl(
                        "GRANT {}{} ON {} TO {}{}",
                        privilege,
                        columns,
                        place,
                        role or "PUBLIC",
                        handed,
                    )
                )

    def _indexes(self, before: Definition, now: Definition, from_file: set[str]) -> None:
        for name, create, comment in before.indexes:
            index = Name(now.schema, name)
            if name in from_file or live.relation(self.cursor, index) is not None:
                continue
            self._execute(create)
            if comment is not None:
                self._comment("index", f"{_quoted(now.schema)}.{_quoted(name)}", comment)

    def _comment(self, kind: str, address: str, comment: str) -> None:
        self._execute(_ddl("COMMENT ON {} {} IS {}", kind, address, _literal(comment)))

    def _drop(self, head: Head, script: Script, statement: Statement) -> None:
        name = _spelled(head.name)
        if head.kind in FUNCTIONS:
            found = live.addresses(self.cursor, [head])
            for item in live.definitions(self.cursor, found):
                self._execute(_ddl("DROP {} {}", item.kind, item.address), script, statement)
        elif head.table is not None and head.kind in ("policy", "trigger"):
            text = _ddl("DROP {} {} ON {}", head.kind, name, _spelled(head.table))
            self._execute(text, script, statement)
        elif head.kind == "index":
            how = "CONCURRENTLY " if head.is_concurrent and not self._is_atomic() else ""
            text = _ddl("DROP INDEX {}{}", how, _spelled(_index_name(head)))
            self._execute(text, script, statement)
        elif not self._is_waiting(head):
            self._execute(_ddl("DROP {} {}", head.kind, name), script, statement)

    def _is_atomic(self) -> bool:
        return bool(transaction.get_connection(self.using).in_atomic_block)

    def _is_waiting(self, head: Head) -> bool:
        """Tell whether something is gone already, dropped with what it depends on."""
        return any(
            isinstance(item.work, Definition)
            and (item.work.kind, item.work.name) == (head.kind, head.name.name)
            for item in self.waiting
        )

    def _execute(
        self, text: str, script: Script | None = None, statement: Statement | None = None
    ) -> None:
        try:
            self.cursor.execute(text)
        except DatabaseError as error:
            raise failed(error, text, script, statement) from error


def failed(
    error: Exception,
    text: str,
    script: Script | None = None,
    statement: Statement | None = None,
) -> MigrationError:
    """Return what to raise from PostgreSQL's refusal of ``text``: where it stands, what it is, what was said."""
    cause = faults.database_error(error)
    said, hint, line = str(cause).strip().partition("\n")[0], None, 1
    if isinstance(cause, psycopg.Error) and cause.sqlstate is not None:
        said = cause.diag.message_primary or said
        hint = cause.diag.message_hint
        if cause.diag.message_detail:
            said = f"{said}\n{cause.diag.message_detail}"
        before = text[: int(cause.diag.statement_position or 1) - 1]
        line = (1 if statement is None else statement.line) + before.count("\n")
        if cause.sqlstate == _LOCKED:
            hint = (
                "Another transaction uses it. Nothing was changed: run this again when it is over, or raise"
                " FRAISEQL['LOCK_TIMEOUT_MS']."
            )
    place = "" if script is None else f"{script.label}: "
    if getattr(cause, "sqlstate", None) in _THERE:
        hint = (
            "It is there already, made by something else: drop it, or have the migration taken for applied"
            " (manage.py migrate --fake)."
        )
    elif hint is None and script is not None and "/migrations/sql/" in script.label:
        hint = "Correct the file below sql/, delete the migration that was not applied, and make it again."
    if script is not None and statement is not None:
        place = f"{script.label}, line {line}: "
    return MigrationError(f"{place}{said}\n  {_shortened(text)}", hint=hint)


def _cannot_again(item: Definition, script: Script, error: MigrationError) -> MigrationError:
    said = str(faults.database_error(error.__cause__ or error)).strip().partition("\n")[0]
    return MigrationError(
        f"{item} depends on {script.main}, and cannot be made again after its change: {said}",
        hint="Change its file too, in the same migration; or keep what it needs.",
    )


def _shortened(text: str) -> str:
    first, _, rest = text.strip().partition("\n")
    return f"{first[:200]} ..." if rest or len(first) > 200 else first


def _state(error: MigrationError) -> str | None:
    cause = None if error.__cause__ is None else faults.database_error(error.__cause__)
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def _may_wait(error: MigrationError) -> bool:
    """Tell whether what PostgreSQL refused may be right after another change of the same migration."""
    state = _state(error) or ""
    return state.startswith("42") and state not in (_SYNTAX, _DENIED)


def _paired(
    before: Sequence[Definition], now: Sequence[Definition]
) -> list[tuple[Definition, Definition]]:
    """Return what was beside what came in its place."""
    by_address = {(item.kind, item.address): item for item in before}
    pairs = [
        (by_address[item.kind, item.address], item)
        for item in now
        if (item.kind, item.address) in by_address
    ]
    paired = {id(item) for pair in pairs for item in pair}
    for item in now:
        # With other arguments it is another function to PostgreSQL; it is the same if no other can be meant.
        same, new = (
            [
                other
                for other in items
                if id(other) not in paired
                and other.kind in FUNCTIONS
                and (other.schema, other.name) == (item.schema, item.name)
            ]
            for items in (before, now)
        )
        if len(same) == 1 and new == [item]:
            pairs.append((same[0], item))
    return pairs


def _index_name(head: Head) -> Name:
    """Return an index's name; its schema is its table's."""
    return Name(head.table.schema if head.table else None, head.name.name)


def _ddl(template: LiteralString, *parts: str) -> str:
    """Return a statement of parts that are SQL already: what the catalog has quoted, or ``_quoted``."""
    return sql.SQL(template).format(*map(sql.SQL, parts)).as_string(None)


def _spelled(name: Name) -> str:
    return ".".join(_quoted(part) for part in (name.schema, name.name) if part)


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)


def _literal(text: str) -> str:
    return sql.quote(text)

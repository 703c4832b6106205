"""
Migrations written from SQL files: what changed since the last one, in an order in which it can be run.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from django.apps import apps
from django.db.migrations import Migration
from django.db.migrations.writer import MigrationWriter

from fraiseql import operations
from fraiseql.db.objects.live import FUNCTIONS
from fraiseql.db.objects.script import Script
from fraiseql.errors import MigrationError
from fraiseql.management import ledger
from fraiseql.management.ledger import Key, Ledger, Recorded
from fraiseql.operations import VersionedObject

_KINDS: dict[str, type[VersionedObject]] = {
    kind: operation
    for operation in (
        operations.CreateType,
        operations.CreateTable,
        operations.CreateIndex,
        operations.CreateView,
        operations.CreateMaterializedView,
        operations.CreateFunction,
        operations.CreateTrigger,
        operations.CreatePolicy,
    )
    for kind in operation.kinds
}
# What is altered by hand: nobody can tell from two versions what becomes of the rows.
_ALTERED = ("table", "type", "domain")


@dataclass(frozen=True)
class Change:
    """
    What became of a file. ``new``: None if it is gone; ``old``: None if it was not there.

    ``by_hand``: the statements that alter a table, forwards and backwards.
    """

    app: str
    path: str
    new: Script | None
    old: Recorded | None
    by_hand: tuple[str, str] | None = None

    @property
    def verb(self) -> str:
        """Return the change in a word."""
        if self.old is None:
            return "new"
        return "gone" if self.new is None else "changed"

    @property
    def key(self) -> Key:
        """Return what the change is of."""
        return (self.app, self.path)

    @property
    def is_concurrent(self) -> bool:
        """Tell whether it needs a migration of its own, outside of a transaction."""
        scripts = (self.new, self.old.script if self.old else None)
        return any(script is not None and script.is_concurrent for script in scripts)

    @property
    def is_projection(self) -> bool:
        """Tell whether it is a table whose rows come from a view."""
        is_table = self.new is not None and self.new.main.kind == "table"
        return is_table and self.path.startswith("projections/")

    @property
    def source(self) -> str | None:
        """Return the view that a projection stores, by its name: v_post of tv_post."""
        name = "" if self.new is None else str(self.new.main.name)
        return re.sub(r"(^|\.)tv_", r"\1v_", name) if self.is_projection else None

    @property
    def names(self) -> set[str]:
        """Return what the file makes, or made."""
        script = self.new or (self.old.script if self.old else None)
        return set() if script is None else {head.name.name for head in script.heads}


@dataclass
class Made:
    """A migration that was written, or would be. ``files``: what it consists of, with their text."""

    app: str
    name: str
    changes: list[Change]
    files: dict[Path, str] = field(default_factory=dict)


def make(
    labels: Iterable[str] = (), name: str | None = None, *, dry_run: bool = False
) -> list[Made]:
    """
    Write the migrations that bring what was recorded to what the SQL files declare, and return them.

    ``labels``: of which applications; all by default. Nothing is written if nothing changed. Raises MigrationError
    for what cannot be derived, ConfigurationError for an unknown application.
    """
    known, files, wanted = ledger.read(), ledger.declared(), set(ledger.known(labels))
    found = [change for change in changes(files, known) if change.app in wanted]
    _refuse_alterations(found)
    names = {str(head.name) for script in files.values() for head in script.heads}
    made = [plan.made(known, names, name) for plan in _partitioned(found, files, known)]
    if not dry_run:
        for migration in made:
            _write(migration)
    return made


def alter(
    key: Key, forwards: str, backwards: str, name: str | None = None, *, dry_run: bool = False
) -> list[Made]:
    """
    Write the migration that brings a table to what its file says now, by statements; return it.

    ``key``: the application's label and the path below its sql/ folder. Raises MigrationError if that did not
    change.
    """
    known, files = ledger.read(), ledger.declared()
    found = [change for change in changes(files, known) if change.key == key]
    if not found or found[0].verb != "changed":
        raise MigrationError(
            f"sql/{key[1]} of {key[0]!r} has not changed since its last migration.",
            hint="Edit the file first: it says what the table is to be.",
        )
    change = Change(*key, found[0].new, found[0].old, (forwards, backwards))
    made = [plan.made(known, set(), name) for plan in _partitioned([change], files, known)]
    if not dry_run:
        for migration in made:
            _write(migration)
    return made


def changes(files: Mapping[Key, Script], known: Ledger) -> list[Change]:
    """Return what changed. Raises MigrationError if two files make the same object, or one makes none."""
    by_hand = {key for key, item in known.objects.items() if item.script is None}
    _refuse_doubles(script for key, script in files.items() if key not in by_hand)
    found = []
    for key in sorted({*files, *known.objects}):
        # What RunSQLFile runs is its author's: there is no text to compare it with.
        if key in by_hand:
            continue
        new, old = files.get(key), known.objects.get(key)
        before = None if old is None or old.script is None else old.script.fingerprint
        if new is None or new.fingerprint != before:
            found.append(Change(*key, new, old))
    return found


def in_order(found: Sequence[Change]) -> list[Change]:
    """Return changes so that each comes after those it needs. Raises MigrationError if two need each other."""
    places = {name: change for change in found for name in change.names if change.new}
    ordered: dict[Key, Change] = {}
    open_: list[Change] = []

    def visit(change: Change) -> None:
        if change.key in ordered:
            return
        if change in open_:
            circle = " -> ".join(item.path for item in [*open_[open_.index(change) :], change])
            raise MigrationError(
                f"SQL files need each other: {circle}.",
                hint="Take what both need into a file of its own.",
            )
        open_.append(change)
        for other in _needed(change, places, found):
            visit(other)
        for other in _called(change, places):
            # A body needs what it names when it is called: where that makes a circle, it can wait.
            if other not in open_:
                visit(other)
        open_.pop()
        ordered[change.key] = change

    for change in sorted(found, key=_rank):
        visit(change)
    return list(ordered.values())


def _rank(change: Change) -> tuple[bool, int, Key]:
    folder = change.path.partition("/")[0]
    return (change.new is None, ledger.FOLDERS.index(folder), change.key)


def _needed(
    change: Change, places: Mapping[str, Change], found: Sequence[Change]
) -> Iterator[Change]:
    if change.new is None:
        # What used it until now changes, or goes, before it goes.
        for other in found:
            before = other.old.script if other.old and other is not change else None
            if before is not None and change.names & before.mentions:
                yield other
        return
    mentions = {*change.new.mentions, change.source or ""}
    for name in sorted(mentions & places.keys()):
        if places[name] is not change:
            yield places[name]


def _called(change: Change, places: Mapping[str, Change]) -> Iterator[Change]:
    if change.new is not None:
        for name in sorted(change.new.mentions_in_bodies & places.keys()):
            if places[name] is not change:
                yield places[name]


# Refusals


def _refuse_doubles(files: Iterable[Script]) -> None:
    makers: dict[tuple[str, str], Script] = {}
    for script in files:
        kind = script.main.kind
        for head in script.heads:
            name = (head.kind, f"{head.name} on {head.table}" if head.table else str(head.name))
            if makers.setdefault(name, script) is not script:
                raise MigrationError(
                    f"{script.label} and {makers[name].label} both make {head}.",
                    hint="Overloads of a function stand in one file."
                    if kind in FUNCTIONS
                    else "An object has one file.",
                )


def _refuse_alterations(found: Iterable[Change]) -> None:
    for change in found:
        if change.verb != "changed" or change.new is None or change.old is None:
            continue
        if change.is_projection:
            continue
        before = change.old.script
        if before is not None and {change.new.main.kind, before.main.kind} & {*_ALTERED}:
            raise MigrationError(
                f"{change.new.label} changed, and how its rows follow cannot be derived.",
                hint="Say it: manage.py fraiseql_migrate alter"
                f" {change.app} {change.path} 'ALTER TABLE ...' 'ALTER TABLE ... back'",
            )


# Migrations


@dataclass
class _Plan:
    """A migration to be: ``needs`` are those that come before it, planned ones by their place."""

    app: str
    number: int
    changes: list[Change] = field(default_factory=list)
    needs: list["_Plan"] = field(default_factory=list)
    recorded: set[Key] = field(default_factory=set)
    name: str = ""

    def follows(self, other: "_Plan") -> bool:
        """Tell whether ``other`` comes before this one."""
        return any(item is other or item.follows(other) for item in self.needs)

    def made(self, known: Ledger, names: AbstractSet[str], name: str | None) -> Made:
        """Return the migration with its files. ``names``: of all objects that there are."""
        leaf = known.leaves.get(self.app)
        self.name = f"{_number(leaf) + self.number:04}_{name or self._fragment(leaf)}"
        folder = Path(MigrationWriter(Migration(self.name, self.app)).basedir)
        files = {}
        for change in self.changes:
            if change.new is not None:
                path = operations.version_path(change.path, _version(change, known))
                files[folder / "sql" / path] = change.new.text
        calls = [_call(change, known, names) for change in self.changes]
        depends = {*self.recorded, *((plan.app, plan.name) for plan in self.needs)}
        is_atomic = not any(change.is_concurrent for change in self.changes)
        text = _migration(
            calls,
            sorted(depends),
            is_initial=leaf is None and self.number == 1,
            is_atomic=is_atomic,
        )
        return Made(self.app, self.name, self.changes, {**files, folder / f"{self.name}.py": text})

    def _fragment(self, leaf: str | None) -> str:
        if leaf is None and self.number == 1:
            return "initial"
        names = [Path(change.path).stem for change in self.changes]
        more = "" if len(names) < 3 else f"_and_{len(names) - 2}_more"
        return re.sub(r"\W", "_", "_".join(names[:2]))[:50] + more


def _partitioned(
    found: Sequence[Change], files: Mapping[Key, Script], known: Ledger
) -> list[_Plan]:
    """Return changes in migrations: as few as the applications' need of one another allows."""
    plans: list[_Plan] = []
    placed: dict[Key, _Plan] = {}
    places = {name: change for change in found for name in change.names if change.new}
    owners = _owners(files, known)
    for change in in_order(found):
        needed = [placed[other.key] for other in _needed(change, places, found)]
        needed += [placed[other.key] for other in _called(change, places) if other.key in placed]
        plan = _open_plan(change, needed, plans)
        for other in needed:
            if other is not plan and other not in plan.needs:
                plan.needs.append(other)
        plan.changes.append(change)
        placed[change.key] = plan
        names = change.new.mentions | change.new.mentions_in_bodies if change.new else frozenset()
        plan.recorded |= {owners[name] for name in names & owners.keys()} - {
            node for node in owners.values() if node[0] == plan.app
        }
    for plan in plans:
        if plan.number == 1 and plan.app in known.leaves:
            plan.recorded.add((plan.app, known.leaves[plan.app]))
    return plans


def _open_plan(change: Change, needed: Sequence[_Plan], plans: list[_Plan]) -> _Plan:
    """Return the application's last migration, or the next one if that cannot take the change."""
    own = [plan for plan in plans if plan.app == change.app]
    last = own[-1] if own else None
    if last is not None and not (
        change.is_concurrent
        or any(item.is_concurrent for item in last.changes)
        or any(plan.follows(last) for plan in needed)
    ):
        return last
    plan = _Plan(change.app, len(own) + 1, needs=[last] if last else [])
    plans.append(plan)
    return plan


def _owners(files: Mapping[Key, Script], known: Ledger) -> dict[str, Key]:
    """Return the migration that a name comes from: an object that is recorded, or a model's table."""
    owners = {}
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.app_label
        if label in known.leaves and model._meta.managed:
            owners[model._meta.db_table] = (label, known.leaves[label])
    for (app, path), item in known.objects.items():
        names = (
            {Path(path).stem} if item.script is None else {h.name.name for h in item.script.heads}
        )
        owners.update(dict.fromkeys(names, (app, item.migration)))
    return owners


def _number(leaf: str | None) -> int:
    found = re.match(r"\d+", leaf or "")
    return int(found[0]) if found else 0


def _version(change: Change, known: Ledger) -> int:
    return known.versions.get(change.key, 0) + 1


Call = tuple[str, list[tuple[str, object]]]
"""An operation as it is written: its class, and its arguments, the path first."""


def _call(change: Change, known: Ledger, names: AbstractSet[str]) -> Call:
    old = None if change.old is None else change.old.version
    if change.new is None:
        return "DropObject", [("", change.path), ("version", old)]
    given: list[tuple[str, object]] = [("", change.path), ("version", _version(change, known))]
    if old is not None:
        given.append(("replaces", old))
    if change.by_hand is not None:
        forwards, backwards = change.by_hand
        return "AlterTable", [*given, ("forwards", forwards), ("backwards", backwards)]
    if not change.is_projection:
        return _KINDS[change.new.main.kind].__name__, given
    if change.source in names:
        given.append(("source", change.source))
    return "CreateProjection", given


def _migration(
    calls: Sequence[Call], dependencies: Sequence[Key], *, is_initial: bool, is_atomic: bool
) -> str:
    """Return a migration's source."""
    classes = ", ".join(sorted({name for name, _ in calls}))
    lines = [
        "from django.db import migrations",
        "",
        f"from fraiseql.operations import {classes}",
        "",
        "",
        "class Migration(migrations.Migration):",
        *(["    initial = True"] if is_initial else []),
        *([] if is_atomic else ["    atomic = False  # CONCURRENTLY"]),
        f"    dependencies = {_pairs(dependencies)}",
        "    operations = (",
    ]
    for name, arguments in calls:
        shown = (f"{key}={_text(value)}" if key else _text(value) for key, value in arguments)
        lines.append(f"        {name}({', '.join(shown)}),")
    return "\n".join([*lines, "    )", ""])


def _pairs(pairs: Sequence[Key]) -> str:
    shown = [f"({_text(app)}, {_text(name)})" for app, name in pairs]
    return f"({shown[0]},)" if len(shown) == 1 else f"({', '.join(shown)})"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _write(made: Made) -> None:
    # The migration comes last: without it, the other files are not looked at.
    for path, text in made.files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py":
            path.with_name("__init__.py").touch()
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)

"""``manage.py fraiseql_generate``: SQL, bindings, resolvers and triggers written for an application."""

import json
import keyword
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from fraiseql.conf import get_settings
from fraiseql.cqrs.sync import projections
from fraiseql.errors import ConfigurationError, FraiseQLError
from fraiseql.management.generate import bindings, ddl, triggers
from fraiseql.management.generate.files import Draft, Outcome, compare, write
from fraiseql.management.generate.resolvers import resolver
from fraiseql.management.generate.tables import Table, Tables
from fraiseql.management.messages import command_error
from fraiseql.management.options import add_database_and_format
from fraiseql.schema import registry
from fraiseql.schema.resolve import resolve
from fraiseql.schema.specs import ObjectSpec

_CALL = re.compile(r"PERFORM (?:\w+\.)?(fn_(?:sync_tv|delete)_\w+)\(")


@dataclass
class Made:
    """What a subcommand makes. ``bindings``: Python to add by hand; ``notes``: what the files do not show."""

    drafts: list[Draft] = field(default_factory=list)
    bindings: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)


class Command(BaseCommand):
    """Write what an application needs; what is there already and differs is shown, and kept."""

    help = (
        "Write SQL, bindings and resolvers for an application. Files that are there and differ are shown"
        " and kept; --force writes over them."
    )
    # What is generated may be what the checks miss.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
        one = _add(commands, "ddl", "Table, view, projection and functions of declared types.")
        one.add_argument("types", nargs="+", metavar="APP.TYPE", help="Types and where they go.")
        one = _add(commands, "model", "A new type: its binding, and what ddl makes of it.")
        one.add_argument("type", metavar="APP.TYPE", help="The type's name, and where it goes.")
        shown = "title:str, tags:str:list, author:User:optional, status:draft,published."
        one.add_argument("fields", nargs="*", metavar="FIELD:TYPE", help=shown)
        one = _add(commands, "resolver", "A query or mutation in Python, and its test.")
        one.add_argument("name", metavar="APP.NAME", help="Its name, and where it goes.")
        one.add_argument(
            "fields", nargs="*", metavar="FIELD", help="Fields of the type, which it takes."
        )
        one.add_argument("--returns", required=True, metavar="TYPE", help="A bound type.")
        kind = one.add_mutually_exclusive_group()
        kind.add_argument("--list", action="store_true", help="It returns a list.")
        kind.add_argument("--mutation", action="store_true", help="It changes an object.")
        one = _add(commands, "triggers", "Sync after each statement.", uses_database=True)
        one.add_argument("projections", nargs="*", help="Names such as tv_post; all by default.")
        one = _add(commands, "migration", "What changed, as a migration.", uses_database=True)
        one.add_argument("apps", nargs="*", help="Labels of applications; all of them.")
        one.add_argument("--name", help="What the migration is called after its number.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write, or say what would be written."""
        if options["what"] == "migration":
            passed = ("name", "database", "format", "dry_run", "check", "verbosity")
            given = {name: options[name] for name in passed}
            call_command("fraiseql_migrate", "make", *options["apps"], stdout=self.stdout, **given)
            return
        makers = {
            "ddl": self._ddl,
            "model": self._model,
            "resolver": self._resolver,
            "triggers": self._triggers,
        }
        try:
            made = makers[options["what"]](options)
        except (FraiseQLError, DatabaseError) as error:
            raise command_error(error) from error
        outcomes = compare(made.drafts, force=options["force"])
        if not (options["dry_run"] or options["check"]):
            write(outcomes)
        if options["format"] == "json":
            self.stdout.write(json.dumps(_as_dict(made, outcomes), indent=2))
        elif options["verbosity"] > 0:
            self._report(made, outcomes, is_dry=options["dry_run"] or options["check"])
        if options["check"] and any(outcome.state != "unchanged" for outcome in outcomes):
            raise CommandError("Files are not as they would be generated.", returncode=1)

    # What

    def _ddl(self, options: dict[str, Any]) -> Made:
        named = [_split(name) for name in options["types"]]
        specs = resolve(registry.current()).objects
        for _, name in named:
            _spec(name, specs)
        tables = Tables(specs, [name for _, name in named])
        made = Made()
        for app, name in named:
            table = tables.table(name)
            made.drafts += [Draft(app, text.path, text.text) for text in ddl.texts(tables, name)]
            classes = bindings.missing(tables, table, registry.current())
            made.bindings.setdefault(app.name, []).extend(classes)
            made.notes += _notes(table)
            if table.names.has_projection and specs[name].source is None:
                bound = f'view="{table.names.projection}", source="{table.names.view}"'
                made.notes.append(f"Bind {name} to them: @fraiseql.type({bound}).")
        for app in {app.name: app for app, _ in named}.values():
            classes, source = made.bindings[app.name], _bindings_of(app)
            module = f"{app.name}.bindings"
            needed = bindings.imports(source, classes, registry.current(), module)
            made.bindings[app.name] = ["\n".join(needed), *classes] if needed else classes
        made.notes += _lacking(made.drafts)
        made.next = _to_migrate(app for app, _ in named)
        return made

    def _model(self, options: dict[str, Any]) -> Made:
        app, name = _split(options["type"])
        declared, source = registry.current(), _bindings_of(app)
        classes = bindings.model(name, options["fields"], declared)
        if not any(entry.name == name for entry in declared.objects.values()):
            with _trial(bindings.added("", classes, declared, ""), app) as trial:
                return _of_model(app, name, classes, source, trial)
        if all(one.strip() in source for one in classes):
            return _of_model(app, name, [], source, declared)
        raise ConfigurationError(
            f"There is a type {name} already.",
            hint=f"Change it in its bindings, then run fraiseql_generate ddl {app.label}.{name}.",
        )

    def _resolver(self, options: dict[str, Any]) -> Made:
        app, name = _split(options["name"])
        spec = _spec(options["returns"], resolve(registry.current()).objects)
        function, test = resolver(
            name, options["fields"], spec, is_list=options["list"], is_mutation=options["mutation"]
        )
        text = source = _bindings_of(app)
        if function.strip() not in source:
            if f"def {name}(" in source:
                raise ConfigurationError(
                    f"{app.label} has a function {name} already.", hint="Choose another name."
                )
            text = bindings.added(source, [function], registry.current(), f"{app.name}.bindings")
        folder = "tests/" if Path(app.path, "tests").is_dir() else ""
        drafts = [
            Draft(app, "bindings.py", text, adds=True),
            Draft(app, f"{folder}test_{name}.py", test),
        ]
        return Made(drafts, next=[f"python manage.py test {app.name}"])

    def _triggers(self, options: dict[str, Any]) -> Made:
        using = options["database"] or get_settings().DATABASE
        tables = Tables(resolve(registry.current()).objects)
        found = triggers.texts(tables, projections(options["projections"]), using)
        made = Made()
        owners = {name: _app_of(tables.specs[name]) for name in found}
        for name, texts in found.items():
            made.drafts += [Draft(owners[name], text.path, text.text) for text in texts]
        made.next = _to_migrate(owners.values())
        return made

    # Report

    def _report(self, made: Made, outcomes: Sequence[Outcome], *, is_dry: bool) -> None:
        for outcome in outcomes:
            state = "would be written" if is_dry and outcome.state == "written" else outcome.state
            self.stdout.write(f"{state:9}  {outcome.draft.shown}")
            if outcome.state == "differs" or (is_dry and outcome.diff):
                self.stdout.write(outcome.diff)
        for note in made.notes:
            self.stdout.write(note)
        for app, classes in made.bindings.items():
            if classes:
                self.stdout.write(f"\nAdd to {app}/bindings.py:\n\n" + "\n\n".join(classes))
        if any(outcome.state == "differs" for outcome in outcomes):
            self.stdout.write("What differs was kept; --force writes over it.")
        if any(outcome.state == "written" for outcome in outcomes) and not is_dry:
            self.stdout.write("\nNext:")
            for step in made.next:
                self.stdout.write(f"  {step}")


def _add(commands: Any, name: str, meaning: str, *, uses_database: bool = False) -> Any:
    parser = commands.add_parser(name, help=meaning, description=meaning)
    if uses_database:
        add_database_and_format(parser)
    else:
        parser.add_argument("--format", choices=("text", "json"), default="text")
    if name != "migration":
        parser.add_argument("--force", action="store_true", help="Write over files that differ.")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--dry-run", action="store_true", help="Say what would be written.")
    only.add_argument(
        "--check", action="store_true", help="As --dry-run, with exit code 1 if anything would."
    )
    return parser


def _split(name: str) -> tuple[AppConfig, str]:
    """Return the application and the rest of ``app.Name``."""
    label, _, rest = name.rpartition(".")
    try:
        app = apps.get_app_config(label)
    except LookupError:
        labels = ", ".join(sorted(config.label for config in apps.get_app_configs()))
        raise CommandError(
            f"{name!r}: there is no application {label!r}.\nThere are {labels}."
        ) from None
    if not rest.isidentifier() or keyword.iskeyword(rest):
        raise CommandError(f"{name!r} is no name. Write app.Name.")
    return app, rest


def _bindings_of(app: AppConfig) -> str:
    file = Path(app.path, "bindings.py")
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _spec(name: str, specs: dict[str, ObjectSpec]) -> ObjectSpec:
    if name not in specs:
        near = get_close_matches(name, specs, 1)
        hint = f"Did you mean {near[0]!r}?" if near else "Declare it with @fraiseql.type."
        raise ConfigurationError(f"No type is called {name!r}.", hint=hint)
    return specs[name]


def _app_of(spec: ObjectSpec) -> AppConfig:
    found = apps.get_containing_app_config(spec.python.__module__)
    if found is None:
        raise ConfigurationError(f"{spec.name} is declared outside of every application.")
    return found


@contextmanager
def _trial(source: str, app: AppConfig) -> Iterator[registry.Registry]:
    """Declare ``source`` in a copy of the registry, so that what does not build leaves no trace."""
    before = registry.current()
    with registry.isolated() as trial:
        for kind in ("objects", "enums", "inputs", "roots", "resolvers", "mutations"):
            getattr(trial, kind).update(getattr(before, kind))
        trial.fault = before.fault
        # It is what is about to be written.
        exec(source, {"__name__": app.name})  # noqa: S102
        yield trial


def _of_model(
    app: AppConfig, name: str, classes: Sequence[str], source: str, declared: registry.Registry
) -> Made:
    """Return the files of a type that is declared, with ``classes`` and what else binds it in the bindings."""
    tables = Tables(resolve(declared).objects)
    table = tables.table(name)
    classes = [*classes, *bindings.missing(tables, table, declared)]
    text = bindings.added(source, classes, declared, f"{app.name}.bindings") if classes else source
    drafts = [Draft(app, "bindings.py", text, adds=True)]
    drafts += [Draft(app, text.path, text.text) for text in ddl.texts(tables, name)]
    notes = [*_notes(table), *_lacking(drafts)]
    return Made(drafts, notes=notes, next=_to_migrate([app]))


def _notes(table: Table) -> Iterator[str]:
    owner = table.names.type
    for one in table.lists:
        if one.pairs:
            reason = f"because {one.item.type} refers to no {owner}"
            yield f"{owner}.{one.name}: {one.pairs} holds the pairs, {reason}."


def _lacking(drafts: Sequence[Draft]) -> Iterator[str]:
    """Yield what generated functions call and nothing makes."""
    made = {draft.file.stem for draft in drafts}
    for app in apps.get_app_configs():
        made |= {file.stem for file in Path(app.path, "sql", "functions").glob("*.sql")}
    called = {word for draft in drafts for word in _CALL.findall(draft.text)}
    for function in sorted(called - made):
        yield f"{function} is called, and no application's sql/functions has it: generate its type, too."


def _to_migrate(found: Iterable[AppConfig]) -> list[str]:
    labels = " ".join(dict.fromkeys(app.label for app in found))
    return [f"python manage.py fraiseql_migrate make {labels}", "python manage.py migrate"]


def _as_dict(made: Made, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    files = [{"path": one.draft.shown, "state": one.state, "diff": one.diff} for one in outcomes]
    return {"files": files, "bindings": made.bindings, "notes": made.notes, "next": made.next}

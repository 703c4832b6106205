"""``manage.py fraiseql_migrate``: migrations of what SQL files make."""

import json
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from fraiseql.conf import get_settings
from fraiseql.errors import FraiseQLError
from fraiseql.management import making, migrating
from fraiseql.management.comparing import compare, lines
from fraiseql.management.making import Made
from fraiseql.management.messages import command_error
from fraiseql.management.options import add_database_and_format


class Command(BaseCommand):
    """Write migrations from SQL files, run them, and say what differs."""

    help = (
        "Migrations of tables, views, functions and policies that are files below <app>/sql. make writes what"
        " changed; up and down run Django's migrations, all or none; diff and check hold files,"
        " migrations and database together."
    )
    # They would stop it before it brings what they miss; up runs them on what will be.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the sub-commands and their options."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for name, (meaning, _) in _ACTIONS.items():
            action = actions.add_parser(name, help=meaning, description=meaning)
            add_database_and_format(action)
            if name in ("up", "down"):
                needed = None if name == "down" else "?"
                action.add_argument(
                    "app", nargs=needed, help="Label of an application; all of them."
                )
                action.add_argument(
                    "migration", nargs=needed, help="To which of its migrations; zero: before all."
                )
                action.add_argument(
                    "--force",
                    action="store_true",
                    help="Go on, though bound types or operations would break.",
                )
            elif name == "make":
                action.add_argument("apps", nargs="*", help="Labels of applications; all of them.")
                action.add_argument(
                    "--check", action="store_true", help="Write nothing; exit with 1 if it would."
                )
            elif name == "alter":
                action.add_argument("app", help="Label of the application.")
                action.add_argument("path", help="The file, below its sql/ folder.")
                action.add_argument(
                    "forwards", help="The statement that brings the table to what the file says."
                )
                action.add_argument("backwards", help="The statement that brings it back.")
            elif name in ("diff", "check"):
                action.add_argument("apps", nargs="*", help="Labels of applications; all of them.")
            if name in ("make", "alter"):
                action.add_argument("--name", help="What the migration is called after its number.")
            if name not in ("status", "diff", "check"):
                action.add_argument(
                    "--dry-run", action="store_true", help="Say what would be; change nothing."
                )

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as a program, which Ctrl-C ends without a traceback."""
        try:
            super().run_from_argv(argv)
        except KeyboardInterrupt:
            self.stderr.write("Interrupted: what was under way is undone.")
            raise SystemExit(130) from None

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the sub-command; errors are told with place and hint."""
        options["database"] = options["database"] or get_settings().DATABASE
        try:
            _ACTIONS[options["action"]][1](self, options)
        except (FraiseQLError, DatabaseError) as error:
            raise command_error(error) from error

    # Sub-commands

    def make(self, options: dict[str, Any]) -> None:
        """Write what changed."""
        is_dry = options["dry_run"] or options["check"]
        made = making.make(options["apps"], options["name"], dry_run=is_dry)
        self._written(made, options, is_dry=is_dry)
        if made and options["check"]:
            raise CommandError("SQL files changed since their last migration.", returncode=1)

    def alter(self, options: dict[str, Any]) -> None:
        """Write the migration of a table."""
        made = making.alter(
            (options["app"], options["path"]),
            options["forwards"],
            options["backwards"],
            options["name"],
            dry_run=options["dry_run"],
        )
        self._written(made, options, is_dry=options["dry_run"])

    def status(self, options: dict[str, Any]) -> None:
        """Show every file and every migration."""
        found = migrating.status(options["database"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(found.as_dict(), indent=2))
            return
        for app, rows in found.by_app().items():
            self.stdout.write(self.style.MIGRATE_HEADING(app))
            for row in rows:
                self.stdout.write(f"  {row}")

    def up(self, options: dict[str, Any]) -> None:
        """Apply migrations."""
        self._migrate(options)

    def down(self, options: dict[str, Any]) -> None:
        """Undo migrations."""
        self._migrate(options)

    def build(self, options: dict[str, Any]) -> None:
        """Fill an empty database."""
        loud = options["verbosity"] if options["format"] == "text" else 0
        done = migrating.build(options["database"], is_dry=options["dry_run"], verbosity=loud)
        self._migrated(done, "Applied", "apply", options)

    def diff(self, options: dict[str, Any]) -> None:
        """Show what files and database say otherwise."""
        self._compared(options)

    def hold_together(self, options: dict[str, Any]) -> None:
        """Fail if there is anything to show."""
        if self._compared(options):
            raise CommandError("Files, migrations and database do not agree.", returncode=1)

    def _compared(self, options: dict[str, Any]) -> bool:
        found = compare(options["database"], options["apps"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(found.as_dict(), indent=2))
        else:
            for line in lines(found):
                self.stdout.write(line)
            if not found:
                self.stdout.write("Files, migrations and database agree.")
        return bool(found)

    def _migrate(self, options: dict[str, Any]) -> None:
        done = migrating.migrate(
            options["database"],
            options["app"],
            options["migration"],
            is_dry=options["dry_run"],
            is_forced=options["force"],
            verbosity=options["verbosity"] if options["format"] == "text" else 0,
        )
        words = {"up": ("Applied", "apply"), "down": ("Undone", "undo")}[options["action"]]
        self._migrated(done, *words, options)

    def _migrated(self, done: list[str], past: str, verb: str, options: dict[str, Any]) -> None:
        if options["format"] == "json":
            self.stdout.write(
                json.dumps({"migrations": done, "is_dry": options["dry_run"]}, indent=2)
            )
            return
        for name in done:
            self.stdout.write(f"{f'Would {verb}' if options['dry_run'] else past} {name}")
        if not done:
            self.stdout.write("Nothing to do.")

    def _written(self, made: list[Made], options: dict[str, Any], *, is_dry: bool) -> None:
        if options["format"] == "json":
            rows = [
                {
                    "app": item.app,
                    "name": item.name,
                    "changes": [
                        {"path": change.path, "change": change.verb} for change in item.changes
                    ],
                    "files": [str(path) for path in item.files],
                }
                for item in made
            ]
            self.stdout.write(json.dumps({"migrations": rows, "is_dry": is_dry}, indent=2))
        elif not made:
            self.stdout.write("No changes.")
        for item in made if options["format"] == "text" else ():
            self.stdout.write(self.style.MIGRATE_HEADING(f"{item.app} {item.name}"))
            for change in item.changes:
                self.stdout.write(f"  {change.verb:<8} sql/{change.path}")
            if options["verbosity"] > 1:
                self.stdout.write(list(item.files.values())[-1])


_ACTIONS: dict[str, tuple[str, Callable[[Command, dict[str, Any]], None]]] = {
    "make": ("Write migrations of the SQL files that changed.", Command.make),
    "alter": (
        "Write the migration of a table whose file changed, with your statements.",
        Command.alter,
    ),
    "status": ("Show files and migrations, and what waits.", Command.status),
    "up": ("Apply migrations, all or none, after a look at what they would break.", Command.up),
    "down": ("Undo migrations, all or none.", Command.down),
    "build": ("Bring an empty database, made if need be, to the last migrations.", Command.build),
    "diff": ("Show where files, migrations and database differ.", Command.diff),
    "check": ("As diff, with exit code 1 if they do: for CI.", Command.hold_together),
}

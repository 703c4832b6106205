"""``manage.py fraiseql_schema``: the project's GraphQL schema, for clients and for review."""

import difflib
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from graphql import introspection_from_schema, lexicographic_sort_schema, print_schema

from fraiseql.errors import ConfigurationError
from fraiseql.management.messages import command_error
from fraiseql.schema.build import get_schema


class Command(BaseCommand):
    """Print the schema, write it to a file, or hold it against one."""

    help = "Print the GraphQL schema: as SDL, or as the answer to an introspection query."
    # What they would say of the schema is said here.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--format", choices=("sdl", "json"), default="sdl")
        parser.add_argument(
            "--sort", action="store_true", help="By name, not in the order of declaration."
        )
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--out", type=Path, metavar="FILE", help="Write it there.")
        where.add_argument(
            "--check",
            type=Path,
            metavar="FILE",
            help="Exit with 1 and show the difference if FILE does not hold this schema.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print, write or compare."""
        text = _text(options["format"], is_sorted=options["sort"])
        if options["check"]:
            self._compare(text, options["check"], options)
        elif options["out"]:
            _write(text, options["out"])
            if options["verbosity"] > 0:
                self.stdout.write(f"{options['out']} holds the schema.")
        else:
            self.stdout.write(text, ending="")

    def _compare(self, text: str, file: Path, options: dict[str, Any]) -> None:
        try:
            stored = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        difference = difflib.unified_diff(
            stored.splitlines(keepends=True),
            text.splitlines(keepends=True),
            str(file),
            "the schema as declared",
        )
        lines = [line if line.endswith("\n") else f"{line}\n" for line in difference]
        if lines:
            self.stdout.write("".join(lines), ending="")
            raise CommandError(
                f"{file} is not the schema. Write it anew with --out {file}.", returncode=1
            )
        if options["verbosity"] > 0:
            self.stdout.write(f"{file} holds the schema.")


def _text(form: str, *, is_sorted: bool) -> str:
    try:
        schema = get_schema().graphql
    except ConfigurationError as error:
        raise command_error(error) from error
    if is_sorted:
        schema = lexicographic_sort_schema(schema)
    if form == "json":
        # As a server answers it; code generators read that.
        answer = {"data": introspection_from_schema(schema)}
        return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"
    return print_schema(schema) + "\n"


def _write(text: str, file: Path) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error}") from error

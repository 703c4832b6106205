"""``manage.py fraiseql_explain``: an operation, room by room."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fraiseql.conf import get_settings
from fraiseql.engine.document.request import GraphQLRequest, from_payload
from fraiseql.errors import BadRequest, FraiseQLError
from fraiseql.management.explain import Explanation, Room, explain
from fraiseql.management.messages import command_error

try:
    from rich.console import Console
    from rich.syntax import Syntax
except ImportError:  # an extra: without it the text is plain
    Console = None  # type: ignore[assignment,misc]  # the same, for the type checker


class Command(BaseCommand):
    """Show document, plan, SQL, PostgreSQL's plan, rows, Shape and answer of one operation."""

    help = (
        "Follow a GraphQL operation through the rooms: document, plan, SQL, rows, answer. Nothing is"
        " written: it runs in a read-only transaction, without mutations and Python resolvers."
    )
    # A schema that does not build is told here.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "operation",
            nargs="?",
            default="-",
            help="The text, a file that holds it, or - for stdin.",
        )
        parser.add_argument(
            "--variables", metavar="JSON", help="An object, or a file that holds it."
        )
        parser.add_argument("--operation-name", metavar="NAME", help="Which of several operations.")
        parser.add_argument(
            "--analyze",
            action="store_true",
            help="Have PostgreSQL count and time its plan's steps.",
        )
        parser.add_argument("--answer", action="store_true", help="Print the whole answer too.")
        parser.add_argument(
            "--database", help="Alias in DATABASES; FRAISEQL['DATABASE'] by default."
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the rooms; exit with 1 if one of them refuses the operation."""
        try:
            using = options["database"] or get_settings().DATABASE
            found = explain(_request(options), using, analyze=options["analyze"])
        except FraiseQLError as error:
            raise command_error(error) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps(_as_dict(found, options), indent=2, ensure_ascii=False))
        else:
            self._print(found, options)
        if found.error is not None:
            if not found.rooms:
                raise command_error(found.error)
            sys.exit(1)

    def _print(self, found: Explanation, options: dict[str, Any]) -> None:
        console = None
        if Console is not None and self.stdout.isatty() and not options["no_color"]:
            console = Console(file=options.get("stdout") or sys.stdout)
        for room in found.rooms:
            text, language = room.text, room.language
            if options["answer"] and room.name == "response":
                text, language = _indented(room.facts["body"]), "json"
            title = (
                room.name if room.duration_ms is None else f"{room.name}  {room.duration_ms:.2f} ms"
            )
            if console is None:
                self.stdout.write(f"{title}\n{_inset(text)}\n\n")
            else:
                console.print(f"[bold]{title}[/bold]")
                console.print(
                    Syntax(_inset(text), language, background_color="default", word_wrap=True)
                )
                console.print()


def _request(options: dict[str, Any]) -> GraphQLRequest:
    given = options["operation"]
    text = sys.stdin.read() if given == "-" else _read(given)
    variables: Any = {}
    if options["variables"]:
        try:
            variables = json.loads(_read(options["variables"]))
        except ValueError as error:
            raise BadRequest("--variables is not JSON.", hint='Write {"name": value}.') from error
    return from_payload(
        {"query": text, "variables": variables, "operationName": options["operation_name"]}
    )


def _read(given: str) -> str:
    """Return the text itself, or the contents of the file it names; braces are in no file's name here."""
    if "{" in given:
        return given
    try:
        return Path(given).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(
            f"{given!r} is neither an operation nor a file: {error}", hint="Write '{ field }'."
        ) from error


def _as_dict(found: Explanation, options: dict[str, Any]) -> dict[str, Any]:
    error = found.error
    return {
        "rooms": [_room(room, options) for room in found.rooms],
        "error": error and {"code": error.code, "message": error.message, "hint": error.hint},
    }


def _room(room: Room, options: dict[str, Any]) -> dict[str, Any]:
    facts = dict(room.facts)
    if (body := facts.pop("body", None)) is not None and options["answer"]:
        facts["answer"] = json.loads(body)
    return {"name": room.name, "duration_ms": room.duration_ms, "text": room.text, **facts}


def _indented(body: str) -> str:
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False)


def _inset(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

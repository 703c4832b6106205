"""``manage.py fraiseql_turbo``: registered operations, whose plans servers keep ready."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fraiseql.conf import get_settings
from fraiseql.engine.document.request import normal_id
from fraiseql.errors import FraiseQLError
from fraiseql.management import registering
from fraiseql.management.manifests import Fault, read
from fraiseql.management.messages import command_error
from fraiseql.management.options import add_database_and_format
from fraiseql.management.progress import steps
from fraiseql.management.registering import Change, Warmed


class Command(BaseCommand):
    """Register, remove, list and compile operations."""

    help = (
        "Registered operations: the documents that clients name by a hash or an id, and the only ones that run"
        " under PERSISTED_OPERATIONS = 'enforce'. register takes .graphql files, folders of them, and the"
        " manifests of Apollo and Relay; what does not fit the schema is told by file and line, and then"
        " nothing is registered."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "action",
            choices=("register", "remove", "list", "warm"),
            help="warm compiles what is registered, as a starting server does.",
        )
        parser.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help="register: files and folders. remove: the same, or hashes and ids.",
        )
        parser.add_argument(
            "--client", default="", help="register: whose operations these are; for list to tell."
        )
        parser.add_argument(
            "--automatic", action="store_true", help="list: what clients have stored, too."
        )
        add_database_and_format(parser)
        only = parser.add_mutually_exclusive_group()
        only.add_argument(
            "--dry-run", action="store_true", help="Say what would change; write nothing."
        )
        only.add_argument(
            "--check", action="store_true", help="As --dry-run, with exit code 1 if anything would."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the one of the four that was asked for."""
        self.using = options["database"] or get_settings().DATABASE
        self.is_shown = options["verbosity"] > 0
        self.as_json = options["format"] == "json"
        self.is_dry = options["dry_run"] or options["check"]
        wants_names = options["action"] in {"register", "remove"}
        if wants_names != bool(options["names"]):
            raise CommandError(
                f"Say what to {options['action']}: files, folders{_OR_IDS[options['action']]}."
                if wants_names
                else f"{options['action']} takes no names."
            )
        try:
            getattr(self, f"_{options['action']}")(options)
        except FraiseQLError as error:
            raise command_error(error) from error

    def _register(self, options: dict[str, Any]) -> None:
        found, faults = read(map(Path, options["names"]))
        with steps(len(found), enabled=self.is_shown) as bar:
            faults += registering.validate(found, bar.begin)
        changes, conflicts = registering.plan(found, registering.stored(self.using))
        if faults or conflicts:
            self._refuse([*faults, *conflicts])
        if not self.is_dry:
            registering.register(changes, options["client"], self.using)
        rows = [_changed(change) for change in changes]
        self._report("operations", rows, [_change_line(change) for change in changes])
        if options["check"] and any(change.state != "unchanged" for change in changes):
            raise CommandError("Not all of them are registered.", returncode=1)

    def _refuse(self, faults: Sequence[Fault]) -> None:
        shown = sorted(faults, key=lambda fault: (str(fault.place.file), fault.place.line))
        if self.as_json:
            rows = [
                {"file": str(at.place.file), "line": at.place.line, "message": at.message}
                for at in shown
            ]
            self.stdout.write(json.dumps({"faults": rows}, indent=2))
        raise CommandError("\n".join([*map(str, shown), "Nothing is registered."]), returncode=1)

    def _remove(self, options: dict[str, Any]) -> None:
        known = registering.stored(self.using)
        by_id = {name: row for row in known for name in (row["hash"], *row["ids"])}
        wanted: dict[str, dict[str, Any]] = {}
        for name in options["names"]:
            for document_id in _ids(name):
                row = by_id.get(document_id)
                if row is None:
                    raise CommandError(f"{document_id} is not registered. Nothing is removed.")
                wanted[row["hash"]] = row
        if not self.is_dry:
            registering.remove(list(wanted), self.using)
        rows = [{"name": row["name"], "hash": row["hash"]} for row in wanted.values()]
        self._report("removed", rows, [f"{row['hash']} {row['name'] or ''}" for row in rows])
        if options["check"]:
            raise CommandError("They are registered.", returncode=1)

    def _list(self, options: dict[str, Any]) -> None:
        rows = registering.stored(self.using, with_automatic=options["automatic"])
        self._report("operations", rows, list(map(_stored_line, rows)))

    def _warm(self, options: dict[str, Any]) -> None:
        rows = registering.stored(self.using)
        with steps(len(rows), enabled=self.is_shown) as bar:
            warmed = registering.warm(rows, bar.begin)
        lines = [line for each in warmed for line in _warmed_lines(each)]
        self._report("operations", list(map(asdict, warmed)), lines)
        if failing := sum(bool(each.faults) for each in warmed):
            raise CommandError(f"{failing} of {len(warmed)} do not fit the schema.", returncode=1)

    def _report(self, title: str, rows: Sequence[dict[str, Any]], lines: Sequence[str]) -> None:
        if self.as_json:
            self.stdout.write(json.dumps({title: rows}, indent=2))
        elif self.is_shown:
            for line in lines or ["There are none."]:
                self.stdout.write(line)


_OR_IDS = {"register": " or manifests", "remove": ", hashes or ids"}


def _ids(name: str) -> list[str]:
    """Return the id that ``name`` is, or the hashes of the operations in the file it is."""
    path = Path(name)
    if not path.exists():
        return [normal_id(name)]
    found, faults = read([path])
    if faults:
        raise CommandError("\n".join(map(str, faults)), returncode=1)
    return [operation.hash for operation in found]


def _changed(change: Change) -> dict[str, Any]:
    found = change.found
    return {
        "name": found.name,
        "hash": found.hash,
        "ids": sorted(found.ids),
        "state": change.state,
        "file": str(found.place.file),
        "line": found.place.line,
    }


def _change_line(change: Change) -> str:
    return f"{change.found.hash} {change.found.name or change.found.place}: {change.state}"


def _stored_line(row: dict[str, Any]) -> str:
    mean_ms = row["total_ms"] / row["uses"] if row["uses"] else 0.0
    return (
        f"{row['hash']} {row['name'] or '-'} ({row['kind']}): {row['uses']} uses,"
        f" {row['errors']} with errors, {mean_ms:.1f} ms, at most {row['max_ms']:.1f} ms"
    )


def _warmed_lines(warmed: Warmed) -> list[str]:
    head = f"{warmed.hash} {warmed.name or '-'}"
    return [f"{head}: {fault}" for fault in warmed.faults] or [
        f"{head}: {warmed.duration_ms:.1f} ms"
    ]

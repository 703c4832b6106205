"""``manage.py fraiseql_saga``: work of several steps that was interrupted."""

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from fraiseql.conf import get_settings
from fraiseql.cqrs import saga
from fraiseql.errors import FraiseQLError
from fraiseql.management.messages import command_error
from fraiseql.management.options import add_database_and_format

OPEN = ["running", "compensating"]


class Command(BaseCommand):
    """List sagas, and go on with those that a killed process left."""

    help = "Sagas (fraiseql.cqrs.saga): list those that are not over, or go on with them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("action", choices=("list", "resume"))
        parser.add_argument("ids", nargs="*", type=UUID, metavar="ID", help="resume: only these.")
        parser.add_argument("--all", action="store_true", help="list: also those that are over.")
        parser.add_argument(
            "--idle",
            type=float,
            default=60,
            metavar="SECONDS",
            help="resume: only those at which nothing happened for so long (60).",
        )
        add_database_and_format(parser)
        parser.add_argument("--dry-run", action="store_true", help="resume: say which; run none.")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, or resume one after the other; one that cannot be undone does not stop the rest."""
        using = options["database"] or get_settings().DATABASE
        try:
            if options["action"] == "list":
                statuses = [*OPEN, "completed", "compensated"] if options["all"] else OPEN
                self._show(saga.listed(statuses, using), options)
                return
            wanted = (
                [saga.progress(key, using) for key in options["ids"]]
                if options["ids"]
                else saga.listed(OPEN, using, options["idle"])
            )
        except (FraiseQLError, DatabaseError) as error:
            raise command_error(error) from error
        if options["dry_run"]:
            self._show(wanted, options)
            return
        self._resume(wanted, using, options)

    def _resume(self, wanted: list[saga.Progress], using: str, options: dict[str, Any]) -> None:
        failed = 0
        for state in wanted:
            try:
                self._show([saga.resume(state.id, using)], options)
            except Exception as error:  # noqa: BLE001 - a step's own: it is told, and the others go on
                failed += 1
                self.stderr.write(f"{state.id} {state.name}: {error}")
        if failed:
            raise CommandError(f"{failed} of {len(wanted)} could not be finished.", returncode=1)

    def _show(self, states: list[saga.Progress], options: dict[str, Any]) -> None:
        for state in states:
            if options["format"] == "json":
                self.stdout.write(json.dumps(asdict(state), default=str))
            else:
                at = f"{state.done} of {len(state.steps)} steps done"
                told = f": {state.error}" if state.error else ""
                self.stdout.write(f"{state.id} {state.name} {state.status}, {at}{told}")

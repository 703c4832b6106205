"""``manage.py fraiseql_sync``: projections brought in step with the views they store."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from fraiseql.conf import get_settings
from fraiseql.cqrs.sync import (
    Drift,
    Projection,
    Refreshed,
    drift,
    in_order,
    projections,
    synchronize,
    verify,
)
from fraiseql.errors import FraiseQLError
from fraiseql.management.progress import steps

Result = TypeVar("Result", Drift, Refreshed)


class Command(BaseCommand):
    """Fill projections from their source views, or say how far they are from them."""

    help = "Fill projections (types bound with source=) from their source views."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("projections", nargs="*", help="Names such as tv_post; all by default.")
        parser.add_argument(
            "--database",
            choices=tuple(connections),
            help="Alias in DATABASES; FRAISEQL['DATABASE'] by default.",
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")
        only = parser.add_mutually_exclusive_group()
        only.add_argument(
            "--dry-run", action="store_true", help="Say what would change; write nothing."
        )
        only.add_argument(
            "--check", action="store_true", help="As --dry-run, with exit code 1 if anything would."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Work through the projections, each in a transaction of its own."""
        using = options["database"] or get_settings().DATABASE
        try:
            declared = projections(options["projections"])
            for projection in declared:
                verify(projection, using)
            wanted = in_order(declared, using)
            if options["check"] or options["dry_run"]:
                drifts = _each(wanted, lambda projection: drift(projection, using), options)
                self._report(drifts, options)
                if options["check"] and any(drifts):
                    raise CommandError("Projections are not in step.", returncode=1)
            else:
                done = _each(wanted, lambda projection: synchronize(projection, using), options)
                self._report(done, options)
        except FraiseQLError as error:
            raise CommandError("\n".join(filter(None, (error.message, error.hint)))) from error

    def _report(self, results: Sequence[Drift | Refreshed], options: dict[str, Any]) -> None:
        if options["format"] == "json":
            rows = [asdict(result) for result in results]
            self.stdout.write(json.dumps({"projections": rows}, indent=2))
        elif options["verbosity"] > 0:
            for result in results:
                self.stdout.write(_line(result))


def _each(
    wanted: Sequence[Projection], work: Callable[[Projection], Result], options: dict[str, Any]
) -> list[Result]:
    results = []
    with steps(len(wanted), enabled=options["verbosity"] > 0) as begin:
        for projection in wanted:
            begin(projection.view)
            results.append(work(projection))
    return results


def _line(result: Drift | Refreshed) -> str:
    if isinstance(result, Drift):
        return (
            f"{result.view}: {result.missing} missing, {result.stale} stale,"
            f" {result.orphaned} orphaned"
        )
    return (
        f"{result.view}: {result.inserted} inserted, {result.updated} updated,"
        f" {result.deleted} deleted ({result.duration_ms:.0f} ms)"
    )

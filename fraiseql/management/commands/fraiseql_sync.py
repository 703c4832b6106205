"""``manage.py fraiseql_sync``: projections brought in step with the views they store."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from fraiseql.conf import get_settings
from fraiseql.cqrs import cascade
from fraiseql.cqrs.projection import Projection, pair_of, sync_function
from fraiseql.cqrs.sync import (
    Drift,
    Refreshed,
    changed_since,
    drift,
    drift_of_rows,
    in_order,
    projections,
    refresh_rows,
    synchronize,
)
from fraiseql.errors import FraiseQLError
from fraiseql.management.messages import command_error
from fraiseql.management.options import add_database_and_format
from fraiseql.management.progress import Steps, steps


class Command(BaseCommand):
    """Fill projections from their source views, or say how far they are from them."""

    help = (
        "Fill projections (types bound with source=) from their source views: all rows, in batches, or those"
        " given by --ids or --since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("projections", nargs="*", help="Names such as tv_post; all by default.")
        add_database_and_format(parser)
        rows = parser.add_mutually_exclusive_group()
        rows.add_argument(
            "--full",
            action="store_true",
            help="Write every row, also those that are right: after a change of storage, say.",
        )
        rows.add_argument(
            "--ids", nargs="+", metavar="ID", help="Only these rows, of one projection."
        )
        rows.add_argument(
            "--since",
            metavar="TIME",
            help="Only rows whose source has a later updated_at (2026-11-21T08:00).",
        )
        parser.add_argument(
            "--cascade",
            action="store_true",
            help="With --ids or --since: also the rows that embed these.",
        )
        parser.add_argument(
            "--workers",
            type=int,
            default=1,
            metavar="N",
            help="Connections that share the batches.",
        )
        only = parser.add_mutually_exclusive_group()
        only.add_argument(
            "--dry-run", action="store_true", help="Say what would change; write nothing."
        )
        only.add_argument(
            "--check", action="store_true", help="As --dry-run, with exit code 1 if anything would."
        )
        only.add_argument(
            "--rules",
            action="store_true",
            help="Print which projections embed rows of which type, and the indexes that find them.",
        )
        only.add_argument(
            "--functions",
            action="store_true",
            help="Print the fn_sync_ functions, for PERFORM in functions that write.",
        )

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as a program, which Ctrl-C ends without a traceback."""
        try:
            super().run_from_argv(argv)
        except KeyboardInterrupt:
            # The batch under way is undone, the others stay.
            self.stderr.write("Interrupted: run this again to go on.")
            raise SystemExit(130) from None

    def handle(self, *args: Any, **options: Any) -> None:
        """Work through the projections; what is interrupted is gone on with by running it again."""
        using = options["database"] or get_settings().DATABASE
        try:
            wanted = projections(options["projections"])
            if options["rules"]:
                self._rules(wanted, using, options)
                return
            pairs = [pair_of(projection, using) for projection in wanted]
            if options["functions"]:
                for pair in pairs:
                    self.stdout.write(sync_function(pair))
                return
            self._work(in_order(wanted, using), using, options)
        except FraiseQLError as error:
            raise command_error(error) from error

    def _work(self, wanted: Sequence[Projection], using: str, options: dict[str, Any]) -> None:
        if options["ids"] and len(wanted) != 1:
            raise CommandError("--ids are of one projection: name it.")
        cascade = options["cascade"]

        def keys_of(projection: Projection) -> Sequence[str] | None:
            if options["since"]:
                return changed_since(projection, _time(options["since"]), using)
            ids: list[str] | None = options["ids"]
            return ids

        def look(projection: Projection, _: Steps) -> list[Drift]:
            keys = keys_of(projection)
            if keys is None:
                return [drift(projection, using)]
            return drift_of_rows(projection.view, keys, cascade, using)

        def write(projection: Projection, bar: Steps) -> list[Refreshed]:
            keys = keys_of(projection)
            if keys is not None:
                return refresh_rows(projection.view, keys, cascade, using)
            done = synchronize(
                projection,
                using,
                workers=options["workers"],
                writes_all=options["full"],
                advance=bar.part,
            )
            return [done]

        only_looks = options["check"] or options["dry_run"]
        self._report(_each(wanted, look if only_looks else write, options), options)

    def _rules(self, wanted: Sequence[Projection], using: str, options: dict[str, Any]) -> None:
        found = cascade.rules(wanted)
        indexed = cascade.indexed(found, using)
        if options["format"] == "json":
            rows = [
                {"held": rule.held, "holder": rule.holder, "path": rule.written_path,
                 "index": rule.index(), "is_indexed": rule in indexed}
                for rule in found
            ]  # fmt: skip
            self.stdout.write(json.dumps({"rules": rows}, indent=2))
            return
        for rule in found:
            self.stdout.write(str(rule))
        for ddl in dict.fromkeys(rule.index() for rule in found if rule not in indexed):
            if ddl is not None:
                self.stdout.write(f"{ddl};")

    def _report(self, results: Sequence[Drift | Refreshed], options: dict[str, Any]) -> None:
        if options["format"] == "json":
            rows = [asdict(result) for result in results]
            self.stdout.write(json.dumps({"projections": rows}, indent=2))
        elif options["verbosity"] > 0:
            for result in results:
                self.stdout.write(_line(result))
        if options["check"] and any(isinstance(item, Drift) and item for item in results):
            raise CommandError("Projections are not in step.", returncode=1)


def _time(text: str) -> Any:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"--since is no time: {text!r}. Write 2026-11-21T08:00.")
    return found if timezone.is_aware(found) else timezone.make_aware(found)


def _each(
    wanted: Sequence[Projection],
    work: Callable[[Projection, Steps], Iterable[Drift | Refreshed]],
    options: dict[str, Any],
) -> list[Drift | Refreshed]:
    results: list[Drift | Refreshed] = []
    with steps(len(wanted), enabled=options["verbosity"] > 0) as bar:
        for projection in wanted:
            bar.begin(projection.view)
            results += work(projection, bar)
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

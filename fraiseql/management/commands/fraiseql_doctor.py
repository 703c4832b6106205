"""``manage.py fraiseql_doctor``: one page of what runs, and what to do about what does not."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fraiseql.management.doctor import Finding, Report, counted, examine


class Command(BaseCommand):
    """Show versions, database, bindings, projections, settings and checks; exit with 1 if something is broken."""

    help = (
        "Show what runs here: versions, projector, database, bindings, projections, settings, checks."
        " Exits with 1 if something is broken."
    )
    # Whatever they find is on the page.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--database", help="Alias in DATABASES; FRAISEQL['DATABASE'] by default."
        )
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the page."""
        report = examine(options["database"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
        else:
            self._print(report)
        if report.problems:
            sys.exit(1)

    def _print(self, report: Report) -> None:
        width = max(len(name) for facts in report.sections.values() for name in facts)
        for section, facts in report.sections.items():
            if not facts:
                continue
            self.stdout.write(self.style.MIGRATE_HEADING(section))
            for name, value in facts.items():
                self.stdout.write(f"  {name:<{width}}  {value}")
            self.stdout.write("")
        if report.problems:
            self.stdout.write(self.style.ERROR(counted(len(report.problems), "problem")))
            self._list(report.problems)
        if report.warnings:
            self.stdout.write(self.style.WARNING(counted(len(report.warnings), "warning")))
            self._list(report.warnings)
        if not report.problems:
            self.stdout.write(self.style.SUCCESS("Nothing is broken."))

    def _list(self, findings: Sequence[Finding]) -> None:
        for number, finding in enumerate(findings, 1):
            self.stdout.write(f"  {number}. {finding.message} [{finding.source}]")
            if finding.hint:
                self.stdout.write(f"     {finding.hint}")
        self.stdout.write("")

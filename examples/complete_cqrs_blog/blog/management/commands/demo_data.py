"""``manage.py demo_data``: what ``demo`` fills the blog with."""

import json
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections, transaction

BLOG = Path(__file__).resolve().parents[2]
# Ids are made from identifiers, so that every demonstration has the same ones.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://example.org/blog")


class Command(BaseCommand):
    """Load the demonstration's users, posts and comments; running it again changes nothing."""

    help = "Load the blog's demonstration data."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--database", default="default", help="Alias in DATABASES.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load in one transaction."""
        using = options["database"]
        with transaction.atomic(using), connections[using].cursor() as cursor:
            for name in ("users", "posts", "comments"):
                statement = (BLOG / "sql" / "demo" / f"load_{name}.sql").read_text(encoding="utf-8")
                cursor.execute(statement, [json.dumps(rows(name))])
                if options["verbosity"] > 0:
                    self.stdout.write(f"{name}: {cursor.rowcount} added")


def rows(name: str) -> list[dict[str, Any]]:
    """Return ``demo/<name>.json`` with an id and an identifier in each row."""
    loaded: list[dict[str, Any]] = json.loads(
        (BLOG / "demo" / f"{name}.json").read_text(encoding="utf-8")
    )
    counts: dict[str, int] = {}
    for row in loaded:
        if "identifier" not in row:
            post = row["post"]
            counts[post] = counts.get(post, 0) + 1
            row["identifier"] = f"{post}-{counts[post]}"
        row["id"] = str(uuid.uuid5(NAMESPACE, f"{name}/{row['identifier']}"))
    return loaded

"""Options that several commands have."""

from django.core.management.base import CommandParser
from django.db import connections


def add_database_and_format(parser: CommandParser) -> None:
    """Declare ``--database``, an alias that is there, and ``--format``."""
    parser.add_argument(
        "--database",
        choices=tuple(connections),
        help="Alias in DATABASES; FRAISEQL['DATABASE'] by default.",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")

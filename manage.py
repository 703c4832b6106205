#!/usr/bin/env python
"""Commands for the blog example, and through it for FraiseQL itself."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from fraiseql.errors import FraiseQLError


def main() -> None:
    """Run a command; a private server that cannot start is a message, not a stack trace."""
    sys.path.insert(0, str(Path(__file__).resolve().parent / "examples" / "complete_cqrs_blog"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog.settings")
    try:
        execute_from_command_line(sys.argv)
    except FraiseQLError as error:
        sys.exit("\n".join(dict.fromkeys((error.message, error.hint or error.message))))


if __name__ == "__main__":
    main()

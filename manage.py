#!/usr/bin/env python
"""Commands for the blog example, and through it for FraiseQL itself."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent / "examples"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog.settings")
    execute_from_command_line(sys.argv)

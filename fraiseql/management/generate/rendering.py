"""
Templates to texts, by Django's own template language.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine

_BLANK = re.compile(r"\n(?:[ \t]*\n)+")


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(Path(__file__).with_name("templates"))], autoescape=False)


def render_sql(template: str, values: dict[str, Any]) -> str:
    """Return the text of ``templates/<template>.sql`` without the lines that only its tags stood on."""
    return _BLANK.sub("\n", _rendered(f"{template}.sql", values)) + "\n"


def render_python(template: str, values: dict[str, Any]) -> str:
    """Return the text of ``templates/<template>.py-tpl``."""
    return _rendered(f"{template}.py-tpl", values) + "\n"


def _rendered(file: str, values: dict[str, Any]) -> str:
    return _engine().get_template(file).render(Context(values, autoescape=False)).strip()

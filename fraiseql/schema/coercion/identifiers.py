"""
Identifiers.
"""

import re
import uuid

from fraiseql.schema.coercion.numbers import integral, printable
from fraiseql.schema.coercion.words import matched, text

_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def identifier(value: object) -> str:
    """Return an ID: a string, or an integer's digits (GraphQL, 3.5.5)."""
    if isinstance(value, str | uuid.UUID):
        return text(str(value))
    return str(printable(integral(value, "a string or an integer")))


def uuid_(value: object) -> uuid.UUID:
    """Return a UUID, from 32 hexadecimal digits with or without hyphens."""
    if isinstance(value, uuid.UUID):
        return value
    return uuid.UUID(matched(_UUID, value, "a UUID"))

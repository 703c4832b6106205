"""
Python names to GraphQL names.

Used once per name, while the schema is built; requests look names up in the tables built here, so every
name finds its way back (``address_line_1`` <-> ``addressLine1``).
"""

import re

from fraiseql.errors import ConfigurationError

_GRAPHQL_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*\Z")


def camel_case(name: str) -> str:
    """Return ``name`` in GraphQL's camelCase; leading underscores stay."""
    body = name.lstrip("_")
    first, *rest = body.split("_")
    return (
        name[: len(name) - len(body)]
        + first
        + "".join(part[:1].upper() + part[1:] for part in rest)
    )


def pascal_case(name: str) -> str:
    """Return ``name`` in GraphQL's PascalCase, as types are called."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def check_name(name: str, owner: str) -> str:
    """Return ``name`` if GraphQL allows it. Raises ConfigurationError naming ``owner`` if not."""
    if not _GRAPHQL_NAME.match(name):
        raise ConfigurationError(f"{owner}: {name!r} is not a GraphQL name.")
    if name.startswith("__"):
        raise ConfigurationError(f"{owner}: {name!r} is reserved; names may not begin with '__'.")
    return name


class NameTable:
    """A two-way table of the names of one owner (a type's fields, a field's arguments)."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._python: dict[str, str] = {}

    def add(self, python: str, graphql: str | None = None) -> str:
        """Return the GraphQL name of ``python``. Raises ConfigurationError if two names would meet."""
        name = check_name(graphql or camel_case(python), self.owner)
        other = self._python.setdefault(name, python)
        if other != python:
            raise ConfigurationError(
                f"{self.owner}: {python!r} and {other!r} would both be called {name!r}.",
                hint="Give one of them another name: fraiseql.field(name=...).",
            )
        return name

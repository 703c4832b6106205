"""
One SQL statement with its parameters, ready for PostgreSQL.

Both ways to run it read the same text: Django's cursor takes ``%s`` as it stands, the asynchronous
pool speaks PostgreSQL's own ``$1``.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from fraiseql.errors import BadUserInput

# The protocol counts them in 16 bits.
_MAX_PARAMS = 65_535
_PLACEHOLDER = re.compile("%[s%]")


class Statement(NamedTuple):
    """
    The text with ``%s`` for each parameter (a percent sign is ``%%``), and the parameters.

    ``params``: PostgreSQL's text format, untyped; None is NULL. ``writes``: the statement changes
    data, so it is never sent twice when the connection breaks under it. ``current``: it must see what
    was committed last, so it is never read from a replica.
    """

    text: str
    params: tuple[str | None, ...] = ()
    writes: bool = False
    current: bool = False


# As many as a connection prepares; without prepared statements each use comes here.
@lru_cache(maxsize=500)
def numbered(text: str) -> bytes:
    """Return ``text`` with ``$1``, ``$2``, ... for each ``%s`` and ``%`` for each ``%%``."""
    count = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        if match[0] == "%%":
            return "%"
        count += 1
        return f"${count}"

    return _PLACEHOLDER.sub(replace, text).encode()


def encoded(params: Sequence[str | None]) -> list[bytes | None]:
    """Return ``params`` as UTF-8. Raises BadUserInput for what PostgreSQL does not take."""
    if len(params) > _MAX_PARAMS:
        raise BadUserInput(f"The query has {len(params)} values; {_MAX_PARAMS} are possible.")
    values: list[bytes | None] = []
    try:
        for value in params:
            if value is None:
                values.append(None)
            elif "\0" in value:
                # libpq reads parameters as C strings: it would cut the value off without a word.
                raise BadUserInput(
                    "A text value contains NUL (U+0000), which PostgreSQL cannot store."
                )
            else:
                values.append(value.encode())
    except UnicodeEncodeError as error:
        raise BadUserInput("A text value is not valid Unicode.") from error
    return values

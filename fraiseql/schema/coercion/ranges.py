"""
Ranges, as PostgreSQL writes them.
"""

import re
from collections.abc import Callable
from typing import Any

from fraiseql.schema.coercion.words import text

_RANGE = re.compile(
    r"\s*(?P<empty>empty)\s*|(?P<open>[\[(])(?P<lower>[^,]*),(?P<upper>[^,]*)(?P<close>[\])])"
)


def range_of(
    bound: Callable[[object], Any], print_bound: Callable[[Any], str]
) -> Callable[[object], str]:
    """Return a parse function for ranges, ``[lower,upper)``, with ``bound`` for what is between."""

    def parse(value: object) -> str:
        found = _RANGE.fullmatch(text(value))
        if found is None or len(found.string) > 200:
            raise ValueError("expected a range, [lower,upper).")
        if found["empty"]:
            return "empty"
        ends = [_bound(found[side], bound) for side in ("lower", "upper")]
        if None not in ends and ends[0] > ends[1]:
            raise ValueError("expected a range whose lower bound is not above the upper one.")
        printed = ["" if end is None else print_bound(end) for end in ends]
        return f"{found['open']}{printed[0]},{printed[1]}{found['close']}"

    return parse


def _bound(given: str, parse: Callable[[object], Any]) -> Any:
    bare = given.strip().removeprefix('"').removesuffix('"')
    return parse(bare) if bare else None

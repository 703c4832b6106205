"""
From rows to bytes: documents as PostgreSQL printed them, cut to what a query asked for.

``Shape`` and ``MalformedRow`` are those of the accelerator or of ``reference.py``, as the setting
ACCELERATOR says; which it is, is decided once, when one of them is first used.
"""

from functools import cache
from typing import TYPE_CHECKING

from fraiseql.conf import get_settings
from fraiseql.engine.result.implementation import Implementation, choose

if TYPE_CHECKING:
    from fraiseql.engine.result.reference import MalformedRow, Shape

__all__ = ["Implementation", "MalformedRow", "Shape", "implementation"]


@cache
def implementation() -> Implementation:
    """
    Return which projector runs, its version and why it is this one.

    Raises ConfigurationError if the accelerator is required and cannot be used.
    """
    return choose(get_settings().ACCELERATOR)


def __getattr__(name: str) -> object:
    # Not at import: the words of shape.py are needed before, and without, settings.
    if name == "Shape":
        return implementation().shape
    if name == "MalformedRow":
        return implementation().malformed_row
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""
What is asked of libpq itself: the one function that psycopg does not wrap and each statement needs, and where
those are that read rows in place.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from psycopg import pq
from psycopg.pq.abc import PGconn

READERS = ("PQntuples", "PQgetisnull", "PQgetlength", "PQgetvalue")


def send_sync_of(wrapper: str | None) -> Callable[[ctypes.c_void_p], int] | None:
    """
    Return ``PQsendPipelineSync`` of the library that psycopg's ``wrapper`` module (its file) speaks to.

    None where it cannot be had: before libpq 17, and with the wrapper that is not compiled. It returns
    0 on failure and, unlike ``PQpipelineSync``, sends nothing by itself.
    """
    found = _function(wrapper, "PQsendPipelineSync")
    if found is None:
        return None
    found.argtypes, found.restype = [ctypes.c_void_p], ctypes.c_int
    send: Callable[[ctypes.c_void_p], int] = found
    return send


def readers_of(wrapper: str | None) -> tuple[int, ...]:
    """Return where READERS are in that library; nothing where that cannot be had."""
    found = [_function(wrapper, name) for name in READERS]
    if None in found:
        return ()
    return tuple(ctypes.cast(each, ctypes.c_void_p).value or 0 for each in found)


def _function(wrapper: str | None, name: str) -> Any:
    try:
        # Looked up through the compiled wrapper: the loader finds what the wrapper itself is linked to.
        # PyDLL, since it does not block and so has no need to let go of the GIL.
        library = ctypes.PyDLL(wrapper)
        found = getattr(library, name)
        return found if library.PQlibVersion() == pq.version() else None
    except (OSError, AttributeError):
        return None


_wrapper = sys.modules[pq.PGconn.__module__].__file__
send_sync = send_sync_of(_wrapper)
readers = readers_of(_wrapper)


def sender_of_sync(pgconn: PGconn) -> Callable[[], int]:
    """Return ``send_sync`` for a connection, as long as that is open; what only fails if there is none."""
    if send_sync is None:
        return unable
    return partial(send_sync, ctypes.c_void_p(pgconn.pgconn_ptr))  # type: ignore[attr-defined]  # all have it


def unable() -> int:
    """Return 0, as libpq does for what has failed."""
    return 0

"""
The one function of libpq that psycopg does not wrap and each statement needs.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import partial

from psycopg import pq
from psycopg.pq.abc import PGconn


def send_sync_of(wrapper: str | None) -> Callable[[ctypes.c_void_p], int] | None:
    """
    Return ``PQsendPipelineSync`` of the library that psycopg's ``wrapper`` module (its file) speaks to.

    None where it cannot be had: before libpq 17, and with the wrapper that is not compiled. It returns
    0 on failure and, unlike ``PQpipelineSync``, sends nothing by itself.
    """
    try:
        # Looked up through the compiled wrapper: the loader finds what the wrapper itself is linked to.
        # PyDLL, since it does not block and so has no need to let go of the GIL.
        library = ctypes.PyDLL(wrapper)
        found = library.PQsendPipelineSync
        if library.PQlibVersion() != pq.version():
            return None
    except (OSError, AttributeError):
        return None
    found.argtypes, found.restype = [ctypes.c_void_p], ctypes.c_int
    return found


send_sync = send_sync_of(sys.modules[pq.PGconn.__module__].__file__)


def sender_of_sync(pgconn: PGconn) -> Callable[[], int]:
    """Return ``send_sync`` for a connection, as long as that is open; what only fails if there is none."""
    if send_sync is None:
        return unable
    return partial(send_sync, ctypes.c_void_p(pgconn.pgconn_ptr))  # type: ignore[attr-defined]  # all have it


def unable() -> int:
    """Return 0, as libpq does for what has failed."""
    return 0

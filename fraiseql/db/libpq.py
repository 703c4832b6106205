"""
The one function of libpq that psycopg does not wrap and each statement needs.
"""

import ctypes
import sys
from collections.abc import Callable

from psycopg import pq


def send_sync_of(wrapper: str | None) -> Callable[[int | None], int] | None:
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

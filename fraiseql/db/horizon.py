"""
How far a client has to see: the position in PostgreSQL's log of what it wrote last.
"""

from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement

# Asked after a commit. Where the next record will be, so that it does not matter whether the
# commit has been flushed: with synchronous_commit off it is not, and a standby gets it later.
POSITION = Statement("SELECT pg_current_wal_insert_lsn()")
# Where a commit was nobody knows: no standby has replayed so far.
UNKNOWN = 2**64 - 1

_PAGE, _PAGE_HEADER = 8192, 40


class Horizon:
    """
    What the reads of one client have to see: everything up to ``lsn``.

    ``has_moved``: it wrote in this request. ``is_pending``: it did, and its commit has not been looked for.
    """

    __slots__ = ("has_moved", "is_pending", "lsn")

    def __init__(self, lsn: int = 0) -> None:
        self.lsn = lsn
        self.has_moved = self.is_pending = False

    def move(self, lsn: int) -> None:
        """Take in where a commit of this request was."""
        self.lsn, self.has_moved, self.is_pending = max(self.lsn, lsn), True, False


def position_in(found: list[Rows]) -> int:
    """Return what ``POSITION`` found; UNKNOWN if it was not answered."""
    where = found[0].column(0)[0] if found else None
    return UNKNOWN if where is None else position(where.decode())


def position(text: str) -> int:
    """Return an LSN, as PostgreSQL prints it, as a number."""
    high, _, low = text.partition("/")
    lsn = int(high, 16) << 32 | int(low, 16)
    # The next record is put behind a page's header, where none that has been replayed ends.
    return lsn - lsn % _PAGE if lsn % _PAGE <= _PAGE_HEADER else lsn

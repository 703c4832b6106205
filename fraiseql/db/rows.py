"""
What a statement returned, as PostgreSQL printed it.

Values stay bytes: JSON documents are projected without ever becoming Python objects.
"""

from itertools import repeat

from psycopg.pq.abc import PGresult


class Rows:
    """The rows of one statement; as long as this object lives, libpq keeps them: in psycopg's ``result``."""

    __slots__ = ("result",)

    def __init__(self, result: PGresult) -> None:
        self.result = result

    def __len__(self) -> int:
        return self.result.ntuples

    def column(self, index: int) -> list[bytes | None]:
        """Return the values of a column, by its position; NULL is None. Raises IndexError."""
        result = self.result
        if not 0 <= index < result.nfields:
            raise IndexError(f"The rows have {result.nfields} columns, none at {index}.")
        count = result.ntuples
        if count == 1:
            return [result.get_value(0, index)]
        return list(map(result.get_value, range(count), repeat(index)))

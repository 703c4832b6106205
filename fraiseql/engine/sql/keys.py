"""
Idempotency keys: a mutation that is sent again has the answer it had, and no second effect.

The key is taken, and the answer kept, in the transaction of the mutation itself: who comes second waits until
the first has committed, and after a crash there is either both or nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement

_CLAIM: LiteralString = "SELECT fraiseql_claim_v1(%s, %s, %s, %s::interval)"
_FIND: LiteralString = (
    "SELECT fingerprint, answer::text FROM tb_idempotency_key WHERE scope = %s AND key = %s"
)
_KEEP_TEXT: LiteralString = (
    "UPDATE tb_idempotency_key SET answer = to_jsonb(%s::text) WHERE scope = %s AND key = %s"
)
# The rows go out as they are, and into the answer as text.
_KEEP: LiteralString = (
    "WITH fraiseql_w ({names}) AS MATERIALIZED ({statement}),"
    " fraiseql_k AS (UPDATE tb_idempotency_key SET answer = answer || jsonb_build_array(coalesce("
    "(SELECT jsonb_agg(jsonb_build_array({texts})) FROM fraiseql_w), '[]'))"
    " WHERE scope = %s AND key = %s)"
    " SELECT * FROM fraiseql_w"
)


class KeptRows:
    """Rows of an answer that was kept; reads as ``Rows`` does."""

    def __init__(self, rows: Sequence[Sequence[str | None]]) -> None:
        self._rows = rows

    def column(self, index: int) -> list[bytes | None]:
        """Return the values of a column; NULL is None."""
        values = (row[index] for row in self._rows)
        return [None if value is None else value.encode() for value in values]


AnyRows = Rows | KeptRows


@dataclass(frozen=True)
class Key:
    """
    A key that makes a request one with its repetitions.

    ``scope``: who asks; ``fingerprint``: of the request that may use it; ``hours``: how long it holds.
    """

    scope: str
    name: str
    fingerprint: str
    hours: int

    def claim(self) -> Statement:
        """Return the statement that takes the key, and fails with Repeated if it is taken."""
        params = (self.scope, self.name, self.fingerprint, f"{self.hours} hours")
        return Statement(_CLAIM, params, writes=True)

    def keep(self, statement: Statement, width: int) -> Statement:
        """Return ``statement``, whose rows have ``width`` columns, so that they are kept under the key."""
        names = [sql.Identifier(f"c{number}") for number in range(width)]
        text = sql.SQL(_KEEP).format(
            names=sql.SQL(", ").join(names),
            statement=sql.SQL(statement.text),
            texts=sql.SQL(", ").join(sql.SQL("{}::text").format(name) for name in names),
        )
        params = (*statement.params, self.scope, self.name)
        return Statement(text.as_string(None), params, writes=True)

    def keep_text(self, text: str) -> Statement:
        """Return the statement that keeps an answer as it is."""
        return Statement(_KEEP_TEXT, (text, self.scope, self.name), writes=True)

    def read_text(self, rows: Rows) -> str | None:
        """Return the answer that was kept as it is; None if the key was another request's."""
        if rows.column(0)[:1] != [self.fingerprint.encode()]:
            return None
        return str(json.loads(rows.column(1)[0] or b'""'))

    def find(self) -> Statement:
        """Return the statement that reads what was kept."""
        return Statement(_FIND, (self.scope, self.name))

    def read(self, rows: Rows) -> list[AnyRows] | None:
        """Return the kept rows of each statement; None if the key was another request's."""
        if rows.column(0)[:1] != [self.fingerprint.encode()]:
            return None
        return [KeptRows(kept) for kept in json.loads(rows.column(1)[0] or b"[]")]

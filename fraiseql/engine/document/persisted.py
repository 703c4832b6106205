"""
Operations that clients name by a hash or an id, as PostgreSQL stores them.

Statements and what their rows mean; ``fraiseql.engine.persisting`` asks for them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.db.texts import sql_text

EVERYONE = ""
"""The tenant of what is registered: it belongs to the application."""


@dataclass(frozen=True)
class Stored:
    """An operation in the store. ``is_registered``: by the application, not by a client."""

    tenant: str
    hash: str
    text: str
    is_registered: bool

    @property
    def key(self) -> tuple[str, str]:
        """Return what it is stored under."""
        return self.tenant, self.hash


@dataclass
class Count:
    """What was counted of an operation. ``errors``: answers with at least one."""

    uses: int
    errors: int
    total_ms: float
    max_ms: float

    def add(self, other: "Count") -> None:
        """Count what ``other`` counted, too."""
        self.uses += other.uses
        self.errors += other.errors
        self.total_ms += other.total_ms
        self.max_ms = max(self.max_ms, other.max_ms)


def hash_of(text: str) -> str:
    """Return the SHA-256 of a document's exact text, in hexadecimal digits."""
    # Half of a surrogate pair is no Unicode, and nothing that is stored; but it is hashed first.
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def find(document_id: str, tenant: str, *, with_automatic: bool) -> Statement:
    """Return the statement that finds an operation; ``with_automatic``: also among clients' own."""
    flag = "true" if with_automatic else "false"
    return Statement(sql("find"), (document_id, tenant, flag, document_id), current=True)


def found(rows: Rows) -> Stored | None:
    """Return what ``find`` found."""
    if not len(rows):
        return None
    tenant, digest, is_registered, text = (_text(rows.column(index)[0]) for index in range(4))
    return Stored(tenant, digest, text, is_registered == "t")


def store(
    stored: Stored, name: str | None, client: str, *, most_of_client: int, most: int
) -> Statement:
    """Return the statement that stores a client's operation and makes room for it."""
    named = (stored.tenant, stored.hash, stored.text, name, client)
    return Statement(sql("store"), (*named, str(most_of_client), str(most)), writes=True)


def registered(fingerprint: str) -> Statement:
    """Return the statement that reads what is registered, if that is not what ``fingerprint`` says."""
    return Statement(sql("registered"), (fingerprint,), current=True)


def all_registered(rows: Rows) -> tuple[str, list[tuple[Stored, Sequence[str]]]]:
    """Return the fingerprint and the operations, with their ids, that ``registered`` read."""
    fingerprints, *columns = (rows.column(index) for index in range(4))
    operations = [
        (Stored(EVERYONE, _text(digest), _text(text), True), json.loads(ids or b"[]"))
        for digest, ids, text in zip(*columns, strict=True)
        if digest is not None
    ]
    return next(_text(value) for value in fingerprints if value is not None), operations


def every(*, with_automatic: bool) -> Statement:
    """Return the statement that lists what is stored; ``with_automatic``: also what clients stored."""
    return Statement(sql("list"), ("true" if with_automatic else "false",))


def listed(rows: Rows) -> list[dict[str, Any]]:
    """Return what ``every`` listed: the columns of the table by name, and ``ids``."""
    return [json.loads(row or b"null") for row in rows.column(0)]


def register(operations: Sequence[Mapping[str, Any]]) -> Statement:
    """Return the statement that registers ``operations``: hash, text, name, client and ids of each."""
    return Statement(sql("register"), (json.dumps(operations),), writes=True)


def remove(hashes: Sequence[str]) -> Statement:
    """Return the statement that forgets registered operations."""
    return Statement(sql("remove"), (json.dumps(hashes),), writes=True)


def count(counts: Iterable[tuple[tuple[str, str], Count]]) -> Statement:
    """Return the statement that adds ``counts``, by the operations' keys."""
    rows = [
        {"tenant": tenant, "hash": digest, **vars(counted)} for (tenant, digest), counted in counts
    ]
    return Statement(sql("count"), (json.dumps(rows),), writes=True)


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


def sql(name: str) -> str:
    """Return the text of ``sql/<name>.sql``."""
    return sql_text("fraiseql.engine.document", name)

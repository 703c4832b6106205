"""
Rows of a connection to its document: edges, cursors, page information.

The document is put together from the rows' bytes and then projected like any other.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fraiseql.engine.plan.order import encode_cursor, order_signature
from fraiseql.engine.plan.plan import Read

KeyedRow = tuple[bytes | None, bytes | None]


@dataclass(frozen=True)
class ConnectionRows:
    """What a read of a connection returned: (order keys, document) per row, and the counts if asked."""

    rows: Sequence[KeyedRow]
    total: bytes | None
    estimate: bytes | None = None


def connection_document(read: Read, found: ConnectionRows) -> bytes:
    """Return the connection as one JSON object, with every field the selection can ask for."""
    page = read.page
    has_more = len(found.rows) > page.limit
    rows = list(found.rows[: page.limit])
    if page.backward:
        rows.reverse()
    cursors = _cursors(read, rows) if read.wants.cursors else []
    edges = [b'{"node":%b}' % (document or b"null") for _, document in rows]
    if cursors:
        edges = [
            b'{"node":%b,"cursor":%b}' % (document or b"null", cursor)
            for (_, document), cursor in zip(rows, cursors, strict=True)
        ]
    information = {
        # Rows were passed over to get here, or one more than the page was found.
        "hasNextPage": page.before is not None if page.backward else has_more,
        "hasPreviousPage": has_more if page.backward else page.after is not None,
    }
    ends = b',"startCursor":%b,"endCursor":%b' % (cursors[0], cursors[-1]) if cursors else b""
    return b'{"edges":[%b],"pageInfo":%b%b},"totalCount":%b,"estimatedCount":%b}' % (
        b",".join(edges),
        json.dumps(information, separators=(",", ":")).encode()[:-1],
        ends,
        found.total or b"null",
        found.estimate or b"null",
    )


def _cursors(read: Read, rows: Sequence[KeyedRow]) -> list[bytes]:
    signature = order_signature(read.order)
    return [b'"%b"' % encode_cursor(keys or b"[]", signature) for keys, _ in rows]

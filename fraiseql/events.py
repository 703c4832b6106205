"""
GraphQL over Server-Sent Events, one operation a connection (the protocol's "distinct connections mode").

For answers that take long: a comment now and then keeps proxies from closing the connection.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from fraiseql.conf import get_settings
from fraiseql.engine.result.envelope import Response
from fraiseql.http import Exchange

HEARTBEAT = b":\n\n"
"""A comment, which clients pass over."""


async def events(
    exchange: Exchange, work: Callable[[], Awaitable[Response]]
) -> AsyncGenerator[bytes, None]:
    """Yield the events of the response ``work`` gives; to close this cancels the work."""
    task = asyncio.ensure_future(work())
    every_s = get_settings().SSE_HEARTBEAT_MS / 1000 or None
    try:
        while not (await asyncio.wait({task}, timeout=every_s))[0]:
            yield HEARTBEAT
        failure = task.exception()
        if isinstance(failure, Exception):
            yield of_response(exchange.failure(failure))
        else:
            yield of_response(task.result())
    finally:
        task.cancel()


def of_response(response: Response) -> bytes:
    """Return the events of a finished response."""
    # A line's end ends an event's line. In JSON it stands between tokens alone, where it means nothing.
    data = response.body.replace(b"\r", b"").replace(b"\n", b"")
    return b"event: next\ndata: %b\n\nevent: complete\ndata: \n\n" % data

"""
The ASGI application: GraphQL in front of Django.

It answers operations made of bound fields only, on the asynchronous pool, without Django's handler, which
alone costs many times such an answer (benchmarks/README.md). Everything else goes to Django unchanged: other
paths, Python resolvers, browsers, requests from other origins.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, MutableMapping
from contextlib import aclosing
from functools import lru_cache, partial
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application
from django.http.request import QueryDict, split_domain_port, validate_host

from fraiseql import batch, http
from fraiseql.authentication import authentications, viewer_of_async
from fraiseql.db.pool import close_pools
from fraiseql.engine.pipeline import FORWARD, execute_async, get_engine, warm_async
from fraiseql.engine.result.envelope import Response
from fraiseql.engine.statistics import statistics
from fraiseql.events import events

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Work = Coroutine[Any, Any, Response]
Application = Callable[[Any, Any, Any], Awaitable[None]]


WATCH_AFTER_S = 0.1
"""A client is watched for leaving only while its answer takes longer: a task costs more than most do."""


class GraphQLApplication:
    """
    GraphQL at ``path``, the Django application everywhere else::

        application = GraphQLApplication()    # asgi.py
    """

    def __init__(self, application: Application | None = None, path: str = "/graphql/") -> None:
        self.application: Application = application or get_asgi_application()
        # A fault in the bindings or the settings shows when the server starts.
        get_engine()
        authentications()
        self.paths = frozenset({path, path.rstrip("/")})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        kind = scope["type"]
        if kind == "http" and scope["path"].removeprefix(scope.get("root_path", "")) in self.paths:
            await self._graphql(scope, receive, send)
        elif kind == "lifespan":
            await _lifespan(receive, send)
        else:
            await self.application(scope, receive, send)

    async def _graphql(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope["headers"])
        method = scope["method"]
        exchange = http.Exchange(method, partial(_header, headers))
        if (
            exchange.media is None
            or method not in ("POST", "GET")
            or (method == "GET" and "text/html" in _header(headers, "accept").lower())
            or not _is_here(headers)
        ):
            await self._forward(scope, receive, send)
            return
        try:
            exchange.viewer = await viewer_of_async(exchange.request)
            body = await _body(headers, receive)
            if body is None:
                return
            query = QueryDict(scope["query_string"]).dict() if method == "GET" else {}
            request = exchange.read(query, body)
        except Exception as error:  # noqa: BLE001 - whatever breaks, a client of GraphQL gets GraphQL
            await _send(send, exchange.fail(error))
            return
        if isinstance(request, tuple):
            work = batch.run_async(request, exchange.viewer)
        else:
            work = execute_async(
                request, read_only=method == "GET", fast_only=True, viewer=exchange.viewer
            )
        if exchange.media == http.EVENTS:
            response = await _while_connected(_stream(exchange, work, send), receive)
        else:
            response = await _while_connected(_answer(exchange, work, send), receive)
        if response is FORWARD:
            await self._forward(scope, _again(body, receive), send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to Django, which knows the path with its slash."""
        if not scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"] + "/"}
        await self.application(scope, receive, send)


def _headers(lines: Collection[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return headers by name; one that came in several lines is joined, as HTTP has it."""
    headers = dict(lines)
    if len(headers) < len(lines):
        for name in headers:
            headers[name] = b",".join(value for key, value in lines if key == name)
    return headers


def _header(headers: dict[bytes, bytes], name: str) -> str:
    return headers.get(name.encode(), b"").decode("latin-1")


def _is_here(headers: dict[bytes, bytes]) -> bool:
    """Tell whether a request names this host and no other origin; the others are Django's to judge."""
    host = _header(headers, "host")
    if django_settings.USE_X_FORWARDED_HOST:
        host = _header(headers, "x-forwarded-host") or host
    origin = headers.get(b"origin")
    if origin is not None and origin.decode("latin-1").partition("://")[2] != host:
        return False
    return _is_allowed(host, bool(django_settings.DEBUG), tuple(django_settings.ALLOWED_HOSTS))


@lru_cache(maxsize=256)
def _is_allowed(host: str, debug: bool, allowed: tuple[str, ...]) -> bool:
    if debug and not allowed:
        allowed = (".localhost", "127.0.0.1", "[::1]")
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
    """Return the body, or None if the client left. Raises BadRequest if it is too large."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit():
        http.check_size(int(declared))
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        http.check_size(size)
    return b"".join(parts)


async def _while_connected(
    work: Coroutine[Any, Any, Response | None], receive: Receive
) -> Response | None:
    """Return what ``work`` returns, or None if the client left: its statement is cancelled then."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    watcher: asyncio.Task[None] | None = None
    has_left = False

    async def watch() -> None:
        nonlocal has_left
        while (await receive())["type"] != "http.disconnect":
            pass
        has_left = True
        if task is not None:
            task.cancel()

    def start() -> None:
        nonlocal watcher
        watcher = loop.create_task(watch())

    timer = loop.call_later(WATCH_AFTER_S, start)
    try:
        return await work
    except asyncio.CancelledError:
        if not has_left or task is None:
            raise
        task.uncancel()
        return None
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()


async def _answer(exchange: http.Exchange, work: Work, send: Send) -> Response | None:
    """Send what ``work`` returns, but for FORWARD, which is returned."""
    try:
        response = await work
    except Exception as error:  # noqa: BLE001 - whatever breaks, a client of GraphQL gets GraphQL
        response = exchange.failure(error)
    if response is FORWARD:
        return response
    await _send(send, exchange.reply(response))
    return None


async def _stream(exchange: http.Exchange, work: Work, send: Send) -> Response | None:
    """Do the same in events."""
    task = asyncio.ensure_future(work)
    has_started = False
    async with aclosing(events(exchange, lambda: task)) as parts:
        async for part in parts:
            if not has_started:
                if task.done() and not task.exception() and task.result() is FORWARD:
                    return FORWARD
                start = {"type": "http.response.start", "status": 200, "headers": exchange.stream()}
                await send(start)
                has_started = True
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    return None


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives the body once more."""
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _send(send: Send, response: http.HttpResponse) -> None:
    await send(
        {"type": "http.response.start", "status": response.status, "headers": response.headers}
    )
    await send({"type": "http.response.body", "body": response.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    """Begin with what is registered, end with what was counted; Django's own application has no lifespan."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await warm_async()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await sync_to_async(statistics.flush)()
            await close_pools()
            await send({"type": "lifespan.shutdown.complete"})
            return

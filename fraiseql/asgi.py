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
from typing import Any, NamedTuple

from django.conf import settings as django_settings
from django.core.asgi import get_asgi_application
from django.core.signals import setting_changed
from django.http.request import QueryDict, split_domain_port, validate_host

from fraiseql import batch, http
from fraiseql.authentication import authentications, claimed
from fraiseql.drain import drain_of_daphne, finish
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import FORWARD, execute_async, get_engine, warm_async
from fraiseql.engine.result.envelope import Response
from fraiseql.engine.viewer import Viewer
from fraiseql.errors import FraiseQLError
from fraiseql.events import events
from fraiseql.waiting import waiting_in
from fraiseql.writing import at_once

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Work = Coroutine[Any, Any, Response]
Reply = tuple[int, tuple[http.Header, ...], bytes]
Application = Callable[[Any, Any, Any], Awaitable[None]]


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
        self._drain = drain_of_daphne()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        drain = self._drain
        if scope["type"] != "http":
            serve = _lifespan if scope["type"] == "lifespan" else self.application
            await serve(scope, receive, send)
        elif drain is None:
            await self._serve(scope, receive, send)
        elif drain.is_ending:
            await _send(send, http.Exchange(scope["method"], _nothing).refuse(drain.refusal))
        else:
            drain.under_way += 1
            try:
                await self._serve(scope, receive, send)
            finally:
                drain.under_way -= 1

    def _serve(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = scope["path"]
        if root := scope.get("root_path"):
            path = path.removeprefix(root)
        serve = self._graphql if path in self.paths else self.application
        return serve(scope, receive, send)

    async def _graphql(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope["headers"])
        exchange = _exchange(scope["method"], headers)
        if exchange is None:
            await self._forward(scope, receive, send)
            return
        try:
            if not exchange.is_anonymous:
                viewer = claimed(exchange.request)
                exchange.viewer = viewer if isinstance(viewer, Viewer) else await viewer
            message = await receive()
            body = message.get("body", b"")
            if message.get("more_body") or message["type"] == "http.disconnect":
                body = await _body(message, headers.get(b"content-length"), receive)
        except Exception as error:  # noqa: BLE001 - whatever breaks, a client of GraphQL gets GraphQL
            await _send(send, exchange.fail(error))
            return
        if body is None:
            return
        loop = asyncio.get_running_loop()
        waiting = waiting_in(loop)
        task = waiting.enter(receive)
        try:
            is_answered = await _answer(exchange, scope, body, send, loop)
        except asyncio.CancelledError:
            if not waiting.has_left(task):
                raise
            task.uncancel()
            return
        finally:
            waiting.leave(task)
        if not is_answered:
            await self._forward(scope, _again(body, receive), send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to Django, which knows the path with its slash."""
        if not scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"] + "/"}
        await self.application(scope, receive, send)


def _nothing(_name: str) -> None:
    """Read no header: the answer depends on none."""


class _Known(NamedTuple):
    """What telling headers say. ``claims``: the others by which a request is one of its own; None: any may be."""

    exchange: http.Exchange
    claims: frozenset[bytes] | None


# What a POST is read and answered by, but for who asks.
_TELLING = (
    b"accept", b"content-type", b"host", b"x-forwarded-host", b"origin", b"apollographql-client-name",
)  # fmt: skip
MAX_KNOWN = 256
_known: dict[tuple[bytes | None, ...], _Known] = {}


def _exchange(method: str, headers: dict[bytes, bytes]) -> http.Exchange | None:
    """
    Return how a request with these headers is read and answered; None: by Django.

    Most clients send the same ones each time, but for credentials, which are not kept.
    """
    if method != "POST":
        return _new_exchange(method, headers)
    key = tuple(map(headers.get, _TELLING))
    known = _known.get(key)
    if known is None:
        telling = {name: headers[name] for name in _TELLING if name in headers}
        exchange = _new_exchange(method, telling)
        if exchange is None:
            return None
        is_shared = exchange.is_anonymous and exchange.horizon is None
        names = {b"idempotency-key", *(name.encode() for name in exchange.request.consulted)}
        known = _Known(exchange, frozenset(names) if is_shared else None)
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known[key] = known
    if known.claims is not None and known.claims.isdisjoint(headers):
        return known.exchange
    exchange = known.exchange.of(partial(_header, headers))
    if b"idempotency-key" in headers:
        exchange.is_usual = False
    return exchange


def _new_exchange(method: str, headers: dict[bytes, bytes]) -> http.Exchange | None:
    exchange = http.Exchange(method, partial(_header, headers))
    if (
        exchange.media is None
        or method not in ("POST", "GET")
        or (method == "GET" and "text/html" in _header(headers, "accept").lower())
        or not _is_here(
            headers.get(b"host"), headers.get(b"x-forwarded-host"), headers.get(b"origin")
        )
    ):
        return None
    return exchange


def _headers(lines: Collection[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return headers by name; one that came in several lines is joined, as HTTP has it."""
    headers = dict(lines)
    if len(headers) < len(lines):
        for name in headers:
            headers[name] = b",".join(value for key, value in lines if key == name)
    return headers


def _header(headers: dict[bytes, bytes], name: str) -> str:
    value = headers.get(name.encode())
    return value.decode("latin-1") if value else ""


@lru_cache(maxsize=256)
def _is_here(host: bytes | None, forwarded: bytes | None, origin: bytes | None) -> bool:
    """Tell whether a request names this host and no other origin; the others are Django's to judge."""
    named = (django_settings.USE_X_FORWARDED_HOST and forwarded) or host or b""
    if origin is not None and origin.partition(b"://")[2] != named:
        return False
    allowed = django_settings.ALLOWED_HOSTS
    if django_settings.DEBUG and not allowed:
        allowed = (".localhost", "127.0.0.1", "[::1]")
    domain, _ = split_domain_port(named.decode("latin-1"))
    return bool(domain) and validate_host(domain, allowed)


def _forget(**_: Any) -> None:
    """Settings change in tests, which say so."""
    _known.clear()
    _is_here.cache_clear()


setting_changed.connect(_forget)


async def _body(message: Message, declared: bytes | None, receive: Receive) -> bytes | None:
    """Return the body that ``message`` begins, None if the client left. Raises BadRequest if it is too large."""
    if declared is not None and declared.isdigit():
        http.check_size(int(declared))
    parts, size = [], 0
    while message["type"] != "http.disconnect":
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        http.check_size(size)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()
    return None


async def _answer(
    exchange: http.Exchange,
    scope: Scope,
    body: bytes,
    send: Send,
    loop: asyncio.AbstractEventLoop,
) -> bool:
    """Answer a request and return True; False if that is Django's."""
    if exchange.media == http.EVENTS:
        return await _stream(exchange, scope, body, send)
    reply: Reply | None
    try:
        engine, ready = get_engine(), None
        if exchange.is_usual:
            http.check_size(len(body))
            ready = engine.ready(body)
        if ready is None:
            reply = await _reply(exchange, scope, body)
        else:
            try:
                (rows,) = await engine.ask(ready, exchange.viewer, exchange.horizon, loop)
            except FraiseQLError as error:
                engine.unsettle(ready, error)
                reply = await _reply(exchange, scope, body, error)
            else:
                data = engine.respond(ready, rows)
                reply = exchange.usual(data) if data else exchange.reply(engine.finish(ready, rows))
    except Exception as error:  # noqa: BLE001 - whatever breaks, a client of GraphQL gets GraphQL
        reply = exchange.fail(error)
    if reply is None:
        return False
    status, headers, content = reply
    written = at_once(send)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
    if written is not None:
        written.end()
    return True


async def _reply(
    exchange: http.Exchange, scope: Scope, body: bytes, failed: FraiseQLError | None = None
) -> Reply | None:
    """Return the reply to any request, None if it is Django's. ``failed``: see ``execute_async``."""
    response = await _work(exchange, scope, body, failed)
    return None if response is FORWARD else exchange.reply(response)


def _work(
    exchange: http.Exchange, scope: Scope, body: bytes, failed: FraiseQLError | None = None
) -> Work:
    """Return what answers any request. Raises BadRequest if it is none."""
    query = QueryDict(scope["query_string"]).dict() if exchange.method == "GET" else {}
    request = exchange.read(query, body)
    if not isinstance(request, GraphQLRequest):
        return batch.run_async(request, exchange.viewer, exchange.horizon)
    return execute_async(
        request,
        read_only=exchange.method == "GET",
        fast_only=True,
        viewer=exchange.viewer,
        horizon=exchange.horizon,
        failed=failed,
    )


async def _stream(exchange: http.Exchange, scope: Scope, body: bytes, send: Send) -> bool:
    """Do the same in events."""
    try:
        work = _work(exchange, scope, body)
    except Exception as error:  # noqa: BLE001 - whatever breaks, a client of GraphQL gets GraphQL
        await _send(send, exchange.fail(error))
        return True
    task = asyncio.ensure_future(work)
    has_started = False
    async with aclosing(events(exchange, lambda: task)) as parts:
        async for part in parts:
            if not has_started:
                if task.done() and not task.exception() and task.result() is FORWARD:
                    return False
                start = {"type": "http.response.start", "status": 200, "headers": exchange.stream()}
                await send(start)
                has_started = True
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
    return True


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


async def _lifespan(_scope: Scope, receive: Receive, send: Send) -> None:
    """Begin with what is registered, end with what was counted; Django's own application has no lifespan."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await warm_async()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await finish()
            await send({"type": "lifespan.shutdown.complete"})
            return

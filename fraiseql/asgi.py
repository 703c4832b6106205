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
from fraiseql.authentication import authentications, viewer_of_async
from fraiseql.drain import drain_of_daphne, finish
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import FORWARD, execute_async, get_engine, warm_async
from fraiseql.engine.result.envelope import Response
from fraiseql.events import events

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Work = Coroutine[Any, Any, Response]
Application = Callable[[Any, Any, Any], Awaitable[None]]


WATCH_AFTER_S = 0.05
"""A client is watched for leaving when its answer has taken that long, or twice: a task costs more than most."""


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
        kind = scope["type"]
        drain = self._drain if kind == "http" else None
        if drain is not None:
            if drain.is_ending:
                await _send(send, http.Exchange(scope["method"], _nothing).refuse(drain.refusal))
                return
            drain.under_way += 1
        try:
            if kind == "http" and _path(scope) in self.paths:
                await self._graphql(scope, receive, send)
            elif kind == "lifespan":
                await _lifespan(receive, send)
            else:
                await self.application(scope, receive, send)
        finally:
            if drain is not None:
                drain.under_way -= 1

    async def _graphql(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        headers = _headers(scope["headers"])
        exchange = _exchange(method, headers)
        if exchange is None:
            await self._forward(scope, receive, send)
            return
        try:
            if not exchange.is_anonymous:
                exchange.viewer = await viewer_of_async(exchange.request)
            body = await _body(headers.get(b"content-length"), receive)
            if body is None:
                return
            query = QueryDict(scope["query_string"]).dict() if method == "GET" else {}
            request = exchange.read(query, body)
        except Exception as error:  # noqa: BLE001 - whatever breaks, a client of GraphQL gets GraphQL
            await _send(send, exchange.fail(error))
            return
        if isinstance(request, GraphQLRequest):
            work = execute_async(
                request,
                read_only=method == "GET",
                fast_only=True,
                viewer=exchange.viewer,
                horizon=exchange.horizon,
            )
        else:
            work = batch.run_async(request, exchange.viewer, exchange.horizon)
        answer = _stream if exchange.media == http.EVENTS else _answer
        watch = _Watch(receive)
        try:
            response = await answer(exchange, work, send)
        except asyncio.CancelledError:
            if not watch.has_left:
                raise
            watch.task.uncancel()
            return
        finally:
            watch.end()
        if response is FORWARD:
            await self._forward(scope, _again(body, receive), send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to Django, which knows the path with its slash."""
        if not scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"] + "/"}
        await self.application(scope, receive, send)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _nothing(_name: str) -> None:
    """Read no header: the answer depends on none."""


class _Known(NamedTuple):
    """What telling headers say. ``claims``: the others by which a request is somebody's; None: any may be."""

    exchange: http.Exchange
    claims: frozenset[bytes] | None


# What a POST is read and answered by, but for who asks.
_TELLING = (
    b"accept", b"content-type", b"host", b"x-forwarded-host", b"origin", b"apollographql-client-name",
    b"idempotency-key",
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
    key = tuple([headers.get(name) for name in _TELLING])
    known = _known.get(key)
    if known is None:
        telling = {name: headers[name] for name in _TELLING if name in headers}
        exchange = _new_exchange(method, telling)
        if exchange is None:
            return None
        is_shared = exchange.is_anonymous and exchange.horizon is None
        names = frozenset(name.encode() for name in exchange.request.consulted)
        known = _Known(exchange, names if is_shared else None)
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known[key] = known
    if known.claims is not None and known.claims.isdisjoint(headers):
        return known.exchange
    return known.exchange.of(partial(_header, headers))


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


async def _body(declared: bytes | None, receive: Receive) -> bytes | None:
    """Return the body, or None if the client left. Raises BadRequest if it is too large."""
    if declared is not None and declared.isdigit():
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


class _Watch:
    """Cancels the running task, and so its statement, if its client leaves (``has_left``) before ``end``."""

    __slots__ = ("_receive", "_watcher", "has_left", "task", "waiting")

    def __init__(self, receive: Receive) -> None:
        loop = asyncio.get_running_loop()
        self._receive = receive
        self._watcher: asyncio.Task[None] | None = None
        self.task: asyncio.Task[Any] = asyncio.current_task(loop)  # type: ignore[assignment]  # it runs
        self.has_left = False
        self.waiting = _waiting.get(loop) or _Waiting(loop)
        self.waiting.new.add(self)

    def end(self) -> None:
        self.waiting.new.discard(self)
        if self._watcher is not None:
            self._watcher.cancel()

    def start(self) -> None:
        self._watcher = self.waiting.loop.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.has_left = True
        self.task.cancel()


class _Waiting:
    """The requests of a loop that are not watched yet, looked over by one timer: one for each would cost more."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.new: set[_Watch] = set()
        self._before: set[_Watch] = set()
        for ended in [each for each in list(_waiting) if each.is_closed()]:
            _waiting.pop(ended, None)
        _waiting[loop] = self
        loop.call_later(WATCH_AFTER_S, self._look)

    def _look(self) -> None:
        """Watch those that were there the last time; end when there is nobody."""
        late = self._before & self.new
        self.new -= late
        for watch in late:
            watch.start()
        self._before = set(self.new)
        if self.new:
            self.loop.call_later(WATCH_AFTER_S, self._look)
        else:
            _waiting.pop(self.loop, None)


_waiting: dict[asyncio.AbstractEventLoop, _Waiting] = {}


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
            await finish()
            await send({"type": "lifespan.shutdown.complete"})
            return

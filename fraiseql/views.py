"""
The Django view: GraphQL and GraphiQL behind Django's middleware, under WSGI and ASGI.

It runs in a thread on Django's own connection, so resolvers may use everything Django offers. Under ASGI,
``fraiseql.asgi`` answers what needs no resolver before it gets here.
"""

from collections.abc import Awaitable, Iterable
from functools import partial

from django.conf import settings as django_settings
from django.core.handlers.asgi import ASGIRequest
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.views.decorators.csrf import csrf_exempt

from fraiseql import authentication, batch, http, ide
from fraiseql.conf import get_settings
from fraiseql.db.horizon import UNKNOWN
from fraiseql.db.sync import last_commit
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute, execute_async, get_engine
from fraiseql.engine.result.envelope import Response
from fraiseql.errors import BadRequest, FraiseQLError
from fraiseql.events import events, of_response


# The middleware would refuse every client without a CSRF cookie, programs too. Here a session is protected
# by what the request cannot be: sent by a page of another site without the browser asking this one first.
@csrf_exempt
def graphql(request: HttpRequest) -> HttpResponseBase:
    """Answer one GraphQL request, or send GraphiQL to a browser that navigates here."""
    exchange = http.Exchange(request.method or "", request.headers.get, request)
    if exchange.method == "GET" and is_ide_enabled() and http.prefers_html(_accept(request)):
        return _reply(ide.page(endpoint=request.path))
    if exchange.media is None:
        return _sent(exchange.not_acceptable())
    try:
        exchange.viewer = authentication.viewer_of(exchange.request)
        _check_origin(request)
        received = exchange.read(
            request.GET.dict() if exchange.method == "GET" else {}, _body(request)
        )
        if not isinstance(received, GraphQLRequest):
            response = batch.run(received, request, exchange.viewer, exchange.horizon)
        elif exchange.media == http.EVENTS and isinstance(request, ASGIRequest):
            return _streamed(exchange, received, request)
        else:
            response = execute(
                received,
                request,
                read_only=exchange.method == "GET",
                viewer=exchange.viewer,
                horizon=exchange.horizon,
            )
    except Exception as error:  # noqa: BLE001 - whatever breaks, a client of GraphQL gets GraphQL
        _roll_back()
        return _sent(exchange.fail(error))
    if exchange.media == http.EVENTS:
        # WSGI: as a whole, since nothing could be sent while this thread waits.
        answer = _sent(http.HttpResponse(200, exchange.stream(), of_response(response)))
    else:
        answer = _sent(exchange.reply(response))
    if exchange.horizon is not None and exchange.horizon.is_pending:
        transaction.on_commit(partial(_tell, exchange, answer), get_settings().DATABASE)
    return answer


def _tell(exchange: http.Exchange, answer: HttpResponse) -> None:
    """Tell the client where its commit was, even if that is the one of ATOMIC_REQUESTS."""
    assert exchange.horizon is not None  # noqa: S101 - it is pending
    exchange.horizon.move(last_commit(get_settings().DATABASE))
    for name, value in _as_text(exchange.position()).items():
        answer.headers[name] = value


def _streamed(
    exchange: http.Exchange, received: GraphQLRequest, request: HttpRequest
) -> StreamingHttpResponse:
    """Answer in events, on the asynchronous pool: a client that leaves cancels its statement."""
    if exchange.horizon is not None and _may_write(received):
        # The headers go before the commit is known.
        exchange.horizon.move(UNKNOWN)

    def work() -> Awaitable[Response]:
        return execute_async(
            received,
            request,
            read_only=exchange.method == "GET",
            viewer=exchange.viewer,
            horizon=exchange.horizon,
        )

    return StreamingHttpResponse(events(exchange, work), headers=_as_text(exchange.stream()))


def _may_write(request: GraphQLRequest) -> bool:
    try:
        return not get_engine().operation(request).is_query
    except FraiseQLError:
        return True  # It has to be looked up first, or will be refused.


def asset(request: HttpRequest, name: str) -> HttpResponse:
    """Send a file of GraphiQL."""
    found = ide.asset(name) if is_ide_enabled() and request.method in {"GET", "HEAD"} else None
    return _reply(found) if found else HttpResponse(status=404)


def is_ide_enabled() -> bool:
    """Tell whether GraphiQL is served: the setting GRAPHIQL, by default DEBUG."""
    setting = get_settings().GRAPHIQL
    return bool(django_settings.DEBUG) if setting is None else setting


class _Origins(CsrfViewMiddleware):
    """Django's own judgement of the Origin header, by CSRF_TRUSTED_ORIGINS."""

    def is_trusted(self, request: HttpRequest) -> bool:
        """Tell whether a request comes from a page that may write here, or from no page."""
        if request.method != "POST" or "Origin" not in request.headers:
            return True
        verified: bool = self._origin_verified(request)  # type: ignore[attr-defined]  # not in the stubs
        return verified


def _check_origin(request: HttpRequest) -> None:
    """
    Raise BadRequest if a page of another site sends its reader's session.

    CORS may let it read the answer; to act for the reader it has to be in CSRF_TRUSTED_ORIGINS.
    """
    if django_settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return
    if not _Origins(lambda _request: HttpResponse()).is_trusted(request):
        raise BadRequest(
            "This site does not trust the origin of the request with a session.",
            hint="If you run this service: settings.CSRF_TRUSTED_ORIGINS.",
            status=403,
        )


def _accept(request: HttpRequest) -> str:
    return request.headers.get("Accept", "")


def _body(request: HttpRequest) -> bytes:
    declared = request.headers.get("Content-Length", "")
    http.check_size(int(declared) if declared.isdecimal() else 0)
    return request.body


def _roll_back() -> None:
    """Undo what ATOMIC_REQUESTS would commit: Django does not see the exception."""
    for connection in connections.all(initialized_only=True):
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)


def _reply(reply: ide.Reply) -> HttpResponse:
    return HttpResponse(reply.body, headers=dict(reply.headers))


def _sent(response: http.HttpResponse) -> HttpResponse:
    return HttpResponse(response.body, status=response.status, headers=_as_text(response.headers))


def _as_text(headers: Iterable[http.Header]) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in headers}

"""
The Django view: GraphQL and GraphiQL behind Django's middleware, under WSGI and ASGI.

It runs in a thread on Django's own connection, so resolvers may use everything Django offers. Under ASGI,
``fraiseql.asgi`` answers what needs no resolver before it gets here.
"""

from django.conf import settings as django_settings
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from fraiseql import http, ide
from fraiseql.conf import get_settings
from fraiseql.engine.pipeline import execute


# Only application/json reaches the pipeline by POST, and no browser sends that across origins without
# asking first; so the token adds nothing, and programs have none.
@csrf_exempt
def graphql(request: HttpRequest) -> HttpResponse:
    """Answer one GraphQL request, or send GraphiQL to a browser that navigates here."""
    accept = request.headers.get("Accept", "")
    if request.method == "GET" and http.prefers_html(accept) and is_ide_enabled():
        return _reply(ide.page(endpoint=request.path))
    media = http.negotiate(accept)
    if media is None:
        return _sent(http.not_acceptable())
    try:
        received = http.read(
            request.method or "",
            request.headers.get,
            request.GET.dict() if request.method == "GET" else {},
            _body(request),
        )
        response = execute(received, request, read_only=request.method == "GET")
    except Exception as error:  # noqa: BLE001 - whatever breaks, a client of GraphQL gets GraphQL
        _roll_back()
        return _sent(http.fail(error, media))
    return _sent(http.render(response, media))


def asset(request: HttpRequest, name: str) -> HttpResponse:
    """Send a file of GraphiQL."""
    found = ide.asset(name) if is_ide_enabled() and request.method in {"GET", "HEAD"} else None
    return _reply(found) if found else HttpResponse(status=404)


def is_ide_enabled() -> bool:
    """Tell whether GraphiQL is served: the setting GRAPHIQL, by default DEBUG."""
    setting = get_settings().GRAPHIQL
    return bool(django_settings.DEBUG) if setting is None else setting


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
    headers = {name.decode(): value.decode() for name, value in response.headers}
    return HttpResponse(response.body, status=response.status, headers=headers)

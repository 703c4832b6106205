"""
GraphQL over HTTP, as values: what a request says, what a response is sent as.

Both edges, Django's view and the ASGI application, speak through this module and so agree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from django.conf import settings as django_settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http.request import MediaType

from fraiseql.conf import get_settings
from fraiseql.engine.document.request import GraphQLRequest, from_json, from_query_string
from fraiseql.engine.result import envelope
from fraiseql.engine.result.envelope import Response
from fraiseql.errors import BadRequest, FraiseQLError

JSON: Final = "application/json"
GRAPHQL: Final = "application/graphql-response+json"
METHODS: Final = "GET, POST"

# For these a browser asks this site first; "content-type" is JSON when they are looked at.
_NOT_FROM_ELSEWHERE: Final = (
    "content-type",
    "graphql-require-preflight",
    "apollo-require-preflight",
    "x-apollo-operation-name",
)

Header = tuple[bytes, bytes]
ReadHeader = Callable[[str], str | None]


@dataclass(frozen=True)
class HttpResponse:
    """A response as every server sends it."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


def read(method: str, header: ReadHeader, query: Mapping[str, str], body: bytes) -> GraphQLRequest:
    """
    Return the GraphQL request in an HTTP request. Raises BadRequest with the status to answer.

    ``header``: returns the value of a header by its name in lower case, "" or None if it was not sent.
    """
    content_type = header("content-type") or ""
    if method == "GET":
        # A browser sends such a GET across origins without asking; none needs to.
        if content_type and not _is_json(content_type):
            raise BadRequest("A GET has no body.", status=415)
        _check_site(header)
        return from_query_string(dict(query))
    if method != "POST":
        raise BadRequest(
            f"{method} is not a method of this endpoint.", hint=f"Use {METHODS}.", status=405
        )
    if not _is_json(content_type):
        raise BadRequest(
            "The body must be JSON in UTF-8.", hint=f"Send Content-Type: {JSON}.", status=415
        )
    check_size(len(body))
    return from_json(body)


def check_size(size: int) -> None:
    """Raise BadRequest (413) if a body of ``size`` bytes is too large."""
    most = get_settings().MAX_BODY_BYTES
    if most and size > most:
        raise BadRequest(f"The body is larger than {most:,} bytes.", status=413)


def _check_site(header: ReadHeader) -> None:
    """Raise BadRequest if a page of another site may have sent this GET with its reader's cookies."""
    if not header("cookie") or header("sec-fetch-site") in {"same-origin", "none"}:
        return
    if not any(header(name) for name in _NOT_FROM_ELSEWHERE):
        raise BadRequest(
            "With cookies, a GET needs a header that pages of other sites cannot send.",
            hint="Send GraphQL-Require-Preflight: 1, or use POST.",
        )


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    try:
        media = MediaType(content_type)
    except ValueError:  # A parameter in an encoding nobody knows.
        return False
    charset = str(media.params.get("charset", "utf-8")).strip('"').lower()
    return str(media).partition(";")[0].strip().lower() == JSON and charset in {"utf-8", "utf8"}


@lru_cache(maxsize=256)
def negotiate(accept: str) -> str | None:
    """Return the media type to answer in, or None if ``accept`` takes neither of the two."""
    if not accept.strip():
        return JSON
    best: tuple[float, int, str] | None = None
    for offered, precedence in ((JSON, 0), (GRAPHQL, 1)):
        quality = _quality(accept, offered)
        # Equally welcome: the type named for GraphQL, unless only a wildcard admits it.
        if GRAPHQL not in accept.lower() and offered == GRAPHQL:
            precedence = -1
        if quality > 0 and (best is None or (quality, precedence) > best[:2]):
            best = (quality, precedence, offered)
    return best[2] if best else None


def prefers_html(accept: str) -> bool:
    """Tell whether a browser navigates here, rather than a program."""
    quality = _quality(accept, "text/html")
    explicit = "text/html" in accept.lower()
    return (
        explicit
        and quality > 0
        and quality >= max(_quality(accept, JSON), _quality(accept, GRAPHQL))
    )


def _quality(accept: str, offered: str) -> float:
    """Return the weight of ``offered`` in an Accept header; the most specific range decides."""
    found, specificity = 0.0, -1
    kind = offered.partition("/")[0]
    for item in accept.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        match = {"*/*": 0, f"{kind}/*": 1, offered: 2}.get(name, -1)
        if match > specificity:
            found, specificity = _weight(parameters), match
    return found


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


_HEADERS: dict[str, tuple[Header, ...]] = {
    media: (
        (b"content-type", f"{media}; charset=utf-8".encode()),
        (b"vary", b"Accept"),
        (b"x-content-type-options", b"nosniff"),
    )
    for media in (JSON, GRAPHQL)
}
_ALLOW: Final = ((b"allow", METHODS.encode()),)


def render(response: Response, media: str) -> HttpResponse:
    """
    Return a GraphQL response as HTTP.

    A document that is refused is 400 under GraphQL's own media type and 200 under JSON, whose clients take
    any other status for a broken server.
    """
    status = response.status
    if status is None:
        status = 400 if response.is_request_error and media == GRAPHQL else 200
    length = (b"content-length", b"%d" % len(response.body))
    extra = _ALLOW if status == 405 else ()
    return HttpResponse(status, (*_HEADERS[media], length, *extra), response.body)


def refuse(error: BadRequest, media: str = JSON) -> HttpResponse:
    """Return the response to what is not a GraphQL request."""
    return render(envelope.refusal(error, debug=False), media)


def fail(error: Exception, media: str = JSON) -> HttpResponse:
    """
    Return the response to a request that raised ``error``.

    What is not the client's fault is 500, and the log has it under the id the client gets.
    """
    if isinstance(error, BadRequest):
        return refuse(error, media)
    if isinstance(error, SuspiciousOperation):
        # Django's own limits, which stop reading before MAX_BODY_BYTES is counted.
        status = 413 if isinstance(error, RequestDataTooBig) else 400
        hint = "If you run this service: settings.DATA_UPLOAD_MAX_*."
        return refuse(BadRequest("The request is too large.", hint=hint, status=status), media)
    fault = FraiseQLError(str(error))
    fault.__cause__ = error
    response = envelope.refusal(fault, debug=bool(django_settings.DEBUG))
    return render(replace(response, status=500), media)


def not_acceptable() -> HttpResponse:
    """Return the response to an Accept header that takes no JSON."""
    message = "None of the accepted media types is on offer."
    return refuse(BadRequest(message, hint=f"Accept {JSON}.", status=406))

"""
GraphQL over HTTP, as values: what a request says, what a response is sent as.

Both edges, Django's view and the ASGI application, speak through this module and so agree.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from math import ceil
from typing import Final, NamedTuple

from django.conf import settings as django_settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.http.request import MediaType

from fraiseql import positions
from fraiseql.authentication import Request, has_no_claim
from fraiseql.conf import get_settings
from fraiseql.db.faults import fault
from fraiseql.engine.document.request import (
    Batch,
    GraphQLRequest,
    from_json,
    from_json_array,
    from_query_string,
)
from fraiseql.engine.result import envelope
from fraiseql.engine.result.envelope import Response
from fraiseql.engine.viewer import ANONYMOUS
from fraiseql.errors import (
    BadRequest,
    Forbidden,
    FraiseQLError,
    ParseFailed,
    RateLimited,
    Unauthenticated,
)

JSON: Final = "application/json"
GRAPHQL: Final = "application/graphql-response+json"
EVENTS: Final = "text/event-stream"
METHODS: Final = "GET, POST"

MAX_KEY: Final = 255
MAX_CLIENT: Final = 64
"""Characters kept of a client's name."""

# For these a browser asks this site first; "content-type" is JSON when they are looked at.
_NOT_FROM_ELSEWHERE: Final = (
    "content-type",
    "graphql-require-preflight",
    "apollo-require-preflight",
    "x-apollo-operation-name",
)
# Credentials a browser keeps and adds by itself, as it does cookies.
_SENT_BY_BROWSERS: Final = frozenset({"basic", "digest", "negotiate", "ntlm"})

Header = tuple[bytes, bytes]
ReadHeader = Callable[[str], str | None]


class HttpResponse(NamedTuple):
    """A response as every server sends it."""

    status: int
    headers: tuple[Header, ...]
    body: bytes


class Exchange:
    """
    How an HTTP request is read and answered, as its headers have it.

    ``header``: returns the value of a header by its name in lower case, "" or None if it was not sent.
    ``media``: the media type to answer in, None if the client takes none on offer. ``viewer``: who asks,
    once the edge has found out; it has not to where ``is_anonymous``. ``horizon``: what the client has to
    see, where there are replicas. ``is_usual``: JSON is sent and answered, nothing else is asked for.
    """

    def __init__(self, method: str, header: ReadHeader, django: HttpRequest | None = None) -> None:
        self.method = method
        self.request = Request(header, django)
        settings = get_settings()
        self.horizon = positions.received(header) if settings.REPLICAS else None
        draft = settings.HTTP_PROFILE == "draft-2026"
        self.media = negotiate(header("accept") or "", GRAPHQL if draft else JSON)
        self.viewer = ANONYMOUS
        self.is_anonymous = has_no_claim(self.request)
        self._header = header
        self._content_type = header("content-type") or ""
        self._client = (header("apollographql-client-name") or "")[:MAX_CLIENT]
        # By what was consulted: the same dict in all that are ``of`` this.
        self._usual: dict[frozenset[str], tuple[Header, ...]] = {}
        self.is_usual = (
            method == "POST" and _is_json(self._content_type) and self.media in (JSON, GRAPHQL)
        )

    def of(self, header: ReadHeader) -> "Exchange":
        """Return the same for a request that differs in ``header``, but only in who asks."""
        own = {"request": Request(header), "is_anonymous": False, "_header": header}
        other = object.__new__(Exchange)
        other.__dict__ = self.__dict__ | own
        if self.horizon is not None:
            other.horizon = positions.received(header)
        return other

    def read(self, query: Mapping[str, str], body: bytes) -> GraphQLRequest | Batch:
        """Return the GraphQL request, or several. Raises BadRequest with the status to answer."""
        if self.method == "GET":
            # A browser sends such a GET across origins without asking; none needs to.
            if self._content_type and not _is_json(self._content_type):
                raise BadRequest("A GET has no body.", status=415)
            _check_site(self._header)
            return self._named(from_query_string(dict(query)))
        if self.method != "POST":
            raise BadRequest(
                f"{self.method} is not a method of this endpoint.",
                hint=f"Use {METHODS}.",
                status=405,
            )
        if not _is_json(self._content_type):
            raise BadRequest(
                "The body must be JSON in UTF-8.", hint=f"Send Content-Type: {JSON}.", status=415
            )
        check_size(len(body))
        most = get_settings().MAX_BATCH
        received = from_json_array(body, most) if most else from_json(body)
        if isinstance(received, GraphQLRequest):
            return self._named(received)
        if self.media == EVENTS:
            raise BadRequest("A batch is answered in JSON.", hint=f"Accept {JSON}.", status=406)
        return tuple(
            self._named(item, f":{number}") if isinstance(item, GraphQLRequest) else item
            for number, item in enumerate(received)
        )

    def _named(self, request: GraphQLRequest, place: str = "") -> GraphQLRequest:
        """
        Return the request with what headers say of it: its client's name, as Apollo's do, and its key.

        ``place``: in a batch, whose key is one for each of its requests.
        """
        # A structured field: the string may stand in quotes.
        client, key = self._client, (self._header("idempotency-key") or "").strip().strip('"')
        if not client and not key:
            return request
        if len(key) > MAX_KEY:
            raise BadRequest(f"The Idempotency-Key has more than {MAX_KEY} characters.")
        return request._replace(client=client, idempotency_key=key and key + place)

    def reply(self, response: Response) -> HttpResponse:
        """Return a GraphQL response as HTTP."""
        body = response.body
        has_data = response.status is None and body.startswith(b'{"data"')
        if self.is_usual and has_data and self.horizon is None:
            return HttpResponse(*self.usual(body))
        media = JSON if self.media in (None, EVENTS) else self.media
        if get_settings().HTTP_PROFILE == "compat":
            status = _compatible_status(response, media)
        else:
            status = _draft_status(response)
            # Clients know GraphQL's own type to be from here, whatever the status.
            media = media if status < 300 else GRAPHQL
        headers = [
            *_headers(media, frozenset(self.request.consulted)),
            (b"content-length", b"%d" % len(body)),
        ]
        if response.has_errors:
            headers.append(_REVALIDATED)
        elif self.method != "GET" or self.viewer is not ANONYMOUS:
            headers.append(_PRIVATE)
        if status == 405:
            headers.append(_ALLOW)
        if response.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % max(1, ceil(response.retry_after_s))))
        headers += self.position()
        return HttpResponse(status, tuple(headers), body)

    def usual(self, body: bytes) -> tuple[int, tuple[Header, ...], bytes]:
        """Return the parts of the response to a usual request that has data and no errors."""
        consulted = frozenset(self.request.consulted)
        headers = self._usual.get(consulted)
        if headers is None:
            headers = self._usual[consulted] = (*_headers(self.media, consulted), _PRIVATE)
        return 200, (*headers, (b"content-length", b"%d" % len(body))), body

    def refuse(self, error: FraiseQLError) -> HttpResponse:
        """Return the response to a request that is not run."""
        return self.reply(envelope.refusal(error, debug=bool(django_settings.DEBUG)))

    def fail(self, error: Exception) -> HttpResponse:
        """Return the response to a request that raised ``error``."""
        answer = self.reply(self.failure(error))
        if isinstance(error, Unauthenticated) and error.challenge:
            challenge = (b"www-authenticate", error.challenge.encode("latin-1"))
            return answer._replace(headers=(*answer.headers, challenge))
        return answer

    def failure(self, error: Exception) -> Response:
        """
        Return the GraphQL response to a request that raised ``error``.

        What is not the client's fault is 500, and the log has it under the id the client gets.
        """
        debug = bool(django_settings.DEBUG)
        if isinstance(error, SuspiciousOperation):
            # Django's own limits, which stop reading before MAX_BODY_BYTES is counted.
            status = 413 if isinstance(error, RequestDataTooBig) else 400
            hint = "If you run this service: settings.DATA_UPLOAD_MAX_*."
            error = BadRequest("The request is too large.", hint=hint, status=status)
        if isinstance(error, DatabaseError):
            error = fault(error)
        if isinstance(error, FraiseQLError) and error.public:
            return envelope.refusal(error, debug)
        hidden = FraiseQLError(str(error))
        hidden.__cause__ = error
        return envelope.refusal(hidden, debug)

    def stream(self) -> tuple[Header, ...]:
        """Return the headers of an answer that is streamed."""
        # Proxies that buffer an answer would keep its signs of life.
        headers = _headers(EVENTS, frozenset(self.request.consulted))
        return (*headers, _PRIVATE, (b"x-accel-buffering", b"no"), *self.position())

    def position(self) -> tuple[Header, ...]:
        """Return the headers by which the client will see what this request wrote."""
        if self.horizon is None or not self.horizon.has_moved:
            return ()
        return positions.sent(self.horizon)

    def not_acceptable(self) -> HttpResponse:
        """Return the response to an Accept header that takes no JSON."""
        message = "None of the accepted media types is on offer."
        return self.refuse(BadRequest(message, hint=f"Accept {JSON}.", status=406))


def _compatible_status(response: Response, media: str) -> int:
    """
    Return the status that the public audits want.

    A document that is refused is 400 under GraphQL's own media type and 200 under JSON, whose clients take
    any other status for a broken server.
    """
    if response.status is not None:
        return 400 if response.status == 422 else response.status
    return 400 if response.is_request_error and media == GRAPHQL else 200


def _draft_status(response: Response) -> int:
    """Return the status by GraphQL over HTTP, September 2026, 6.4: none of 200 without ``data``."""
    if not response.is_request_error:
        return 294 if response.has_errors else 200
    if response.status is not None and response.status >= 400:
        return response.status
    return _DRAFT.get(response.code, 422)


def check_size(size: int) -> None:
    """Raise BadRequest (413) if a body of ``size`` bytes is too large."""
    most = get_settings().MAX_BODY_BYTES
    if most and size > most:
        raise BadRequest(f"The body is larger than {most:,} bytes.", status=413)


def _check_site(header: ReadHeader) -> None:
    """Raise BadRequest if a page of another site may have sent this GET with its reader's credentials."""
    scheme = (header("authorization") or "").partition(" ")[0].lower()
    if scheme and scheme not in _SENT_BY_BROWSERS:
        return  # A bearer token, which no browser adds by itself.
    if not scheme and not _has_cookies(header("cookie") or ""):
        return
    if header("sec-fetch-site") in {"same-origin", "none"}:
        return
    if not any(header(name) for name in (*_NOT_FROM_ELSEWHERE, csrf_header())):
        raise BadRequest(
            "With cookies, a GET needs a header that pages of other sites cannot send.",
            hint="Send GraphQL-Require-Preflight: 1, or use POST.",
        )


def _has_cookies(sent: str) -> bool:
    """Tell whether a cookie may speak for somebody; a position in a log does not."""
    return bool(sent) and parse_cookie(sent).keys() != {positions.COOKIE}


def csrf_header() -> str:
    """Return the name of the header that Django's token travels in, in lower case."""
    name: str = django_settings.CSRF_HEADER_NAME
    return name.removeprefix("HTTP_").replace("_", "-").lower()


@lru_cache(maxsize=64)
def _is_json(content_type: str) -> bool:
    try:
        media = MediaType(content_type)
    except ValueError:  # A parameter in an encoding nobody knows.
        return False
    charset = str(media.params.get("charset", "utf-8")).strip('"').lower()
    return str(media).partition(";")[0].strip().lower() == JSON and charset in {"utf-8", "utf8"}


@lru_cache(maxsize=256)
def negotiate(accept: str, preferred: str = JSON) -> str | None:
    """
    Return the media type to answer in, or None if ``accept`` takes none on offer.

    ``preferred``: where both of JSON's are equally welcome and the one named for GraphQL is not named.
    Events are sent to those who name them alone and like nothing more.
    """
    if not accept.strip():
        return preferred
    named = accept.lower()
    best = GRAPHQL if GRAPHQL in named else preferred
    quality = {media: _quality(accept, media) for media in (best, JSON, GRAPHQL)}
    if EVENTS in named:
        quality[EVENTS] = _quality(accept, EVENTS)
    chosen = max(quality, key=lambda media: quality[media])
    return chosen if quality[chosen] > 0 else None


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
                return min(max(0.0, float(value)), 1.0)  # NaN is 0: it is not greater.
            except ValueError:
                return 0.0
    return 1.0


# The specification's September 2026 edition, 6.4, by code; the others are 422.
_DRAFT: Final = {ParseFailed.code: 400, Forbidden.code: 403, RateLimited.code: 429}
_ALLOW: Final = (b"allow", METHODS.encode())
# What Apollo's clients and servers send with a hash that is not known; right for every error.
_REVALIDATED: Final = (b"cache-control", b"private, no-cache, must-revalidate")
_PRIVATE: Final = (b"cache-control", b"private, no-store")


@lru_cache(maxsize=256)
def _headers(media: str | None, consulted: frozenset[str]) -> tuple[Header, ...]:
    vary = ", ".join(["Accept", *sorted(name.title() for name in consulted)])
    return (
        (b"content-type", f"{media}; charset=utf-8".encode()),
        (b"vary", vary.encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
    )

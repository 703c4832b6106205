"""GraphQL over HTTP as values; whole requests are in tests/integration/edges/."""

import json
import logging
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent
from pytest_django import Settings

from fraiseql import http
from fraiseql.engine.result.envelope import Response
from fraiseql.errors import (
    BadRequest,
    DatabaseFault,
    FraiseQLError,
    OperationNotRegistered,
    ParseFailed,
    PersistedQueryNotFound,
    RateLimited,
    ServiceUnavailable,
    Unauthenticated,
    ValidationFailed,
)

BODY = b'{"query": "{ a }"}'


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", http.JSON),
        ("  ", http.JSON),
        ("*/*", http.JSON),
        (http.GRAPHQL, http.GRAPHQL),
        (f"{http.JSON}, {http.GRAPHQL}", http.GRAPHQL),
        (f"{http.JSON}, {http.GRAPHQL};q=0.9", http.JSON),
        (f"application/*;q=0.2, {http.GRAPHQL};q=0.1", http.JSON),
        ("text/html", None),
        ("*/*;q=0", None),
        (f"{http.JSON};q=x", None),
        (f"{http.JSON};q=2", http.JSON),
        (",;,=", None),
    ],
)
def test_the_most_welcome_type_on_offer_is_chosen(accept: str, media: str | None) -> None:
    assert http.negotiate(accept) == media


@pytest.mark.parametrize(
    ("accept", "is_browser"),
    [
        ("text/html", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", True),
        ("TEXT/HTML, */*", True),
        (f"text/html, {http.JSON}", True),
        (f"text/html;q=0.5, {http.JSON}", False),
        (f"text/html;q=0.5, {http.GRAPHQL}", False),
        ("text/html;q=0", False),
        ("text/*", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_browsers_name_html(accept: str, is_browser: bool) -> None:
    assert http.prefers_html(accept) is is_browser


def exchange(method: str = "POST", **headers: str) -> http.Exchange:
    """Return an exchange; ``headers``: with _ for -."""
    return http.Exchange(method, {key.replace("_", "-"): headers[key] for key in headers}.get)


def test_a_post_is_read_from_its_body_alone() -> None:
    request: Any = exchange(content_type=http.JSON).read(
        {"query": "{ b }", "operationName": "B"}, BODY
    )

    assert (request.query, request.operation_name) == ("{ a }", None)


def test_a_get_is_read_from_its_address_alone() -> None:
    parameters = {"query": "{ b }", "variables": '{"c": [1]}', "operationName": ""}
    request: Any = exchange("GET").read(parameters, BODY)

    assert (request.query, request.operation_name) == ("{ b }", None)
    assert request.variables == {"c": [1]}


@pytest.mark.parametrize(
    ("method", "content_type", "status"),
    [
        ("PUT", http.JSON, 405),
        ("", http.JSON, 405),
        ("GET", "text/plain", 415),
        ("POST", "", 415),
        ("POST", "application/json; charset=utf-7", 415),
        # An encoding nobody knows, in the syntax of RFC 2231.
        ("POST", "application/json; charset*=x'en'%41", 415),
        ("POST", ";", 415),
    ],
)
def test_another_request_is_refused_with_its_status(
    method: str, content_type: str, status: int
) -> None:
    with pytest.raises(BadRequest) as caught:
        exchange(method, content_type=content_type).read({"query": "{ a }"}, BODY)

    assert caught.value.status == status


def test_size_is_bounded_unless_the_bound_is_zero(settings: Settings) -> None:
    settings.FRAISEQL = {"MAX_BODY_BYTES": len(BODY)}
    http.check_size(len(BODY))
    with pytest.raises(BadRequest, match="larger than 18 bytes") as caught:
        exchange(content_type=http.JSON).read({}, BODY + b" ")
    settings.FRAISEQL = {"MAX_BODY_BYTES": 0}
    http.check_size(10**12)

    assert caught.value.status == 413


@pytest.mark.parametrize(
    ("response", "media", "status"),
    [
        (Response(b"{}"), http.JSON, 200),
        (Response(b"{}"), http.GRAPHQL, 200),
        (Response(b"{}", is_request_error=True), http.JSON, 200),
        (Response(b"{}", is_request_error=True), http.GRAPHQL, 400),
        (Response(b"{}", is_request_error=True, status=413), http.JSON, 413),
        (Response(b"{}", is_request_error=True, status=422), http.JSON, 400),
    ],
)
def test_the_status_follows_the_media_type(response: Response, media: str, status: int) -> None:
    rendered = exchange(accept=media).reply(response)
    headers = dict(rendered.headers)

    assert rendered.status == status
    assert headers[b"content-type"] == f"{media}; charset=utf-8".encode()
    assert headers[b"content-length"] == b"2"
    assert headers[b"vary"] == b"Accept, Cookie"  # the session goes by it
    assert b"allow" not in headers


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ParseFailed("x"), 400),
        (ValidationFailed("x"), 422),
        (OperationNotRegistered("x"), 403),
        (RateLimited("x"), 429),
        (Unauthenticated(), 401),
        (ServiceUnavailable("x"), 503),
        (PersistedQueryNotFound(), 422),
        (DatabaseFault("x"), 500),
    ],
)
def test_the_draft_has_a_status_for_each_refusal(
    settings: Settings, error: FraiseQLError, status: int
) -> None:
    settings.FRAISEQL = {"HTTP_PROFILE": "draft-2026"}

    assert exchange().refuse(error).status == status


def test_405_names_the_methods() -> None:
    headers = dict(exchange().refuse(BadRequest("No.", status=405)).headers)

    assert headers[b"allow"] == b"GET, POST"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequest("No.", status=415), 415),
        (RequestDataTooBig("secret"), 413),
        (TooManyFieldsSent("secret"), 400),
        (DisallowedHost("secret"), 400),
    ],
)
def test_what_clients_did_is_no_fault(
    error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    response = exchange(accept=http.GRAPHQL).fail(error)

    assert response.status == status
    assert json.loads(response.body)["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert b"secret" not in response.body
    assert not caplog.records


def test_a_fault_is_500_with_the_id_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    response = exchange().fail(ZeroDivisionError("secret"))
    (error,) = json.loads(response.body)["errors"]

    assert response.status == 500
    assert error["message"] == "Internal error"
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["id"] in caplog.records[0].message
    assert "ZeroDivisionError: secret" in logging.Formatter().format(caplog.records[0])


def test_nothing_acceptable_is_406() -> None:
    assert exchange(accept="text/html").not_acceptable().status == 406

"""HTTP payloads to requests."""

import json
from typing import Any

import pytest

from fraiseql.engine.document.request import (
    GraphQLRequest,
    from_json,
    from_payload,
    from_query_string,
)
from fraiseql.errors import BadRequest, PersistedQueryNotSupported


def test_a_whole_request() -> None:
    body = json.dumps(
        {
            "query": "{ a }",
            "operationName": "A",
            "variables": {"x": 1},
            "extensions": {"y": 2},
            "unknown": 3,
        }
    ).encode()

    assert from_json(body) == GraphQLRequest("{ a }", "A", {"x": 1}, {"y": 2})


def test_null_is_absent() -> None:
    payload = {"query": "{ a }", "operationName": None, "variables": None, "extensions": None}

    assert from_payload(payload) == GraphQLRequest("{ a }")


def test_an_empty_operation_name_is_a_name() -> None:
    assert from_payload({"query": "{ a }", "operationName": ""}).operation_name == ""


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is not JSON."),
        (b"{", "The body is not JSON."),
        (b"\xff", "The body is not UTF-8."),
        (b"[" * 100_000, "The body is not JSON."),
        (b'{"query": "{ a }", "variables": {"x": NaN}}', "The body is not JSON."),
        (b'{"query": "{ a }", "variables": {"x": -Infinity}}', "The body is not JSON."),
        (b"[]", "The body must be a JSON object."),
        (b'"x"', "The body must be a JSON object."),
        (b"{}", "The request has no 'query'."),
        (b'{"query": ""}', "The request has no 'query'."),
        (b'{"query": null}', "The request has no 'query'."),
        (b'{"query": 5}', "'query' must be a string."),
        (b'{"query": "{ a }", "operationName": 5}', "'operationName' must be a string."),
        (b'{"query": "{ a }", "variables": []}', "'variables' must be an object."),
        (b'{"query": "{ a }", "extensions": "x"}', "'extensions' must be an object."),
    ],
)
def test_what_is_no_request(body: bytes, message: str) -> None:
    with pytest.raises(BadRequest) as caught:
        from_json(body)

    assert caught.value.message == message


def test_a_batch_is_told_apart() -> None:
    with pytest.raises(BadRequest) as caught:
        from_payload([{"query": "{ a }"}])

    assert caught.value.hint == "Batches are not accepted."


def test_a_request_in_a_url() -> None:
    parameters = {"query": "{ a }", "operationName": "", "variables": '{"x": 1}', "other": "y"}

    assert from_query_string(parameters) == GraphQLRequest("{ a }", None, {"x": 1})


@pytest.mark.parametrize("text", ["{", "NaN", "[" * 100_000])
def test_a_url_whose_variables_are_no_json(text: str) -> None:
    with pytest.raises(BadRequest, match="'variables' is not JSON"):
        from_query_string({"query": "{ a }", "variables": text})


def test_numbers_keep_their_kind() -> None:
    variables: Any = from_json(b'{"query": "{ a }", "variables": {"i": 1, "f": 1.0}}').variables

    assert [type(value) for value in variables.values()] == [int, float]


@pytest.mark.parametrize("query", [None, ""])
def test_a_hash_without_its_query_is_told(query: str | None) -> None:
    """Apollo's clients then send the query too, where any other refusal reaches the user."""
    with pytest.raises(PersistedQueryNotSupported):
        from_payload({"query": query, "extensions": {"persistedQuery": {"sha256Hash": "x"}}})

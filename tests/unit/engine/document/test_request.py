"""HTTP payloads to requests."""

import hashlib
import json
from typing import Any

import pytest

from fraiseql.engine.document.request import (
    GraphQLRequest,
    from_json,
    from_payload,
    from_query_string,
)
from fraiseql.errors import BadRequest


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


TEXT = "{ a } # ü"
HASH = hashlib.sha256(TEXT.encode()).hexdigest()


def automatic(digest: Any = HASH, version: Any = 1) -> dict[str, Any]:
    return {"persistedQuery": {"version": version, "sha256Hash": digest}}


@pytest.mark.parametrize("query", [{}, {"query": None}, {"query": ""}], ids=str)
def test_a_hash_stands_for_a_text(query: dict[str, Any]) -> None:
    request = from_payload(query | {"extensions": automatic(HASH.upper())})

    assert (request.query, request.document_id, request.is_automatic) == ("", HASH, True)


def test_a_hash_may_come_with_its_text() -> None:
    request = from_payload({"query": TEXT, "extensions": automatic()})

    assert (request.query, request.document_id, request.is_automatic) == (TEXT, HASH, True)


@pytest.mark.parametrize("text", ["{ a } # u", f"{TEXT} ", TEXT.upper()])
def test_the_hash_of_another_text_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="is not the SHA-256 of 'query'"):
        from_payload({"query": text, "extensions": automatic()})


@pytest.mark.parametrize(
    "extensions",
    [
        automatic(version=2),
        automatic(version=None),
        automatic(version=True),
        automatic(version="1"),
        automatic(digest=7),
        automatic(digest=""),
        automatic(digest="a" * 257),
        {"persistedQuery": []},
        {"persistedQuery": {}},
    ],
    ids=str,
)
@pytest.mark.parametrize("query", [{}, {"query": TEXT}], ids=str)
def test_what_is_no_hash_of_the_first_version_is_refused(
    query: dict[str, Any], extensions: dict[str, Any]
) -> None:
    with pytest.raises(BadRequest) as caught:
        from_payload(query | {"extensions": extensions})

    assert caught.value.status == 400


def test_no_hash_is_as_good_as_none() -> None:
    request = from_payload({"query": TEXT, "extensions": {"persistedQuery": None}})

    assert (request.document_id, request.is_automatic) == (None, False)


@pytest.mark.parametrize("name", ["documentId", "id", "doc_id"])
def test_an_id_stands_for_a_text(name: str) -> None:
    asked = from_payload({name: "2b7d", "query": ""})
    by_get = from_query_string({name: "2b7d"})
    prefixed = from_payload({name: f"sha256:{HASH.upper()}"})

    assert (asked.query, asked.document_id, asked.is_automatic) == ("", "2b7d", False)
    assert by_get == asked
    assert prefixed.document_id == HASH


def test_beside_a_text_an_id_says_nothing() -> None:
    assert from_payload({"id": "2b7d", "query": TEXT}).document_id is None


@pytest.mark.parametrize("payload", [{"id": 7}, {"id": ""}, {"documentId": None}], ids=str)
def test_what_is_no_id_is_no_query(payload: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="has no 'query'"):
        from_payload(payload)

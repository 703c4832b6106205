"""GraphQL over HTTP: lines 1 to 10."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.test import Client

from fraiseql.engine.document.persisted import hash_of
from tests.behaviour.conftest import MakeEdges
from tests.integration.edges.conftest import ENDPOINT, JSON_BODY, Answer, Edges

JSON, GRAPHQL = "application/json", "application/graphql-response+json"
QUERY = b'{"query": "{ __typename }"}'
DATA = b'{"data":{"__typename":"Query"}}'
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
COOKIE = {"Cookie": "theme=dark"}


def url(**parameters: str) -> str:
    return f"{ENDPOINT}?{urlencode(parameters)}"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON), ("*/*", JSON), ("application/*", JSON), (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON};q=0.9", JSON), (f"{JSON};q=0.5, {GRAPHQL};q=0.9", GRAPHQL),
        (f"{JSON};q=0, */*;q=0.1", GRAPHQL), (f"image/png, {JSON};q=0.1", JSON),
    ],
)  # fmt: skip
def test_1_the_media_type_is_negotiated_by_weight(
    edges: Edges, accept: str | None, media: str
) -> None:
    answer = edges.send(headers=JSON_BODY | ({"Accept": accept} if accept else {}), body=QUERY)

    assert answer.headers["content-type"] == f"{media}; charset=utf-8"
    assert "Accept" in answer.headers["vary"]


def test_1_a_browser_gets_graphiql_only_by_get_and_only_where_it_is_on(
    configured: MakeEdges,
) -> None:
    def content_types(edges: Edges) -> list[str]:
        path = url(query="{ __typename }")
        answers = [
            send(
                method, path, httpx.Headers({"Host": "testserver", "Accept": BROWSER} | kind), body
            )
            for send in (edges.view, edges.asgi)
            for method, kind, body in (("GET", {}, b""), ("POST", JSON_BODY, QUERY))
        ]
        return [answer.headers["content-type"].partition(";")[0] for answer in answers]

    assert content_types(configured(GRAPHIQL=True)) == ["text/html", JSON] * 2
    assert content_types(configured()) == [JSON, JSON] * 2


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 200), ("Application/JSON;Charset=UTF-8", 200),
        ("application/json; charset=utf-16", 415), ("application/json; charset=latin-1", 415),
        (None, 415), ("", 415), ("text/plain", 415),
    ],
)  # fmt: skip
def test_2_a_body_is_json_in_utf_8(edges: Edges, content_type: str | None, status: int) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    assert edges.send(headers=headers, body=QUERY).status == status


def test_3_null_is_absent_and_unknown_keys_are_ignored(edges: Edges) -> None:
    nulls = {"variables": None, "operationName": None, "extensions": None}
    answer = edges.post("{ __typename }", **nulls, doc_id="7", query2="{ a }")

    assert (answer.status, answer.body) == (200, DATA)


@pytest.mark.parametrize(
    "wrong",
    [{"query": 1}, {"variables": [1]}, {"variables": "{}"}, {"operationName": 1}, {"extensions": []}],
    ids=str,
)  # fmt: skip
def test_3_values_of_wrong_types_are_refused(edges: Edges, wrong: dict[str, Any]) -> None:
    answer = edges.send(body=json.dumps({"query": "{ __typename }"} | wrong).encode())

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


def test_3_the_address_of_a_post_says_nothing(edges: Edges) -> None:
    path = url(query="{ makers { name } }", operationName="Other", variables='{"a": 1}')

    assert edges.send(path=path, body=QUERY).body == DATA
    assert edges.send(path=path, body=b"{}").codes == ["BAD_REQUEST"]


@pytest.mark.parametrize("text", ["a\u0000b", "a\ud800b"], ids=["nul", "surrogate"])
def test_4_text_that_postgresql_cannot_hold_is_bad_input(edges: Edges, text: str) -> None:
    as_variable = edges.post(
        "query ($v: String) { makers(where: {name: {eq: $v}}) { name } }", {"v": text}
    )
    as_key = edges.post("query ($v: String) { maker(identifier: $v) { name } }", {"v": text})

    assert as_variable.codes == as_key.codes == ["BAD_USER_INPUT"]
    assert {as_variable.status, as_key.status} == {200}


@pytest.mark.parametrize(
    "header", ["GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Apollo-Operation-Name"]
)
def test_5_a_get_with_cookies_needs_a_header_no_other_site_can_send(
    edges: Edges, header: str
) -> None:
    path = url(query="{ __typename }")

    assert edges.send("GET", path, headers=COOKIE).codes == ["BAD_REQUEST"]
    assert edges.send("GET", path, headers=COOKIE | {header: "1"}).body == DATA


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/plain"],
)
def test_5_what_a_form_can_send_is_refused(edges: Edges, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    by_get = edges.send("GET", url(query="{ __typename }"), headers=headers)
    by_post = edges.send(headers=headers, body=QUERY)

    assert (by_get.status, by_post.status) == (415, 415)


def test_5_no_header_lets_other_sites_read_answers(edges: Edges) -> None:
    headers = httpx.Headers({"Host": "testserver", "Origin": "https://evil.example"} | JSON_BODY)
    for send in (edges.view, edges.asgi):
        answer = send("POST", ENDPOINT, headers, QUERY)

        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_6_multipart_is_refused_unread(edges: Edges) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n'
        b'{"query": "{ __typename }", "variables": {"file": null}}\r\n'
        b'--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n'
        b'{"0": ["variables.__proto__.file"]}\r\n--x--\r\n'
    )
    answer = edges.send(headers={"Content-Type": "multipart/form-data; boundary=x"}, body=body)

    assert (answer.status, answer.codes) == (415, ["BAD_REQUEST"])


MAKER = {"query": "query ($id: String) { maker(identifier: $id) { name } }"}
BIRCH, COBALT = ({**MAKER, "variables": {"id": name}} for name in ("birch", "cobalt"))


def test_7_batches_are_off_unless_asked_for_and_then_bounded(configured: MakeEdges) -> None:
    def send(edges: Edges, size: int) -> Answer:
        return edges.send(body=json.dumps([BIRCH] * size).encode())

    off, on = send(configured(), 2), configured(MAX_BATCH=3)

    assert (off.status, off.codes) == (400, ["BAD_REQUEST"])
    assert len(send(on, 3).json) == 3
    assert (send(on, 4).status, send(on, 4).codes) == (400, ["BAD_REQUEST"])


def test_7_each_of_a_batch_is_answered_by_itself_and_in_order(configured: MakeEdges) -> None:
    items = [COBALT, {"query": "{"}, BIRCH, {"query": '{ maker(id: "x") { name } }'}, {"query": 1}]
    answer = configured(MAX_BATCH=5).send(body=json.dumps(items).encode())
    first, unparsed, third, refused, no_request = answer.json

    assert (first, third) == (
        {"data": {"maker": {"name": "Cobalt"}}},
        {"data": {"maker": {"name": "Birch Bücher"}}},
    )
    assert "data" not in unparsed
    assert refused["data"] == {"maker": None}
    assert no_request["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


def test_9_events_pass_proxies_and_are_not_kept(edges: Edges) -> None:
    headers = httpx.Headers({"Host": "testserver", "Accept": "text/event-stream"} | JSON_BODY)
    for send in (edges.view, edges.asgi):
        answer = send("POST", ENDPOINT, headers, QUERY)

        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["x-accel-buffering"] == "no"
        assert "no-store" in answer.headers["cache-control"]
        assert answer.body.decode().replace(":\n\n", "") == (
            f"event: next\ndata: {DATA.decode()}\n\nevent: complete\ndata: \n\n"
        )


def test_10_no_answer_holds_a_token_of_djangos(edges: Edges) -> None:
    headers = JSON_BODY | {"Cookie": "csrftoken=" + "c" * 32, "Accept-Encoding": "gzip"}
    answer = edges.send(headers=headers, body=b'{"query": "{ viewer __typename }"}')

    assert b"csrf" not in answer.body.lower()
    assert b"c" * 32 not in answer.body


HASHED = "query Names { makers(limit: 1) { name } }"


def by_hash(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}


def test_8_a_hash_that_is_not_known_is_told_so_that_the_text_is_sent(edges: Edges) -> None:
    missed = edges.post("", extensions=by_hash(HASHED))
    mismatched = edges.post(HASHED, extensions=by_hash(QUERY.decode()))
    stored = edges.post(HASHED, extensions=by_hash(HASHED))

    assert (missed.status, missed.codes) == (200, ["PERSISTED_QUERY_NOT_FOUND"])
    assert missed.errors[0]["message"] == "PersistedQueryNotFound"
    assert missed.headers["cache-control"] == "private, no-cache, must-revalidate"
    assert (mismatched.status, mismatched.codes) == (400, ["BAD_REQUEST"])
    assert edges.post("", extensions=by_hash(HASHED)).body == stored.body


def test_8_what_is_not_valid_is_not_stored(edges: Edges) -> None:
    for text in ("{ makers { nothing } }", "{"):
        assert edges.post(text, extensions=by_hash(text)).errors
        assert edges.post("", extensions=by_hash(text)).codes == ["PERSISTED_QUERY_NOT_FOUND"]


def test_8_hashes_are_no_way_around_the_list(configured: MakeEdges) -> None:
    configured(PERSISTED_OPERATIONS="off").post(HASHED, extensions=by_hash(HASHED))
    edges = configured(PERSISTED_OPERATIONS="enforce")

    assert edges.post("", extensions=by_hash(HASHED)).codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert edges.post(HASHED, extensions=by_hash(HASHED)).codes == ["FORBIDDEN"]
    assert edges.post(HASHED).codes == ["FORBIDDEN"]


def test_8_what_one_client_stores_is_bounded(
    configured: MakeEdges, sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    edges = configured(APQ_MAX_STORED_PER_CLIENT=2)
    for number in range(5):
        text = f"{{ makers(limit: {number}) {{ name }} }}"
        assert edges.post(text, extensions=by_hash(text)).json["data"]

    assert sql("SELECT count(*) FROM tb_persisted_operation") == [(2,)]


@pytest.mark.usefixtures("legacy")
def test_8_no_cache_keeps_errors_mutations_or_what_is_somebodys(
    edges: Edges, django_user_model: Any
) -> None:
    write = 'mutation { writeNote(text: "x") { note { text } } }'
    user = django_user_model.objects.create_user("reader", password="p")
    client = Client(headers={"host": "testserver"})
    client.force_login(user)
    cookie = {
        "Cookie": f"sessionid={client.cookies['sessionid'].value}",
        "Sec-Fetch-Site": "same-origin",
    }
    path = url(query="{ makers { name } }")
    refused = edges.send("GET", url(query="{ nothing }"), headers={})
    written = edges.post(write)
    own = edges.send("GET", path, headers=cookie)

    assert refused.headers["cache-control"].startswith("private")
    assert written.json["data"]
    assert written.headers["cache-control"] == "private, no-store"
    assert own.headers["cache-control"] == "private, no-store"
    assert "Cookie" in own.headers["vary"]

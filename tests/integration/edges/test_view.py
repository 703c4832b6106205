"""What a GraphQL request over HTTP is, and what it is answered in: the same at both edges."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from pytest_django import Settings

from tests.integration.edges.conftest import JSON_BODY, Edges

JSON, GRAPHQL = "application/json", "application/graphql-response+json"
QUERY = b'{"query": "{ __typename }"}'
DATA = b'{"data":{"__typename":"Query"}}'
REFUSED = b'{"query": "{ nothing }"}'
TWO = "query A { a: __typename } query B { b: __typename }"


def url(**parameters: str) -> str:
    return "/graphql/?" + urlencode(parameters)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html, */*;q=0.1", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        ("Application/JSON", JSON),
        ("APPLICATION/GraphQL-Response+JSON; Charset=UTF-8", GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON};q=0.9", JSON),
        (f"{GRAPHQL};q=0.9, {JSON};q=0.5", GRAPHQL),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{JSON};q=0, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL}, {JSON}, multipart/mixed", GRAPHQL),
        ("text/event-stream, application/json", JSON),
        (f"{JSON} ; q = 0.3", JSON),
    ],
)
def test_the_answer_is_in_the_media_type_most_welcome(
    edges: Edges, accept: str | None, media: str
) -> None:
    headers = JSON_BODY | ({} if accept is None else {"Accept": accept})
    answer = edges.send(headers=headers, body=QUERY)

    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"
    assert answer.headers["vary"] == "Accept, Cookie"


@pytest.mark.parametrize(
    "accept",
    ["text/html", "text/plain", "image/*", "application/xml", f"{JSON};q=0", "*/*;q=0", "nonsense"],
)
def test_what_takes_no_json_is_406(edges: Edges, accept: str) -> None:
    answer = edges.send(headers=JSON_BODY | {"Accept": accept}, body=QUERY)

    assert (answer.status, answer.codes) == (406, ["BAD_REQUEST"])


@pytest.mark.parametrize("weight", ["nan", "-1", "x", "", "1e400", "0.5.5"])
def test_a_weight_that_is_no_number_breaks_nothing(edges: Edges, weight: str) -> None:
    accept = f"{GRAPHQL};q={weight}, {JSON};q=0.1"
    answer = edges.send(headers=JSON_BODY | {"Accept": accept}, body=QUERY)

    assert answer.body == DATA


@pytest.mark.parametrize(
    ("media", "status"), [(JSON, 200), (GRAPHQL, 400)], ids=["json", "graphql"]
)
def test_a_refused_document_has_the_status_its_clients_expect(
    edges: Edges, media: str, status: int
) -> None:
    answer = edges.send(headers=JSON_BODY | {"Accept": media}, body=REFUSED)

    assert (answer.status, answer.codes) == (status, ["GRAPHQL_VALIDATION_FAILED"])
    assert "data" not in answer.json


@pytest.mark.parametrize("media", [JSON, GRAPHQL])
def test_what_was_executed_is_200_even_with_errors(edges: Edges, media: str) -> None:
    body = json.dumps({"query": '{ maker(id: "x") { name } }'}).encode()
    answer = edges.send(headers=JSON_BODY | {"Accept": media}, body=body)

    assert (answer.status, answer.json["data"]) == (200, {"maker": None})


# Browsers


@pytest.mark.parametrize(
    "accept",
    ["text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Text/HTML"],
)
def test_a_browser_gets_graphiql_where_it_is_on(
    edges: Edges, settings: Settings, accept: str
) -> None:
    settings.FRAISEQL = {"GRAPHIQL": True}
    headers = httpx.Headers({"Host": "testserver", "Accept": accept} | COOKIE)
    path = url(query="{ makers { name } }")
    answers = [edges.view("GET", path, headers, b""), edges.asgi("GET", path, headers, b"")]

    assert [answer.status for answer in answers] == [200, 200]
    for answer in answers:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert b"Anvil" not in answer.body


def test_a_browser_gets_no_graphiql_where_it_is_off(edges: Edges) -> None:
    answer = edges.send("GET", headers={"Accept": "text/html"})
    asset = edges.send("GET", "/graphql/assets/page.js", headers={})

    assert answer.status == 406
    assert asset.status == 404
    assert b"graphiql" not in answer.body.lower()


def test_a_browser_that_also_takes_json_gets_json_where_graphiql_is_off(edges: Edges) -> None:
    accept = "text/html,application/xhtml+xml,*/*;q=0.8"
    answer = edges.send("GET", url(query="{ __typename }"), headers={"Accept": accept})

    assert answer.body == DATA


@pytest.mark.parametrize("accept", [f"{JSON}, text/html;q=0.9", "*/*", f"text/html;q=0, {JSON}"])
def test_programs_get_json_where_graphiql_is_on(
    edges: Edges, settings: Settings, accept: str
) -> None:
    settings.FRAISEQL = {"GRAPHIQL": True}
    answer = edges.send("GET", url(query="{ __typename }"), headers={"Accept": accept})

    assert answer.body == DATA


def test_graphiql_is_for_get_only(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"GRAPHIQL": True}
    answer = edges.send(headers=JSON_BODY | {"Accept": "text/html, */*;q=0.1"}, body=QUERY)

    assert answer.body == DATA


# Methods


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW"])
def test_other_methods_are_405_and_told_which_are_not(edges: Edges, method: str) -> None:
    answer = edges.send(method, body=QUERY)

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, POST"
    assert method == "HEAD" or answer.codes == ["BAD_REQUEST"]


def test_get_runs_queries(edges: Edges) -> None:
    query = "query Q($id: ID) { maker(id: $id) { name } } query R { __typename }"
    variables = json.dumps({"id": "00000000-0000-4000-8000-0000000000a2"})
    path = url(query=query, variables=variables, operationName="Q", extensions="{}", other="1")
    answer = edges.send("GET", path, headers={})

    assert answer.body.decode() == '{"data":{"maker":{"name":"Birch Bücher"}}}'


def test_get_reads_what_is_not_ascii(edges: Edges) -> None:
    query = '{ makers(where: {name: {eq: "Birch Bücher"}}) { identifier } }'
    escaped = edges.send("GET", url(query=query), headers={})

    assert escaped.json == {"data": {"makers": [{"identifier": "birch"}]}}


@pytest.mark.parametrize(
    "parameters",
    [{}, {"query": ""}, {"query": "{ __typename }", "variables": "{"},
     {"query": "{ __typename }", "variables": "[1]"}, {"query": "{ __typename }", "variables": "1"},
     {"query": "{ __typename }", "variables": '{"a": NaN}'},
     {"query": "{ __typename }", "extensions": "x"}],
)  # fmt: skip
def test_get_without_a_request_is_400(edges: Edges, parameters: dict[str, str]) -> None:
    answer = edges.send("GET", url(**parameters), headers={})

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize("name", ["variables", "extensions"])
@pytest.mark.parametrize("value", ["", "null"])
def test_get_takes_nothing_for_absent(edges: Edges, name: str, value: str) -> None:
    answer = edges.send("GET", url(query="{ __typename }", **{name: value}), headers={})

    assert answer.body == DATA


def test_get_runs_no_mutation(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"]}
    mutation = 'mutation { writeNote(text: "by GET") { note { text } } }'
    answer = Edges().send("GET", url(query=mutation), headers={})
    notes = Edges().post("{ allNotes { text } }")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.codes == ["BAD_REQUEST"]
    assert notes.json == {"data": {"allNotes": []}}


def test_get_runs_the_query_beside_a_mutation(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"]}
    query = 'query Q { __typename } mutation M { writeNote(text: "no") { __typename } }'
    answer = Edges().send("GET", url(query=query, operationName="Q"), headers={})

    assert answer.body == DATA


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "x"])
def test_get_with_another_content_type_is_415(edges: Edges, content_type: str) -> None:
    # Some browsers send it across origins without asking.
    headers = {"Content-Type": content_type}
    answer = edges.send("GET", url(query="{ __typename }"), headers=headers)

    assert (answer.status, answer.codes) == (415, ["BAD_REQUEST"])


def test_get_with_json_as_content_type_is_served(edges: Edges) -> None:
    answer = edges.send("GET", url(query="{ __typename }"), headers=JSON_BODY)

    assert answer.body == DATA


COOKIE = {"Cookie": "theme=dark"}


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://testserver"}, {"GraphQL-Require-Preflight": ""},
    ],
    ids=str,
)  # fmt: skip
def test_get_with_cookies_must_not_come_from_another_site(
    edges: Edges, headers: dict[str, str]
) -> None:
    answer = edges.send("GET", url(query="{ makers { name } }"), headers=COOKIE | headers)

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])
    assert "GraphQL-Require-Preflight" in answer.errors[0]["extensions"]["hint"]


@pytest.mark.parametrize(
    "headers",
    [
        {"GraphQL-Require-Preflight": "1"}, {"Apollo-Require-Preflight": "true"},
        {"X-Apollo-Operation-Name": "Q"}, {"Content-Type": "application/json"},
        {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)  # fmt: skip
def test_get_with_cookies_of_a_client_that_says_so_is_served(
    edges: Edges, headers: dict[str, str]
) -> None:
    answer = edges.send("GET", url(query="{ __typename }"), headers=COOKIE | headers)

    assert answer.body == DATA


# Bodies


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8",
     "application/json;charset=UTF-8", 'application/json; Charset="utf-8"',
     "application/json ; charset=utf8", "application/json; boundary=x"],
)  # fmt: skip
def test_json_is_json_however_it_is_spelled(edges: Edges, content_type: str) -> None:
    answer = edges.send(headers={"Content-Type": content_type}, body=QUERY)

    assert answer.body == DATA


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/graphql", "application/jsonp", "application/json; charset=utf-16",
     "application/json; charset=latin-1", "application"],
)  # fmt: skip
def test_a_body_of_another_kind_is_415(edges: Edges, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = edges.send(headers=headers, body=QUERY)

    assert (answer.status, answer.codes) == (415, ["BAD_REQUEST"])


def test_a_form_cannot_write_with_somebody_elses_session(edges: Edges) -> None:
    headers = httpx.Headers(
        {"Host": "testserver", "Content-Type": "text/plain", "Cookie": "sessionid=x"}
    )
    body = b'{"query": "mutation { writeNote(text: \\"x\\") { __typename } }"}'
    answers = [edges.view("POST", "/graphql/", headers, body)]
    answers.append(edges.asgi("POST", "/graphql/", headers, body))

    assert [answer.status for answer in answers] == [415, 415]


def test_null_is_absent_and_unknown_keys_are_ignored(edges: Edges) -> None:
    answer = edges.post(
        "{ __typename }", operationName=None, extensions=None, id=7, doc_id="x", query_id=None
    )
    null = edges.send(body=b'{"query": "{ __typename }", "variables": null}')

    assert answer.body == null.body == DATA


@pytest.mark.parametrize(
    "wrong",
    [{"query": None}, {"query": ""}, {"query": 1}, {"query": ["{ __typename }"]},
     {"query": {"a": 1}}, {"variables": []}, {"variables": "{}"}, {"variables": 0},
     {"variables": False}, {"operationName": 1}, {"operationName": ["Q"]}, {"operationName": {}},
     {"extensions": []}, {"extensions": "x"}, {"extensions": 0}],
    ids=str,
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_refused(edges: Edges, wrong: dict[str, Any]) -> None:
    answer = edges.send(body=json.dumps({"query": "{ __typename }"} | wrong).encode())

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])
    assert "data" not in answer.json


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"null", b"1", b'"{ __typename }"', b"[%b]" % QUERY]
)
def test_json_that_is_no_request_is_refused(edges: Edges, body: bytes) -> None:
    answer = edges.send(body=body)

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


def test_the_address_says_nothing_in_a_post(edges: Edges) -> None:
    path = url(query="{ makers { name } }", operationName="B", variables='{"x": 1}')
    answer = edges.send(path=path, body=QUERY)
    empty = edges.send(path=path, body=b"{}")

    assert answer.body == DATA
    assert empty.codes == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("A", {"data": {"a": "Query"}}), ("B", {"data": {"b": "Query"}})],
)
def test_the_operation_is_chosen_by_name(edges: Edges, name: str, expected: object) -> None:
    answer = edges.post(TWO, operationName=name)

    assert answer.json == expected


@pytest.mark.parametrize("name", [None, "", "C", "a"])
def test_an_operation_that_is_not_named_is_not_guessed(edges: Edges, name: str | None) -> None:
    answer = edges.post(TWO, operationName=name)

    assert answer.codes == ["OPERATION_RESOLUTION_FAILURE"]
    assert "data" not in answer.json


def test_an_empty_operation_name_is_a_name(edges: Edges) -> None:
    answer = edges.post("{ __typename }", operationName="")
    in_address = edges.send("GET", url(query="{ __typename }", operationName=""), headers={})

    assert answer.codes == ["OPERATION_RESOLUTION_FAILURE"]
    assert in_address.body == DATA


def test_a_body_that_is_too_large_is_413(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"MAX_BODY_BYTES": 100}
    answer = edges.send(body=b'{"query": "{ __typename }", "padding": "%b"}' % (b"x" * 100))
    most = edges.send(body=QUERY.ljust(100))

    assert (answer.status, answer.codes) == (413, ["BAD_REQUEST"])
    assert most.body == DATA


def test_a_body_larger_than_django_takes_is_413_too(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"MAX_BODY_BYTES": 0}
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = edges.send(body=b'{"query": "{ viewer }", "padding": "%b"}' % (b"x" * 1000))

    assert (answer.status, answer.codes) == (413, ["BAD_REQUEST"])


def test_an_address_with_too_many_parameters_is_refused(edges: Edges, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    answer = edges.send("GET", "/graphql/?query={__typename}&a=1&b=2", headers={})

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


def test_a_subscription_is_refused(edges: Edges) -> None:
    answer = edges.post("subscription { x }")

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


def test_keys_come_in_the_order_of_the_selection(edges: Edges) -> None:
    fields = "wares { kind: __typename } name ...F identifier"
    fragment = "fragment F on Maker { founded id }"
    answer = edges.post(f"{{ makers(limit: 1) {{ {fields} }} }} {fragment}")

    assert list(answer.json["data"]["makers"][0]) == [
        "wares", "name", "founded", "id", "identifier",
    ]  # fmt: skip

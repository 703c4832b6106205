"""Automatic persisted queries, as Apollo's clients and urql send them: the same at both edges."""

import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from django.db import connection
from pytest_django import Settings

from fraiseql.engine import pipeline
from fraiseql.testing import assert_statements
from tests.integration.edges.conftest import JSON_BODY, Answer, Edges

TEXT = "query Makers($limit: Int) { makers(limit: $limit) { name } }"
NOTES = 'mutation { writeNote(text: "kept") { note { text } } }'
PASSING = "private, no-cache, must-revalidate"

Send = Callable[..., Answer]


@pytest.fixture(autouse=True)
def new_process(settings: Settings) -> Iterator[None]:
    """Nothing is in memory, before and after."""
    pipeline._engine.cache_clear()
    yield
    pipeline._engine.cache_clear()


@pytest.fixture(params=["view", "asgi"])
def send(edges: Edges, request: pytest.FixtureRequest) -> Send:
    """Send a request in JSON to one of the edges."""

    def post(headers: dict[str, str] | None = None, **payload: Any) -> Answer:
        given = httpx.Headers({"Host": "testserver", **JSON_BODY, **(headers or {})})
        edge = getattr(edges, request.param)
        answer: Answer = edge("POST", "/graphql/", given, json.dumps(payload).encode())
        return answer

    return post


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still."""
    monkeypatch.setattr("fraiseql.engine.persisting.monotonic", lambda: 1e6)


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def by_hash(text: str, digest: str | None = None) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest or hash_of(text)}}


def stored() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hash, text, kind, name, client FROM tb_persisted_operation ORDER BY 2"
        )
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def test_a_text_is_stored_with_its_hash_and_then_left_out(send: Send) -> None:
    asked = send(extensions=by_hash(TEXT))
    with_text = send(query=TEXT, operationName="Makers", extensions=by_hash(TEXT))
    again = send(operationName="Makers", extensions=by_hash(TEXT))

    assert (asked.status, asked.codes) == (200, ["PERSISTED_QUERY_NOT_FOUND"])
    assert asked.errors[0]["message"] == "PersistedQueryNotFound"
    assert asked.headers["cache-control"] == PASSING
    assert len(with_text.json["data"]["makers"]) == 3
    assert with_text.headers["cache-control"] == "private, no-store"
    assert again.body == with_text.body
    assert stored() == [(hash_of(TEXT), TEXT, "apq", "Makers", "")]


def test_what_one_process_stored_serves_the_others(send: Send) -> None:
    with_text = send(query=TEXT, extensions=by_hash(TEXT))
    pipeline._engine.cache_clear()

    with assert_statements(3):  # what is registered, the text, and the query
        first = send(extensions=by_hash(TEXT))
    with assert_statements(1):
        second = send(extensions=by_hash(TEXT), variables={"limit": 2})
    assert first.body == with_text.body
    assert len(second.json["data"]["makers"]) == 2


def test_the_hash_alone_serves_by_get(edges: Edges) -> None:
    edges.post(TEXT, extensions=by_hash(TEXT))
    digits = json.dumps(by_hash(TEXT, hash_of(TEXT).upper()))
    path = "/graphql/?" + urlencode({"extensions": digits, "variables": '{"limit": 1}'})
    answer = edges.send("GET", path, headers={})

    assert len(answer.json["data"]["makers"]) == 1
    assert "cache-control" not in answer.headers


def test_a_miss_is_the_same_at_both_edges_by_get_and_post(edges: Edges) -> None:
    extensions = by_hash(TEXT)
    body = json.dumps({"extensions": extensions}).encode()
    path = "/graphql/?" + urlencode({"extensions": json.dumps(extensions)})
    answers = [edges.send(body=body), edges.send("GET", path, headers={})]

    assert answers[0].body == answers[1].body
    assert [answer.headers["cache-control"] for answer in answers] == [PASSING] * 2


def test_the_hash_of_another_text_is_refused_and_not_stored(edges: Edges) -> None:
    answer = edges.post(TEXT, extensions=by_hash(f"{TEXT} "))

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])
    assert stored() == []


@pytest.mark.parametrize(
    "text",
    [
        "{ makers { name }",
        "{ nothing }",
        "query A { makers { name } } query B { makers { name } }",
        "{ makers(where: {name: {eq: 7}}) { name } }",
        "{" + "category(id: 1) { parent {" * 30 + " id " + "}" * 60 + "}",
        "fragment F on Maker { name }",
    ],
)
def test_what_is_not_valid_is_not_stored(edges: Edges, text: str) -> None:
    refused = edges.post(text, extensions=by_hash(text))
    again = edges.send(body=json.dumps({"extensions": by_hash(text)}).encode())

    assert refused.errors
    assert again.codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert stored() == []


def test_what_costs_too_much_is_not_stored(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"MAX_COST": 50}
    refused = edges.post(TEXT, {"limit": 1000}, extensions=by_hash(TEXT))

    assert refused.codes == ["COST_EXCEEDED"]
    assert stored() == []


def test_text_is_compared_byte_for_byte(edges: Edges) -> None:
    texts = [
        "{ makers { name } } # é",
        "{ makers { name } } # e\u0301",
        "{ makers { name } } # 🧱\r\n",
    ]
    for text in texts:
        edges.post(text, extensions=by_hash(text))
    answers = [
        edges.send(body=json.dumps({"extensions": by_hash(text)}).encode()) for text in texts
    ]

    assert [text for _, text, *_ in stored()] == sorted(texts)
    assert len({answer.body for answer in answers}) == 1
    assert answers[0].json["data"]["makers"]


@pytest.mark.parametrize("mark", ["\ud800", "\0"])
def test_what_postgresql_cannot_store_is_answered_all_the_same(edges: Edges, mark: str) -> None:
    text = f"{{ makers {{ name }} }} # {mark}"
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    answer = edges.post(text, extensions=by_hash("", digest))

    assert answer.codes == [] or answer.codes == ["GRAPHQL_PARSE_FAILED"]
    assert edges.send(body=json.dumps({"id": mark}).encode()).codes == ["BAD_USER_INPUT"]
    assert stored() == []


def test_a_text_that_is_too_long_is_answered_and_not_stored(edges: Edges) -> None:
    text, endless = (f"{{ makers {{ name }} }} #{'x' * size}" for size in (200_000, 1_000_000))

    assert len(edges.post(text, extensions=by_hash(text)).json["data"]["makers"]) == 3
    assert edges.post(endless, extensions=by_hash(endless)).errors
    assert stored() == []


def test_the_longest_text_is_a_setting(edges: Edges, settings: Settings) -> None:
    long, short = "{ makers { name } } # ü", "{ makers { name } } # u"
    settings.FRAISEQL = {"APQ_MAX_BYTES": len(short)}
    for text in (long, short):
        assert edges.post(text, extensions=by_hash(text)).json["data"]

    assert [text for _, text, *_ in stored()] == [short]


def test_a_mutation_runs_by_its_hash_but_not_by_get(
    send: Send, edges: Edges, settings: Settings
) -> None:
    settings.FRAISEQL = {"GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"]}
    send(query=NOTES, extensions=by_hash(NOTES))
    again = send(extensions=by_hash(NOTES))
    by_get = edges.send(
        "GET", "/graphql/?" + urlencode({"extensions": json.dumps(by_hash(NOTES))}), headers={}
    )

    assert again.json["data"] == {"writeNote": {"note": {"text": "kept"}}}
    assert (by_get.status, by_get.codes) == (405, ["BAD_REQUEST"])


def test_switched_off_clients_are_told_to_send_texts(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"APQ": False}
    asked = edges.send(body=json.dumps({"extensions": by_hash(TEXT)}).encode())
    with_text = edges.post(TEXT, extensions=by_hash(TEXT))
    by_id = edges.send(body=json.dumps({"documentId": hash_of(TEXT)}).encode())

    assert (asked.status, asked.codes) == (200, ["PERSISTED_QUERY_NOT_SUPPORTED"])
    assert asked.errors[0]["message"] == "PersistedQueryNotSupported"
    assert asked.headers["cache-control"] == PASSING
    assert len(with_text.json["data"]["makers"]) == 3
    assert by_id.codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert stored() == []


def test_without_the_store_clients_are_told_to_send_texts(
    edges: Edges, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE tb_persisted_operation_id, tb_persisted_operation")
    asked = edges.send(body=json.dumps({"extensions": by_hash(TEXT)}).encode())
    with_text = edges.post(TEXT, extensions=by_hash(TEXT))

    assert asked.codes == ["PERSISTED_QUERY_NOT_SUPPORTED"]
    assert len(with_text.json["data"]["makers"]) == 3
    assert "Is fraiseql migrated" in caplog.text


@pytest.mark.parametrize(
    ("rights", "code", "complaint"),
    [
        (None, "PERSISTED_QUERY_NOT_SUPPORTED", "cannot be read"),
        ("SELECT", "PERSISTED_QUERY_NOT_FOUND", "cannot be written"),
    ],
)
def test_a_role_without_rights_on_the_store_answers_texts(
    edges: Edges,
    caplog: pytest.LogCaptureFixture,
    rights: str | None,
    code: str,
    complaint: str,
) -> None:
    with connection.cursor() as cursor:
        tables = "tb_persisted_operation, tb_persisted_operation_id"
        cursor.execute(f"REVOKE ALL ON {tables} FROM CURRENT_USER")
        if rights:
            cursor.execute(f"GRANT {rights} ON {tables} TO CURRENT_USER")
    asked = edges.send(body=json.dumps({"extensions": by_hash(TEXT)}).encode())
    with_text = edges.post(TEXT, extensions=by_hash(TEXT))

    assert asked.codes == [code]
    assert len(with_text.json["data"]["makers"]) == 3
    assert complaint in caplog.text


@pytest.mark.usefixtures("one_minute")
def test_the_rate_of_storing_is_bounded(send: Send, settings: Settings) -> None:
    settings.FRAISEQL = {"APQ_MAX_PER_MINUTE": 3}
    texts = [f"{{ makers(limit: {number}) {{ name }} }}" for number in range(5)]
    answers = [send(query=text, extensions=by_hash(text)) for text in texts]
    known = send(query=texts[0], extensions=by_hash(texts[0]))
    plain = send(query=texts[4])

    assert [answer.codes for answer in answers] == [[]] * 3 + [["RATE_LIMITED"]] * 2
    assert (known.codes, plain.codes) == ([], [])
    assert len(stored()) == 3


@pytest.mark.usefixtures("one_minute")
def test_a_mutation_counts_once_though_it_passes_both_edges(send: Send, settings: Settings) -> None:
    settings.FRAISEQL = {
        "APQ_MAX_PER_MINUTE": 2,
        "GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"],
    }
    texts = [
        f'mutation {{ writeNote(text: "{number}") {{ note {{ id }} }} }}' for number in range(3)
    ]
    answers = [send(query=text, extensions=by_hash(text)) for text in texts]

    assert [answer.codes for answer in answers] == [[], [], ["RATE_LIMITED"]]


def test_the_least_recently_used_make_room(send: Send, settings: Settings) -> None:
    settings.FRAISEQL = {"APQ_MAX_STORED": 3, "APQ_MAX_STORED_PER_CLIENT": 2}
    texts = [f"{{ makers(limit: {number}) {{ name }} }}" for number in range(6)]

    def store(number: int, client: str) -> None:
        headers = {"apollographql-client-name": client}
        assert send(headers, query=texts[number], extensions=by_hash(texts[number])).json["data"]
        with connection.cursor() as cursor:  # now() stands still in the test's transaction
            cursor.execute(
                "UPDATE tb_persisted_operation SET last_used_at = last_used_at - '1s'::interval"
            )

    def kept() -> list[tuple[int, str]]:
        return [(texts.index(text), client) for _, text, _, _, client in stored()]

    for number in range(3):
        store(number, "web")
    assert kept() == [(1, "web"), (2, "web")]

    for number in range(3, 5):
        store(number, "ios")
    assert kept() == [(2, "web"), (3, "ios"), (4, "ios")]


def test_a_client_is_known_by_its_name_and_no_more_than_that(send: Send) -> None:
    send({"apollographql-client-name": "w" * 500}, query=TEXT, extensions=by_hash(TEXT))

    assert [client for *_, client in stored()] == ["w" * 64]

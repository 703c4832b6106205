"""Registered operations: called by what they are called, ready at once, and in the end the only ones."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from graphql import get_introspection_query
from pytest_django import Settings

from fraiseql.asgi import GraphQLApplication, Message
from fraiseql.db import sync
from fraiseql.engine import pipeline
from fraiseql.engine.document import persisted
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute
from fraiseql.engine.viewer import Viewer
from fraiseql.testing import assert_statements
from tests.integration.edges.conftest import Answer, Edges

NAMES = "query Names($limit: Int) { makers(limit: $limit) { name } }"
IDS = "query Ids { makers { id } }"
HASH = persisted.hash_of(NAMES)


@pytest.fixture(autouse=True)
def new_process(db: None) -> Iterator[None]:
    """Nothing is in memory, before and after; two operations are registered."""
    register(NAMES, "names", "names-2")
    register(IDS)
    pipeline._engine.cache_clear()
    yield
    pipeline._engine.cache_clear()


def register(text: str, *ids: str) -> None:
    operation = {
        "hash": persisted.hash_of(text), "text": text, "name": None, "client": "", "ids": ids,
    }  # fmt: skip
    sync.fetch(persisted.register([operation]))


def automatic(digest: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest}}


def post(edges: Edges, **payload: Any) -> Answer:
    return edges.send(body=json.dumps(payload).encode())


@pytest.mark.parametrize(
    "called",
    [
        {"documentId": "names"},
        {"documentId": f"sha256:{HASH}"},
        {"id": "names-2"},
        {"doc_id": HASH},
        {"extensions": automatic(HASH.upper())},
        {"extensions": automatic("names")},
        {"query": NAMES},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["off", "log", "enforce"])
def test_an_operation_is_called_by_its_hash_or_an_id(
    edges: Edges, settings: Settings, called: dict[str, Any], mode: str
) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": mode, "APQ": False}
    answer = post(edges, variables={"limit": 2}, **called)

    assert len(answer.json["data"]["makers"]) == 2


def test_an_operation_is_called_by_get(edges: Edges) -> None:
    path = "/graphql/?" + urlencode({"documentId": "names", "variables": '{"limit": 1}'})

    assert len(edges.send("GET", path, headers={}).json["data"]["makers"]) == 1


def test_it_is_one_statement_and_never_compiled_again(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"DOCUMENT_CACHE_SIZE": 1}
    with assert_statements(1 + 1 + 1):  # what is registered, and one for each edge
        post(edges, id="names")
    compiled = pipeline.get_engine().operation(GraphQLRequest(NAMES))
    for number in range(3):
        post(edges, query=f"{{ makers(limit: {number}) {{ name }} }}")

    with assert_statements(2):
        post(edges, id="names")
    assert pipeline.get_engine().operation(GraphQLRequest(NAMES)) is compiled


def test_a_server_compiles_what_is_registered_before_it_serves(edges: Edges) -> None:
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Message:
        return next(messages)

    async def send(_message: Message) -> None:
        pass

    async_to_sync(GraphQLApplication())({"type": "lifespan"}, receive, send)

    texts = {text for text, _ in pipeline.get_engine().persisted.pinned}
    assert texts == {NAMES, IDS}
    with assert_statements(2):
        post(edges, id="names")


def test_several_operations_of_one_text_are_told_apart(edges: Edges) -> None:
    register("query A { a: __typename } query B { b: __typename }", "two")

    assert post(edges, id="two", operationName="A").json["data"] == {"a": "Query"}
    assert post(edges, id="two", operationName="B").json["data"] == {"b": "Query"}
    assert post(edges, id="two").codes == ["OPERATION_RESOLUTION_FAILURE"]
    assert post(edges, id="two", operationName="C").codes == ["OPERATION_RESOLUTION_FAILURE"]


@pytest.mark.parametrize("called", [{"id": "other"}, {"extensions": automatic("0" * 64)}])
@pytest.mark.parametrize("mode", ["off", "log", "enforce"])
def test_what_is_not_registered_is_not_found(
    edges: Edges, settings: Settings, called: dict[str, Any], mode: str
) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": mode}
    answer = post(edges, **called)

    assert (answer.status, answer.codes) == (200, ["PERSISTED_QUERY_NOT_FOUND"])


@pytest.mark.parametrize(
    "text",
    [
        "{ makers { name } }",
        f"{NAMES} ",
        "{ __typename }",
        get_introspection_query(),
        "mutation { nothing }",
        "{",
        "{" * 10_000,
    ],
    ids=lambda text: text[:20],
)
def test_enforced_nothing_else_runs(
    edges: Edges, settings: Settings, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "enforce", "INTROSPECTION": True}
    answers = [
        post(edges, query=text),
        post(edges, query=text, extensions=automatic(persisted.hash_of(text))),
        post(edges, query=text, documentId="names"),
    ]
    by_hash = post(edges, extensions=automatic(persisted.hash_of(text)))

    assert [answer.codes for answer in answers] == [["FORBIDDEN"]] * 3
    assert answers[0].errors[0]["message"] == "Only registered operations run here."
    assert by_hash.codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert persisted.hash_of(text) in caplog.text
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tb_persisted_operation")
        assert cursor.fetchone() == (2,)


def test_enforced_nothing_else_runs_in_a_batch(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "enforce", "MAX_BATCH": 5}
    batch = [{"id": "names"}, {"query": "{ makers { name } }"}, {"query": NAMES}, {"query": "{"}]
    answers = [edges.send(body=json.dumps(batch).encode()).json for _ in range(2)]

    assert answers[0] == answers[1]
    assert ["data" in answer for answer in answers[0]] == [True, False, True, False]
    assert answers[0][3]["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_what_clients_stored_before_does_not_run_once_enforced(
    edges: Edges, settings: Settings
) -> None:
    text = "{ makers { name } }"
    edges.post(text, extensions=automatic(persisted.hash_of(text)))
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "enforce"}

    assert post(edges, extensions=automatic(persisted.hash_of(text))).codes == [
        "PERSISTED_QUERY_NOT_FOUND"
    ]
    assert edges.post(text).codes == ["FORBIDDEN"]


@pytest.mark.parametrize("is_exempt", [True, False])
@pytest.mark.parametrize("is_staff", [True, False])
def test_staff_may_be_exempt(settings: Settings, is_exempt: bool, is_staff: bool) -> None:
    settings.FRAISEQL = {
        "PERSISTED_OPERATIONS": "enforce",
        "PERSISTED_OPERATIONS_STAFF": is_exempt,
    }
    viewer = Viewer(user_id="1", is_staff=is_staff)
    response = execute(GraphQLRequest("{ makers { name } }"), viewer=viewer)

    assert response.has_errors is not (is_exempt and is_staff)


def test_in_log_mode_all_run_and_the_others_are_told(
    edges: Edges,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "log"}
    caplog.set_level(logging.WARNING, "fraiseql.engine.persisting")
    text = "query Mine { makers { name } }"
    headers = {"Content-Type": "application/json", "apollographql-client-name": "ios"}
    monkeypatch.setattr("fraiseql.engine.persisting.monotonic", lambda: 1e6)  # within one minute
    post(edges, id="names")
    edges.post(NAMES)
    assert not caplog.records
    body = json.dumps({"query": text, "operationName": "Mine"}).encode()
    for _ in range(100):
        assert edges.send(headers={**headers, "apollographql-client-name": "ios"}, body=body).json[
            "data"
        ]

    lines = [record.message for record in caplog.records]
    assert set(lines) == {
        f"Operation {persisted.hash_of(text)} ('Mine') of client 'ios': not registered."
    }
    assert len(lines) == 60


def test_what_is_registered_later_is_found_at_once(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "enforce", "PERSISTED_REFRESH_S": 1000}
    text = "{ makers { name } }"
    assert edges.post(text).codes == ["FORBIDDEN"]
    register(text, "later")

    assert post(edges, id="later").json["data"]
    assert edges.post(text).json["data"]
    assert post(edges, id="names").json["data"]


def test_what_is_removed_ends_with_the_next_look(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "enforce", "PERSISTED_REFRESH_S": 0}
    assert post(edges, id="names").json["data"]
    compiled = pipeline.get_engine().operation(GraphQLRequest(IDS))
    sync.fetch(persisted.remove([HASH]))

    assert post(edges, id="names").codes == ["PERSISTED_QUERY_NOT_FOUND"]
    assert edges.post(NAMES).codes == ["FORBIDDEN"]
    assert edges.post(IDS).json["data"]
    assert pipeline.get_engine().operation(GraphQLRequest(IDS)) is compiled


def test_many_that_are_registered_later_are_compiled_one_by_one(
    edges: Edges, settings: Settings
) -> None:
    settings.FRAISEQL = {"PERSISTED_REFRESH_S": 0}
    post(edges, id="names")
    for number in range(3):
        register(f"{{ makers(limit: {number}) {{ name }} }}", str(number))
    post(edges, id="names")
    known = pipeline.get_engine().persisted
    assert {text for text, _ in known.pinned} == {NAMES, IDS}
    post(edges, id="2")

    assert {text for text, _ in known.pinned} == {NAMES, IDS, "{ makers(limit: 2) { name } }"}


@pytest.mark.parametrize("refresh_s", [0, 1000])
def test_an_id_that_is_the_hash_of_another_text_lets_that_text_not_in(
    edges: Edges, settings: Settings, refresh_s: int
) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "enforce", "PERSISTED_REFRESH_S": refresh_s}
    if not refresh_s:
        post(edges, id="names")
    text = "{ __schema { types { name } } }"
    register("{ makers { id name } }", persisted.hash_of(text), HASH)

    assert edges.post(text).codes == ["FORBIDDEN"]
    assert post(edges, id=persisted.hash_of(text)).json["data"]["makers"]
    assert edges.post(text).codes == ["FORBIDDEN"]
    assert "id" not in post(edges, id=HASH).json["data"]["makers"][0]


def test_one_added_and_removed_between_two_looks_is_forgotten(
    edges: Edges, settings: Settings
) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "enforce", "PERSISTED_REFRESH_S": 1000}
    text = "{ makers { name } }"
    post(edges, id="names")
    register(text)
    assert edges.post(text).json["data"]
    sync.fetch(persisted.remove([persisted.hash_of(text)]))
    pipeline.get_engine().persisted._due = 0

    assert edges.post(text).codes == ["FORBIDDEN"]


def test_one_that_no_longer_fits_the_schema_spoils_no_other(
    edges: Edges, caplog: pytest.LogCaptureFixture
) -> None:
    register("{ nothing }", "old")

    assert post(edges, id="old").codes == ["GRAPHQL_VALIDATION_FAILED"]
    assert post(edges, id="names").json["data"]
    assert f"{persisted.hash_of('{ nothing }')} does not fit the schema" in caplog.text


def test_without_the_store_nothing_runs_once_enforced(
    edges: Edges, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.FRAISEQL = {"PERSISTED_OPERATIONS": "enforce"}
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE tb_persisted_operation_id, tb_persisted_operation")
    answers = [post(edges, id="names"), edges.post(NAMES)]

    assert [answer.codes for answer in answers] == [["INTERNAL_SERVER_ERROR"]] * 2
    assert "Is fraiseql migrated" in caplog.text

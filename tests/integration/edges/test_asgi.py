"""The ASGI application: what it answers itself, what it hands to Django, and how."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

import fraiseql
from fraiseql.asgi import GraphQLApplication, Message, Receive, Scope, Send
from fraiseql.db.connections import parameters
from fraiseql.db.pool import close_pools
from fraiseql.testing import isolated
from tests.integration.edges.conftest import JSON_BODY, Answer, Edges
from tests.shop.models import Note

BOUND = b'{"query": "{ makers(limit: 1) { name } }"}'
BOUND_DATA = b'{"data":{"makers":[{"name":"Anvil & Sons"}]}}'
RESOLVER = b'{"query": "{ viewer makers(limit: 1) { name } }"}'


class Behind:
    """The application behind: notes what reaches it, and answers 204."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@pytest.fixture
def behind(edges: Edges) -> Behind:
    return Behind()


def request(
    application: Any,
    path: str = "/graphql/",
    body: bytes | Iterable[bytes] = BOUND,
    method: str = "POST",
    root_path: str = "",
    headers: Any = (),
) -> Answer:
    """Send one request through httpx."""

    async def send() -> Answer:
        transport = httpx.ASGITransport(application, root_path=root_path)
        given = httpx.Headers({"Host": "testserver"} | JSON_BODY)
        given = httpx.Headers([*given.multi_items(), *headers])
        if not isinstance(body, bytes):
            given["Transfer-Encoding"] = "chunked"
        content = body if isinstance(body, bytes) else chunks(body)
        sent = httpx.Request(method, f"http://testserver{path}", headers=given, content=content)
        response = await transport.handle_async_request(sent)
        return Answer(response.status_code, response.headers, await response.aread())

    return async_to_sync(send)()


async def chunks(parts: Iterable[bytes]) -> Any:
    for part in parts:
        yield part


# Paths


@pytest.mark.parametrize("path", ["/graphql/", "/graphql"])
def test_the_path_is_known_with_and_without_its_slash(edges: Edges, path: str) -> None:
    application = GraphQLApplication()

    assert request(application, path).body == BOUND_DATA
    assert request(application, path, RESOLVER).json["data"]["viewer"] == "AnonymousUser"


@pytest.mark.parametrize("path", ["/api/graphql/", "/api/graphql"])
def test_it_can_be_mounted(edges: Edges, path: str) -> None:
    application = GraphQLApplication()

    assert request(application, path, root_path="/api").body == BOUND_DATA
    forwarded = request(application, path, RESOLVER, root_path="/api")
    assert forwarded.json["data"]["viewer"] == "AnonymousUser"


def test_the_page_of_a_mounted_endpoint_knows_its_path(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"GRAPHIQL": True}
    accept = [("Accept", "text/html")]
    answer = request(
        GraphQLApplication(), "/api/graphql/", b"", "GET", root_path="/api", headers=accept
    )

    assert b'data-endpoint="/api/graphql/"' in answer.body


def test_its_path_can_be_chosen(behind: Behind) -> None:
    application = GraphQLApplication(behind, path="/v1/data")

    assert request(application, "/v1/data").body == BOUND_DATA
    assert request(application, "/graphql/").status == 204


@pytest.mark.parametrize("path", ["/", "/graphql/x", "/graphqlx", "/x/graphql/", "//graphql/"])
def test_other_paths_are_behind(behind: Behind, path: str) -> None:
    assert request(GraphQLApplication(behind), path).status == 204
    assert behind.bodies == [BOUND]


def test_django_serves_the_rest(edges: Edges) -> None:
    answer = request(GraphQLApplication(), "/admin/login/", b"", "GET")

    assert answer.status == 200
    assert b"Django administration" in answer.body


@pytest.mark.parametrize("kind", ["websocket", "something.else"])
def test_other_kinds_of_connections_are_behind(behind: Behind, kind: str) -> None:
    async def silent(*_: Any) -> Any:
        raise AssertionError

    application = GraphQLApplication(behind)
    async_to_sync(application)({"type": kind, "path": "/graphql/"}, silent, silent)

    assert [scope["type"] for scope in behind.scopes] == [kind]


# What goes to Django


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("POST", [("Origin", "https://elsewhere.example")], BOUND),
        ("POST", [("Origin", "null")], BOUND),
        ("OPTIONS", [("Origin", "https://elsewhere.example")], b""),
        ("HEAD", [], b""),
        ("PUT", [], BOUND),
        ("GET", [("Accept", "text/html")], b""),
        ("POST", [("Accept", "text/plain")], BOUND),
        ("POST", [], RESOLVER),
        ("POST", [], RESOLVER[:-1] + b', "operationName": null}'),
    ],
)
def test_django_decides_about(
    behind: Behind, method: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    answer = request(GraphQLApplication(behind), "/graphql", body, method, headers=headers)

    assert answer.status == 204
    assert behind.bodies == [body]
    assert behind.scopes[0]["path"] == "/graphql/"


@pytest.mark.parametrize("origin", ["http://testserver", "https://testserver"])
def test_a_page_of_this_site_is_answered_in_front(behind: Behind, origin: str) -> None:
    answer = request(GraphQLApplication(behind), headers=[("Origin", origin)])

    assert answer.body == BOUND_DATA


def test_behind_a_proxy_the_host_is_the_one_it_names(behind: Behind, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    public = [("X-Forwarded-Host", "shop.example"), ("Origin", "https://shop.example")]
    untrusted = request(GraphQLApplication(behind), headers=public)
    settings.USE_X_FORWARDED_HOST = True
    trusted = request(GraphQLApplication(behind), headers=public)

    assert untrusted.status == 204
    assert trusted.body == BOUND_DATA


def test_a_host_that_is_not_ours_is_refused_by_django(edges: Edges) -> None:
    async def send() -> int:
        transport = httpx.ASGITransport(GraphQLApplication())
        async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as client:
            return (await client.post("/graphql/", content=BOUND, headers=JSON_BODY)).status_code

    assert async_to_sync(send)() == 400


def test_the_body_reaches_resolvers_whole_however_it_came(edges: Edges) -> None:
    padded = RESOLVER[:-1] + b', "padding": "' + b"x" * 200_000 + b'"}'
    parts = [padded[start : start + 7_001] for start in range(0, len(padded), 7_001)]
    answer = request(GraphQLApplication(), body=[b"", *parts, b""])

    assert answer.json == {
        "data": {"viewer": "AnonymousUser", "makers": [{"name": "Anvil & Sons"}]}
    }


def test_reading_stops_where_the_body_is_too_large(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"MAX_BODY_BYTES": 1_000}
    taken = []

    def endless() -> Iterable[bytes]:
        while True:
            taken.append(1)
            yield b"x" * 300

    answer = request(GraphQLApplication(), body=endless())

    assert (answer.status, answer.codes) == (413, ["BAD_REQUEST"])
    assert len(taken) == 4


@pytest.mark.parametrize("parts", [0, 1, 2])
def test_a_client_that_leaves_before_the_end_gets_nothing(behind: Behind, parts: int) -> None:
    part: Message = {"type": "http.request", "body": b'{"query', "more_body": True}
    messages: Iterator[Message] = iter([*[part] * parts, {"type": "http.disconnect"}])
    sent: list[Message] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/graphql/", "headers": headers}
    async_to_sync(GraphQLApplication(behind))(scope, receive, send)

    assert not sent
    assert not behind.scopes


def test_a_header_of_several_lines_is_one(edges: Edges) -> None:
    both = [("Accept", "application/json"), ("Accept", "application/graphql-response+json;q=0.5")]
    answer = request(GraphQLApplication(), headers=both)

    assert answer.headers["content-type"].startswith("application/json")


def test_a_content_type_in_an_unknown_encoding_is_415(edges: Edges) -> None:
    async def send() -> int:
        transport = httpx.ASGITransport(GraphQLApplication())
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            headers = {"Content-Type": "application/json; charset*=x'en'%41"}
            return (await client.post("/graphql/", content=BOUND, headers=headers)).status_code

    assert async_to_sync(send)() == 415


def test_an_address_with_bytes_that_are_not_ascii_is_read_as_utf_8(behind: Behind) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    query = 'query={makers(where:{name:{eq:"Birch Bücher"}}){identifier}}'.replace(" ", "+")
    scope = {
        "type": "http", "method": "GET", "path": "/graphql/", "headers": [(b"host", b"testserver")],
        "query_string": query.encode(),
    }  # fmt: skip
    async_to_sync(GraphQLApplication(behind))(scope, receive, send)

    assert json.loads(sent[1]["body"]) == {"data": {"makers": [{"identifier": "birch"}]}}


# Django's middleware


def test_resolvers_know_who_asks(edges: Edges) -> None:
    client = Client()
    client.force_login(User.objects.create(username="ada"))
    cookie = [("Cookie", f"sessionid={client.cookies['sessionid'].value}")]
    answer = request(GraphQLApplication(), body=RESOLVER, headers=cookie)
    stranger = request(GraphQLApplication(), body=RESOLVER)

    assert answer.json["data"]["viewer"] == "ada"
    assert stranger.json["data"]["viewer"] == "AnonymousUser"
    assert set(answer.headers["vary"].split(", ")) == {"Accept", "Cookie"}


def test_what_graphene_django_serves_is_beside_what_is_bound(
    edges: Edges, settings: Settings
) -> None:
    settings.FRAISEQL = {"GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"]}
    written = edges.post('mutation { writeNote(text: "hello") { note { text } } }')
    answer = edges.post(
        '{ allNotes { text } maker(identifier: "birch") { name } opinion { grade } }'
    )

    assert written.json == {"data": {"writeNote": {"note": {"text": "hello"}}}}
    assert answer.json["data"] == {
        "allNotes": [{"text": "hello"}] * Note.objects.count(),
        "maker": {"name": "Birch Bücher"},
        "opinion": {"grade": 3},
    }


def test_the_lifespan_is_answered(behind: Behind) -> None:
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message["type"])

    async_to_sync(GraphQLApplication(behind))({"type": "lifespan"}, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert not behind.scopes


# Clients that leave


@pytest.fixture
def nap(transactional_db: None) -> Iterator[Callable[[], bool]]:
    """A bound view that takes a minute; tells whether it is being read."""
    running = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%%v_long_nap%%'"
        " AND state = 'active' AND pid <> pg_backend_pid())"
    )
    with isolated(), psycopg.connect(**parameters("default"), autocommit=True) as other:
        other.execute(
            "CREATE VIEW v_long_nap AS SELECT 1 AS id, jsonb_build_object('id', pg_sleep(60)) AS data"
        )

        @fraiseql.type(view="v_long_nap")
        class Nap:
            id: int

        class Query(fraiseql.Query):
            naps = fraiseql.many(Nap)

        def is_running() -> bool:
            ((found,),) = other.execute(running)
            return bool(found)

        yield is_running
        other.execute("DROP VIEW v_long_nap")


class Waiting:
    """A request for the nap, under way. ``accept``: JSON, or events."""

    def __init__(self, accept: bytes = b"*/*", more: bytes = b"") -> None:
        self.sent: list[Message] = []
        self.leaves = asyncio.Event()
        messages: list[Message] = [
            {"type": "http.request", "body": b'{"query": "{ naps { id } %b}"}' % more},
            {"type": "http.other"},
        ]
        self._messages = iter(messages[: 1 if more else 2])  # Django knows no other.
        headers = [
            (b"host", b"testserver"), (b"content-type", b"application/json"), (b"accept", accept),
        ]  # fmt: skip
        scope = {
            "type": "http", "method": "POST", "path": "/graphql/", "headers": headers,
            "query_string": b"",
        }  # fmt: skip
        self.task = asyncio.ensure_future(GraphQLApplication()(scope, self._receive, self._send))

    async def _receive(self) -> Message:
        if message := next(self._messages, None):
            return message
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


async def becomes(value: bool, is_running: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while is_running() is not value:
            await asyncio.sleep(0.02)


async def test_the_statement_of_a_client_that_leaves_is_cancelled(
    nap: Callable[[], bool],
) -> None:
    waiting = Waiting()
    await becomes(True, nap)
    waiting.leaves.set()
    await waiting.task

    await becomes(False, nap)
    assert waiting.sent == []


@pytest.mark.parametrize("more", [b"", b"now "], ids=["in front", "behind"])
async def test_so_is_that_of_one_who_listens_to_events(
    nap: Callable[[], bool], settings: Settings, more: bytes
) -> None:
    settings.FRAISEQL = {"SSE_HEARTBEAT_MS": 10}
    settings.ROOT_URLCONF = "tests.integration.edges.urls"

    @fraiseql.query
    def now(info: Any) -> int:
        return 1

    waiting = Waiting(b"text/event-stream", more)
    await becomes(True, nap)
    await becomes(True, lambda: len(waiting.sent) > 2)
    waiting.leaves.set()
    await waiting.task

    await becomes(False, nap)
    assert {message.get("body") for message in waiting.sent[1:]} <= {b":\n\n", b""}


async def test_a_request_its_server_cancels_is_cancelled(nap: Callable[[], bool]) -> None:
    waiting = Waiting()
    await becomes(True, nap)
    waiting.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting.task

    await becomes(False, nap)
    assert waiting.sent == []


async def test_the_lifespans_end_ends_what_runs(nap: Callable[[], bool]) -> None:
    waiting = Waiting()
    await becomes(True, nap)
    await close_pools()
    await waiting.task

    assert not nap()
    assert json.loads(waiting.sent[1]["body"])["errors"]


def test_in_debug_local_names_are_ours_unless_others_are_named(
    behind: Behind, settings: Settings
) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = True, []
    hosts = {"localhost": True, "127.0.0.1:8000": True, "evil.example": False}
    application = GraphQLApplication(behind)

    for host, is_ours in hosts.items():
        headers = [(b"host", host.encode()), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/graphql/", "headers": headers}
        status = async_to_sync(status_of)(application, scope)

        assert status == (200 if is_ours else 204), host


async def status_of(application: GraphQLApplication, scope: Scope) -> int:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": BOUND}

    async def send(message: Message) -> None:
        sent.append(message)

    await application(scope, receive, send)
    status: int = sent[0]["status"]
    return status


# What is at hand


@pytest.mark.usefixtures("edges")
def test_a_key_is_judged_also_where_the_answer_is_at_hand() -> None:
    application = GraphQLApplication()
    for _ in range(2):
        assert request(application).body == BOUND_DATA
    assert request(application, headers=[("Idempotency-Key", "k")]).body == BOUND_DATA
    refused = request(application, headers=[("Idempotency-Key", "k" * 256)])
    assert "Idempotency-Key" in refused.json["errors"][0]["message"]


@pytest.mark.usefixtures("edges")
def test_a_size_is_judged_also_where_the_answer_is_at_hand(settings: Settings) -> None:
    application = GraphQLApplication()
    for _ in range(2):
        assert request(application).body == BOUND_DATA
    settings.FRAISEQL = {"MAX_BODY_BYTES": len(BOUND)}
    for _ in range(2):
        assert request(application).body == BOUND_DATA
    assert request(application, body=BOUND + b" ").status == 413


@pytest.mark.usefixtures("edges")
def test_what_django_refuses_to_read_is_an_error_of_graphql_for_who_wants_events() -> None:
    many = "&".join(f"a{number}=" for number in range(2000))
    headers = [("Accept", "text/event-stream")]
    answer = request(
        GraphQLApplication(), f"/graphql/?{many}", body=b"", method="GET", headers=headers
    )
    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])

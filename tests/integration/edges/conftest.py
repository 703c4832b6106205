"""One request sent to both edges: Django's view through WSGI, and the ASGI application in front of it."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from pytest_django import Settings

from fraiseql.asgi import GraphQLApplication
from fraiseql.db.embedded import EmbeddedServer
from tests.integration.edges.served import Served, database, serve

NPM = (
    "graphql@16", "graphql-http", "graphql-request", "@urql/core", "@apollo/client", "rxjs", "graphql-sse",
    "relay-compiler", "relay-runtime", "react-relay", "react", "react-test-renderer",
    "@urql/exchange-persisted", "@apollo/persisted-query-lists",
)  # fmt: skip
ENDPOINT = "/graphql/"
JSON_BODY = {"Content-Type": "application/json"}
COMPARED = (
    "content-type", "content-length", "vary", "allow", "x-content-type-options", "cache-control",
    "retry-after", "www-authenticate",
)  # fmt: skip
# The closed list of docs/reference/errors.md.
CODES = frozenset(
    [
        "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT",
        "OPERATION_RESOLUTION_FAILURE", "PERSISTED_QUERY_NOT_FOUND",
        "PERSISTED_QUERY_NOT_SUPPORTED", "BAD_REQUEST", "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND",
        "CONFLICT", "RATE_LIMITED", "COST_EXCEEDED", "TIMEOUT", "SERVICE_UNAVAILABLE",
        "INTERNAL_SERVER_ERROR",
    ]
)  # fmt: skip

_ID = re.compile(r'"id":\s?"[0-9a-f-]{36}"')


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body, parsed."""
        return json.loads(self.body)

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Return the GraphQL errors, each with a code from the closed list."""
        errors: list[dict[str, Any]] = self.json.get("errors", [])
        for error in errors:
            assert error["extensions"]["code"] in CODES
            assert set(error) <= {"message", "locations", "path", "extensions"}
        return errors

    @property
    def codes(self) -> list[str]:
        """Return each error's code."""
        return [error["extensions"]["code"] for error in self.errors]


class Edges:
    """Django's view and the ASGI application, in this process."""

    def __init__(self) -> None:
        self._wsgi = httpx.WSGITransport(get_wsgi_application())

    @cached_property
    def _application(self) -> GraphQLApplication:
        # Made by the first request, when a test has declared its schema.
        return GraphQLApplication()

    def send(
        self,
        method: str = "POST",
        path: str = ENDPOINT,
        *,
        headers: Mapping[str, str] | httpx.Headers = JSON_BODY,
        body: bytes = b"",
    ) -> Answer:
        """Return the answer both give; fail if they differ."""
        given = httpx.Headers({"Host": "testserver"})
        given.update(headers)
        behind = self.view(method, path, given, body)
        before = self.asgi(method, path, given, body)

        assert _comparable(before) == _comparable(behind)
        return before

    def post(self, query: str, variables: Any = None, **more: Any) -> Answer:
        """Return the answer to a GraphQL request in JSON."""
        payload = {"query": query, **({} if variables is None else {"variables": variables})}
        return self.send(body=json.dumps(payload | more).encode())

    def view(self, method: str, path: str, headers: httpx.Headers, body: bytes) -> Answer:
        """Return what the view answers."""
        request = httpx.Request(method, f"http://testserver{path}", headers=headers, content=body)
        response = self._wsgi.handle_request(request)
        # A server sends no body to HEAD, whatever the application gave it.
        sent = b"" if method == "HEAD" else response.read()
        response.close()
        return Answer(response.status_code, response.headers, sent)

    def asgi(self, method: str, path: str, headers: httpx.Headers, body: bytes) -> Answer:
        """Return what the ASGI application answers."""
        request = httpx.Request(method, f"http://testserver{path}", headers=headers, content=body)
        return async_to_sync(self._asgi)(request)

    async def _asgi(self, request: httpx.Request) -> Answer:
        transport = httpx.ASGITransport(self._application)
        response = await transport.handle_async_request(request)
        return Answer(response.status_code, response.headers, await response.aread())


@pytest.fixture
def edges(db: None, settings: Settings) -> Iterator[Edges]:
    """Both edges, on Django's connection: they see what the test wrote."""
    settings.ROOT_URLCONF = "tests.integration.edges.urls"
    # As Django's test client does: the test's transaction lives longer than a request.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield Edges()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def site_database(django_server: EmbeddedServer) -> Iterator[str]:
    """The URI of a database with what the site serves."""
    with database(django_server.uri) as uri:
        yield uri


@pytest.fixture(scope="module")
def introspected(site_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The site under daphne; it tells its schema, as clients' tools need."""
    log = tmp_path_factory.mktemp("server") / "log"
    with serve("daphne", site_database, log, INTROSPECTION="public") as served:
        yield served


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Run a module of JavaScript with the packages of NPM at hand; return the JSON it prints."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node is not installed")
    folder = tmp_path_factory.mktemp("node")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *NPM]
    installed = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=120)
    if installed.returncode:
        pytest.skip(f"npm installs nothing here: {installed.stderr.splitlines()[-1:]}")

    def run(script: str, *arguments: str) -> Any:
        file = folder / "script.mjs"
        file.write_text(script)
        done = subprocess.run(
            ["node", file, *arguments], cwd=folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def _comparable(answer: Answer) -> tuple[int, list[str | None], str]:
    # Every internal error has an id of its own; Django's middleware adds headers of its own.
    body = _ID.sub('"id":""', answer.body.decode())
    return answer.status, [answer.headers.get(name) for name in COMPARED], body

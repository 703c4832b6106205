"""
Tools for the tests of applications.

``Client`` and ``AsyncClient`` run operations in this process, through the same pipeline as the endpoint: in a
``TestCase`` they see what the test wrote. With pytest, ``pytest_plugins = ["fraiseql.testing.plugin"]``
makes fixtures of them. HTTP itself is tested with Django's own client.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Self

from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import connections
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from fraiseql import http
from fraiseql.authentication import Request, viewer_of
from fraiseql.conf import get_settings
from fraiseql.db import pool
from fraiseql.db.statement import Statement
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute, execute_async
from fraiseql.engine.result.envelope import Response
from fraiseql.engine.viewer import Viewer
from fraiseql.schema.registry import isolated

__all__ = ["AsyncClient", "Client", "Result", "assert_statements", "isolated"]


@dataclass(frozen=True)
class Result:
    """
    What an operation answered. ``data`` is None for a request that was refused.

    ``errors``: as clients see them. ``status``: of HTTP, for clients that speak GraphQL's own media type.
    """

    data: Any
    errors: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200

    @property
    def codes(self) -> list[str]:
        """Return each error's code."""
        return [error["extensions"]["code"] for error in self.errors]

    def assert_ok(self) -> Any:
        """Return ``data``. Raises AssertionError, with the errors, if there are any."""
        if self.errors:
            shown = "\n".join(f"  {_line(error)}" for error in self.errors)
            raise AssertionError(f"The operation has errors:\n{shown}")
        return self.data


class Client:
    """
    Runs operations on Django's connection.

    ``user``: who asks, by default nobody. ``request``: Django's request that resolvers see, if it must be
    a particular one. ``viewer``: who asks, if it is not for the setting AUTHENTICATION to say.
    """

    def __init__(
        self, user: Any = None, request: HttpRequest | None = None, viewer: Viewer | None = None
    ) -> None:
        self.request = request or _request(user)
        # Here, so that what it takes to know who asks is not counted among a query's statements.
        self.viewer = viewer or _viewer(self.request)

    def query(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> Result:
        """Run a query or mutation and return what it answered."""
        request = GraphQLRequest(query, operation_name, _as_sent(variables))
        return _result(execute(request, self.request, viewer=self.viewer))


class AsyncClient:
    """The same as ``Client`` on the asynchronous path, awaited."""

    def __init__(
        self, user: Any = None, request: HttpRequest | None = None, viewer: Viewer | None = None
    ) -> None:
        self.request = request or _request(user)
        self.viewer = viewer

    async def query(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> Result:
        """Run a query or mutation and return what it answered."""
        request = GraphQLRequest(query, operation_name, _as_sent(variables))
        if self.viewer is None:
            self.viewer = await sync_to_async(_viewer)(self.request)
        return _result(await execute_async(request, self.request, viewer=self.viewer))


class assert_statements:  # noqa: N801 - reads as a function, as Django's and pytest's do
    """
    A block, ``with`` or ``async with``, that sends exactly ``count`` statements to the database::

        with assert_statements(1):
            client.query("{ posts { title } users { name } }")

    Counted are Django's own statements on ``using`` and those of the asynchronous pool.
    """

    def __init__(self, count: int, using: str | None = None) -> None:
        self.count = count
        self.using = using or get_settings().DATABASE
        self._sent: list[str] = []

    def __enter__(self) -> Self:
        self._captured = CaptureQueriesContext(connections[self.using])
        self._captured.__enter__()
        pool.observers.append(self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        pool.observers.remove(self._note)
        self._captured.__exit__(None, None, None)
        if kind is None:
            self._compare()

    async def __aenter__(self) -> Self:
        # In the thread whose connection the pool uses inside a TestCase's transaction.
        return await sync_to_async(self.__enter__)()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await sync_to_async(self.__exit__)(kind)

    def _note(self, statement: Statement) -> None:
        self._sent.append(statement.text)

    def _compare(self) -> None:
        sent = [query["sql"] for query in self._captured.captured_queries] + self._sent
        if len(sent) != self.count:
            shown = "\n".join(f"{number}. {text}" for number, text in enumerate(sent, 1))
            raise AssertionError(f"{len(sent)} statements were sent, not {self.count}:\n{shown}")


def _request(user: Any) -> HttpRequest:
    request = RequestFactory().post("/graphql/")
    if user is None and apps.is_installed("django.contrib.auth"):
        user = import_string("django.contrib.auth.models.AnonymousUser")()
    request.user = user
    return request


def _viewer(request: HttpRequest) -> Viewer:
    return viewer_of(Request(request.headers.get, request))


def _as_sent(variables: dict[str, Any] | None) -> dict[str, Any]:
    # Through JSON, so that a test cannot send what no client can.
    sent: dict[str, Any] = json.loads(json.dumps(variables or {}))
    return sent


def _result(response: Response) -> Result:
    body = json.loads(response.body)
    status = http.Exchange("POST", {"accept": http.GRAPHQL}.get).reply(response).status
    return Result(body.get("data"), body.get("errors", []), status)


def _line(error: dict[str, Any]) -> str:
    path = ".".join(map(str, error.get("path", ())))
    at = f"{path}: " if path else ""
    return f"{at}{error['message']} {json.dumps(error['extensions'])}"

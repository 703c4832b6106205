"""One answer from PostgreSQL 15 and 18: random operations on the shop, byte for byte."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker, Settings

from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute
from fraiseql.errors import EmbeddedServerError
from tests.conftest import Servers
from tests.differential.test_paths import SHOP_ROOTS, bounded, draw_operation
from tests.integration.edges.served import database

pytestmark = pytest.mark.slow

VERSIONS = ("15", "18")
_ID = re.compile(rb'"id":"[0-9a-f-]{36}"\}')


@pytest.fixture(scope="module")
def aliases(servers: Servers, django_db_blocker: DjangoDbBlocker) -> Iterator[list[str]]:
    """The shop on a server of each version; return their aliases in DATABASES."""
    with ExitStack() as stack:
        names = []
        for version in VERSIONS:
            try:
                server = servers.get(version)
            except EmbeddedServerError as error:
                pytest.skip(str(error))
            uri = stack.enter_context(database(server.uri))
            names.append(f"shop_{version}")
            connections.databases[names[-1]] = connections.databases["default"] | {
                name.upper(): value
                for name, value in psycopg.conninfo.conninfo_to_dict(uri).items()
                if name in {"host", "port", "user"}
            } | {"NAME": psycopg.conninfo.conninfo_to_dict(uri)["dbname"]}  # fmt: skip
        with django_db_blocker.unblock():
            yield names
            for name in names:
                connections[name].close()
                del connections[name], connections.databases[name]


@bounded
@given(st.data())
def test_two_versions_agree(aliases: list[str], settings: Settings, data: st.DataObject) -> None:
    drawn = draw_operation(data, SHOP_ROOTS)
    root = data.draw(st.sampled_from(["", " viewer"]))
    answers = [answer(settings, alias, drawn.text(root), drawn.variables) for alias in aliases]

    assert answers[0] == answers[1]


def answer(settings: Settings, alias: str, query: str, variables: dict[str, Any]) -> bytes:
    """Return what the database ``alias`` answers; an internal error's id is its own."""
    settings.FRAISEQL = {"DATABASE": alias}
    return _ID.sub(b'"id":""}', execute(GraphQLRequest(query, None, variables)).body)

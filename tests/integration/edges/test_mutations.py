"""Bound mutations over HTTP: the same on both edges, once, never by GET nor for another site's page."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import Settings

from fraiseql.testing import AsyncClient, assert_statements
from tests.integration.edges.conftest import JSON_BODY, Edges

EXTEND = """mutation { extendStall(input: {id: "22222222-0000-4000-8000-000000000001", by: 1}) {
    stall { capacity } errors { message } } }"""


@pytest.fixture(autouse=True)
def stall(edges: Edges) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tb_stall (id, identifier, name)"
            " VALUES ('22222222-0000-4000-8000-000000000001', 'first', 'First')"
        )


def stored() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT capacity FROM tb_stall")
        return cursor.fetchone()[0]


def body(**more: Any) -> bytes:
    return json.dumps({"query": EXTEND, **more}).encode()


@pytest.mark.parametrize("key", ["k", '"k"'])
def test_both_edges_answer_a_key_alike_with_one_effect(edges: Edges, key: str) -> None:
    answer = edges.send(headers={**JSON_BODY, "Idempotency-Key": key}, body=body())

    assert answer.json == {"data": {"extendStall": {"stall": {"capacity": 11}, "errors": []}}}
    assert stored() == 11


def test_a_batchs_key_is_one_for_each_of_its_operations(edges: Edges, settings: Settings) -> None:
    settings.FRAISEQL = {"MAX_BATCH": 2}
    batch = b"[%b, %b]" % (body(), body())
    answer = edges.send(headers={**JSON_BODY, "Idempotency-Key": "k"}, body=batch)

    capacities = [item["data"]["extendStall"]["stall"]["capacity"] for item in answer.json]
    assert (capacities, stored()) == ([11, 12], 12)


def test_a_key_may_not_be_endless(edges: Edges) -> None:
    answer = edges.send(headers={**JSON_BODY, "Idempotency-Key": "k" * 256}, body=body())

    assert (answer.status, answer.errors[0]["extensions"]["code"]) == (400, "BAD_REQUEST")
    assert stored() == 10


def test_get_runs_none(edges: Edges) -> None:
    answer = edges.send("GET", f"/graphql/?{urlencode({'query': EXTEND})}", headers={})

    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")
    assert stored() == 10


def test_a_page_of_another_site_does_not_write_for_its_reader(edges: Edges) -> None:
    client = Client()
    client.force_login(User.objects.create_user("ada"))
    headers = {
        **JSON_BODY,
        "Cookie": f"sessionid={client.cookies['sessionid'].value}",
        "Origin": "https://elsewhere.example",
    }
    answer = edges.send(headers=headers, body=body())
    form = edges.send(headers={**headers, "Content-Type": "text/plain"}, body=body())

    assert (answer.status, form.status) == (403, 403)
    assert stored() == 10


def test_what_they_answer_is_never_cached(edges: Edges) -> None:
    answer = edges.view(
        "POST", "/graphql/", httpx.Headers({**JSON_BODY, "Host": "testserver"}), body()
    )

    assert "private" in answer.headers["cache-control"]


def test_a_mutation_is_one_flight_on_the_fast_way() -> None:
    ask = async_to_sync(AsyncClient().query)
    ask(EXTEND)

    with assert_statements(2):
        ask(EXTEND).assert_ok()

"""Mutations sent again, at the same time, and to be undone."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, connections
from django.test import override_settings

from fraiseql.db import pool
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute, execute_async
from fraiseql.engine.viewer import ANONYMOUS, Viewer
from fraiseql.testing import Client, _result

STALL = "11111111-0000-4000-8000-000000000001"
EXTEND = """mutation ($by: Int! = 1, $key: String) { extendStall(input: {
    id: "11111111-0000-4000-8000-000000000001", by: $by, clientMutationId: $key}) {
    stall { capacity } errors { field code message identifier } } }"""
RENAME = """mutation ($name: String!) { renameStall(input: {
    id: "11111111-0000-4000-8000-000000000001", name: $name, expectedVersion: 1}) {
    stall { name } current { name version } errors { code } } }"""
STAFF = Viewer("1", is_staff=True)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def stall() -> Iterator[None]:
    """One stall with room for 10, and nothing left behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tb_stall (id, identifier, name) VALUES (%s, 'first', 'First')", [STALL]
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tb_stall; DELETE FROM tb_idempotency_key")


def stored(what: str = "capacity") -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {what} FROM tb_stall")
        return cursor.fetchone()[0]


def send(
    query: str = EXTEND, key: str = "", viewer: Viewer = ANONYMOUS, dry: bool = False, **given: Any
) -> Any:
    """Send a mutation on Django's connection and return the whole answer."""
    request = GraphQLRequest(
        query, None, given, {"dryRun": True} if dry else {}, idempotency_key=key
    )
    return _result(execute(request, Client().request, viewer=viewer))


def send_async(query: str = EXTEND, key: str = "", **given: Any) -> Any:
    request = GraphQLRequest(query, None, given, idempotency_key=key)
    return execute_async(request, Client().request)


def in_threads(count: int, one: Callable[[int], Any]) -> list[Any]:
    """Call ``one`` in as many threads at once, each with a connection of its own."""

    def run(number: int) -> Any:
        try:
            return one(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as executor:
        return list(executor.map(run, range(count)))


def on_the_pool(count: int, one: Callable[[int], Any]) -> list[Any]:
    async def run() -> list[Any]:
        try:
            return await asyncio.gather(*(one(number) for number in range(count)))
        finally:
            await pool.close_pools()

    return [_result(response) for response in async_to_sync(run)()]


# Versions


def test_of_fifty_writers_one_is_first_and_the_others_are_told() -> None:
    results = in_threads(50, lambda number: send(RENAME, name=f"Name {number}"))

    answers = [result.assert_ok()["renameStall"] for result in results]
    (winner,) = [answer["stall"]["name"] for answer in answers if answer["stall"]]
    lost = [answer for answer in answers if answer["stall"] is None]
    assert len(lost) == 49
    assert all(answer["errors"] == [{"code": "CONFLICT"}] for answer in lost)
    assert all(answer["current"] == {"name": winner, "version": 2} for answer in lost)
    assert (stored("name"), stored("version")) == (winner, 2)


def test_fifty_writers_on_the_pool() -> None:
    results = on_the_pool(50, lambda number: send_async(RENAME, name=f"Name {number}"))

    answers = [result.assert_ok()["renameStall"] for result in results]
    assert [len(answer["errors"]) for answer in answers].count(0) == 1
    assert stored("version") == 2


def test_the_same_mutation_twice_at_once_happens_twice() -> None:
    results = in_threads(2, lambda _: send())

    assert all(result.assert_ok()["extendStall"]["errors"] == [] for result in results)
    assert stored() == 12


# Keys


@pytest.mark.parametrize("by", ["header", "input"])
def test_one_key_from_twenty_clients_has_one_effect_and_one_answer(by: str) -> None:
    def one(_: int) -> Any:
        if by == "header":
            return send(key="k")
        return send(EXTEND.replace("$key}", '"k"}').replace(", $key: String", ""))

    results = in_threads(20, one)

    assert [result.assert_ok()["extendStall"] for result in results] == [
        {"stall": {"capacity": 11}, "errors": []}
    ] * 20
    assert stored() == 11


def test_one_key_on_the_pool_and_on_djangos_connection() -> None:
    results = on_the_pool(20, lambda _: send_async(key="k"))
    results.append(send(key="k"))

    assert {result.assert_ok()["extendStall"]["stall"]["capacity"] for result in results} == {11}
    assert stored() == 11


def test_the_answer_stays_although_the_row_has_changed() -> None:
    first = send(key="k")
    send()

    assert send(key="k").data == first.data
    assert stored() == 12


def test_every_contracts_rows_are_kept() -> None:
    query = """mutation { importStalls(input: [{identifier: "a", name: "A"}, {identifier: "first", name: "B"}]) {
            results { identifier name } errors { index message } }
        seal(input: {label: "é\\"", sizes: [1]}) { parts { label sizes } }
        none: seal(input: {label: "none", sizes: []}) { parts { label } }
        countStalls(input: {}) { result } ring { status } allStalls { results { identifier shout } } }"""
    first = send(query, key="k").assert_ok()

    assert first["countStalls"] == {"result": "2"}
    assert send(query, key="k").assert_ok() == first
    assert stored("count(*)") == 2


def test_an_attempt_that_failed_is_not_kept() -> None:
    query = """mutation { openStall(input: {identifier: "first", name: "A"}) {
        stall { name } errors { code } } }"""
    assert send(query, key="k").assert_ok()["openStall"]["errors"] == [{"code": "CONFLICT"}]
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tb_stall")

    assert send(query, key="k").assert_ok()["openStall"] == {"stall": {"name": "A"}, "errors": []}


def test_a_key_of_another_request_is_refused() -> None:
    send(key="k")
    found = send(key="k", by=2).assert_ok()["extendStall"]

    assert found["stall"] is None
    assert found["errors"] == [
        {
            "field": None,
            "code": "BAD_USER_INPUT",
            "message": "This idempotency key was used for another request.",
            "identifier": "idempotency_key",
        }
    ]
    assert stored() == 11


def test_a_key_belongs_to_a_user_of_a_tenant() -> None:
    session = (("app.current_tenant_id", "1"), ("fraiseql.request_id", "x"))
    other = (("app.current_tenant_id", "2"), ("fraiseql.request_id", "x"))
    again = (("app.current_tenant_id", "1"), ("fraiseql.request_id", "y"))
    for viewer in (
        Viewer("1"),
        Viewer("2"),
        Viewer("1", session=session),
        Viewer("1", session=other),
        Viewer("1", session=again),
    ):
        send(key="k", viewer=viewer).assert_ok()

    assert stored() == 14


def test_a_key_is_free_again_when_it_has_expired() -> None:
    send(key="k")
    send(key="old")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tb_idempotency_key SET expires_at = now() - interval '1 second'")

    assert send(key="k").assert_ok()["extendStall"]["stall"] == {"capacity": 13}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tb_idempotency_key")
        assert cursor.fetchone() == (1,)


def test_a_key_covers_all_of_one_transaction() -> None:
    query = """mutation ($id: UUID!) {
        a: extendStall(input: {id: $id, by: 1, clientMutationId: "k"}) { stall { capacity } }
        b: extendStall(input: {id: $id, by: 1}) { stall { capacity } } }"""
    with override_settings(FRAISEQL={"MUTATION_TRANSACTION": "operation"}):
        first, second = (send(query, id=STALL).assert_ok() for _ in range(2))

    assert first == second == {"a": {"stall": {"capacity": 11}}, "b": {"stall": {"capacity": 12}}}
    assert stored() == 12


def test_with_a_key_a_failure_is_that_of_its_own_mutation() -> None:
    query = """mutation { a: extendStall(input: {id: "%s", by: 1}) { errors { identifier field } }
        b: openStall(input: {identifier: "first", name: "A"}) { errors { identifier field } } }"""
    with override_settings(FRAISEQL={"MUTATION_TRANSACTION": "operation"}):
        found = send(query % STALL, key="k").assert_ok()

    assert found == {
        "a": {"errors": [{"identifier": "undone", "field": None}]},
        "b": {"errors": [{"identifier": None, "field": "identifier"}]},
    }


def test_a_function_that_says_repeated_itself_is_a_conflict() -> None:
    query = 'mutation { fail(input: {how: "fraiseql_claim_v1(null, null, null, null)"}) { errors { code } } }'
    with connection.cursor() as cursor:
        cursor.execute("SELECT fraiseql_claim_v1('s', 'k', '', '1 hour')")
    query = query.replace("null, null, null, null", "'s', 'k', '', '1 hour'")

    assert send(query).assert_ok()["fail"]["errors"] == [{"code": "CONFLICT"}]


PYTHON = """mutation ($name: String!) {
    extendStall(input: {id: "11111111-0000-4000-8000-000000000001", by: 1}) { stall { capacity } }
    renameMaker(identifier: "anvil", name: $name) { name } }"""


@pytest.fixture
def maker() -> Iterator[None]:
    """A maker who may not be called Bad, and has their name again afterwards."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM tb_maker WHERE identifier = 'anvil'")
        (name,) = cursor.fetchone()
        cursor.execute("ALTER TABLE tb_maker ADD CONSTRAINT no_bad CHECK (name <> 'Bad')")
        yield
        cursor.execute("ALTER TABLE tb_maker DROP CONSTRAINT no_bad")
        cursor.execute("UPDATE tb_maker SET name = %s WHERE identifier = 'anvil'", [name])


@pytest.mark.usefixtures("maker")
def test_a_key_holds_for_mutations_in_python_too() -> None:
    results = in_threads(8, lambda _: send(PYTHON, key="k", name="Once"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tb_maker SET name = 'Later' WHERE identifier = 'anvil'")
    results.append(send(PYTHON, key="k", name="Once"))
    results += on_the_pool(1, lambda _: send_async(PYTHON, key="k", name="Once"))

    answer = {"extendStall": {"stall": {"capacity": 11}}, "renameMaker": {"name": "Once"}}
    assert [result.assert_ok() for result in results] == [answer] * 10
    assert stored() == 11
    other = send(PYTHON, key="k", name="Other")
    assert (other.data, other.codes) == (None, ["BAD_USER_INPUT"])


@pytest.mark.usefixtures("maker")
def test_an_attempt_in_python_that_failed_is_undone_and_not_kept() -> None:
    failed = send(PYTHON, key="k", name="Bad")
    assert len(failed.codes) == 1
    assert stored() == 10
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tb_maker DROP CONSTRAINT no_bad")
        cursor.execute("ALTER TABLE tb_maker ADD CONSTRAINT no_bad CHECK (name <> 'Worse')")

    assert send(PYTHON, key="k", name="Bad").assert_ok()["renameMaker"] == {"name": "Bad"}
    assert stored() == 11


@pytest.mark.usefixtures("maker")
def test_what_fails_at_the_commit_of_python_is_an_error() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE tb_maker ADD CONSTRAINT one_anvil UNIQUE (name) DEFERRABLE INITIALLY DEFERRED;"
            "SELECT name FROM tb_maker WHERE identifier <> 'anvil' LIMIT 1"
        )
        cursor.nextset()
        (taken,) = cursor.fetchone()
    try:
        result = send(PYTHON, key="k", name=taken)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE tb_maker DROP CONSTRAINT one_anvil")

    assert (result.data, result.codes) == (None, ["CONFLICT"])
    assert stored() == 10


# Dry runs


@pytest.mark.parametrize("more", ["", "loud: shout"])
def test_a_dry_run_answers_and_is_undone(more: str) -> None:
    query = EXTEND.replace("stall {", "stall { " + more)
    found = send(query, key="k", viewer=STAFF, dry=True).assert_ok()["extendStall"]

    assert found["stall"]["capacity"] == 11
    assert stored() == 10
    assert send(query, key="k").assert_ok()["extendStall"]["stall"]["capacity"] == 11


def test_a_dry_run_on_the_pool_is_undone_too() -> None:
    request = GraphQLRequest(EXTEND, None, {}, {"dryRun": True})
    response = async_to_sync(execute_async)(request, Client().request, viewer=STAFF)

    assert _result(response).assert_ok()["extendStall"]["stall"] == {"capacity": 11}
    assert stored() == 10


def test_a_dry_run_is_for_staff() -> None:
    result = send(dry=True, viewer=Viewer("1"))

    assert (result.data, result.codes) == (None, ["FORBIDDEN"])
    assert stored() == 10


def test_a_dry_run_sees_what_would_fail_at_the_commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE tb_stall ALTER CONSTRAINT tb_stall_fk_maker_fkey INITIALLY DEFERRED"
        )
    query = """mutation { openStall(input: {identifier: "a", name: "A",
        makerId: "00000000-0000-4000-8000-0000000000ff"}) { errors { field code } } }"""
    try:
        answers = [send(query, viewer=STAFF, dry=dry).assert_ok() for dry in (True, False)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE tb_stall ALTER CONSTRAINT tb_stall_fk_maker_fkey INITIALLY IMMEDIATE"
            )

    expected = {"openStall": {"errors": [{"field": "makerId", "code": "BAD_USER_INPUT"}]}}
    assert answers == [expected, expected]
    assert stored("count(*)") == 1


FAILING = """
CREATE SEQUENCE ring_attempts;
CREATE OR REPLACE FUNCTION fn_ring() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('ring_attempts') <= {times} THEN RAISE EXCEPTION 'canary' USING ERRCODE = '{state}'; END IF;
END $$"""
RESTORED = """
DROP SEQUENCE ring_attempts;
DROP FUNCTION fn_ring;
CREATE FUNCTION fn_ring() RETURNS void LANGUAGE sql AS $$ SELECT $$"""


@pytest.mark.parametrize("state", ["40001", "40P01"])
@pytest.mark.parametrize(
    "send_one", [send, lambda query: on_the_pool(1, lambda _: send_async(query))[0]]
)
def test_what_lost_against_another_transaction_is_tried_once_more(
    state: str, send_one: Any
) -> None:
    query = "mutation { ring { errors { code } } }"
    found = []
    for times in (1, 2):
        with connection.cursor() as cursor:
            cursor.execute(FAILING.format(times=times, state=state))
        found.append(send_one(query).assert_ok()["ring"]["errors"])
        with connection.cursor() as cursor:
            cursor.execute(RESTORED)

    assert found == [[], [{"code": "CONFLICT"}]]

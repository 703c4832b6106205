"""The tools for applications' tests, used as applications use them."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.db import connection
from django.test import RequestFactory, TestCase, TransactionTestCase

import fraiseql
from fraiseql.engine.viewer import Viewer
from fraiseql.schema import registry
from fraiseql.schema.registry import Registry
from fraiseql.testing import AsyncClient, Client, Result, assert_statements, isolated

pytest_plugins = ["fraiseql.testing.plugin"]

QUERY = "query Makers($first: Int) { makers(limit: $first) { name } } query Type { __typename }"


class InATestCase(TestCase):
    """A ``TestCase``: what it writes is seen, and gone afterwards."""

    def setUp(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO tb_maker (identifier, name) VALUES ('own', 'Own')")

    def test_a_query(self) -> None:
        with assert_statements(1):
            result = Client().query('{ maker(identifier: "own") { name } }')

        assert result.assert_ok() == {"maker": {"name": "Own"}}
        assert (result.errors, result.status, result.codes) == ([], 200, [])

    async def test_a_query_awaited(self) -> None:
        async with assert_statements(1):
            result = await AsyncClient().query('{ maker(identifier: "own") { name } }')

        assert result.assert_ok() == {"maker": {"name": "Own"}}


class OutsideATransaction(TransactionTestCase):
    """A ``TransactionTestCase``: the asynchronous client uses the pool."""

    async def test_statements_of_the_pool_are_counted(self) -> None:
        async with assert_statements(2):
            await AsyncClient().query("{ makers { name } }")
            await AsyncClient().query("{ couriers { name } }")

    async def test_a_wrong_count_shows_the_statements(self) -> None:
        await AsyncClient().query("{ makers { name } }")
        with pytest.raises(AssertionError, match=r"1 statements were sent, not 0:\n1\. SELECT"):
            async with assert_statements(0):
                await AsyncClient().query("{ makers { name } }")


@pytest.mark.django_db
def test_variables_and_operation_names() -> None:
    client = Client()

    assert len(client.query(QUERY, {"first": 2}, "Makers").assert_ok()["makers"]) == 2
    assert client.query(QUERY, operation_name="Type").data == {"__typename": "Query"}


@pytest.mark.django_db
def test_variables_are_sent_as_json() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        Client().query(QUERY, {"first": object()}, "Makers")


@pytest.mark.django_db
def test_who_asks() -> None:
    ada = User(username="ada")
    request = RequestFactory().get("/")
    request.user = User(username="bo")

    assert Client(user=ada).query("{ viewer }").data == {"viewer": "ada"}
    assert Client(request=request).query("{ viewer }").data == {"viewer": "bo"}
    assert Client().query("{ viewer }").data == {"viewer": "AnonymousUser"}
    assert async_to_sync(AsyncClient(user=ada).query)("{ viewer }").data == {"viewer": "ada"}


@pytest.mark.django_db
def test_who_asks_can_be_a_viewer_by_itself() -> None:
    ada = User.objects.create(username="ada")
    with isolated():

        @fraiseql.query
        def who(info: Any) -> str | None:
            return info.context.viewer.user_id  # type: ignore[no-any-return]  # info is Any

        seven = Viewer(user_id="7")
        client = Client(user=ada)
        with assert_statements(0):
            client.query("{ who }").assert_ok()

        assert Client(viewer=seven).query("{ who }").data == {"who": "7"}
        assert async_to_sync(AsyncClient(viewer=seven).query)("{ who }").data == {"who": "7"}
        assert Client(user=ada).query("{ who }").data == {"who": str(ada.pk)}
        assert async_to_sync(AsyncClient(user=ada).query)("{ who }").data == {"who": str(ada.pk)}


@pytest.mark.django_db
def test_assert_ok_shows_the_errors() -> None:
    result = Client().query("{ makers { name } maker { name } }")
    with pytest.raises(
        AssertionError, match=r"maker: maker needs 'id' or 'identifier'. .*BAD_USER_INPUT"
    ):
        result.assert_ok()


@pytest.mark.django_db
def test_a_refused_request_has_its_status() -> None:
    result = Client().query("{ nothing }")

    assert result == Result(None, result.errors, 400)
    assert result.codes == ["GRAPHQL_VALIDATION_FAILED"]
    with pytest.raises(AssertionError, match="Cannot query field 'nothing'"):
        result.assert_ok()


@pytest.mark.django_db
def test_a_failure_inside_the_block_is_not_hidden_by_the_count() -> None:
    with pytest.raises(ZeroDivisionError), assert_statements(5):
        1 / 0  # noqa: B018 - the failure


def test_an_isolated_schema() -> None:
    with isolated():

        @fraiseql.query
        def only(info: Any) -> int:
            return 1

        assert Client().query("{ only }").assert_ok() == {"only": 1}
        assert Client().query("{ makers { name } }").status == 400


# Fixtures


def test_the_client_fixture(graphql: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO tb_maker (identifier, name) VALUES ('own', 'Own')")

    assert graphql.query('{ maker(identifier: "own") { name } }').data == {"maker": {"name": "Own"}}


async def test_the_asynchronous_client_fixture(async_graphql: AsyncClient) -> None:
    assert len((await async_graphql.query("{ makers { name } }")).assert_ok()["makers"]) == 3


def test_the_schema_fixture(isolated_schema: Registry) -> None:
    assert registry.current() is isolated_schema
    assert not isolated_schema.roots

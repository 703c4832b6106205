"""A project's graphene and graphene-django classes in the same schema."""

from collections.abc import Iterator
from typing import Any

import graphene
import pytest
from asgiref.sync import async_to_sync
from django.test import override_settings
from graphql import graphql_sync

import fraiseql
from fraiseql.errors import ConfigurationError
from fraiseql.schema import build
from fraiseql.testing import AsyncClient, Client, isolated
from tests.shop.models import Note


@pytest.fixture(autouse=True)
def joined(db: None) -> Iterator[None]:
    """The shop's schema with its legacy part."""
    with override_settings(FRAISEQL={"GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"]}):
        Note.objects.bulk_create([Note(text="short"), Note(text="rather long")])
        yield


def test_old_and_new_fields_answer_together() -> None:
    query = "{ makers { name } allNotes(longerThan: 5) { text writtenAt } __typename }"
    expected = {
        "makers": [{"name": "Anvil & Sons"}, {"name": "Birch Bücher"}, {"name": "Cobalt"}],
        "allNotes": [{"text": "rather long", "writtenAt": None}],
        "__typename": "Query",
    }

    assert Client().query(query).assert_ok() == expected
    assert async_to_sync(AsyncClient().query)(query).assert_ok() == expected


def test_a_graphene_type_may_embed_a_bound_type() -> None:
    found = (
        Client().query("{ opinion { grade about { name label office { dns1Id } } } }").assert_ok()
    )

    assert found["opinion"] == {
        "grade": 3,
        "about": {"name": "Birch Bücher", "label": "Birch Bücher (DE)", "office": None},
    }


def test_mutations_of_graphene_run() -> None:
    result = Client().query(
        """mutation ($t: String!) {
            one: writeNote(text: $t) { note { text } } writeNote(text: "b") { note { id } } }""",
        {"t": "a"},
    )

    assert result.assert_ok()["one"] == {"note": {"text": "a"}}
    assert Note.objects.filter(text__in=["a", "b"]).count() == 2


def test_a_wrong_argument_of_a_mutation_is_refused_before_it_runs() -> None:
    result = Client().query(
        "mutation ($t: String!) { writeNote(text: $t) { note { id } } }", {"t": 5}
    )

    assert (result.data, result.codes, result.status) == (None, ["BAD_USER_INPUT"], 400)


def test_later_declarations_do_not_part_old_and_new() -> None:
    """The old schema was made when the bindings were others; its lazy references follow."""
    with isolated():

        @fraiseql.query
        def other(info: Any) -> int:
            return 1

        with override_settings(FRAISEQL={}):
            build.get_schema()

    assert Client().query("{ opinion { about { wares { status } } } }").assert_ok()


def test_fields_of_both_may_not_share_a_name() -> None:
    class Old(graphene.ObjectType):
        old_field = graphene.Int()

    with isolated() as declared:

        @fraiseql.query(name="oldField")
        def new_field(info: Any) -> int:
            return 1

        with pytest.raises(ConfigurationError, match=r"'oldField' is declared in Old \(graphene\)"):
            build.build(declared, (graphene.Schema(query=Old),))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("tests.shop.legacy.nothing", "names 'tests.shop.legacy.nothing'"),
        ("tests.nowhere.schema", "names 'tests.nowhere.schema'"),
        ("tests.shop.legacy.LegacyQuery", "is no graphene.Schema"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(path: str, message: str) -> None:
    with (
        override_settings(FRAISEQL={"GRAPHENE_SCHEMAS": [path]}),
        pytest.raises(ConfigurationError, match=message),
    ):
        build.get_schema()


def test_a_bound_field_outside_the_pipeline_says_so() -> None:
    answer = graphql_sync(build.get_schema().graphql, "{ makers { name } }")

    assert answer.errors
    assert "executed outside FraiseQL's pipeline" in answer.errors[0].message

"""Graphene schemas that join, and share names with what is declared."""

import enum
from typing import Any

import graphene
import pytest
from graphene import relay
from graphql import GraphQLSchema, graphql_sync

import fraiseql
from fraiseql.errors import ConfigurationError
from fraiseql.schema import registry
from fraiseql.schema.build import Schema, build


def declared() -> registry.Registry:
    with registry.isolated() as made:

        @fraiseql.enum
        class Mood(enum.Enum):
            CALM = "calm"

        @fraiseql.type(view="v_song")
        class Song:
            id: int
            mood: Mood

        class Query(fraiseql.Query):
            songs = fraiseql.connection(Song)

        return made


def joined_with(**fields: Any) -> Schema:
    legacy = type("Legacy", (graphene.ObjectType,), fields)
    return build(declared(), (graphene.Schema(query=legacy),))


def test_a_joined_type_may_not_take_a_declared_types_name() -> None:
    song = type("Song", (graphene.ObjectType,), {"title": graphene.String()})

    with pytest.raises(ConfigurationError, match="'Song'") as caught:
        joined_with(tune=graphene.Field(song))

    assert "name" in (caught.value.hint or "")


def test_a_joined_enum_may_not_take_a_declared_enums_name() -> None:
    mood = graphene.Enum("Mood", [("ANGRY", 1)])

    with pytest.raises(ConfigurationError, match="'Mood'"):
        joined_with(mood=graphene.Field(mood))


def test_relay_connections_of_both_kinds_share_page_info() -> None:
    class Tune(graphene.ObjectType):
        title = graphene.String()

    class TuneConnection(relay.Connection):
        class Meta:
            node = Tune

    class Legacy(graphene.ObjectType):
        tunes = relay.ConnectionField(TuneConnection)

        def resolve_tunes(self, _info: Any, **_: Any) -> list[Tune]:
            return [Tune(title="a"), Tune(title="b")]

    schema: GraphQLSchema = build(declared(), (graphene.Schema(query=Legacy),)).graphql
    answer = graphql_sync(
        schema,
        "{ tunes(first: 1) { pageInfo { hasNextPage hasPreviousPage startCursor } edges { node { title } } } }",
    )

    assert answer.errors is None
    assert answer.data is not None
    assert answer.data["tunes"]["pageInfo"]["hasNextPage"] is True
    assert answer.data["tunes"]["pageInfo"]["startCursor"]

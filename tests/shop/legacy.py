"""What the shop served with graphene and graphene-django before; joined by a setting."""

from typing import Any

import graphene
from graphene_django import DjangoObjectType

import fraiseql
from tests.shop.bindings import Maker
from tests.shop.models import Note


class NoteType(DjangoObjectType):
    """A note, from its model."""

    class Meta:
        model = Note
        name = "Note"
        fields = ("id", "text", "written_at")


class Opinion(graphene.ObjectType):
    """A graphene type with a bound type in it."""

    grade = graphene.Int()
    about = graphene.Field(fraiseql.graphene_type(Maker))

    @staticmethod
    def resolve_about(_root: Any, info: Any) -> Any:
        return info.context.db.find_one(Maker, identifier="birch")


class LegacyQuery(graphene.ObjectType):
    """The old root fields."""

    all_notes = graphene.List(graphene.NonNull(NoteType), longer_than=graphene.Int())
    opinion = graphene.Field(Opinion)

    @staticmethod
    def resolve_all_notes(_root: Any, _info: Any, longer_than: int | None = None) -> Any:
        return [note for note in Note.objects.all() if len(note.text) > (longer_than or 0)]

    @staticmethod
    def resolve_opinion(_root: Any, _info: Any) -> Opinion:
        return Opinion(grade=3)


class WriteNote(graphene.Mutation):
    """The old mutation."""

    class Arguments:
        text = graphene.String(required=True)

    note = graphene.Field(NoteType)

    @staticmethod
    def mutate(_root: Any, _info: Any, text: str) -> "WriteNote":
        return WriteNote(note=Note.objects.create(text=text))


class LegacyMutation(graphene.ObjectType):
    """The old mutations."""

    write_note = WriteNote.Field()


schema = graphene.Schema(query=LegacyQuery, mutation=LegacyMutation)

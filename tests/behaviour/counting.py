"""Mutations that say in which order they ran."""

from typing import Any

import graphene

from fraiseql.errors import Conflict

ran: list[str] = []


class Note(graphene.Mutation):
    """Note a word, or fail."""

    class Arguments:
        word = graphene.String(required=True)
        fails = graphene.Boolean()

    word = graphene.String(required=True)

    @staticmethod
    def mutate(_root: Any, _info: Any, word: str, fails: bool = False) -> "Note":
        ran.append(word)
        if fails:
            raise Conflict("Taken.")
        return Note(word=word)


class Mutation(graphene.ObjectType):
    """The mutations."""

    note = Note.Field()


class Query(graphene.ObjectType):
    """A schema needs one."""

    ran = graphene.Int()


schema = graphene.Schema(query=Query, mutation=Mutation)

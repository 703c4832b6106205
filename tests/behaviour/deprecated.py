"""A schema with things nobody should use any more."""

import graphene


class Query(graphene.ObjectType):
    """What it answers."""

    gone = graphene.Int(deprecation_reason="Ask for kept.")
    kept = graphene.Int(by=graphene.Int(), old=graphene.Int(deprecation_reason="Use by."))


schema = graphene.Schema(query=Query)

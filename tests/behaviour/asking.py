"""Says who asks by a header, and tells it again: for tests of many users at once."""

from typing import Any

import graphene

from fraiseql.authentication import Request
from fraiseql.engine.viewer import Viewer


def by_header(request: Request) -> Viewer | None:
    """Return the viewer a header names."""
    name = request.header("X-Test-User")
    return Viewer(user_id=name) if name else None


class Query(graphene.ObjectType):
    """What it answers."""

    asks = graphene.String()

    @staticmethod
    def resolve_asks(_root: Any, info: Any) -> Any:
        return info.context.viewer.user_id


schema = graphene.Schema(query=Query)

"""What the soak asks for."""

import fraiseql


@fraiseql.type(view="v_item")
class Item:
    """A row of one tenant."""

    id: int
    tenant: str
    touched: int


@fraiseql.type(view="v_slow_item")
class SlowItem:
    """The same, after a while."""

    id: int
    tenant: str


@fraiseql.type(view="v_session")
class Session:
    """What the connection of a statement has prepared."""

    id: int
    prepared: int


@fraiseql.mutation(function="fn_touch_item")
class TouchItem:
    """Count one more."""

    number: int
    returns: Item


class Query(fraiseql.Query):
    """Lists of all."""

    items = fraiseql.many(Item)
    slow_items = fraiseql.many(SlowItem)
    sessions = fraiseql.many(Session)

"""Rows to a connection's document."""

import json

import pytest

from fraiseql.engine.plan.order import decode_cursor, order_key
from fraiseql.engine.plan.plan import Cursor, Every, Page, Read, Wants
from fraiseql.engine.plan.values import Leaf
from fraiseql.engine.result.connection import ConnectionRows, connection_document
from fraiseql.schema import build
from fraiseql.schema.inputs import OrderDirection
from fraiseql.schema.specs import RootKind

MAKER = build.get_schema().objects["Maker"]
ORDER = (order_key((MAKER.fields["id"],), OrderDirection.ASC),)
AT = Cursor(("x",), Leaf("x"))


def document(
    page: Page, rows: int, cursors: bool = False, total: bytes | None = None
) -> dict[str, object]:
    read = Read(
        "feed",
        RootKind.CONNECTION,
        MAKER,
        Every(()),
        ORDER,
        page,
        ("id",),
        Wants(True, cursors, total is not None),
    )
    found = ConnectionRows([(b'["%d"]' % n, b'{"id":%d}' % n) for n in range(rows)], total)
    parsed: dict[str, object] = json.loads(connection_document(read, found))
    return parsed


@pytest.mark.parametrize(
    ("page", "rows", "following", "preceding"),
    [
        (Page(2), 2, False, False),
        (Page(2), 3, True, False),
        (Page(2, after=AT), 1, False, True),
        (Page(2, backward=True), 3, False, True),
        (Page(2, backward=True, before=AT), 1, True, False),
        (Page(2), 0, False, False),
    ],
)
def test_page_information(page: Page, rows: int, following: bool, preceding: bool) -> None:
    assert document(page, rows)["pageInfo"] == {
        "hasNextPage": following, "hasPreviousPage": preceding,
    }  # fmt: skip


def test_the_row_too_many_is_left_out() -> None:
    assert document(Page(2), 3)["edges"] == [{"node": {"id": 0}}, {"node": {"id": 1}}]


def test_backward_pages_are_turned_round() -> None:
    assert document(Page(2, backward=True), 3)["edges"] == [
        {"node": {"id": 1}},
        {"node": {"id": 0}},
    ]


def test_cursors_hold_the_keys() -> None:
    made = document(Page(2), 3, cursors=True, total=b"3")
    edges, information = made["edges"], made["pageInfo"]

    assert isinstance(edges, list)
    assert isinstance(information, dict)
    assert [decode_cursor(edge["cursor"], ORDER, "after") for edge in edges] == [("0",), ("1",)]
    assert information["startCursor"] == edges[0]["cursor"]
    assert information["endCursor"] == edges[1]["cursor"]
    assert made["totalCount"] == 3

"""Cursors."""

from base64 import urlsafe_b64encode

import pytest

from fraiseql.engine.plan.order import decode_cursor, encode_cursor, order_key, order_signature
from fraiseql.errors import BadUserInput
from fraiseql.schema import build
from fraiseql.schema.inputs import OrderDirection

WARE = build.get_schema().objects["Ware"]
ORDER = (
    order_key((WARE.fields["weight"],), OrderDirection.DESC),
    order_key((WARE.fields["id"],), OrderDirection.ASC),
)


def test_a_cursor_comes_back() -> None:
    keys = b'[1.5e300, "x"]'
    cursor = encode_cursor(keys, order_signature(ORDER)).decode()

    assert decode_cursor(cursor, ORDER, "after") == ("1.5e300", "x")


@pytest.mark.parametrize(
    ("keys", "values"),
    [
        (b'[null, "x"]', (None, "x")),
        (b'[true, "x"]', ("true", "x")),
        (b'[false, "9007199254740993"]', ("false", "9007199254740993")),
        (b"[12345678901234567890, 0.10]", ("12345678901234567890", "0.10")),
    ],
)
def test_keys_keep_their_text(keys: bytes, values: tuple[str | None, ...]) -> None:
    cursor = encode_cursor(keys, order_signature(ORDER)).decode()

    assert decode_cursor(cursor, ORDER, "after") == values


@pytest.mark.parametrize(
    "keys", [b"[1]", b"[1, 2, 3]", b"{}", b'[{}, "x"]', b"", b"[", b"[" * 50_000]
)
def test_keys_of_another_form_are_refused(keys: bytes) -> None:
    cursor = encode_cursor(keys, order_signature(ORDER)).decode()
    with pytest.raises(BadUserInput, match="after is not a cursor of this list"):
        decode_cursor(cursor, ORDER, "after")


@pytest.mark.parametrize("text", ["", "é", "a", "++++", urlsafe_b64encode(b"\xff" * 8).decode()])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadUserInput):
        decode_cursor(text, ORDER, "before")


def test_every_order_has_its_signature() -> None:
    fields = (WARE.fields["weight"],)
    signatures = {order_signature((order_key(fields, direction),)) for direction in OrderDirection}

    # PostgreSQL's defaults and their long forms are one order.
    assert len(signatures) == 4


def test_reversing_twice_changes_nothing() -> None:
    for direction in OrderDirection:
        key = order_key((WARE.fields["weight"],), direction)

        assert key.reverse().reverse() == key
        assert key.reverse().nulls_first is not key.nulls_first

"""Relay connections."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraiseql.testing import Client, Result, assert_statements

Ask = Callable[..., Any]
FEED = """query ($first: Int, $after: String, $last: Int, $before: String, $order: [WareOrderByInput!]) {
    wareFeed(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
        edges { cursor node { identifier } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }"""


def page(**variables: Any) -> tuple[str, dict[str, Any]]:
    """Return a page of wares, as first letters, and the connection."""
    feed = Client().query(FEED, variables).assert_ok()["wareFeed"]
    return "".join(edge["node"]["identifier"][0] for edge in feed["edges"]), feed


def test_a_page_and_where_it_lies(ask: Ask) -> None:
    letters, feed = page(first=2)

    assert letters == "ab"
    assert feed["totalCount"] == 6
    assert feed["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": feed["edges"][0]["cursor"],
        "endCursor": feed["edges"][1]["cursor"],
    }


def test_the_default_limit_applies(ask: Ask) -> None:
    assert page()[0] == "ab"


def test_pages_forward_and_backward(ask: Ask) -> None:
    _, one = page(first=2)
    letters, two = page(first=3, after=one["pageInfo"]["endCursor"])
    assert letters == "cde"
    assert two["pageInfo"]["hasPreviousPage"]
    letters, three = page(first=3, after=two["pageInfo"]["endCursor"])
    assert letters == "f"
    assert not three["pageInfo"]["hasNextPage"]
    letters, back = page(last=2, before=three["pageInfo"]["startCursor"])
    assert letters == "de"
    assert back["pageInfo"]["hasPreviousPage"]
    assert back["pageInfo"]["hasNextPage"]
    letters, first = page(last=10, before=back["pageInfo"]["startCursor"])
    assert letters == "abc"
    assert not first["pageInfo"]["hasPreviousPage"]


def test_the_end_of_a_list(ask: Ask) -> None:
    letters, feed = page(last=2)

    assert letters == "ef"
    assert not feed["pageInfo"]["hasNextPage"]
    assert feed["pageInfo"]["hasPreviousPage"]


def test_after_and_before_together(ask: Ask) -> None:
    _, feed = page(first=6)
    cursors = [edge["cursor"] for edge in feed["edges"]]

    assert page(first=10, after=cursors[0], before=cursors[4])[0] == "bcd"
    assert page(last=2, after=cursors[0], before=cursors[4])[0] == "cd"


def test_an_empty_page(ask: Ask) -> None:
    letters, feed = page(first=0)
    none = ask(
        '{ wareFeed(where: {name: {eq: "-"}}) { edges { cursor } totalCount pageInfo { endCursor hasNextPage } } }'
    )

    assert letters == ""
    assert feed["pageInfo"] == {
        "hasNextPage": True, "hasPreviousPage": False, "startCursor": None, "endCursor": None,
    }  # fmt: skip
    assert none["wareFeed"] == {
        "edges": [], "totalCount": 0, "pageInfo": {"endCursor": None, "hasNextPage": False},
    }  # fmt: skip


def test_pages_survive_inserts_and_deletes_between_them(ask: Ask, sql: Any) -> None:
    _, one = page(first=3, order=[{"name": "ASC"}])
    sql(
        """INSERT INTO tv_ware (id, identifier, data)
           SELECT '00000000-0000-4000-8000-000000000000', '-new', data || '{"name": "Aaa"}'
             FROM tv_ware WHERE identifier = 'atlas'"""
    )
    sql("DELETE FROM tv_ware WHERE identifier = 'crowbar'")
    letters, two = page(first=2, after=one["pageInfo"]["endCursor"], order=[{"name": "ASC"}])

    assert letters == "de"
    assert two["totalCount"] == 6


ORDERS = [
    [{"weight": "ASC"}],
    [{"weight": "DESC"}],
    [{"weight": "ASC_NULLS_FIRST"}],
    [{"weight": "DESC_NULLS_LAST"}, {"name": "ASC"}],
    [{"grade": "DESC_NULLS_LAST"}, {"releasedAt": "ASC_NULLS_FIRST"}],
    [{"status": "ASC"}, {"price": "DESC"}],
    [{"price": "DESC"}],
    [{"barcode": "ASC"}],
    [{"maker": {"founded": "DESC"}}, {"stock": "ASC"}],
    [{"maker": {"office": {"addressLine2": "ASC_NULLS_FIRST"}}}],
    [{"id": "DESC"}],
    [{"releasedAt": "DESC"}, {"id": "ASC"}],
    [],
]


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_pages_add_up_to_the_list(ask: Ask, order: list[Any], size: int) -> None:
    whole, _ = page(first=50, order=order)

    assert walk(order, size, forward=True) == whole
    assert walk(order, size, forward=False) == whole
    assert len(whole) == 6


def walk(order: list[Any], size: int, forward: bool) -> str:
    """Return all pages of ``size``, joined."""
    found, variables = "", {"order": order, "first" if forward else "last": size}
    while True:
        letters, feed = page(**variables)
        found = found + letters if forward else letters + found
        information = feed["pageInfo"]
        if not information["hasNextPage" if forward else "hasPreviousPage"]:
            return found
        if forward:
            variables["after"] = information["endCursor"]
        else:
            variables["before"] = information["startCursor"]


SORTABLE = ["name", "weight", "grade", "price", "stock", "barcode", "releasedAt", "status"]
DIRECTIONS = [
    "ASC",
    "DESC",
    "ASC_NULLS_FIRST",
    "ASC_NULLS_LAST",
    "DESC_NULLS_FIRST",
    "DESC_NULLS_LAST",
]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.sampled_from(SORTABLE), st.sampled_from(DIRECTIONS)), max_size=3),
    st.integers(1, 4),
    st.booleans(),
)
def test_pages_add_up_in_any_order(
    db: None, keys: list[tuple[str, str]], size: int, forward: bool
) -> None:
    order = [{name: direction} for name, direction in keys]

    assert walk(order, size, forward) == page(first=50, order=order)[0]


def test_a_cursor_as_a_literal(ask: Ask) -> None:
    _, feed = page(first=1)
    cursor = feed["pageInfo"]["endCursor"]
    found = ask(
        f'{{ wareFeed(first: 1, after: "{cursor}") {{ edges {{ node {{ identifier }} }} }} }}'
    )

    assert found["wareFeed"]["edges"] == [{"node": {"identifier": "bradawl"}}]


def test_a_connection_over_columns(ask: Ask) -> None:
    query = """query ($after: String) { courierFeed(first: 2, after: $after, orderBy: [{since: DESC}]) {
        edges { node { name } } pageInfo { endCursor hasNextPage } } }"""
    one = ask(query)["courierFeed"]
    two = ask(query, after=one["pageInfo"]["endCursor"])["courierFeed"]

    assert [edge["node"]["name"] for edge in one["edges"] + two["edges"]] == ["Bo", "Cy", "Ada"]
    assert not two["pageInfo"]["hasNextPage"]


def test_totals_alone_read_no_rows(ask: Ask) -> None:
    with assert_statements(1):
        found = ask('{ makerFeed(where: {name: {startswith: "A"}}) { totalCount } }')

    assert found == {"makerFeed": {"totalCount": 1}}


def test_a_connection_asked_for_its_type_alone(ask: Ask) -> None:
    assert ask("{ makerFeed { __typename } }") == {"makerFeed": {"__typename": "MakerConnection"}}


def test_parts_of_a_connection_under_aliases(ask: Ask) -> None:
    found = ask("""{ feed: makerFeed(first: 1, orderBy: [{name: DESC}]) {
        __typename e1: edges { __typename node { n: name __typename } }
        e2: edges { c: cursor node { name } } ... on MakerConnection { n: totalCount }
        pageInfo { __typename end: endCursor } } }""")["feed"]

    assert found["e1"] == [
        {"__typename": "MakerEdge", "node": {"n": "Cobalt", "__typename": "Maker"}}
    ]
    assert found["e2"][0]["node"] == {"name": "Cobalt"}
    assert found["pageInfo"] == {"__typename": "PageInfo", "end": found["e2"][0]["c"]}
    assert found["n"] == 3


def test_computed_fields_in_a_connection(ask: Ask) -> None:
    found = ask("{ makerFeed(first: 1) { edges { cursor node { label } } totalCount } }")

    assert found["makerFeed"]["edges"][0]["node"] == {"label": "Anvil & Sons (NO)"}
    assert found["makerFeed"]["totalCount"] == 3


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "!!!", "AAAA", "ZmZmZmZmZmZb", "é", "e30=", "W10=", "a" * 10_000],
)
def test_what_is_no_cursor_is_refused(answer: Callable[..., Result], cursor: str) -> None:
    result = answer("query ($c: String) { wareFeed(after: $c) { totalCount } }", c=cursor)

    assert result.codes == ["BAD_USER_INPUT"]
    assert result.errors[0]["message"].startswith("after is ")
    assert cursor not in result.errors[0]["message"] or cursor in "x"


def test_a_kept_statement_is_not_used_for_what_is_no_cursor(answer: Callable[..., Result]) -> None:
    _, feed = page(first=1)

    assert not answer(FEED, after=feed["pageInfo"]["endCursor"]).errors
    assert answer(FEED, after="x").errors[0]["message"] == "after is not a cursor of this list."


def test_a_cursor_of_another_order_is_refused(answer: Callable[..., Result]) -> None:
    _, feed = page(first=1, order=[{"name": "ASC"}])
    result = answer(FEED, before=feed["pageInfo"]["endCursor"], last=1)

    assert result.errors[0]["message"] == "before is a cursor of another list or order."


def test_a_tampered_cursor_is_refused(answer: Callable[..., Result]) -> None:
    from base64 import urlsafe_b64decode, urlsafe_b64encode  # noqa: PLC0415

    _, feed = page(first=1)
    raw = urlsafe_b64decode(feed["pageInfo"]["endCursor"])
    for keys in (
        b"[]",
        b"[1, 2]",
        b"[{}]",
        b"[[1]]",
        b"{}",
        b'["no uuid"]',
        b'["a\\u0000"]',
        b"[true]",
    ):
        cursor = urlsafe_b64encode(raw[:8] + keys).decode()
        result = answer(FEED, after=cursor)

        assert result.codes == ["BAD_USER_INPUT"], keys


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("first: 1, last: 1", "Give first or last, not both."),
        ("first: -1", "first must not be negative."),
        ("last: 51", "last is 51; wareFeed returns at most 50 rows."),
    ],
)
def test_windows_out_of_bounds_are_refused(
    answer: Callable[..., Result], arguments: str, message: str
) -> None:
    result = answer(f"{{ wareFeed({arguments}) {{ totalCount }} }}")

    assert [error["message"] for error in result.errors] == [message]


def test_cursors_with_null_keys_and_kept_statements(ask: Ask) -> None:
    """One text serves cursors with and without null keys: each form is a statement of its own."""
    order = [{"weight": "ASC_NULLS_FIRST"}]
    _, feed = page(first=6, order=order)
    cursors = [edge["cursor"] for edge in feed["edges"]]

    for _ in range(2):
        assert page(first=1, after=cursors[0], order=order)[0] == "b"
        assert page(first=1, after=cursors[1], order=order)[0] == "f"

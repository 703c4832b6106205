"""Every way to bind a view, read back through the pipeline."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from fraiseql.testing import AsyncClient, Client, Result, assert_statements

Ask = Callable[..., Any]
ANVIL = "00000000-0000-4000-8000-0000000000a1"
ATLAS = "00000000-0000-4000-8000-000000000001"


def test_one_is_found_by_id(ask: Ask) -> None:
    assert ask("query ($id: ID) { maker(id: $id) { name } }", id=ANVIL) == {
        "maker": {"name": "Anvil & Sons"}
    }


def test_one_is_found_by_identifier(ask: Ask) -> None:
    assert ask('{ maker(identifier: "birch") { id } }') == {
        "maker": {"id": "00000000-0000-4000-8000-0000000000a2"}
    }


def test_all_keys_given_must_match(ask: Ask) -> None:
    assert ask(f'{{ maker(id: "{ANVIL}", identifier: "birch") {{ id }} }}') == {"maker": None}


def test_one_by_declared_keys(ask: Ask) -> None:
    assert ask('{ book(name: "Fables", status: SOLD_OUT) { identifier } }') == {
        "book": {"identifier": "fables"}
    }
    assert ask('{ turnover(day: "2024-01-03") { total orders } }') == {
        "turnover": {"total": "21.00", "orders": "2"}
    }


def test_null_for_a_key_counts_as_not_given(ask: Ask) -> None:
    found = ask(
        "query ($id: ID, $name: String) { maker(id: $id, identifier: $name) { name } }",
        id=None,
        name="cobalt",
    )

    assert found == {"maker": {"name": "Cobalt"}}


def test_one_needs_a_key(answer: Callable[..., Result]) -> None:
    result = answer("{ maker { name } other: maker(identifier: null) { name } }")

    assert result.data == {"maker": None, "other": None}
    assert [error["message"] for error in result.errors] == [
        "maker needs 'id' or 'identifier'."
    ] * 2
    assert result.codes == ["BAD_USER_INPUT"] * 2


def test_an_id_of_the_wrong_form_is_refused(answer: Callable[..., Result]) -> None:
    result = answer(
        '{ maker(id: "anvil") { name } courier(id: "x") { name } category(id: 10) { id } }'
    )

    assert result.data == {"maker": None, "courier": None, "category": {"id": "10"}}
    assert [error["message"] for error in result.errors] == [
        "id is not a UUID.",
        "id is not a BigInt.",
    ]


def test_a_kept_statement_refuses_an_id_for_its_own_field(answer: Callable[..., Result]) -> None:
    query = "query ($id: ID, $c: ID!) { maker(id: $id) { name } courier(id: $c) { name } }"

    assert not answer(query, id=ANVIL, c=1).errors
    result = answer(query, id="anvil", c=1)
    assert result.data == {"maker": None, "courier": {"name": "Ada"}}
    assert [error["message"] for error in result.errors] == ["id is not a UUID."]
    assert answer(query, id="anvil", c="x").data == {"maker": None, "courier": None}


def test_a_kept_statement_of_one_field_refuses_an_id(answer: Callable[..., Result]) -> None:
    query = "query ($id: ID) { maker(id: $id) { name } }"

    assert not answer(query, id=ANVIL).errors
    assert answer(query, id="anvil").errors[0]["message"] == "id is not a UUID."


def test_ids_go_out_as_strings_whatever_they_are(ask: Ask) -> None:
    assert ask("{ couriers(orderBy: [{id: DESC}], limit: 1) { id } category(id: 2) { id } }") == {
        "couriers": [{"id": "9007199254740993"}],
        "category": {"id": "2"},
    }


def test_integer_ids_are_taken_as_strings_and_numbers(ask: Ask) -> None:
    assert ask('{ a: courier(id: 1) { name } b: courier(id: "9007199254740993") { name } }') == {
        "a": {"name": "Ada"},
        "b": {"name": "Cy"},
    }


def test_names_find_their_way_back(ask: Ask) -> None:
    assert ask(
        '{ maker(identifier: "anvil") { office { addressLine1 addressLine2 ipv4Address dns1Id openedOn } } }'
    ) == {
        "maker": {
            "office": {
                "addressLine1": '1 Quay "North"',
                "addressLine2": None,
                "ipv4Address": "10.0.0.5",
                "dns1Id": 53,
                "openedOn": "1899-05-01",
            }
        }
    }
    found = ask(
        """{ makers(where: {office: {addressLine1: {startswith: "3 "}, dns1Id: {isnull: true}}}) { name } }"""
    )
    assert found == {"makers": [{"name": "Cobalt"}]}


def test_every_scalar_of_a_document(ask: Ask) -> None:
    found = ask("""{ ware(identifier: "atlas") {
        id name status grade price weight barcode stock tags attributes releasedAt maker { name } } }""")

    assert found["ware"] == {
        "id": ATLAS,
        "name": "Atlas",
        "status": "ON_SALE",
        "grade": "HIGH",
        "price": "40.5000",
        "weight": 1.25,
        "barcode": "9007199254740993",
        "stock": 9,
        "tags": ["maps", "large print"],
        "attributes": {"cover": "linen", "sizes": [1, 2]},
        "releasedAt": "2024-01-31T12:00:00+00:00",
        "maker": {"name": "Birch Bücher"},
    }


def test_an_interface_shows_the_concrete_types(ask: Ask) -> None:
    found = ask("""{ wares(orderBy: [{name: ASC}], limit: 3) {
        __typename name ... on Book { pages } ... on Tool { watts kind: __typename } } }""")

    assert found["wares"] == [
        {"__typename": "Book", "name": "Atlas", "pages": 320},
        {"__typename": "Tool", "name": "Bradawl", "watts": None, "kind": "Tool"},
        {"__typename": "Tool", "name": "Crowbar", "watts": None, "kind": "Tool"},
    ]


def test_an_unknown_concrete_type_is_an_error(answer: Callable[..., Result], sql: Any) -> None:
    sql("""UPDATE tv_ware SET data = data || '{"kind": "toy"}' WHERE identifier = 'atlas'""")
    fast = answer('{ ware(identifier: "atlas") { name } }')
    slow = answer('{ ware(identifier: "atlas") { name } viewer }')

    assert fast.data == {"ware": None}
    assert slow.data == {"ware": None, "viewer": "AnonymousUser"}
    assert fast.errors == slow.errors
    assert fast.errors[0]["message"] == "Query.ware holds an object of unknown type."
    assert fast.errors[0]["path"] == ["ware"]


def test_columns_are_the_document_of_a_plain_view(ask: Ask) -> None:
    found = ask("""{ stockLevels(where: {ware: {eq: "Atlas"}}) {
        id ware quantity checkedAt tags price weight hasMaker maker { name office { dns1Id } } } }""")

    assert found["stockLevels"] == [
        {
            "id": ATLAS,
            "ware": "Atlas",
            "quantity": 9,
            "checkedAt": "2024-01-31T12:00:00+00:00",
            "tags": ["maps", "large print"],
            "price": "40.5000",
            "weight": 1.25,
            "hasMaker": True,
            "maker": {"name": "Birch Bücher", "office": None},
        }
    ]


def test_columns_are_the_document_of_a_table(ask: Ask) -> None:
    found = ask("{ couriers(orderBy: [{name: ASC}]) { name active grade zones since } }")

    assert found["couriers"] == [
        {"name": "Ada", "active": True, "grade": "LOW", "zones": [1, 2], "since": "2020-02-29"},
        {"name": "Bo", "active": False, "grade": None, "zones": [], "since": None},
        {"name": "Cy", "active": True, "grade": "HIGH", "zones": [2], "since": "2021-01-01"},
    ]


def test_columns_are_the_document_of_a_materialized_view(ask: Ask) -> None:
    found = ask("""{ turnovers(where: {total: {gt: "9.99"}}, orderBy: [{day: DESC}], limit: 1) {
        day total orders } }""")

    assert found["turnovers"] == [{"day": "2024-01-04", "total": "31.50", "orders": "3"}]


def test_only_typename_of_columns_still_counts_rows(ask: Ask) -> None:
    assert ask("{ couriers { __typename } }") == {"couriers": [{"__typename": "Courier"}] * 3}


def test_names_with_quotes_and_percent_signs(ask: Ask) -> None:
    found = ask("""{ oddities(where: {percent: {gte: 50}, order: {contains: "elec"}},
                              orderBy: [{percent: DESC}, {order: ASC}]) { id order percent data }
                     again: oddity(id: 1) { percent } }""")

    assert found == {
        "oddities": [{"id": "1", "order": "Select", "percent": 50, "data": {"a'b": "it's"}}],
        "again": {"percent": 50},
    }


def test_json_documents_filter_and_sort_like_jsonb(ask: Ask) -> None:
    found = ask("""{ categories(where: {parent: {name: {eq: "Everything"}}}, orderBy: [{name: DESC}]) {
        name parent { id name } children { name } } }""")

    assert found["categories"] == [
        {"name": "Tools", "parent": {"id": "1", "name": "Everything"}, "children": []},
        {
            "name": "Books",
            "parent": {"id": "1", "name": "Everything"},
            "children": [{"name": "Maps"}],
        },
    ]


def test_a_computed_field_reads_the_whole_object(ask: Ask) -> None:
    found = ask("{ makers(orderBy: [{name: ASC}]) { label } }")

    assert found["makers"] == [
        {"label": "Anvil & Sons (NO)"},
        {"label": "Birch Bücher (DE)"},
        {"label": "Cobalt (?)"},
    ]


def test_an_asynchronous_computed_field_with_arguments(ask: Ask) -> None:
    found = ask(
        '{ maker(identifier: "cobalt") { rivals(limit: 2) { name } rival: rivals { label } } }'
    )

    assert found["maker"] == {
        "rivals": [{"name": "Anvil & Sons"}, {"name": "Birch Bücher"}],
        "rival": [{"label": "Anvil & Sons (NO)"}],
    }


def test_hand_written_queries_return_bound_types(ask: Ask) -> None:
    found = ask("""{
        cheapest { __typename name price maker { label } }
        below: cheapest(below: "10.5") { name }
        largestMaker { label wares { __typename ... on Tool { watts } } } }""")

    assert found == {
        "cheapest": [
            {
                "__typename": "Tool",
                "name": "Bradawl",
                "price": "7.0000",
                "maker": {"label": "Anvil & Sons (NO)"},
            },
            {
                "__typename": "Book",
                "name": 'Essays "50%"',
                "price": "12.0000",
                "maker": {"label": "Birch Bücher (DE)"},
            },
        ],
        "below": [{"name": "Bradawl"}],
        "largestMaker": {
            "label": "Anvil & Sons (NO)",
            "wares": [
                {"__typename": "Tool", "watts": None},
                {"__typename": "Tool", "watts": None},
                {"__typename": "Tool", "watts": 850},
            ],
        },
    }


@pytest.mark.parametrize(
    ("literal", "seen"),
    [
        ('{name: "a"}', "a 1 unset unset"),
        ('{name: "a", size: 3, grade: null, lids: null}', "a 3 None []"),
        (
            '{name: "a", grade: HIGH, lids: [{name: "b"}, {name: "c"}]}',
            "a 1 <Grade.HIGH: 2> ['b', 'c']",
        ),
        ('{name: "a", lids: {name: "b"}}', "a 1 unset ['b']"),
    ],
)
def test_input_objects_tell_absent_from_null(ask: Ask, literal: str, seen: str) -> None:
    assert ask(f"{{ packed(box: {literal}, wrap: true) }}") == {"packed": f"{seen} wrapped"}


def test_input_objects_as_variables(ask: Ask) -> None:
    found = ask(
        'query ($box: Box!, $grade: Grade) { packed(box: $box) other: packed(box: {name: "o", grade: $grade}) }',
        box={"name": "v", "grade": "LOW", "lids": [{"name": "w", "size": 2}]},
    )

    assert found == {"packed": "v 1 <Grade.LOW: 1> ['w']", "other": "o 1 unset unset"}


@pytest.mark.parametrize(
    ("query", "variables", "message"),
    [
        (
            'query ($w: Boolean = true) { packed(box: {name: "a"}, wrap: $w) }',
            {"w": None},
            "'wrap'",
        ),
        ('query ($n: String = "b") { packed(box: {name: $n}) }', {"n": None}, "'box'"),
    ],
)
def test_null_for_what_may_not_be_null_is_the_client_s_fault(
    answer: Callable[..., Result], query: str, variables: Any, message: str
) -> None:
    """A nullable variable with a default may stand there; null sent for it may not."""
    assert answer(query).data is not None
    result = answer(query, **variables)

    assert result.codes == ["BAD_USER_INPUT"]
    assert message in result.errors[0]["message"]


def test_a_query_may_return_a_graphene_type_under_another_name(ask: Ask) -> None:
    assert ask("{ viewer }") == {"viewer": "AnonymousUser"}


def test_one_statement_whatever_the_number_of_root_fields(ask: Ask) -> None:
    with assert_statements(1):
        ask("""{ a: maker(identifier: "anvil") { name wares { name } } b: makers { name }
                 makerFeed { edges { cursor node { name } } totalCount pageInfo { hasNextPage } }
                 wares { name } stockLevels { ware } turnovers { day } couriers { name } __typename }""")


@pytest.mark.django_db
def test_one_statement_on_the_asynchronous_path_too() -> None:
    async def scenario() -> None:
        client = AsyncClient()
        async with assert_statements(1):
            result = await client.query("{ makers { name } couriers { name } }")
        assert len(result.assert_ok()["makers"]) == 3

    async_to_sync(scenario)()


@pytest.mark.django_db
def test_what_a_test_wrote_is_seen_on_both_paths(sql: Any) -> None:
    sql("INSERT INTO tb_courier VALUES (77, 'Dee', true, 2, '{}', NULL)")
    query = "{ courier(id: 77) { name } }"

    assert Client().query(query).data == {"courier": {"name": "Dee"}}
    assert async_to_sync(AsyncClient().query)(query).data == {"courier": {"name": "Dee"}}
    slow = "{ courier(id: 77) { name } viewer largestMaker { name } }"
    assert async_to_sync(AsyncClient().query)(slow).data["courier"] == {"name": "Dee"}

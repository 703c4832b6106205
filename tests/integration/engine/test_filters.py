"""``where`` and ``orderBy``."""

import enum
from collections.abc import Callable
from typing import Any

import pytest

import fraiseql
from fraiseql.testing import Client, Result, isolated

Ask = Callable[..., Any]


def names(ask: Ask, where: str, **variables: Any) -> str:
    """Return the identifiers' first letters, in order, of the wares ``where`` finds."""
    head = ""
    if variables:
        kinds = {
            "w": "WareWhereInput",
            "f": "StringFilter",
            "s": "String!",
            "list": "[String!]",
            "b": "Boolean",
        }
        head = "query (" + ", ".join(f"${name}: {kinds[name]}" for name in variables) + ") "
    found = ask(
        f"{head}{{ wares(where: {where}, orderBy: [{{identifier: ASC}}]) {{ identifier }} }}",
        **variables,
    )
    return "".join(ware["identifier"][0] for ware in found["wares"])


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("{}", "abcde"),
        ("null", "abcde"),
        ('{identifier: {eq: "atlas"}}', "a"),
        ('{id: {eq: "00000000-0000-4000-8000-000000000004"}}', "d"),
        ('{id: {in: ["00000000-0000-4000-8000-000000000004"]}, name: {neq: "x"}}', "d"),
        ("{id: {in: []}}", ""),
        ("{stock: {gt: 9}}", "ce"),
        ("{stock: {gte: 9, lt: 100}}", "ac"),
        ('{price: {lt: "19.99"}}', "bef"),
        ("{price: {eq: 12}}", "ef"),
        ("{weight: {isnull: true}}", "e"),
        ("{weight: {eq: null}}", "e"),
        ("{weight: {neq: null}}", "abcdf"),
        ("{weight: {lte: 0.5}}", "bf"),
        ("{status: {eq: SOLD_OUT}}", "bf"),
        ("{status: {in: [SOLD_OUT, WITHDRAWN]}}", "bdf"),
        ("{status: {neq: ON_SALE}}", "bdf"),
        ("{grade: {eq: HIGH}}", "ad"),
        ("{grade: {isnull: true}}", "ce"),
        ("{barcode: {eq: \"9007199254740993\"}}", "a"),
        ('{name: {contains: "50%"}}', "e"),
        ('{name: {contains: "_"}}', ""),
        ('{tags: {contains: ["maps"]}}', "af"),
        ('{tags: {overlaps: ["power", "words"]}}', "def"),
        ('{tags: {eq: []}}', "b"),
        ('{attributes: {contains: {cover: "linen"}}}', "a"),
        ('{attributes: {has_key: "length"}}', "cd"),
        ("{attributes: {isnull: true}}", "b"),
        ('{releasedAt: {gte: "2024-01-31T13:00:00+01:00"}}', "adf"),
        ('{maker: {name: {eq: "Anvil & Sons"}}}', "bcd"),
        ("{maker: {founded: {gt: 1900}}}", "ae"),
        ('{maker: {office: {ipv4Address: {inSubnet: "10.0.0.0/8"}}}}', "bcd"),
        ('{OR: [{name: {eq: "Atlas"}}, {stock: {eq: 3}}]}', "ad"),
        ("{OR: []}", ""),
        ("{AND: []}", "abcde"),
        ('{AND: [{stock: {gt: 0}}, {status: {eq: ON_SALE}}]}', "ace"),
        ("{NOT: {stock: {gt: 0}}}", "bf"),
        ('{NOT: {maker: {name: {eq: "Anvil & Sons"}}}}', "aef"),
        ('{NOT: {OR: [{stock: {eq: 0}}, {NOT: {status: {eq: ON_SALE}}}]}, tags: {}}', "ace"),
        ('{maker: {OR: [{founded: {lt: 1900}}, {country: {eq: "DE"}}]}}', "abcde"),
    ],
)  # fmt: skip
def test_where(ask: Ask, where: str, found: str) -> None:
    assert names(ask, where) == found


def test_where_as_one_variable(ask: Ask) -> None:
    where = {"OR": [{"name": {"eq": "Atlas"}}, {"maker": {"founded": {"lt": 1900}}}]}

    assert names(ask, "$w", w=where) == "abcd"
    assert names(ask, "$w", w=None) == "abcde"
    assert names(ask, "$w", w={}) == "abcde"


def test_where_with_variables_inside(ask: Ask) -> None:
    assert names(ask, "{name: {eq: $s}}", s="Drill") == "d"
    assert names(ask, "{name: $f}", f={"startswith": "E"}) == "e"
    assert names(ask, "{name: {in: $list}}", list=["Drill", "Atlas"]) == "ad"
    assert names(ask, '{name: {in: ["Atlas", $s]}}', s="Drill") == "ad"
    assert names(ask, "{weight: {isnull: $b}}", b=True) == "e"
    assert names(ask, "{weight: {isnull: $b}}", b=False) == "abcdf"


def test_an_absent_variable_is_an_absent_condition(ask: Ask) -> None:
    query = "query ($s: String) { wares(where: {name: {eq: $s}, stock: {gt: 9}}) { name } }"

    assert len(ask(query)["wares"]) == 2
    assert len(ask(query, s="Crowbar")["wares"]) == 1
    assert len(ask(query, s=None)["wares"]) == 0


@pytest.mark.parametrize(
    ("where", "message", "hint"),
    [
        ("{name: null}", "where.name is null.", "isnull"),
        ("{maker: null}", "where.maker is null.", "isnull"),
        ("{maker: {name: null}}", "where.maker.name is null.", "isnull"),
        ("{name: {contains: null}}", "where.name.contains is null.", "Only eq and neq"),
        ("{name: {isnull: null}}", "where.name.isnull is null.", "true or false"),
        ("{NOT: null}", "where.NOT is null.", "isnull"),
        ('{id: {eq: "x"}}', "where.id.eq is not a UUID.", None),
    ],
)
def test_conditions_that_could_mean_two_things_are_refused(
    answer: Callable[..., Result], where: str, message: str, hint: str | None
) -> None:
    result = answer(f"{{ wares(where: {where}) {{ name }} }}")

    assert result.data is None
    assert result.errors[0]["message"] == message
    assert (hint or "") in result.errors[0]["extensions"].get("hint", "")
    assert result.codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("[{name: ASC}]", "abcde"),
        ("[{name: DESC}]", "fedcb"),
        ("[{stock: ASC}, {name: DESC}]", "fbdac"),
        ("{price: ASC}", "befca"),
        ("[{weight: ASC}]", "bfadc"),
        ("[{weight: ASC_NULLS_FIRST}]", "ebfad"),
        ("[{weight: DESC}]", "ecdaf"),
        ("[{weight: DESC_NULLS_LAST}]", "cdafb"),
        ("[{maker: {founded: DESC_NULLS_LAST}}, {name: ASC}]", "aebcd"),
        ("[{maker: {office: {addressLine1: ASC}}}, {id: ASC}]", "bcdae"),
        ("[]", "abcde"),
        ("null", "abcde"),
    ],
)
def test_order_by(ask: Ask, order: str, found: str) -> None:
    data = ask(f"{{ wares(orderBy: {order}) {{ identifier }} }}")

    assert "".join(ware["identifier"][0] for ware in data["wares"]) == found


def test_order_by_as_a_variable_is_not_mixed_up(ask: Ask) -> None:
    query = "query ($o: [WareOrderByInput!]) { wares(orderBy: $o, limit: 1) { identifier } }"
    direction = (
        "query ($d: OrderDirection) { wares(orderBy: [{name: $d}], limit: 1) { identifier } }"
    )

    assert ask(query, o=[{"name": "DESC"}])["wares"] == [{"identifier": "fables"}]
    assert ask(query, o=[{"name": "ASC"}])["wares"] == [{"identifier": "atlas"}]
    assert ask(query, o=[{"stock": "DESC"}])["wares"] == [{"identifier": "essays"}]
    assert ask(direction, d="DESC")["wares"] == [{"identifier": "fables"}]
    assert ask(direction, d="ASC")["wares"] == [{"identifier": "atlas"}]


@pytest.mark.parametrize(
    "order",
    ["[{}]", "[{name: ASC, stock: ASC}]", "[{name: null}]", "[{maker: {}}]", "{maker: null}"],
)
def test_an_order_item_has_exactly_one_field(answer: Callable[..., Result], order: str) -> None:
    result = answer(f"{{ wares(orderBy: {order}) {{ name }} }}")

    assert result.codes == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize("order", [[{}], {"name": "ASC", "stock": "ASC"}, [{"name": None}]])
def test_an_order_item_in_a_variable_has_exactly_one_field(
    answer: Callable[..., Result], order: Any
) -> None:
    result = answer("query ($o: [WareOrderByInput!]) { wares(orderBy: $o) { name } }", o=order)

    assert result.codes == ["BAD_USER_INPUT"]
    assert "takes exactly one field" in result.errors[0]["message"]


@pytest.mark.parametrize(
    ("variables", "message"),
    [({}, "has 0 fields; it takes exactly one."), ({"d": None}, "orderBy.name is null.")],
)
def test_an_order_item_without_its_variable_is_refused(
    answer: Callable[..., Result], variables: dict[str, Any], message: str
) -> None:
    result = answer(
        "query ($d: OrderDirection) { wares(orderBy: [{name: $d}]) { name } }", **variables
    )

    assert result.errors[0]["message"].endswith(message)


def test_limit_and_offset(ask: Ask) -> None:
    query = "query ($l: Int, $o: Int) { wares(limit: $l, offset: $o) { identifier } }"

    def read(**variables: Any) -> str:
        return "".join(ware["identifier"][0] for ware in ask(query, **variables)["wares"])

    assert read() == "abcde", "the field's default_limit"
    assert read(l=None, o=None) == "abcde"
    assert read(l=2) == "ab"
    assert read(l=3) == "abc"
    assert read(l=0) == ""
    assert read(l=50, o=4) == "ef"
    assert read(l=50, o=5) == "f"
    assert read(o=0) == "abcde"
    assert len(ask("{ wares(limit: 9, offset: 4) { name } }")["wares"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("limit: 51", "limit is 51; wares returns at most 50 rows."),
        ("limit: 999999999", "limit is 999999999; wares returns at most 50 rows."),
        ("limit: -1", "limit must not be negative."),
        ("offset: -1", "offset must not be negative."),
    ],
)
def test_windows_out_of_bounds_are_refused(
    answer: Callable[..., Result], arguments: str, message: str
) -> None:
    result = answer(f"{{ wares({arguments}) {{ name }} }}")

    assert [error["message"] for error in result.errors] == [message]
    assert result.codes == ["BAD_USER_INPUT"]


def test_a_kept_statement_is_not_used_for_an_offset_out_of_bounds(
    answer: Callable[..., Result],
) -> None:
    query = "query ($o: Int) { wares(offset: $o) { name } }"

    assert not answer(query, o=1).errors
    assert answer(query, o=-1).errors[0]["message"] == "offset must not be negative."
    assert not answer(query, o=2).errors


def test_columns_filter_by_their_own_types(ask: Ask) -> None:
    found = ask("""{ couriers(where: {active: {eq: true}, zones: {contains: [2]}, grade: {eq: HIGH},
                                      since: {gt: "2020-12-31"}, id: {gt: 2}}) { name } }""")

    assert found == {"couriers": [{"name": "Cy"}]}


def test_a_json_column_of_a_plain_view_filters_by_its_fields(ask: Ask) -> None:
    found = ask("""{ stockLevels(where: {maker: {office: {dns1Id: {eq: 53}}}},
                                 orderBy: [{maker: {name: ASC}}, {ware: DESC}]) { ware } }""")

    assert found == {"stockLevels": [{"ware": "Drill"}, {"ware": "Crowbar"}, {"ware": "Bradawl"}]}


def test_a_nul_in_a_value_is_refused(answer: Callable[..., Result]) -> None:
    result = answer(r'{ wares(where: {name: {eq: "a\u0000b"}}) { name } }')
    variable = answer("query ($s: String) { wares(where: {name: {eq: $s}}) { name } }", s="a\0b")

    assert result.codes == variable.codes == ["BAD_USER_INPUT"]


def test_a_value_only_postgresql_refuses_spoils_its_own_field_only(
    answer: Callable[..., Result],
) -> None:
    result = answer("""{
        good: maker(identifier: "anvil") { name }
        bad: maker(identifier: "anvil") { name }
        feed: makerFeed(where: {name: {matches: "("}}) { totalCount } }""")
    alone = answer("""{
        good: maker(identifier: "anvil") { name }
        bad: ware(identifier: "a\\u0000") { name } }""")

    assert result.data is None, "a connection is never null"
    assert result.codes == ["BAD_USER_INPUT"]
    assert result.errors[0]["path"] == ["feed"]
    assert alone.data == {"good": {"name": "Anvil & Sons"}, "bad": None}
    assert alone.errors[0]["path"] == ["bad"]


class Level(enum.Enum):
    """Levels that text would put in another order."""

    LOW = 9
    HIGH = 10


@pytest.mark.parametrize("jsonb", ["data", None])
def test_enums_of_numbers_sort_by_number(jsonb: str | None, sql: Any) -> None:
    sql("""CREATE VIEW v_step AS
           SELECT level AS id, level, jsonb_build_object('id', level, 'level', level, 'all', all_) AS data, all_
             FROM (VALUES (9, ARRAY[9, 10]), (10, ARRAY[10])) AS v (level, all_)""")
    with isolated():
        fraiseql.enum(Level)

        @fraiseql.type(view="v_step", jsonb=jsonb)
        class Step:
            id: int
            level: Level
            all: list[Level] = fraiseql.field(key="all" if jsonb else "all_")

        class Query(fraiseql.Query):
            steps = fraiseql.many(Step)

        client = Client()
        ordered = client.query("{ steps(orderBy: [{level: DESC}]) { level } }").assert_ok()
        equal = client.query(
            "{ steps(where: {level: {in: [LOW]}, all: {contains: [HIGH]}}) { all } }"
        )

    assert ordered["steps"] == [{"level": "HIGH"}, {"level": "LOW"}]
    assert equal.assert_ok()["steps"] == [{"all": ["LOW", "HIGH"]}]


def test_a_statement_kept_for_an_empty_list_is_not_that_for_null(
    ask: Ask, answer: Callable[..., Result]
) -> None:
    query = "query ($ids: [ID!]) { makers(where: {id: {in: $ids}}) { name } }"

    assert ask(query, ids=[]) == {"makers": []}
    assert answer(query, ids=None).codes == ["BAD_USER_INPUT"]
    assert len(ask(query)["makers"]) == 3

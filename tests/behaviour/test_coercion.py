"""What goes in and comes out as which type: lines 18 to 24."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

import fraiseql
from fraiseql import scalars
from tests.behaviour.conftest import MakeEdges
from tests.integration.edges.conftest import Answer, Edges

WAYS = pytest.mark.parametrize("viewer", ["", "viewer"], ids=["fast", "executor"])
BAD = ["BAD_USER_INPUT"]
INVALID = ["GRAPHQL_VALIDATION_FAILED"]


def send(edges: Edges, query: str, variables: str) -> Answer:
    """Send variables as they are written in JSON: 1.0 is not 1 there."""
    return edges.send(
        body=b'{"query": %b, "variables": %b}' % (json.dumps(query).encode(), variables.encode())
    )


@pytest.mark.parametrize(
    ("given", "codes"),
    [("2147483647", []), ("1.0", []), ("2147483648", BAD), ("-2147483649", BAD), ('"1"', BAD),
     ("true", BAD), ("1.5", BAD), ("1e400", BAD)],
)  # fmt: skip
@WAYS
def test_18_an_int_that_comes_in_has_32_bits(
    edges: Edges, viewer: str, given: str, codes: list[str]
) -> None:
    query = "query ($v: Int!) { couriers(where: {zones: {contains: [$v]}}) { name } viewer }"
    answer = send(edges, query.replace("viewer", viewer), f'{{"v": {given}}}')

    assert answer.codes == codes


@WAYS
def test_18_an_int_that_goes_out_has_32_bits(edges: Edges, viewer: str, sql: Any) -> None:
    sql("UPDATE tv_ware SET data = data || '{\"stock\": 2147483648}' WHERE identifier = 'atlas'")
    answer = edges.post(f'{{ ware(identifier: "atlas") {{ name stock barcode }} {viewer} }}')
    barcode = edges.post(f'{{ ware(identifier: "atlas") {{ barcode }} {viewer} }}')

    assert answer.json["data"]["ware"] is None
    assert answer.errors[0]["path"] == ["ware", "stock"]
    assert barcode.json["data"]["ware"] == {"barcode": "9007199254740993"}


@pytest.mark.parametrize("given", ["1e400", '"NaN"', '"Infinity"', '"1"', "true"])
def test_18_a_float_is_a_finite_number(edges: Edges, given: str) -> None:
    query = "query ($v: Float) { wares(where: {weight: {gt: $v}}) { name } }"

    assert send(edges, query, f'{{"v": {given}}}').codes == BAD


@WAYS
def test_18_a_numeric_keeps_its_digits(edges: Edges, viewer: str, sql: Any) -> None:
    price = "1234567890123456.1000"
    sql("UPDATE tb_ware SET price = %s WHERE identifier = 'atlas'", price)
    query = """query ($p: Decimal) { stockLevels(where: {price: {eq: $p}}) { price } viewer }"""
    answer = edges.post(query.replace("viewer", viewer), {"p": price})

    assert json.dumps(answer.json["data"]["stockLevels"]) == json.dumps([{"price": price}])


@WAYS
def test_19_an_id_is_taken_as_text_or_integer_and_given_as_text(edges: Edges, viewer: str) -> None:
    query = f"query ($id: ID!) {{ category(id: $id) {{ id }} {viewer} }}"
    answers = [edges.post(query, {"id": given}) for given in (2, "2")]
    literals = [edges.post(f"{{ category(id: {it}) {{ id }} {viewer} }}") for it in (2, '"2"')]

    assert [answer.json["data"]["category"] for answer in answers + literals] == [{"id": "2"}] * 4
    assert edges.post(query, {"id": 2.5}).codes == edges.post(query, {"id": True}).codes == BAD


@WAYS
def test_19_an_enum_is_a_name_in_a_document_and_text_in_variables(
    edges: Edges, viewer: str
) -> None:
    query = f"query ($s: Status) {{ wares(where: {{status: {{eq: $s}}}}) {{ status }} {viewer} }}"
    asked = f'{{ wares(where: {{status: {{eq: "SOLD_OUT"}}}}) {{ status }} {viewer} }}'
    answer = edges.post(query, {"s": "SOLD_OUT"})

    assert answer.json["data"]["wares"] == [{"status": "SOLD_OUT"}] * 2
    assert edges.post(asked.replace('"', "")).body == answer.body
    assert edges.post(asked).codes == INVALID
    assert edges.post(query, {"s": "sold_out"}).codes == BAD


@WAYS
def test_20_one_value_is_a_list_of_one(edges: Edges, viewer: str) -> None:
    query = f"query ($v: [String!]) {{ makers(where: {{name: {{in: $v}}}}) {{ name }} {viewer} }}"
    literal = f'{{ makers(where: {{name: {{in: "Cobalt"}}}}) {{ name }} {viewer} }}'

    assert edges.post(query, {"v": "Cobalt"}).json["data"]["makers"] == [{"name": "Cobalt"}]
    assert edges.post(literal).json["data"]["makers"] == [{"name": "Cobalt"}]


def test_20_null_in_a_list_of_values_is_refused_and_where_it_stands_is_told(edges: Edges) -> None:
    query = "query ($v: [String!]) { makers(where: {name: {in: $v}}) { name } }"
    answer = edges.post(query, {"v": ["a", None]})

    assert answer.codes == BAD
    assert "1" in answer.errors[0]["message"]


def test_20_a_field_an_input_does_not_have_is_refused(edges: Edges) -> None:
    query = "query ($b: Box!) { packed(box: $b) }"

    assert edges.post(query, {"b": {"name": "a", "colour": 1}}).codes == BAD
    assert edges.post('{ packed(box: {name: "a", colour: 1}) }').codes == INVALID


def test_20_a_default_is_for_what_is_absent_and_null_overrides_it(edges: Edges) -> None:
    query = "query ($b: Box!) { packed(box: $b) }"

    assert edges.post(query, {"b": {"name": "a"}}).json["data"]["packed"] == "a 1 unset unset"
    assert edges.post(query, {"b": {"name": "a", "size": None}}).codes == BAD
    with_null = edges.post(query, {"b": {"name": "a", "grade": None, "lids": None}})
    assert with_null.json["data"]["packed"] == "a 1 None []"


def test_21_an_absent_variable_leaves_its_field_absent(edges: Edges) -> None:
    query = 'query ($g: Grade) { packed(box: {name: "a", grade: $g, size: 2}) }'

    assert edges.post(query).json["data"]["packed"] == "a 2 unset unset"
    assert edges.post(query, {"g": None}).json["data"]["packed"] == "a 2 None unset"


@WAYS
def test_21_an_absent_variable_in_where_asks_nothing(edges: Edges, viewer: str) -> None:
    query = f"query ($v: String) {{ makers(where: {{name: {{eq: $v}}}}) {{ name }} {viewer} }}"

    assert len(edges.post(query).json["data"]["makers"]) == 3


def test_21_a_default_lets_a_nullable_variable_feed_a_non_null_place(edges: Edges) -> None:
    query = 'query ($s: Int = 5) { packed(box: {name: "a", size: $s}) }'

    assert edges.post(query).json["data"]["packed"] == "a 5 unset unset"
    null = edges.post(query, {"s": None})
    assert "INTERNAL_SERVER_ERROR" not in null.codes
    assert null.codes == BAD
    required = "query ($b: Box) { packed(box: $b) }"
    assert edges.post(required, {"b": {"name": "a"}}).codes == INVALID


@pytest.mark.parametrize("given", [{}, {"name": "ASC", "id": "ASC"}, {"name": None}])
def test_22_one_of_takes_exactly_one_key_that_is_not_null(
    edges: Edges, given: dict[str, Any]
) -> None:
    query = "query ($by: [MakerOrderByInput!]) { makers(orderBy: $by) { name } }"
    literal = ", ".join(f"{key}: {value or 'null'}" for key, value in given.items())

    assert edges.post(query, {"by": [given]}).codes == BAD
    assert set(edges.post(f"{{ makers(orderBy: [{{{literal}}}]) {{ name }} }}").codes) <= {
        *BAD, *INVALID
    }  # fmt: skip


@WAYS
def test_22_one_of_looks_at_variables_inside_it(edges: Edges, viewer: str) -> None:
    query = "query ($d: OrderDirection) { makers(orderBy: [{name: $d}]) { name } viewer }"
    query = query.replace("viewer", viewer)
    codes = [edges.post(query, variables).codes for variables in ({}, {"d": None})]
    required = query.replace("OrderDirection", "OrderDirection!")
    names = edges.post(required, {"d": "DESC"}).json["data"]["makers"]

    assert all(set(each) in ({*BAD}, {*INVALID}) for each in codes)
    assert [maker["name"] for maker in names] == ["Cobalt", "Birch Bücher", "Anvil & Sons"]


def test_22_introspection_tells_one_of(configured: MakeEdges) -> None:
    edges = configured(INTROSPECTION=True)
    query = """{ __type(name: "MakerOrderByInput") { isOneOf inputFields { defaultValue type { kind } } }
                 other: __type(name: "MakerWhereInput") { isOneOf } }"""
    data = edges.post(query).json["data"]

    assert (data["__type"]["isOneOf"], data["other"]["isOneOf"]) == (True, False)
    for field in data["__type"]["inputFields"]:
        assert field["defaultValue"] is None
        assert field["type"]["kind"] != "NON_NULL"


def test_23_scalars_tell_where_they_are_specified(configured: MakeEdges) -> None:
    edges = configured(INTROSPECTION=True)
    scalar_types = edges.post("{ __schema { types { kind name specifiedByURL } } }").json["data"]
    told = {
        kind["name"]: kind["specifiedByURL"]
        for kind in scalar_types["__schema"]["types"]
        if kind["kind"] == "SCALAR"
    }

    assert {name for name, url in told.items() if url} >= {"DateTime", "JSON", "CIDR"}
    assert all(url is None or url.startswith("https://") for url in told.values())


@WAYS
def test_23_a_date_time_goes_out_with_its_offset(edges: Edges, viewer: str) -> None:
    query = (
        f'{{ ware(identifier: "crowbar") {{ releasedAt }} stockLevels {{ checkedAt }} {viewer} }}'
    )
    data = edges.post(query).json["data"]
    told = [data["ware"]["releasedAt"], *(level["checkedAt"] for level in data["stockLevels"])]

    assert data["ware"]["releasedAt"] == "2023-06-01T08:30:00.25+00:00"
    assert all(value.endswith("+00:00") for value in told if value)


@WAYS
def test_23_an_infinite_date_is_an_error_not_a_date(edges: Edges, viewer: str, sql: Any) -> None:
    sql("UPDATE tb_ware SET released_at = 'infinity' WHERE identifier = 'atlas'")
    stored = edges.post(f"{{ stockLevels {{ ware checkedAt }} {viewer} }}")
    asked = edges.post('{ stockLevels(where: {checkedAt: {eq: "infinity"}}) { ware } }')

    assert [error["path"][-1] for error in stored.errors] == ["checkedAt"]
    assert asked.codes in (BAD, INVALID)


@WAYS
def test_23_json_in_a_document_may_hold_variables(edges: Edges, viewer: str) -> None:
    query = f"""query ($n: Int, $m: JSON) {{
        one: wares(where: {{attributes: {{contains: {{length: $n}}}}}}) {{ name }}
        two: wares(where: {{attributes: {{contains: {{sizes: [$m]}}}}}}) {{ name }} {viewer} }}"""
    data = edges.post(query, {"n": 10, "m": 2}).json["data"]

    assert (data["one"], data["two"]) == ([{"name": "Crowbar"}], [{"name": "Atlas"}])


def test_24_an_error_of_a_variable_does_not_repeat_its_value(edges: Edges) -> None:
    secret = "hunter2-4711"
    answers = [
        edges.post(f"query ($v: {declared}) {{ {field} }}", {"v": value})
        for declared, field, value in [
            ("Int", "makers(limit: $v) { name }", secret),
            ("Box!", "packed(box: $v)", {"name": "a", "size": secret}),
            ("Box!", "packed(box: $v)", {"name": [secret]}),
            ("Status", "wares(where: {status: {eq: $v}}) { name }", secret),
            ("Decimal", "wares(where: {price: {eq: $v}}) { name }", secret),
            ("DateTime", "wares(where: {releasedAt: {eq: $v}}) { name }", secret),
            ("ID", "maker(id: $v) { name }", secret),
        ]
    ]

    for answer in answers:
        assert answer.codes == BAD
        assert secret not in answer.body.decode()


def test_24_errors_of_variables_are_bounded(edges: Edges) -> None:
    query = "query ($v: [String!]) { makers(where: {name: {in: $v}}) { name } }"
    answer = edges.post(query, {"v": [1] * 50_000})

    assert set(answer.codes) == set(BAD)
    assert len(answer.errors) <= 100
    assert len(answer.body) < 50_000


@pytest.mark.usefixtures("declared")
def test_18_a_bigint_column_bound_to_int_is_an_error_where_it_is_too_large(
    edges: Edges, sql: Callable[..., Any]
) -> None:
    sql("CREATE TABLE tb_counter (id uuid, hits bigint, misses bigint)")
    sql("INSERT INTO tb_counter VALUES (%s, 2147483648, 2147483648)", UUID(int=1))

    @fraiseql.type(view="tb_counter", jsonb=None)
    class Counter:
        id: UUID
        hits: int | None
        misses: scalars.BigInt

    class Query(fraiseql.Query):
        counters = fraiseql.many(Counter)

    answer = edges.post("{ counters { hits misses } }")

    assert answer.json["data"]["counters"] == [{"hits": None, "misses": "2147483648"}]
    assert [error["path"] for error in answer.errors] == [["counters", 0, "hits"]]

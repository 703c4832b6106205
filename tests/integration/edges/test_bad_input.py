"""Requests that nobody should send: each is answered in GraphQL, none breaks the server."""

import base64
import json
from typing import Any

import pytest
from django.db import connection

from tests.integration.edges.conftest import Edges

NUL, SURROGATE = "a\u0000b", "a\ud800b"


@pytest.fixture(autouse=True)
def _serves_the_next(edges: Edges) -> Any:
    yield
    assert len(edges.post("{ makers { name } }").json["data"]["makers"]) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"query", b"\xff\xfe{}", b'{"query": "\xc3\x28"}', b"{'query': '{a}'}",
        '{"query": "{ __typename }"}'.encode("utf-16"), b"\xef\xbb\xbf{}", b"\0", b'{"query": "\0"}',
        b'{"query": "{ a }", "variables": {"a": NaN}}', b'{"query": "{ a }", "variables": {"a": Infinity}}',
        b'{"query": "{ a }", "variables": {"a": -Infinity}}', b"[" * 100_000, b'{"a":' * 100_000,
        b'{"query": "{ a }", "variables": {"a": %b}}' % (b"1" * 5_000), b"9" * 10_000,
        b'{"query": "{ a }"} x', b'{"query": "\\ud800"',
    ],
    ids=lambda body: repr(body[:40]),
)  # fmt: skip
def test_a_body_that_is_no_json_is_refused(edges: Edges, body: bytes) -> None:
    answer = edges.send(body=body)

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize(
    "query",
    ["{", "}", "{ a ", "nonsense", "query {}", "{ a(b: ) }", '{ a(b: "', '{ a(b: "\\ud800") }', "{ \ud800 }",
     "\ud800", "{ \0 }", "\0", "{ a # \ud800", "#", " ", ",,,", "{" * 500, "{a" * 5_000,
     "{ a(b: " + "[" * 2_000, "{ a(b: " + "{c: " * 2_000, "query($a: " + "[" * 5_000, "…",
     "{ a(b: 01) }", '{ a(b: """', "{ ...on }", "fragment on on on { a }"],
    ids=lambda query: repr(query[:30]),
)  # fmt: skip
def test_a_text_that_is_no_document_is_refused(edges: Edges, query: str) -> None:
    answer = edges.post(query)

    assert answer.status == 200
    assert answer.codes == ["GRAPHQL_PARSE_FAILED"]


@pytest.mark.parametrize("depth", [90, 150, 190, 210, 500, 950])
@pytest.mark.parametrize(
    ("start", "opening", "middle", "closing", "end"),
    [
        ("{", "...{", "__typename", "}", "}"),
        ("{ makers(where: ", "{AND: ", "{}", "}", ") { name } }"),
        ("{ makers(where: {name: {in: ", "[", "", "]", "}}) { name } }"),
        ("query ($a: ", "[", "Int", "]", ") { __typename }"),
        ("query ($a: Int = ", "[", "1", "]", ") { __typename }"),
        ("{ wares(where: {attributes: {contains: ", "[", "1", "]", "}}) { name } }"),
        (
            "query ($v: Int) { wares(where: {attributes: {contains: ",
            "[",
            "$v",
            "]",
            "}}) { name } }",
        ),
    ],
    ids=["fragments", "inputs", "lists", "types", "defaults", "json", "variables"],
)
def test_a_document_may_nest_as_it_likes(
    edges: Edges, depth: int, start: str, opening: str, middle: str, closing: str, end: str
) -> None:
    answer = edges.post(start + opening * depth + middle + closing * depth + end)

    assert answer.status == 200
    assert "INTERNAL_SERVER_ERROR" not in answer.codes


@pytest.mark.parametrize("depth", [40, 110, 250, 330, 450, 2_000])
@pytest.mark.parametrize(
    ("declared", "field", "opening", "closing"),
    [
        ("JSON", "wares(where: {attributes: {contains: $v}})", "[", "]"),
        ("MakerWhereInput", "makers(where: $v)", '{"AND":', "}"),
        ("MakerWhereInput", "makers(where: $v)", '{"OR": [', "]}"),
        ("MakerWhereInput", "makers(where: $v)", '{"NOT":', "}"),
        ("Int", "makers(limit: $v)", "[", "]"),
    ],
    ids=["json", "and", "or", "not", "int"],
)
def test_variables_may_nest_as_they_like(
    edges: Edges, declared: str, field: str, opening: str, closing: str, depth: int
) -> None:
    query = json.dumps(f"query ($v: {declared}) {{ {field} {{ id }} }}").encode()
    value = (opening * depth + "{}" + closing * depth).encode()
    answer = edges.send(body=b'{"query": %b, "variables": {"v": %b}}' % (query, value))

    assert answer.status in {200, 400}
    assert depth < 100 or set(answer.codes) <= {"BAD_USER_INPUT", "BAD_REQUEST"}


# Limits


def test_a_document_may_have_so_many_tokens(edges: Edges) -> None:
    def listing(items: int) -> str:
        names = '"x" ' * items
        return f"{{ makers(where: {{name: {{in: [{names}]}}}}) {{ name }} }}"

    most = edges.post(listing(9_980))
    more = edges.post(listing(9_981))

    assert most.json == {"data": {"makers": []}}
    assert more.codes == ["GRAPHQL_PARSE_FAILED"]


def test_an_operation_may_have_so_many_levels(edges: Edges) -> None:
    def nested(levels: int) -> str:
        return "{ categories " + "{ children " * (levels - 2) + "{ id }" + " }" * (levels - 1)

    assert edges.post(nested(15)).codes == []
    assert edges.post(nested(16)).codes == ["GRAPHQL_VALIDATION_FAILED"]


def test_levels_are_counted_through_fragments(edges: Edges) -> None:
    names = [f"F{number}" for number in range(10)]
    chain = " ".join(
        f"fragment {name} on Category {{ children {{ children {{ ...{after} }} }} }}"
        for name, after in zip(names, [*names[1:], "Last"], strict=True)
    )
    query = f"{{ categories {{ ...F0 }} }} {chain} fragment Last on Category {{ id }}"

    assert edges.post(query).codes == ["GRAPHQL_VALIDATION_FAILED"]


def test_fragments_that_multiply_are_counted_where_they_are_used(edges: Edges) -> None:
    doubling = " ".join(
        f"fragment F{number} on Category {{ ...F{number + 1} ...F{number + 1} }}"
        for number in range(30)
    )
    answer = edges.post(
        f"{{ categories {{ ...F0 }} }} {doubling} fragment F30 on Category {{ id }}"
    )

    assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]


def test_a_where_may_have_so_many_comparisons(edges: Edges) -> None:
    query = "query ($w: CourierWhereInput) { couriers(where: $w) { name } }"

    def listed(conditions: int) -> dict[str, Any]:
        pairs = [
            {"id": {"eq": "1", "neq": "2"}},
            {"AND": [{"name": {"eq": "Ada"}}, {"active": {"eq": True}}]},
        ]
        return {"w": {"OR": pairs * (conditions // 4)}}

    assert edges.post(query, listed(1_000)).json == {"data": {"couriers": [{"name": "Ada"}]}}
    assert edges.post(query, listed(1_004)).codes == ["BAD_USER_INPUT"]


def test_fragments_in_a_circle_are_refused(edges: Edges) -> None:
    circle = "fragment A on Category { ...B } fragment B on Category { children { ...A } }"
    answer = edges.post(f"{{ categories {{ ...A }} }} {circle}")

    assert set(answer.codes) == {"GRAPHQL_VALIDATION_FAILED"}


# Values

UUID = "00000000-0000-4000-8000-0000000000a1"


@pytest.mark.parametrize(
    "field",
    [
        "makers(limit: 999999999)", "makers(limit: -1)", "makers(offset: -1)", "wares(limit: 51)",
        "makers(offset: 2147483647)", 'maker(id: "")', 'maker(id: "1")', f'maker(id: "{UUID}0")', "maker(id: 1)",
        "maker", f'maker(id: "{UUID}", identifier: "anvil")', "maker(id: null)", 'category(id: "x")',
        'category(id: "99999999999999999999")', "category(id: 99999999999999999999)", 'category(id: "1.0")',
        'courier(id: "9223372036854775808")', 'turnover(day: "2024-13-01")', 'turnover(day: "infinity")',
        'makers(where: {id: {eq: "x"}})', 'makers(where: {id: {in: ["x"]}})',
        'makers(where: {name: {matches: "("}})',
        'makers(where: {name: {matches: "a{9999}"}})', "makers(where: {name: null})",
        "makers(where: {name: {eq: null}})",
        "makers(where: {name: {in: null}})", "makers(where: {name: {isnull: null}})", "makers(where: {AND: null})",
        "makers(where: {})", "makers(where: {name: {}})", "makers(where: {OR: []})",
        "makers(where: {AND: [{}, {}]})",
        "makers(orderBy: [{}])", "makers(orderBy: [{name: ASC, id: DESC}])", "makers(orderBy: [])",
        "makers(orderBy: null)", "makers(orderBy: [{name: null}])", "makers(limit: null)",
        'wares(where: {attributes: {path_exists: "$["}})', 'wares(where: {attributes: {path_match: "$.a"}})',
        'wares(where: {attributes: {path_match: "nonsense ("}})', 'wares(where: {price: {eq: "1e400000"}})',
        "wares(where: {price: {eq: 1e400}})", 'wares(where: {price: {eq: "NaN"}})',
        "wares(where: {weight: {eq: 1e308}})",
        "wares(where: {weight: {eq: 1e309}})", "wares(where: {barcode: {eq: 9223372036854775808}})",
        'wares(where: {released_at: {eq: "x"}})', 'wares(where: {releasedAt: {eq: "0000-01-01T00:00:00Z"}})',
        'wares(where: {releasedAt: {eq: "294277-01-01T00:00:00Z"}})', 'wares(where: {stock: {eq: 2147483648}})',
        "wares(where: {status: {eq: NOTHING}})", 'wares(where: {status: {eq: "ON_SALE"}})',
    ],
)  # fmt: skip
def test_a_literal_is_answered_or_refused(edges: Edges, field: str) -> None:
    answer = edges.post(f"{{ {field} {{ __typename }} }}")

    assert answer.status == 200
    assert set(answer.codes) <= {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize("first", [-1, 0, 51, 2_147_483_647])
@pytest.mark.parametrize("argument", ["first", "last"])
def test_a_page_has_a_size_that_is_possible(edges: Edges, argument: str, first: int) -> None:
    answer = edges.post(f"{{ wareFeed({argument}: {first}) {{ totalCount edges {{ cursor }} }} }}")

    assert answer.codes == ([] if first == 0 else ["BAD_USER_INPUT"])


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "====", "AAAA", "bnVsbA==", "%00", "\ud800", "\u0000", "W10=" * 1_000, "_" * 4_000, NUL],
    ids=lambda cursor: repr(cursor[:12]),
)  # fmt: skip
@pytest.mark.parametrize("argument", ["after", "before"])
def test_a_cursor_that_is_none_is_refused(edges: Edges, argument: str, cursor: str) -> None:
    query = f"query ($c: String) {{ wareFeed({argument}: $c) {{ edges {{ cursor }} }} }}"
    answer = edges.post(query, {"c": cursor})

    assert answer.codes == ["BAD_USER_INPUT"]


def test_a_cursor_that_was_changed_is_refused_or_a_place(edges: Edges) -> None:
    query = "query ($c: String) { wareFeed(after: $c, first: 1, orderBy: [{price: ASC}])"
    query += " { edges { cursor } pageInfo { hasNextPage } } }"
    cursor = edges.post(query).json["data"]["wareFeed"]["edges"][0]["cursor"]
    raw = base64.urlsafe_b64decode(cursor)
    changed = [raw[:8] + keys for keys in (
        b"", b"[]", b"{}", b"[1]", b"[1,2,3]", b'["x","y"]', b"[null,null]", b"[[1],{}]", b"[true,false]",
        b'["\\u0000", "x"]', b'["1\\ud800", "x"]', b"[1e999999,1]", b"[NaN,1]", b"[" * 5_000, b"9" * 5_000,
        b'["1\'; SELECT pg_sleep(9) --", "x"]', b'["7.0000", "00000000-0000-4000-8000-000000000002"]',
    )] + [raw[:4], raw[::-1], raw + raw, b"00000000" + raw[8:]]  # fmt: skip
    answers = [edges.post(query, {"c": base64.urlsafe_b64encode(it).decode()}) for it in changed]

    assert {code for answer in answers for code in answer.codes} == {"BAD_USER_INPUT"}


@pytest.mark.parametrize("text", [NUL, SURROGATE], ids=["nul", "surrogate"])
@pytest.mark.parametrize(
    "query",
    [
        "query ($v: String) { makers(where: {name: {eq: $v}}) { name } }",
        "query ($v: String) { makers(where: {name: {icontains: $v}}) { name } }",
        "query ($v: String) { makers(where: {name: {matches: $v}}) { name } }",
        "query ($v: [String!]) { makers(where: {name: {in: $v}}) { name } }",
        "query ($v: [String!]) { wares(where: {tags: {contains: $v}}) { name } }",
        "query ($v: String) { maker(identifier: $v) { name } }",
        "query ($v: ID) { maker(id: $v) { name } }",
        "query ($v: JSON) { wares(where: {attributes: {contains: $v}}) { name } }",
        "query ($v: JSON) { wares(where: {attributes: {contains: {a: $v}}}) { name } }",
        "query ($v: String) { wareFeed(after: $v) { totalCount } }",
    ],
)
def test_text_that_postgresql_cannot_hold_is_refused(edges: Edges, query: str, text: str) -> None:
    answer = edges.post(query, {"v": text})

    assert answer.status == 200
    assert answer.codes == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("text", [NUL, SURROGATE], ids=["nul", "surrogate"])
def test_odd_text_for_a_resolver_is_no_fault(edges: Edges, text: str) -> None:
    answer = edges.post("query ($v: String!) { packed(box: {name: $v}) }", {"v": text})

    assert answer.json == {"data": {"packed": f"{text} 1 unset unset"}}


@pytest.mark.parametrize("name", [NUL, SURROGATE, "x" * 10_000, "{", "'", '"'])
def test_odd_operation_names_and_keys_are_no_fault(edges: Edges, name: str) -> None:
    unnamed = edges.post("{ __typename }", operationName=name)
    variables = edges.post(
        "query ($v: MakerWhereInput) { makers(where: $v) { id } }", {"v": {name: 1}}
    )
    unused = edges.post("{ __typename }", {name: name}, **{name: name})

    assert unnamed.codes == ["OPERATION_RESOLUTION_FAILURE"]
    assert variables.codes == ["BAD_USER_INPUT"]
    assert unused.codes == []


@pytest.mark.parametrize(
    ("declared", "field", "wrong"),
    [
        ("Int", "makers(limit: $v)", ["1", 1.5, True, 2**31, -(2**31) - 1, 1e300, {}, [1, 2], 10**400]),
        ("String", "makers(where: {name: {eq: $v}})", [1, True, {}, ["a"], 1.5]),
        ("Boolean", "makers(where: {name: {isnull: $v}})", ["true", 1, 0, {}, []]),
        ("Float", "wares(where: {weight: {eq: $v}})", ["1", True, {}, 10**400]),
        ("[String!]", "makers(where: {name: {in: $v}})", [[None], [1], {}, [["a"]]]),
        ("ID", "maker(id: $v)", [1.5, True, {}, [], "x", 7]),
        ("Status", "wares(where: {status: {eq: $v}})", ["on_sale", 1, "", {}, "x"]),
        ("DateTime", "wares(where: {releasedAt: {eq: $v}})", ["x", 1, True, {}, "2024-02-30T00:00:00Z"]),
        ("Decimal", "wares(where: {price: {eq: $v}})", ["x", True, {}, [], "NaN", "Infinity"]),
        ("BigInt", "wares(where: {barcode: {eq: $v}})", ["x", 1.5, True, {}, 2**63, 10**400]),
        ("MakerWhereInput", "makers(where: $v)", [1, "x", True, {"x": 1}, {"name": 1}, {"name": {"eq": 1}}]),
        ("[MakerOrderByInput!]", "makers(orderBy: $v)", [{"x": "ASC"}, {"name": "UP"}, {}, 1, [None]]),
    ],
    ids=lambda part: part if isinstance(part, str) and part[0] in "[BDFIMS" else "",
)  # fmt: skip
def test_a_wrong_variable_is_named_and_its_value_kept_secret(
    edges: Edges, declared: str, field: str, wrong: list[Any]
) -> None:
    for value in wrong:
        query = f"query ($v: {declared}) {{ {field} {{ __typename }} }}"
        answer = edges.post(query, {"v": value})

        assert answer.status == 200, value
        assert answer.codes == ["BAD_USER_INPUT"], value


@pytest.mark.parametrize(
    "text",
    [
        "'; SELECT pg_sleep(9); --", "' OR '1'='1", '"', "\\", "\\'", "%", "%s", "%(a)s", "%%", "{}", "{0}", "$1",
        "_", "$$", "/*", "E'\\x'", "a,b", "{a,b}", '{"a"}', "NULL", "null", "\t\n\r", "\u200b\u202e", "😀", "\x7f",
        "(", "[a-z]",
    ],
)  # fmt: skip
def test_text_is_never_anything_else(edges: Edges, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO tb_maker (identifier, name) VALUES (%s, %s)", [text, text])
    literal = json.dumps(text, ensure_ascii=False)
    escaped = json.dumps(text)
    query = "query ($v: String!, $l: [String!]) { eq: makers(where: {name: {eq: $v}}) { name }"
    query += " in: makers(where: {name: {in: $l}}) { name } one: maker(identifier: $v) { name }"
    query += " like: makers(where: {name: {istartswith: $v}}) { name }"
    query += " none: makers(where: {name: {eq: $v, neq: $v}}) { name }"
    query += f" literal: makers(where: {{name: {{in: [{literal}, {escaped}]}}}}) {{ name }} }}"
    data = edges.post(query, {"v": text, "l": [text, "x"]}).json["data"]

    found = {"name": text}
    assert data == {
        "eq": [found], "in": [found], "one": found, "like": [found], "none": [], "literal": [found],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tb_maker WHERE identifier = %s", [text])

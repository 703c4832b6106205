"""The OWASP cheat sheet on GraphQL: O1 to O17."""

import enum
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLList, get_nullable_type

import fraiseql
from fraiseql import scalars
from fraiseql.schema.build import get_schema
from fraiseql.schema.scalars import SCALARS
from tests.behaviour.conftest import MakeEdges
from tests.integration.edges.conftest import ENDPOINT, Edges
from tests.integration.edges.served import running, serve, until
from tests.shop.models import Note

LATER = {
    "o3": "alerts: nothing here opens a connection to an address it was given",
    "o9": "rate limits",
    "o11": "tenants and row-level security",
    "o12": "tenants and row-level security",
}

HOSTILE = "'; SELECT pg_sleep(5)--"
QUOTED = '"; SELECT pg_sleep(5)--'
REFUSALS = {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
# As JSON; 1e999 is a number that no double holds.
WRONG = [
    "1.5", "true", "{}", "[]", "[[]]", '{"a": 1}', '""', '"\\u0000"', '"\\ud800"', "1e999",
    "-1e999", "9" * 400, '"' + "9" * 400 + '"', '"NaN"', '"infinity"', '"x"', json.dumps(HOSTILE),
]  # fmt: skip


@pytest.fixture
def fields(declared: None, sql: Callable[..., Any]) -> dict[str, str]:
    """Bind a view with a field of each scalar PostgreSQL has here; return each field's scalar."""
    extensions = {name for (name,) in sql("SELECT name FROM pg_available_extensions")}
    needed = {"LTree": "ltree", "Vector": "vector", "VectorDistance": "vector"}
    names = [name for name in SCALARS if needed.get(name, "plpgsql") in extensions]
    if "ltree" in extensions:
        sql("CREATE EXTENSION IF NOT EXISTS ltree")
    sql("CREATE VIEW v_all AS SELECT 1 AS id, '{\"id\": 1}'::jsonb AS data")
    given = {f"f{number}": name for number, name in enumerate(names)}
    annotations = {field: getattr(scalars, name) | None for field, name in given.items()}
    namespace = {"__annotations__": {"id": int, **annotations}, "__module__": __name__}
    kind = fraiseql.type(view="v_all")(type("All", (), namespace))

    class Query(fraiseql.Query):
        alls = fraiseql.many(kind)

    return given


def test_o1_every_scalar_refuses_what_it_is_not(edges: Edges, fields: dict[str, str]) -> None:
    where = get_schema().graphql.type_map["AllWhereInput"]
    assert isinstance(where, GraphQLInputObjectType)
    for field in fields.keys() & where.fields.keys():
        operators = where.fields[field].type.fields
        operator = "eq" if "eq" in operators else next(iter(operators))
        query = json.dumps(
            f"query ($v: {operators[operator].type}) {{"
            f" alls(where: {{{field}: {{{operator}: $v}}}}) {{ id }} }}"
        )
        for given in WRONG:
            answer = edges.send(
                body=f'{{"query": {query}, "variables": {{"v": {given}}}}}'.encode()
            )

            assert answer.status == 200, (fields[field], given)
            assert set(answer.codes) <= REFUSALS, (query, given)


class Label(enum.Enum):
    """Labels nobody should choose."""

    ONE = HOSTILE
    TWO = QUOTED


@pytest.fixture
def hostile(declared: None, sql: Callable[..., Any]) -> None:
    """Bind a view whose name, columns, keys, values and comment are made to be taken for SQL."""
    sql(f"""CREATE VIEW "{HOSTILE}" AS
              SELECT n AS id, n::text AS "{HOSTILE}",
                     jsonb_build_object('id', n, '{HOSTILE.replace("'", "''")}', n::text,
                         '{QUOTED}', '{QUOTED}', 'label', '{HOSTILE.replace("'", "''")}') AS data
                FROM generate_series(1, 3) AS n""")
    sql(f"""COMMENT ON VIEW "{HOSTILE}" IS '{QUOTED}'""")
    fraiseql.enum(Label)

    @fraiseql.type(view=f'"{HOSTILE}"')
    class Odd:
        id: int
        one: str = fraiseql.field(key=HOSTILE)
        two: str = fraiseql.field(key=QUOTED)
        label: Label | None

    class Query(fraiseql.Query):
        odds = fraiseql.many(Odd)
        odd_feed = fraiseql.connection(Odd)


@pytest.mark.parametrize("text", [HOSTILE, QUOTED])
@pytest.mark.usefixtures("hostile")
def test_o2_names_and_values_are_never_sql(edges: Edges, text: str) -> None:
    query = """query ($t: String, $l: Label, $c: String) {
        odds(where: {OR: [{one: {eq: $t}}, {two: {eq: $t}}, {label: {eq: $l}}]},
             orderBy: [{one: DESC}, {two: ASC}]) { id one two label }
        oddFeed(first: 1, after: $c, orderBy: [{two: ASC}, {one: ASC}]) { edges { cursor } } }"""
    first = edges.post(query, {"t": text, "l": "ONE"}).json["data"]
    cursor = first["oddFeed"]["edges"][0]["cursor"]
    second = edges.post(query, {"t": "3", "l": None, "c": cursor}).json["data"]

    assert [row["id"] for row in first["odds"]] == ["3", "2", "1"]
    assert first["odds"][0]["label"] == "ONE"
    assert second["oddFeed"]["edges"]


@pytest.mark.parametrize("text", [HOSTILE, QUOTED])
@pytest.mark.parametrize(
    "query",
    [
        "query ($t: String) { makers(where: {name: {matches: $t}}) { name } }",
        "query ($t: String) { makers(where: {name: {like: $t}}) { name } }",
        "query ($t: [String!]) { makers(where: {name: {in: $t}}) { name } }",
        "query ($t: String) { wares(where: {attributes: {path_exists: $t}}) { name } }",
        "query ($t: String) { wares(where: {attributes: {has_key: $t}}) { name } }",
        "query ($t: JSON) { wares(where: {attributes: {contains: $t}}) { name } }",
        "query ($t: String) { wareFeed(after: $t) { totalCount } }",
        "query ($t: String) { maker(identifier: $t) { name } }",
        "query ($t: ID) { maker(id: $t) { name } }",
    ],
)
def test_o2_text_is_a_parameter_of_the_statement(edges: Edges, query: str, text: str) -> None:
    answer = edges.post(query, {"t": text})

    assert set(answer.codes) <= REFUSALS


@pytest.mark.parametrize(
    "variables", [{"w": {HOSTILE: {"eq": 1}}}, {"w": {"name": {QUOTED: 1}}}, {"o": [{HOSTILE: "ASC"}]},
                  {"o": [{"name": HOSTILE}]}],
)  # fmt: skip
def test_o2_operators_and_keys_are_the_schemas_own(edges: Edges, variables: dict[str, Any]) -> None:
    query = "query ($w: MakerWhereInput, $o: [MakerOrderByInput!]) { makers(where: $w, orderBy: $o) { id } }"

    assert edges.post(query, variables).codes == ["BAD_USER_INPUT"]


def test_o4_depth_is_bounded_for_introspection_too(configured: MakeEdges) -> None:
    edges = configured(INTROSPECTION=True)
    deep = "{ categories " + "{ children " * 20 + "{ id }" + " }" * 21
    told = "{ __schema { types " + "{ ofType " * 20 + "{ name }" + " }" * 22

    for query in (deep, told):
        answer = edges.post(query)

        assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]
        assert "levels" in answer.errors[0]["message"]


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ wareFeed(first: 99999999) { edges { cursor } } }", {}),
        ("{ wareFeed(last: 99999999) { edges { cursor } } }", {}),
        ("{ wares(limit: 99999999) { id } }", {}),
        ("query ($n: Int) { wares(limit: $n) { id } }", {"n": 99999999}),
        ("query ($n: Int = 99999999) { wares(limit: $n) { id } }", {}),
        ("query ($n: Int = 99999999) { wareFeed(first: $n) { edges { cursor } } }", {}),
    ],
)
def test_o5_more_rows_than_allowed_are_refused(
    edges: Edges, query: str, variables: dict[str, Any]
) -> None:
    answer = edges.post(query, variables)

    assert answer.codes in (["BAD_USER_INPUT"], ["COST_EXCEEDED"])


def test_o6_every_list_of_rows_has_a_cap(edges: Edges, sql: Callable[..., Any]) -> None:
    sql("""INSERT INTO tv_ware (id, identifier, data)
           SELECT gen_random_uuid(), 'w' || n, jsonb_build_object('kind', 'tool', 'id', n)
             FROM generate_series(1, 60) AS n""")
    schema = get_schema().graphql
    query_type = schema.query_type
    assert query_type is not None
    lists = {
        name: set(field.args)
        for name, field in query_type.fields.items()
        if isinstance(get_nullable_type(field.type), GraphQLList)
    }
    # A resolver's list is as long as its author makes it.
    del lists["cheapest"]

    assert len(lists) > 5
    assert all("limit" in arguments for arguments in lists.values())
    assert len(edges.post("{ wares { id: __typename } }").json["data"]["wares"]) == 5


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        ("first: 50", {}), ("last: 50", {}), ("first: $n", {"n": 50}), ("last: $n", {"n": 50}),
    ],
)  # fmt: skip
def test_o8_and_cve_2026_81636_cost_counts_the_rows_asked_for(
    configured: MakeEdges, arguments: str, variables: dict[str, Any]
) -> None:
    edges = configured(MAX_COST=300)
    query = "query ($n: Int = 1) { wareFeed(ARGUMENTS) { edges { node { id name price maker { id name } } } } }"
    if "$n" not in arguments:
        query = query.replace("($n: Int = 1) ", "")
    few = edges.post(
        query.replace("ARGUMENTS", arguments.replace("50", "2")), dict.fromkeys(variables, 2)
    )
    many = edges.post(query.replace("ARGUMENTS", arguments), variables)

    assert few.codes == []
    assert many.codes == ["COST_EXCEEDED"]
    assert "data" not in many.json


def test_o8_caps_multiply_where_lists_stand_in_lists(configured: MakeEdges) -> None:
    edges = configured(MAX_COST=1_000)
    flat = "{ writers(limit: 20) { name } works(limit: 20) { title } }"
    nested = "{ writers(limit: 20) { works(limit: 20) { writer { works(limit: 20) { title } } } } }"

    assert edges.post(flat).codes == []
    assert edges.post(nested).codes == ["COST_EXCEEDED"]


def test_o8_a_mutation_counts_for_each_item(configured: MakeEdges) -> None:
    edges = configured(MAX_COST=1_000)
    query = """mutation ($i: [ImportStallsInput!]!) { importStalls(input: $i) { errors { message } } }"""
    items = [{"identifier": f"s{number}", "name": "a"} for number in range(500)]

    assert edges.post(query, {"i": items}).codes == ["COST_EXCEEDED"]


@pytest.mark.slow
@pytest.mark.parametrize("root", ["", "viewer "], ids=["in front", "behind"])
def test_o7_a_statement_ends_when_its_time_is_up_or_its_client_leaves(
    site_database: str, tmp_path: Path, root: str
) -> None:
    nap = f"{{ {root}naps(where: {{id: {{eq: 3}}}}) {{ note }} }}"  # sixty seconds
    with serve("uvicorn", site_database, tmp_path / "log", STATEMENT_TIMEOUT_MS=500) as served:
        codes = served.codes(nap)
        left_over = running(site_database)
    with serve("uvicorn", site_database, tmp_path / "log", STATEMENT_TIMEOUT_MS=15_000) as served:
        with served.send(nap):
            until(lambda: running(site_database))
        if not root:
            until(lambda: not running(site_database), timeout_s=10)

    assert codes == ["TIMEOUT"]
    assert left_over == []


def test_o10_a_login_cannot_be_guessed_many_times_in_one_request(legacy: Edges) -> None:
    operation = {"query": 'mutation { writeNote(text: "guess") { note { text } } }'}
    answer = legacy.send(body=json.dumps([operation] * 100).encode())

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])
    assert not Note.objects.exists()


def test_o10_a_login_cannot_be_aliased_many_times(legacy: Edges) -> None:
    guesses = " ".join(f'a{n}: writeNote(text: "guess") {{ note {{ text }} }}' for n in range(100))
    answer = legacy.post(f"mutation {{ {guesses} }}")

    assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]
    assert not Note.objects.exists()


def test_o14_the_schema_is_told_to_nobody_in_production(edges: Edges) -> None:
    for query in (
        "{ __schema { types { name } } }",
        '{ __type(name: "Maker") { name } }',
        "{ ...F } fragment F on Query { t: __schema { description } }",
    ):
        answer = edges.post(query)

        assert answer.codes[0] in REFUSALS | {"UNAUTHENTICATED"}
        assert "data" not in answer.json
    for path in ("schema", "schema.graphql", "sdl", "assets/schema.graphql"):
        assert edges.send("GET", f"{ENDPOINT}{path}", headers={}).status == 404
    assert edges.post("{ __typename }").json == {"data": {"__typename": "Query"}}


def test_o15_there_is_no_ide_in_production(edges: Edges) -> None:
    answer = edges.send("GET", headers={"Accept": "text/html"})

    assert answer.status == 406
    assert b"<" not in answer.body
    assert edges.send("GET", f"{ENDPOINT}assets/page.js", headers={}).status == 404


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ maker_ { name } }", {}), ("{ makers { nam } }", {}), ("{ makers(limi: 1) { name } }", {}),
        ("{ makers(where: {nam: {eq: 1}}) { name } }", {}), ("{ makers { ...on Makr { name } } }", {}),
        ("query ($v: Makr) { makers { name } }", {}), ("{ makers @inclde(if: true) { name } }", {}),
        ("{ wares(where: {status: {eq: ON_SAL}}) { name } }", {}),
        ("query ($v: MakerWhereInput) { makers(where: $v) { id } }", {"v": {"nam": {}}}),
        ("query ($v: Status) { wares(where: {status: {eq: $v}}) { id } }", {"v": "ON_SAL"}),
        ("query ($v: Box!) { packed(box: $v) }", {"v": {"nam": "a"}}),
        ("{ packed(box: {nam: 1}) }", {}), ("query A { viewer } query B { viewer }", {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("viewer", ["", "viewer "], ids=["fast", "executor"])
def test_o16_no_error_suggests_a_name(
    edges: Edges, viewer: str, query: str, variables: dict[str, Any]
) -> None:
    answer = edges.post(query.replace("{ m", f"{{ {viewer}m", 1), variables)

    assert answer.errors
    assert "did you mean" not in answer.body.decode().lower()


CANARY = "canary-4711"


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_o17_what_breaks_inside_stays_inside(
    edges: Edges, sql: Callable[..., Any], is_async: bool
) -> None:
    sql(f"""CREATE FUNCTION fn_break(constraint_name text) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN
              RAISE '{CANARY}' USING ERRCODE = '23505', DETAIL = '{CANARY}', HINT = '{CANARY}',
                              CONSTRAINT = '{CANARY}', COLUMN = '{CANARY}', SCHEMA = '{CANARY}';
            END $$""")
    sql(f"CREATE VIEW v_break AS SELECT 1 AS id, fn_break('{CANARY}') AS data")

    @fraiseql.type(view="v_break")
    class Broken:
        id: int

    class Query(fraiseql.Query):
        broken = fraiseql.one(Broken)

    def raising(info: Any) -> int | None:
        raise ValueError(CANARY) from RuntimeError(CANARY)

    async def raising_async(info: Any) -> int | None:
        raise ValueError(CANARY)

    fraiseql.query(name="raising")(raising_async if is_async else raising)
    answers = [
        edges.post("{ broken(id: 1) { id } }"), edges.post("{ raising }"),
        edges.post("{ raising broken(id: 1) { id } }"), edges.post("{ broken(id: 1) { id } raising }"),
    ]  # fmt: skip

    for answer in answers:
        assert answer.errors
        assert CANARY not in answer.body.decode()
        assert "Traceback" not in answer.body.decode()
        assert ".py" not in answer.body.decode()

"""Bodies bound by the accelerator, against the same bodies read, coerced and encoded in Python."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraiseql.engine import pipeline, result
from fraiseql.engine.document.request import from_json
from fraiseql.engine.result.implementation import Binder
from fraiseql.errors import FraiseQLError, ServiceUnavailable, StaleCatalog

pytestmark = pytest.mark.django_db

QUERIES = {
    "query($a: ID!) { ware(id: $a) { name } }": ["a"],
    "query($a: ID, $b: String) { maker(id: $a, identifier: $b) { name } }": ["a", "b"],
    "query A($a: ID!, $b: ID = 3) { category(id: $a) { name } courier(id: $b) { name } }": [
        "a",
        "b",
    ],
    "query($b: String!, $a: Int = 2) { makers(where: {name: {icontains: $b}}, limit: $a) { name } }": [
        "a",
        "b",
    ],
    "query($w: WareWhereInput, $o: [WareOrderByInput!]) { wares(where: $w, orderBy: $o) { name } }": [
        "w",
        "o",
    ],
    "query($a: Int, $b: Int) { makers(limit: $a, offset: $b) { name } }": ["a", "b"],
    "query($a: Int, $b: String) { makerFeed(first: $a, after: $b) { edges { cursor } } }": [
        "a",
        "b",
    ],
    "query($i: [ID!], $a: Boolean!) { wares(where: {id: {in: $i}, grade: {isnull: $a}}) { id } }": [
        "i",
        "a",
    ],
    "query($t: DateTime) { wares(where: {releasedAt: {gt: $t}}) { id } }": ["t"],
    "query($s: Status!) { wares(where: {status: {neq: $s}}) { id } }": ["s"],
    "query($u: UUID!) { writers(where: {mentorId: {neq: $u}}) { id } }": ["u"],
    "query($a: BigInt, $b: Float) { wares(where: {barcode: {eq: $a}, weight: {lt: $b}}) { id } }": [
        "a",
        "b",
    ],
    "query($d: [WareDistinctField!], $b: String) { wares(distinct: $d, search: $b) { id } }": [
        "d",
        "b",
    ],
}

DAY = "2024-01-31T12:00:00Z"
MOMENTS = st.datetimes(
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=2)), None])
).map(dt.datetime.isoformat) | st.from_regex(
    r"202[34]-0[12]-[23][0-9]T[012][0-9]:[0-6][09]:[056]0(\.[0-9]{0,7})?(Z|z|[+-]00:00)",
    fullmatch=True,
)
UUID = "0b5f0000-0000-4000-8000-00000000000a"
NUMBERS = st.sampled_from([0, 1, 2, 7, -1, 2**31 - 1, 2**31, 2**63, 2**64, 1.0, 1.5, True, -0.0])
TEXTS = st.sampled_from(
    [
        "",
        "birch",
        "é",
        "😀",
        "50%_\\",
        "\x00",
        "\ud800",
        "12",
        "012",
        "-1",
        "+1",
        "1_0",
        "9" * 19,
        "9" * 9,
        UUID,
        UUID.upper(),
        UUID.replace("-", ""),
        DAY,
        "ON_SALE",
        "on_sale",
        "NAME",
    ]
)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES: st.SearchStrategy[Any] = (
    SCALARS | st.lists(SCALARS, max_size=3) | st.just({}) | st.just([[]])
)
LEAVES = st.dictionaries(
    st.sampled_from(["eq", "neq", "in", "startswith", "isnull", "gt"]), VALUES, max_size=2
)
FIELDS = st.dictionaries(
    st.sampled_from(["id", "name", "stock", "status", "price", "releasedAt", "none"]),
    LEAVES,
    max_size=2,
)
WHERE = st.recursive(
    FIELDS,
    lambda inner: st.fixed_dictionaries(
        {}, optional={"AND": st.lists(inner, max_size=2), "NOT": inner, "maker": st.just({})}
    ),
    max_leaves=4,
)
ORDER = st.dictionaries(
    st.sampled_from(["name", "stock"]), st.sampled_from(["ASC", "DESC", "asc", None]), max_size=2
)
GIVEN = {
    "a": SCALARS | VALUES,
    "b": TEXTS | VALUES,
    "w": WHERE | VALUES,
    "o": st.lists(ORDER, max_size=2) | ORDER | VALUES,
    "i": st.lists(TEXTS, max_size=3) | VALUES,
    "t": MOMENTS | TEXTS | VALUES,
    "u": st.sampled_from([UUID, UUID.upper(), UUID.replace("-", "")]) | VALUES,
    "s": TEXTS,
    "d": st.lists(st.sampled_from(["NAME", "STATUS", "name"]), max_size=2) | VALUES,
}


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    query = draw(st.sampled_from(list(QUERIES)))
    names = QUERIES[query]
    given = st.fixed_dictionaries({}, optional={name: GIVEN[name] for name in names})
    payload: dict[str, Any] = {"query": query, "variables": draw(given)}
    payload |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "operationName": st.sampled_from([None, "A", "", 1]),
                "extensions": st.sampled_from([None, {}, {"x": 1}, {"persistedQuery": {}}, []]),
                "more": VALUES,
            },
        )
    )
    members = draw(st.permutations(list(payload.items())))
    text = json.dumps(dict(members), ensure_ascii=draw(st.booleans()))
    return text.encode("utf-8", "surrogatepass")


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    body = draw(bodies())
    at = draw(st.integers(0, len(body)))
    return body[:at] + draw(st.binary(max_size=3)) + body[at + draw(st.integers(0, 3)) :]


def in_python(engine: pipeline.Engine, body: bytes) -> pipeline.Ready | None:
    try:
        return engine._at_hand(from_json(body))
    except FraiseQLError:
        return None


@pytest.fixture
def binder() -> Binder:
    if result.implementation().binder is None:
        pytest.skip("no accelerator")
    return pipeline.get_engine()._accelerated()


@given(body=bodies(), other=mutilated())
@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_bound_is_what_python_makes_of_it(
    binder: Binder, body: bytes, other: bytes
) -> None:
    engine = pipeline.get_engine()
    for each in (body, other):
        if engine.ready(each) is None:
            try:
                pipeline.execute(from_json(each))
            except FraiseQLError:
                continue
            engine.ready(each)  # From which it learns.
        bound = binder.bind(each)
        assert bound is None or bound == in_python(engine, each)


COMMON = [
    ("query($a: ID!) { ware(id: $a) { name } }", {"a": UUID}),
    ("query($a: ID!) { category(id: $a) { name } }", {"a": 3}),
    ("query($a: ID!) { category(id: $a) { name } }", {"a": "3"}),
    ("query($a: ID!) { courier(id: $a) { name } }", {"a": "30000000000"}),
    ("query($b: String) { maker(identifier: $b) { name } }", {"b": "birch"}),
    ("{ makers(limit: 2) { name } }", {}),
    ("query($a: Int = 2) { makers(limit: $a) { name } }", {}),
    ("query($a: Int) { makers(limit: $a) { name } }", {"a": None}),
    ("query($a: Int, $b: Int) { makers(limit: $a, offset: $b) { name } }", {"a": 2, "b": 4}),
    ("query($a: Int) { makerFeed(first: $a) { edges { cursor } } }", {"a": 2}),
    (
        "query($b: String!) { wares(where: {name: {startswith: $b}}, limit: 3) { id } }",
        {"b": "x%"},
    ),
    (
        "query($w: WareWhereInput, $o: [WareOrderByInput!]) { wares(where: $w, orderBy: $o) { id } }",
        {
            "w": {"AND": [{"name": {"startswith": "B"}}, {"stock": {"gt": 1}}], "NOT": {}},
            "o": [{"name": "ASC"}],
        },
    ),
    ("query($i: [ID!]) { wares(where: {id: {in: $i}}) { id } }", {"i": [UUID, UUID]}),
    (
        "query($t: DateTime) { wares(where: {releasedAt: {lt: $t}}) { id } }",
        {"t": DAY},
    ),
    ("query($u: UUID!) { writers(where: {mentorId: {eq: $u}}) { id } }", {"u": UUID}),
    ("query($s: Status) { wares(where: {status: {eq: $s}}) { id } }", {"s": "ON_SALE"}),
]


@pytest.mark.parametrize(("query", "variables"), COMMON)
def test_common_queries_are_bound(binder: Binder, query: str, variables: dict[str, Any]) -> None:
    engine = pipeline.get_engine()
    body = json.dumps({"query": query, "variables": variables}).encode()
    pipeline.execute(from_json(body))
    first = engine.ready(body)

    assert first is not None
    assert binder.bind(body) == first == in_python(engine, body)


UNUSUAL = [
    ("query($a: ID!) { ware(id: $a) { name } }", {"a": UUID.upper()}),
    ("query($a: ID!) { ware(id: $a) { name } }", {"a": UUID, "undeclared": 1}),
    ("query($o: [WareOrderByInput!]) { wares(orderBy: $o) { id } }", {"o": {"name": "ASC"}}),
    ("query($b: Float) { wares(where: {weight: {lt: $b}}) { id } }", {"b": 1.5}),
    (
        "query($w: WareWhereInput) { wares(where: $w) { id } }",
        {"w": {"OR": [{"stock": {"eq": number}} for number in range(70)]}},
    ),
]


@pytest.mark.parametrize(("query", "variables"), UNUSUAL)
def test_unusual_variables_are_read_in_python(
    binder: Binder, query: str, variables: dict[str, Any]
) -> None:
    engine = pipeline.get_engine()
    body = json.dumps({"query": query, "variables": variables}).encode()
    pipeline.execute(from_json(body))

    assert engine.ready(body) == in_python(engine, body) is not None
    assert binder.bind(body) is None


ANOTHER = [
    ("query($i: [ID!]) { wares(where: {id: {in: $i}}) { id } }", {"i": [UUID]}, {"i": []}),
    ("query($b: Int) { makers(offset: $b) { id } }", {"b": 1}, {"b": -1}),
    ("query($t: DateTime) { wares(where: {releasedAt: {lt: $t}}) { id } }", {"t": DAY}, {"t": "x"}),
    (
        "query($d: [WareDistinctField!]) { wares(distinct: $d) { id } }",
        {"d": ["NAME"]},
        {"d": ["STATUS"]},
    ),
    (
        "query($d: [WareDistinctField!]) { wares(distinct: $d) { id } }",
        {"d": "NAME"},
        {"d": "STATUS"},
    ),
    (
        "query($w: WareWhereInput) { wares(where: $w) { id } }",
        {"w": {"id": {"eq": None}}},
        {"w": {"id": {"eq": 1}}},
    ),
]


@pytest.mark.parametrize(("query", "variables", "others"), ANOTHER)
def test_values_of_another_statement_are_not_bound_to_this(
    binder: Binder, query: str, variables: dict[str, Any], others: dict[str, Any]
) -> None:
    engine = pipeline.get_engine()
    body, other = (
        json.dumps({"query": query, "variables": each}).encode() for each in (variables, others)
    )
    pipeline.execute(from_json(body))
    engine.ready(body)

    assert binder.bind(body) == in_python(engine, body) is not None
    assert binder.bind(other) is None


def test_a_statement_is_not_learnt_from_for_ever(binder: Binder) -> None:
    query = "query($a: ID!) { ware(id: $a) { id } }"
    engine = pipeline.get_engine()
    body = json.dumps({"query": query, "variables": {"a": UUID.upper()}}).encode()
    pipeline.execute(from_json(body))
    for _ in range(pipeline.MAX_LESSONS + 2):
        ready = engine.ready(body)

    assert ready is not None
    _, known = ready
    assert known.made.lessons == pipeline.MAX_LESSONS


def test_what_fails_is_not_bound_again(binder: Binder) -> None:
    query, variables = "query($b: String) { maker(identifier: $b) { id } }", {"b": "birch"}
    engine = pipeline.get_engine()
    body = json.dumps({"query": query, "variables": variables}).encode()
    pipeline.execute(from_json(body))
    engine.ready(body)
    ready = engine.ready(body)
    assert ready is not None
    assert binder.bind(body) is not None

    engine.unsettle(ready, ServiceUnavailable("The database is down."))
    assert binder.bind(body) is not None
    engine.unsettle(ready, StaleCatalog("The view has changed."))
    assert binder.bind(body) is None
    assert engine.ready(body) is None

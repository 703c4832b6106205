"""Random requests: both edges give the same answer, in GraphQL, and it is never a fault of the server."""

import json
import os
import string
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.edges.conftest import Edges

bounded = settings(
    max_examples=int(os.environ.get("FRAISEQL_TEST_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
QUERIES = st.sampled_from(
    [
        "{ __typename }", "query A { makers { name } } query B { __typename }", "{ viewer }", "{", "",
        "query ($where: MakerWhereInput) { makers(where: $where) { name } }",
        "query ($limit: Int, $offset: Int) { makers(limit: $limit, offset: $offset) { name } }",
        "query ($first: Int, $after: String) { wareFeed(first: $first, after: $after) { totalCount } }",
        "query ($by: [WareOrderByInput!]) { wares(orderBy: $by) { name } }",
        "query ($where: WareWhereInput) { wares(where: $where) { attributes } viewer }",
        "query ($id: ID, $identifier: String) { maker(id: $id, identifier: $identifier) { name } }",
        "query ($box: Box!) { packed(box: $box) }",
    ]
) | st.text()  # fmt: skip
NAMES = [
    "where", "limit", "offset", "first", "after", "by", "id", "identifier", "box", "name", "eq", "in",
    "contains", "AND", "OR", "NOT", "isnull", "price",
]  # fmt: skip
VARIABLES = st.recursive(
    JSON,
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=3),
    max_leaves=6,
)
PAYLOADS = st.fixed_dictionaries(
    {"query": QUERIES | JSON},
    optional={
        "variables": VARIABLES,
        "operationName": st.sampled_from(["A", "B", ""]) | JSON,
        "extensions": JSON,
    },
)
BODIES = st.one_of(PAYLOADS.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60))
WORDS = st.sampled_from(
    ["application/json", "application/graphql-response+json", "text/html", "*/*", "application/*", ";q=0.5",
     ";q=0", ", ", ";", "q=", "charset=utf-8", "=", '"', "*"]
) | st.text(string.printable.strip(), max_size=5)  # fmt: skip
HEADERS = st.lists(WORDS, max_size=6).map(" ".join)


@bounded
@given(body=BODIES)
def test_random_bodies(edges: Edges, body: bytes) -> None:
    answer = edges.send(body=body)

    assert answer.status in {200, 400}
    assert "INTERNAL_SERVER_ERROR" not in answer.codes


@bounded
@given(method=st.sampled_from(["GET", "POST"]), accept=HEADERS, content_type=HEADERS, query=QUERIES)
def test_random_headers(
    edges: Edges, method: str, accept: str, content_type: str, query: Any
) -> None:
    headers = {"Accept": accept, "Content-Type": content_type}
    parameters = httpx.QueryParams({"query": query.encode("utf-8", "replace").decode()})
    body = json.dumps({"query": query}).encode() if method == "POST" else b""
    answer = edges.send(method, f"/graphql/?{parameters}", headers=headers, body=body)

    assert answer.status in {200, 400, 406, 415}
    assert "INTERNAL_SERVER_ERROR" not in answer.codes

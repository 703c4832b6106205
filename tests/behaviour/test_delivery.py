"""Incremental delivery and subscriptions: lines 32 to 34."""

from tests.behaviour.conftest import MakeEdges
from tests.integration.edges.conftest import JSON_BODY, Edges

LATER = {
    "33": "subscriptions: graphql-transport-ws",
    "34": "subscriptions: LISTEN and NOTIFY",
}


def test_32_there_is_no_defer_and_no_stream(configured: MakeEdges) -> None:
    edges = configured(INTROSPECTION=True)
    told = edges.post("{ __schema { directives { name } } }").json["data"]["__schema"]["directives"]

    assert {directive["name"] for directive in told}.isdisjoint({"defer", "stream"})
    for query in ("{ makers { ... @defer { name } } }", "{ makers @stream { name } }"):
        assert edges.post(query).codes == ["GRAPHQL_VALIDATION_FAILED"]


def test_32_who_would_also_take_parts_gets_one_answer(edges: Edges) -> None:
    for parts in ("multipart/mixed;deferSpec=20220824", "multipart/mixed;incrementalSpec=v0.2"):
        headers = JSON_BODY | {"Accept": f"{parts}, application/json"}
        answer = edges.send(headers=headers, body=b'{"query": "{ __typename }"}')

        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.body == b'{"data":{"__typename":"Query"}}'
        only = edges.send(
            headers=JSON_BODY | {"Accept": parts}, body=b'{"query": "{ __typename }"}'
        )
        assert only.status == 406

"""
Operations that schemathesis makes from the schema: no answer is a fault of the server.

FRAISEQL_TEST_OPERATIONS=10000 sends so many, at random; without it they are few and always the same.
"""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fraiseql.db.embedded import EmbeddedServer
from tests.integration.edges.conftest import CODES
from tests.integration.edges.served import Served, database, serve

pytestmark = pytest.mark.slow

schemathesis = pytest.importorskip("schemathesis")

OPERATIONS = os.environ.get("FRAISEQL_TEST_OPERATIONS")
# They fail, and say so with an id: resolvers and a function that raise, a view that is not there.
BROKEN = {"failing", "failingNow", "nowhere", "fail"}


def scalars() -> dict[str, st.SearchStrategy[Any]]:
    """Return what stands for the custom scalars, right and wrong, as nodes of a document."""
    nodes = schemathesis.graphql.nodes
    text = st.text(max_size=8).map(nodes.String)
    right: dict[str, st.SearchStrategy[str]] = {
        "DateTime": st.datetimes().map(lambda it: f"{it.isoformat()}Z"),
        "Date": st.dates().map(str),
        "Decimal": st.decimals().map(str),
        "BigInt": st.integers(-(2**65), 2**65).map(str),
        "CountryCode": st.sampled_from(["NO", "DE", "XX"]),
        "IpAddress": st.ip_addresses().map(str),
        "CIDR": st.sampled_from(["10.0.0.0/8", "::/0", "10.0.0.1/8"]),
        "IpRange": st.sampled_from(["10.0.0.1-10.0.0.9", "::1-::", "x"]),
        "UUID": st.uuids().map(str),
        "Time": st.times().map(str),
    }
    json = st.recursive(
        text | st.integers(-(2**65), 2**65).map(nodes.Int),
        lambda inner: st.lists(inner, max_size=2).map(nodes.List),
    )
    return {name: each.map(nodes.String) | text for name, each in right.items()} | {"JSON": json}


@pytest.fixture(scope="module")
def fuzzed(
    django_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The site, without the rows that take their time."""
    log = tmp_path_factory.mktemp("server") / "log"
    with database(django_server.uri) as uri:
        with psycopg.connect(uri) as connection:
            connection.execute("DELETE FROM tb_nap WHERE seconds > 0")
        with serve("uvicorn", uri, log, INTROSPECTION=True) as served:
            yield served


def test_operations_made_from_the_schema_are_answered(fuzzed: Served) -> None:
    for name, strategy in scalars().items():
        schemathesis.graphql.scalar(name, strategy)
    schema = schemathesis.graphql.from_url(fuzzed.url)
    made = st.one_of([found.ok().as_strategy() for found in schema.get_all_operations()])
    answered: list[int] = []

    @settings(
        max_examples=int(OPERATIONS or 300),
        derandomize=OPERATIONS is None,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(made)
    def send(case: Any) -> None:
        response = case.call()
        answer = response.json()
        answered.append(response.status_code)

        assert response.status_code == 200, answer
        assert answer.keys() <= {"data", "errors"}, answer
        assert answer, case.body
        for error in answer.get("errors", []):
            assert error["extensions"]["code"] in CODES, (error, case.body)
            # The id is that of an internal error in the log.
            assert "id" not in error["extensions"] or error["path"][0] in BROKEN, (error, case.body)

    send()
    assert len(answered) >= int(OPERATIONS or 300)

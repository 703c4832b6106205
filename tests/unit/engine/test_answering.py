"""Documents that are no JSON; PostgreSQL lets none through, so they are made here."""

import json

import pytest

from fraiseql.engine.answering import project
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import get_engine
from fraiseql.engine.reading import Found


@pytest.mark.parametrize(
    ("query", "key", "data"),
    [
        ('{ maker(identifier: "x") { name } }', "maker", {"maker": None}),
        ("{ makers { name } }", "makers", None),
    ],
)
def test_a_malformed_document_fails_its_field(
    query: str, key: str, data: object, caplog: pytest.LogCaptureFixture
) -> None:
    prepared = get_engine().operation(GraphQLRequest(query)).prepare({})
    response = json.loads(project(prepared, Found({key: [b'{"name":']}, {}), debug=False).body)

    assert response["data"] == data
    assert response["errors"][0]["message"] == "Internal error"
    assert response["errors"][0]["path"] == [key]
    assert "Row 0 is not JSON at byte 8." in caplog.text

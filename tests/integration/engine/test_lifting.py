"""Values written into texts: what is not parsed again is answered as if it were."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from fraiseql.db import sync
from fraiseql.db.statement import Statement
from fraiseql.engine import pipeline
from fraiseql.engine.document.request import Budget, GraphQLRequest
from fraiseql.engine.pipeline import Engine, Ready
from fraiseql.engine.result.envelope import Response

pytestmark = pytest.mark.django_db

ASK = async_to_sync(pipeline.execute_async)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine that has seen no text before."""
    with override_settings(FRAISEQL={"DOCUMENT_CACHE_SIZE": 50}):
        yield pipeline.get_engine()


def ready(engine: Engine, text: str, **more: Any) -> Ready | None:
    return engine.ready(json.dumps({"query": text, **more}).encode())


def at_hand(engine: Engine, text: str) -> Response | None:
    """Return the answer to a query that is ready, as the edges make it."""
    found = ready(engine, text)
    if found is None:
        return None
    (sql, params), _ = found
    values = tuple(None if each is None else each.decode() for each in params)
    rows = sync.fetch(Statement(sql, values))
    body = engine.respond(found, rows)
    return engine.finish(found, rows) if body is None else Response(body)


def test_texts_that_differ_in_strings_are_compiled_twice_and_then_at_hand(engine: Engine) -> None:
    texts = [f'{{ maker(identifier: "{name}") {{ name }} }}' for name in ("birch", "oak", "x", "")]
    assert ready(engine, texts[0]) is None
    for text in texts[:2]:
        ASK(GraphQLRequest(text))

    compiled = engine.compiled().misses
    answers = [ASK(GraphQLRequest(text)) for text in texts]

    assert engine.compiled().misses == compiled == 2
    assert answers == [at_hand(engine, text) for text in texts]
    assert [answer.body for answer in answers] == [ordinary(text).body for text in texts]


def test_values_beside_variables(engine: Engine) -> None:
    text = (
        'query Q($n: Int) {{ makers(where: {{name: {{contains: "{}"}}}}, limit: $n) {{ name }} }}'
    )
    variables = {"n": 1}
    for value in "ab":
        ASK(GraphQLRequest(text.format(value), "Q", variables))

    found = ready(engine, text.format("c"), operationName="Q", variables=variables)

    assert found is not None
    assert ready(engine, text.format("c"), operationName="R", variables=variables) is None
    assert ready(engine, text.format("c"), operationName="Q", variables={"n": "x"}) is None


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (
            '{ ware(id: "10000000-0000-4000-8000-000000000001") { name } }',
            '{ ware(id: "no") { name } }',
        ),
        ('{ flawed(id: "1") { id } x: flawed(id: "1") { name } }',) * 2,
        (
            '{ a: flawed(id: "1") { name } }',
            '{ a: flawed(id: "2") { name } }',
        ),
        (
            '{ a: flawed(id: "1") { id }\n b: flawed(id: "1") { name } }',
            '{ a: flawed(id: "123456") { id }\n b: flawed(id: "3") { name at kind parts { label } } }',
        ),
        ('{ turnover(day: "2024-01-03") { total } }', '{ turnover(day: "tomorrow") { total } }'),
        ('{ turnover(day: "2024-01-03") { total } }', '{ turnover(day: "1-1-1") { total } }'),
        (
            '{ wareFeed(after: "", first: 1) { edges { cursor } } }',
            '{ wareFeed(after: "??", first: 1) { edges { cursor } } }',
        ),
        ('{ wares(search: "steel") { name } }', '{ wares(search: "\'&|!") { name } }'),
    ],
)
def test_errors_are_those_of_the_text_itself(engine: Engine, first: str, then: str) -> None:
    for text in (first, first, then, then):
        answer = ASK(GraphQLRequest(text))

    assert answer == ordinary(then)
    assert at_hand(engine, then) in (None, answer)


def test_an_error_in_rows_is_where_the_text_that_was_sent_has_it(engine: Engine) -> None:
    form = '{{ maker(identifier: "{}") {{ name }} flawed(id: "{}") {{ id name }} }}'
    for text in (form.format("birch", 1), form.format("oak", 1)):
        ASK(GraphQLRequest(text))

    answer = at_hand(engine, form.format("a longer one", 2))

    assert answer is not None
    assert answer.has_errors
    assert answer == ordinary(form.format("a longer one", 2))


def test_a_text_that_merges_equal_values_stays_as_it_is(engine: Engine) -> None:
    text = '{{ maker(identifier: "{0}") {{ name }} maker(identifier: "{0}") {{ id }} }}'
    for name in ("birch", "oak", "birch"):
        answer = ASK(GraphQLRequest(text.format(name)))

        assert not answer.has_errors
    wrong = '{ maker(identifier: "birch") { name } maker(identifier: "oak") { id } }'
    assert ASK(GraphQLRequest(wrong)) == ordinary(wrong)


def test_an_operation_of_a_batch_spends_its_budget(engine: Engine) -> None:
    text = '{{ maker(identifier: "{}") {{ name }} }}'
    left = []
    for name in ("birch", "oak", "elm"):
        budget = Budget(1_000)
        ASK(GraphQLRequest(text.format(name), budget=budget))
        left.append(budget.left)

    assert left[0] == left[1] == left[2] < 1_000


def test_one_statement_answers(engine: Engine) -> None:
    form = '{{ maker(identifier: "{}") {{ name }} }}'
    texts = [form.format(name) for name in ("birch", "oak", "elm")]
    asked = []
    for text in texts:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            pipeline.execute(GraphQLRequest(text))
        asked.append(len(queries))

    assert asked[1:] == [1, 1]


def ordinary(text: str) -> Response:
    """Return the answer of an engine that has seen no text before."""
    with override_settings(FRAISEQL={"DOCUMENT_CACHE_SIZE": 51}):
        return pipeline.execute(GraphQLRequest(text))

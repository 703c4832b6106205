"""``manage.py fraiseql_explain``."""

import io
import json
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import graphene
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

import fraiseql
from fraiseql.db import catalog
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute as answer
from fraiseql.schema import registry


def _write(_root: Any, _info: Any) -> str:
    raise AssertionError("explain runs no mutation")


WRITING = graphene.Schema(
    query=type("Query", (graphene.ObjectType,), {"ready": graphene.Boolean()}),
    mutation=type("Mutation", (graphene.ObjectType,), {"write": graphene.String(resolver=_write)}),
)

pytestmark = pytest.mark.django_db


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    catalog.forget("default")


@pytest.fixture(autouse=True)
def books() -> Iterator[None]:
    execute(
        """CREATE VIEW v_tome AS
           SELECT n AS id, jsonb_build_object('id', n, 'book_title', 'Book ' || n,
                  'pages', CASE WHEN n < 3 THEN n END, 'kind', 'Novel',
                  'authors', jsonb_build_array(jsonb_build_object('name', 'Ada'))) AS data
             FROM generate_series(1, 3) AS n"""
    )
    with registry.isolated():

        @fraiseql.type
        class Author:
            name: str

        @fraiseql.interface(discriminator="kind", view="v_tome")
        class Work:
            id: int

        @fraiseql.type
        class Novel(Work):
            title: str = fraiseql.field(key="book_title")

        @fraiseql.type(view="v_tome")
        class Book:
            id: int
            title: str = fraiseql.field(key="book_title")
            pages: int
            authors: list[Author]

        class Query(fraiseql.Query):
            book = fraiseql.one(Book)
            books = fraiseql.many(Book)
            feed = fraiseql.connection(Book)
            works = fraiseql.many(Work)

        @fraiseql.query
        def hello(info: Any) -> str:
            raise AssertionError("explain runs no resolver")

        yield


def text(operation: str, **options: Any) -> str:
    out = StringIO()
    call_command("fraiseql_explain", operation, stdout=out, **options)
    return out.getvalue()


def rooms(operation: str, **options: Any) -> dict[str, dict[str, Any]]:
    """Return the rooms by name."""
    found = json.loads(text(operation, format="json", **options))
    assert found["error"] is None
    return {room["name"]: room for room in found["rooms"]}


def test_an_operation_is_followed_through_every_room() -> None:
    query = "query ($t: String) { books(where: {title: {eq: $t}}) { title authors { name } } }"
    found = rooms(query, variables='{"t": "Book 2"}', answer=True)

    assert list(found) == [
        *(
            "document",
            "variables",
            "cost",
            "plan",
            "sql",
            "postgresql",
            "rows",
            "shape",
            "response",
        ),
    ]
    assert found["variables"]["text"] == "$t = 'Book 2'"
    assert found["cost"]["text"] == "1,201 of at most 200,000"
    assert found["cost"]["cost"] == 1_201
    assert "where  title eq $t" in found["plan"]["text"]
    assert found["plan"]["is_fast"] is True
    assert "= $1" in found["sql"]["statement"]
    assert found["sql"]["parameters"] == ["Book 2"]
    assert "Function Scan" in found["postgresql"]["text"]
    assert found["rows"]["rows"] == 1
    assert found["shape"]["text"] == (
        "books: list!\n  object!\n    title: string! from book_title\n"
        "    authors: list!\n      object!\n        name: string!"
    )
    assert found["response"]["answer"] == {
        "data": {"books": [{"title": "Book 2", "authors": [{"name": "Ada"}]}]}
    }
    assert all(room["duration_ms"] >= 0 for room in found.values())


def test_the_answer_is_the_pipelines() -> None:
    query = "{ feed(first: 2) { totalCount edges { cursor node { id title } } } books { id } }"
    found = rooms(query, answer=True)

    assert found["response"]["answer"] == json.loads(answer(GraphQLRequest(query)).body)
    assert found["response"]["bytes"] == len(answer(GraphQLRequest(query)).body)
    assert found["rows"]["rows"] == 3 + 1 + 3


def test_a_page_for_people() -> None:
    page = text("{ books(limit: 1) { __typename id } }")

    assert page.startswith("document  ")
    assert "\n\nsql  " in page
    assert "\n  1 row, " in page
    assert '__typename: "Book"' in page
    assert "variables" not in page


def test_interfaces_show_their_types() -> None:
    shape = rooms("{ works { id ... on Novel { title } } }")["shape"]["text"]

    assert "object!, by its kind" in shape
    assert "Novel\n" in shape


def test_the_answer_is_printed_when_asked() -> None:
    assert '"id": "1"' in text("{ books(limit: 1) { id } }", answer=True)


def test_a_mutation_is_not_run() -> None:
    with override_settings(FRAISEQL={"GRAPHENE_SCHEMAS": [f"{__name__}.WRITING"]}):
        found = rooms("mutation { write }")

    assert list(found) == ["document", "cost", "executor"]
    assert found["executor"]["text"].startswith("A mutation is run by graphene's executor.")


def test_postgresql_counts_when_asked() -> None:
    plan = rooms("{ books { id } }", analyze=True)["postgresql"]

    assert plan["analyzed"] is True
    assert "actual" in plan["text"]
    assert "Execution Time" in plan["text"]


def test_errors_of_the_data_are_part_of_the_response() -> None:
    page = text("{ book(id: 3) { pages } }", answer=False)

    assert "book.pages: Cannot return null for non-nullable field Book.pages." in page


def test_a_refused_argument_spoils_its_field_only() -> None:
    found = rooms("{ books(limit: 99999) { id } book(id: 1) { id } }")

    assert "books: refused, limit is 99999" in found["plan"]["text"]
    assert list(found["plan"]["refused"]) == ["books"]
    assert found["rows"]["rows"] == 1


def test_python_is_named_and_not_run() -> None:
    found = rooms("{ hello books { id } }")

    assert found["plan"]["python"] == ["hello"]
    assert found["rows"]["rows"] == 3
    assert "not run here" in found["executor"]["text"]


def test_nothing_bound_needs_no_sql() -> None:
    found = rooms("{ hello }")

    assert list(found) == ["document", "cost", "plan", "executor"]


def test_what_is_refused_ends_with_its_reason_and_exit_code_1() -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("fraiseql_explain", "{ books { titel nam } }", stdout=out)

    assert caught.value.code == 1
    assert "GRAPHQL_VALIDATION_FAILED: Cannot query field 'titel'" in out.getvalue()
    assert "Cannot query field 'nam'" in out.getvalue()


def test_the_reason_is_data_too() -> None:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command(
            "fraiseql_explain", "query ($a: Int!) { books(limit: $a) { id } }",
            format="json", stdout=out,
        )  # fmt: skip

    found = json.loads(out.getvalue())
    assert found["error"]["code"] == "BAD_USER_INPUT"
    assert [room["name"] for room in found["rooms"]] == ["document", "variables"]


def test_a_missing_view_stops_in_the_room_of_sql() -> None:
    execute("DROP VIEW v_tome")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("fraiseql_explain", "{ books { id } }", stdout=out)

    assert "The view 'v_tome' of Book does not exist." in out.getvalue()


def test_a_view_that_fails_is_told_twice_and_breaks_nothing() -> None:
    execute(
        "DROP VIEW v_tome",
        "CREATE VIEW v_tome AS SELECT n AS id, jsonb_build_object('id', 1/(n-2)) AS data"
        " FROM generate_series(1, 3) AS n",
    )
    found = rooms("{ books { id } feed { totalCount } }", analyze=True)

    assert "division by zero" in found["postgresql"]["text"]
    assert "books: A division by zero." in found["response"]["text"]


def test_nothing_is_written() -> None:
    execute(
        "DROP VIEW v_tome",
        "CREATE SEQUENCE counter",
        "CREATE VIEW v_tome AS SELECT nextval('counter') AS id, '{}'::jsonb AS data",
    )
    text("{ books { id } }", analyze=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_called FROM counter")
        assert cursor.fetchone() == (False,)


def test_operation_and_variables_may_be_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation, variables = tmp_path / "query.graphql", tmp_path / "variables.json"
    operation.write_text(
        "query A { books { id } } query B($n: Int) { books(limit: $n) { id } }", encoding="utf-8"
    )
    variables.write_text('{"n": 2}', encoding="utf-8")
    found = rooms(str(operation), variables=str(variables), operation_name="B")
    monkeypatch.setattr(sys, "stdin", io.StringIO("{ books { id } }"))

    assert found["rows"]["rows"] == 2
    assert rooms("-")["rows"]["rows"] == 3


@pytest.mark.parametrize(
    ("operation", "options", "message"),
    [
        ("nowhere.graphql", {}, "neither an operation nor a file"),
        ("{ books { id } }", {"variables": "{]"}, "--variables is not JSON"),
        ("{ books { id } }", {"variables": "{}x"}, "--variables is not JSON"),
    ],
)
def test_wrong_arguments_are_named(operation: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        text(operation, **options)


def test_a_terminal_gets_colours() -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    plain, coloured = Terminal(), Terminal()
    call_command("fraiseql_explain", "{ books { id } }", stdout=plain, no_color=True)
    call_command("fraiseql_explain", "{ books { id } }", stdout=coloured, answer=True)

    assert "\x1b[" not in plain.getvalue()
    assert "\x1b[" in coloured.getvalue()


MUTATION = """mutation ($name: String!) {
    write(input: {name: $name}) { book { title } errors { code } } all(input: {name: "x"}) { status } }"""


@pytest.fixture
def mutations(books: None) -> None:
    execute(
        "CREATE FUNCTION fn_write(p_name text) RETURNS int LANGUAGE sql AS 'SELECT 1 / 0'",
        "CREATE FUNCTION fn_all(input jsonb) RETURNS mutation_response LANGUAGE sql"
        " AS 'SELECT NULL::mutation_response'",
    )

    @fraiseql.mutation(function="fn_write")
    class Write:
        name: str
        returns: "Book"  # type: ignore[name-defined]  # noqa: F821 - found by its name

    @fraiseql.mutation(function="fn_all")
    class All:
        name: str


@pytest.mark.usefixtures("mutations")
def test_a_mutation_of_functions_shows_its_calls_and_does_nothing() -> None:
    found = rooms(MUTATION, variables='{"name": "A"}')

    first, second = found["plan"]["text"].splitlines()
    assert first.startswith("write: write calls public.fn_write(p_name), which returns ids")
    assert first.endswith("(v_tome)")
    assert second.startswith("all: all calls public.fn_all(input: the whole input)")
    assert 'FROM "public"."fn_write"("p_name" => $1::text)' in found["sql"]["text"]
    assert "-- $1 = 'A'" in found["sql"]["text"]
    assert found["executor"]["text"].startswith("A mutation is not run here")


@pytest.mark.usefixtures("mutations")
def test_a_mutation_whose_input_is_refused_says_why() -> None:
    found = rooms(MUTATION, variables='{"name": ""}')

    assert found["plan"]["text"] == "refused: name, This field must not be empty."
    assert "sql" not in found

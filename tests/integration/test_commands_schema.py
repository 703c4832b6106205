"""``manage.py fraiseql_schema``."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from graphql import build_client_schema, build_schema, print_schema

import fraiseql
from fraiseql.schema import registry


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    with registry.isolated():

        @fraiseql.type(view="v_book")
        class Book:
            """Something to read."""

            title: str
            # Who wrote it.
            author: str | None

        class Query(fraiseql.Query):
            books = fraiseql.many(Book)

        yield


def printed(**options: object) -> str:
    out = StringIO()
    call_command("fraiseql_schema", stdout=out, **options)
    return out.getvalue()


def test_the_schema_is_printed_as_declared() -> None:
    text = printed()

    assert print_schema(build_schema(text)) == text.rstrip("\n")
    assert '"""Something to read."""\ntype Book {\n  title: String!\n' in text
    assert text.index("type Query") < text.index("type Book")
    assert text.endswith("}\n")
    assert not text.endswith("\n\n")


def test_it_can_be_sorted_by_name() -> None:
    text = printed(sort=True)

    assert text.index("type Book") < text.index("type Query")
    assert text.index("author: String") < text.index("title: String!")


def test_json_is_the_answer_to_an_introspection_query() -> None:
    answer = json.loads(printed(format="json"))

    assert "books" in build_client_schema(answer["data"]).query_type.fields  # type: ignore[union-attr]  # it has one


def test_it_is_written_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    out = printed(out=file)

    assert file.read_text(encoding="utf-8") == printed()
    assert out == f"{file} holds the schema.\n"
    assert printed(out=file, verbosity=0) == ""


def test_a_file_is_held_against_it(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    printed(out=file)

    assert printed(check=file) == f"{file} holds the schema.\n"
    assert printed(check=file, verbosity=0) == ""


def test_the_difference_is_shown_with_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    file.write_text(printed().replace("title: String!", "name: String!"), encoding="utf-8")
    out = StringIO()

    with pytest.raises(CommandError, match=f"--out {file}") as caught:
        call_command("fraiseql_schema", check=file, stdout=out)
    assert caught.value.returncode == 1
    assert f"--- {file}\n+++ the schema as declared\n" in out.getvalue()
    assert "\n-  name: String!\n+  title: String!\n" in out.getvalue()


def test_a_file_without_its_last_newline_differs_legibly(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    file.write_text(printed().rstrip("\n"), encoding="utf-8")
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("fraiseql_schema", check=file, stdout=out)
    assert out.getvalue().splitlines()[-2:] == ["-}", "+}"]


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "schema.graphql"

    with pytest.raises(CommandError, match="cannot be read"):
        printed(check=missing)
    with pytest.raises(CommandError, match="cannot be written"):
        printed(out=missing)


def test_a_schema_that_does_not_build_is_told_with_its_hint() -> None:
    @fraiseql.type
    class Wrong:
        value: complex

    with pytest.raises(CommandError, match=r"complex is not a GraphQL type.\nDecorate complex"):
        printed()

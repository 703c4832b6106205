"""What resolvers return, held to its declared type; documents as instances."""

import enum
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

import fraiseql
from fraiseql.errors import ConfigurationError, DocumentError
from fraiseql.schema import build
from fraiseql.schema.complete import hydrate
from fraiseql.schema.registry import Registry
from fraiseql.schema.specs import ObjectSpec
from fraiseql.testing import Client

ID = "00000000-0000-4000-8000-000000000001"


class Grade(enum.Enum):
    """How good."""

    LOW = 1


@pytest.fixture
def specs(declared: Registry) -> dict[str, ObjectSpec]:
    """A small schema, whose one query returns what the test says."""
    fraiseql.enum(Grade)

    @fraiseql.interface(discriminator="kind")
    class Ware:
        name: str

    @fraiseql.type(discriminator_value="book")
    class Book(Ware):
        id: UUID
        price: Decimal | None
        grade: Grade | None
        printed: date | None
        sizes: list[int | None] | None
        sequel: "Ware | None" = fraiseql.field(key="next")

        @fraiseql.field
        def label(self) -> str:
            return f"<{self.name}>"

    @fraiseql.query
    def wares(info: Any) -> list[Ware | None]:
        found: list[Ware | None] = info.context["given"]
        return found

    return dict(build.get_schema().objects)


def ask(given: Any, selection: str) -> Any:
    """Return what the query answers when its resolver returns ``given``."""
    client = Client()
    client.request.given = given  # type: ignore[attr-defined]  # what the resolver looks up
    return client.query(f"{{ wares {{ {selection} }} }}")


BOOK = {
    "kind": "book", "name": "Emma", "id": ID, "price": "9.50", "grade": 1, "printed": "1815-12-23",
    "sizes": [1, None], "next": {"kind": "book", "name": "Persuasion"},
}  # fmt: skip
FIELDS = "__typename name ... on Book { id price grade printed sizes sequel { name } label }"


def test_documents_and_instances_answer_alike(specs: dict[str, ObjectSpec]) -> None:
    instance = hydrate(specs["Book"], BOOK)
    other = SimpleNamespace(name="x")
    document, object_ = ask([BOOK, instance], FIELDS).assert_ok()["wares"]

    assert document == object_ == {
        "__typename": "Book", "name": "Emma", "id": ID, "price": "9.50", "grade": "LOW",
        "printed": "1815-12-23", "sizes": [1, None], "sequel": {"name": "Persuasion"}, "label": "<Emma>",
    }  # fmt: skip
    assert (
        ask([other], "name").errors[0]["message"] == "Query.wares holds an object of unknown type."
    )


def test_documents_become_instances(specs: dict[str, ObjectSpec]) -> None:
    book: Any = hydrate(specs["Ware"], BOOK)

    assert type(book).__name__ == "Book"
    assert (book.id, book.price, book.grade) == (UUID(ID), Decimal("9.50"), Grade.LOW)
    assert (book.printed, book.sizes) == (date(1815, 12, 23), [1, None])
    assert (book.sequel.name, book.sequel.price) == ("Persuasion", None)


def test_what_does_not_parse_stays_as_it_is(specs: dict[str, ObjectSpec]) -> None:
    book = hydrate(specs["Book"], {**BOOK, "id": "x", "grade": 7})

    assert (book.id, book.grade) == ("x", 7)


def test_an_unknown_variant_cannot_be_an_instance(specs: dict[str, ObjectSpec]) -> None:
    for kind in ("toy", 5, None):
        with pytest.raises(DocumentError, match="Ware holds an object of unknown type"):
            hydrate(specs["Ware"], {"kind": kind})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("price", [], "Book.price holds a value its type does not allow."),
        ("grade", 7, "Book.grade holds a value its type does not allow."),
        ("grade", True, "Book.grade holds a value its type does not allow."),
        ("sizes", "1", "Book.sizes holds a value its type does not allow."),
        ("sizes", [1, "x"], "Book.sizes holds a value its type does not allow."),
        ("next", "x", "Book.sequel holds a value its type does not allow."),
        ("next", Decimal("1.0"), "Book.sequel holds a value its type does not allow."),
        ("next", {"kind": "toy"}, "Book.sequel holds an object of unknown type."),
    ],
)
def test_values_of_the_wrong_type(
    specs: dict[str, ObjectSpec], field: str, value: Any, message: str
) -> None:
    selection = "... on Book { price grade sizes sequel { name } }"
    result = ask([{**BOOK, field: value}], selection)

    assert [error["message"] for error in result.errors] == [message]
    shown = "sequel" if field == "next" else field
    path = ["wares", 0, shown, 1] if value == [1, "x"] else ["wares", 0, shown]
    assert result.errors[0]["path"] == path


def test_a_resolver_may_return_members_and_tuples(specs: dict[str, ObjectSpec]) -> None:
    book = hydrate(specs["Book"], BOOK)
    book.grade, book.sizes = Grade.LOW, (1, 2)

    found = ask([book], "... on Book { grade sizes }").assert_ok()["wares"]
    assert found == [{"grade": "LOW", "sizes": [1, 2]}]


def test_a_list_that_is_none(specs: dict[str, ObjectSpec]) -> None:
    result = ask("no list", "name")

    assert result.data is None
    assert result.codes == ["INTERNAL_SERVER_ERROR"]


def test_computed_fields_take_info_and_arguments(declared: Registry) -> None:
    @fraiseql.type
    class Maker:
        name: str

        @fraiseql.field
        def shout(self, info: Any, times: int = 1) -> str:
            return self.name.upper() * times + str(info.field_name)

        @fraiseql.field
        def grade(self) -> dict[str, Any]:
            return {"of": self.name}

    @fraiseql.query
    def maker(info: Any) -> Maker:
        return Maker(name="a")

    assert Client().query("{ maker { shout(times: 2) grade } }").assert_ok() == {
        "maker": {"shout": "AAshout", "grade": {"of": "a"}}
    }


def test_a_bound_root_outside_the_pipeline(declared: Registry) -> None:
    @fraiseql.type(view="v_maker")
    class Maker:
        id: int

    class Query(fraiseql.Query):
        maker = fraiseql.one(Maker)

    root = build.get_schema().graphql.query_type
    assert root is not None
    resolve: Any = root.fields["maker"].resolve
    with pytest.raises(ConfigurationError, match="maker was executed outside") as caught:
        resolve(None, SimpleNamespace(context={}))

    assert "fraiseql.testing.Client" in str(caught.value.hint)

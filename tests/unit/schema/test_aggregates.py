"""The types of grouped rows."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema

import fraiseql
from fraiseql import scalars
from fraiseql.errors import ConfigurationError
from fraiseql.schema.build import build
from fraiseql.schema.registry import Registry


class Shape:
    name: str


class Place:
    city: str
    mayor: "Place | None"


class Sale:
    id: UUID
    number: int
    total: scalars.BigInt
    price: Decimal
    weight: float
    title: str
    tags: list[str]
    extra: scalars.JSON
    online: bool
    at: datetime
    on: date
    place: Place
    shape: Shape | None

    @fraiseql.field
    def shout(self) -> str:
        """Computed, so that no view has it."""
        return self.title.upper()


@pytest.fixture
def schema(declared: Registry) -> GraphQLSchema:
    """Of an aggregate of sales."""
    fraiseql.interface(discriminator="kind")(Shape)
    fraiseql.type(Place)
    sale = fraiseql.type(view="v_sale")(Sale)

    class Query(fraiseql.Query):
        sales_aggregate = fraiseql.aggregate(sale, name="salesFigures", description="Figures.")

    return build(declared).graphql


def fields(schema: GraphQLSchema, name: str) -> dict[str, str]:
    """Return the fields of a type with their types."""
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType | GraphQLInputObjectType)
    return {field: str(entry.type) for field, entry in found.fields.items()}


def test_the_field_returns_groups(schema: GraphQLSchema) -> None:
    assert schema.query_type is not None
    field = schema.query_type.fields["salesFigures"]

    assert str(field.type) == "[SaleAggregate!]!"
    assert field.description == "Figures."
    assert {name: str(argument.type) for name, argument in field.args.items()} == {
        "where": "SaleWhereInput",
        "groupBy": "[SaleGroupByInput!]",
        "timeZone": "Timezone",
        "having": "SaleHavingInput",
        "orderBy": "[SaleAggregateOrderByInput!]",
        "limit": "Int",
        "offset": "Int",
    }


def test_sums_and_averages_are_wide_enough(schema: GraphQLSchema) -> None:
    assert fields(schema, "SaleSum") == {
        "number": "BigInt", "total": "Decimal", "price": "Decimal", "weight": "Float",
    }  # fmt: skip
    assert fields(schema, "SaleAverage") == {
        "number": "Float", "total": "Decimal", "price": "Decimal", "weight": "Float",
    }  # fmt: skip


def test_extremes_are_of_the_types_of_their_fields(schema: GraphQLSchema) -> None:
    assert fields(schema, "SaleExtreme") == {
        "number": "Int", "total": "BigInt", "price": "Decimal", "weight": "Float", "title": "String",
        "at": "DateTime", "on": "Date",
    }  # fmt: skip


def test_keys_reach_into_embedded_objects(schema: GraphQLSchema) -> None:
    assert fields(schema, "SaleGroupKeys") == {
        "id": "ID", "number": "Int", "total": "BigInt", "price": "Decimal", "weight": "Float",
        "title": "String", "online": "Boolean", "at": "DateTime", "on": "Date",
        "place": "PlaceGroupKeys!",
    }  # fmt: skip
    assert fields(schema, "PlaceCountDistinct") == {"city": "Int!", "mayor": "PlaceCountDistinct!"}


def test_one_key_is_chosen_and_times_by_their_unit(schema: GraphQLSchema) -> None:
    made = schema.type_map["SaleGroupByInput"]
    chosen = fields(schema, "SaleGroupByInput")

    assert getattr(made, "is_one_of", False)
    assert {chosen["title"], chosen["at"], chosen["on"], chosen["place"]} == {
        "Boolean", "TimeUnit", "PlaceGroupByInput",
    }  # fmt: skip


def test_having_is_about_figures_and_not_about_keys(schema: GraphQLSchema) -> None:
    assert list(fields(schema, "SaleHavingInput")) == [
        "count", "countDistinct", "sum", "avg", "min", "max", "AND", "OR", "NOT",
    ]  # fmt: skip
    assert fields(schema, "SaleSumWhereInput")["number"] == "BigIntFilter"


def test_a_type_without_numbers_has_no_sums(declared: Registry) -> None:
    fraiseql.type(Place)
    note = fraiseql.type(view="v_note")(
        type("Note", (), {"__annotations__": {"extra": scalars.JSON}, "__module__": __name__})
    )

    class Query(fraiseql.Query):
        notes_aggregate = fraiseql.aggregate(note)

    schema = build(declared).graphql
    assert schema.query_type is not None

    assert list(fields(schema, "NoteAggregate")) == ["count"]
    assert "groupBy" not in schema.query_type.fields["notesAggregate"].args


@pytest.mark.parametrize("name", ["SaleSum", "SaleHavingInput", "TimeUnit", "SaleGroupByInput"])
def test_a_name_that_an_aggregate_needs_is_refused(declared: Registry, name: str) -> None:
    fraiseql.interface(discriminator="kind")(Shape)
    fraiseql.type(Place)
    sale = fraiseql.type(view="v_sale")(Sale)
    fraiseql.type(name=name)(type("Other", (), {"__annotations__": {"a": str}}))

    class Query(fraiseql.Query):
        sales_aggregate = fraiseql.aggregate(sale)

    with pytest.raises(ConfigurationError, match=f"'{name}', which is made for an aggregate"):
        build(declared)


def test_distinct_names_what_rows_can_differ_in(declared: Registry) -> None:
    fraiseql.interface(discriminator="kind")(Shape)
    fraiseql.type(Place)
    sale = fraiseql.type(view="v_sale")(Sale)

    class Query(fraiseql.Query):
        sales = fraiseql.many(sale)

    made = build(declared).graphql.type_map["SaleDistinctField"]

    assert list(getattr(made, "values", ())) == [
        "ID", "NUMBER", "TOTAL", "PRICE", "WEIGHT", "TITLE", "ONLINE", "AT", "ON",
    ]  # fmt: skip

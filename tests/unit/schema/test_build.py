"""Specs to the GraphQL schema."""

import enum
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from uuid import UUID

import graphene
import pytest
from django.test import override_settings
from graphql import GraphQLSchema, parse, print_schema, validate, validate_schema

import fraiseql
from fraiseql import scalars
from fraiseql.errors import ConfigurationError
from fraiseql.schema import build
from fraiseql.schema.registry import Registry
from fraiseql.testing import Client


@pytest.fixture
def schema(declared: Registry) -> GraphQLSchema:
    """A schema with one of everything."""

    @fraiseql.enum
    class Grade(enum.Enum):
        """How good."""

        LOW = 1  # Not very.
        HIGH = 2

    @fraiseql.interface(discriminator="kind", view="v_ware")
    class Ware:
        """What is sold."""

        id: UUID
        name: str

    @fraiseql.type
    class Book(Ware):
        pages: int | None

    @fraiseql.type(view="v_maker")
    class Maker:
        """Who makes."""

        id: int
        slug: str
        # Deprecated things have a reason.
        old: bool = fraiseql.field(deprecation="Use slug.")
        grade: Grade | None
        sizes: list[int]
        extra: scalars.JSON
        wares: list[Ware]
        best: Ware | None

        @fraiseql.field
        def label(self, long: bool = False) -> str:
            """The label."""
            return ""

    class Query(fraiseql.Query):
        maker = fraiseql.one(Maker, by=("id", "slug"))
        maker_by_id = fraiseql.one(Maker, by="id", deprecation="Use maker.")
        makers = fraiseql.many(Maker, description="Every maker.")
        ware_feed = fraiseql.connection(Ware)

    @fraiseql.input
    class Box:
        """A box."""

        name: str
        size: int = 1
        inner: "Box | None"

    @fraiseql.query
    def packed(info: Any, boxes: list[Box], grade: Grade = Grade.LOW) -> list[Maker | None]:
        """Pack."""
        return []

    return build.get_schema().graphql


def test_the_schema_is_valid(schema: GraphQLSchema) -> None:
    assert validate_schema(schema) == []


@pytest.mark.parametrize(
    "text",
    [
        "maker(id: ID, slug: String): Maker",
        'makerById(id: ID!): Maker @deprecated(reason: "Use maker.")',
        '"""Every maker."""',
        "): [Maker!]!",
        "where: MakerWhereInput",
        "orderBy: [MakerOrderByInput!]",
        "limit: Int",
        "offset: Int",
        "after: String",
        "): WareConnection!",
        "packed(boxes: [Box!]!, grade: Grade! = LOW): [Maker]!",
        "type Book implements Ware {",
        '"""What is sold."""\ninterface Ware {',
        'old: Boolean! @deprecated(reason: "Use slug.")',
        '"""Deprecated things have a reason."""',
        "label(long: Boolean! = false): String!",
        "  id: ID!",
        "sizes: [Int!]!",
        "extra: JSON!",
        '"""A box."""\ninput Box {',
        "size: Int! = 1",
        "inner: Box\n",
        '"""How good."""\nenum Grade {',
        '"""Not very."""\n  LOW',
        "enum OrderDirection {",
        "type WareEdge {",
        "totalCount: Int!",
        "hasNextPage: Boolean!",
        "id: IntIDFilter",
        "sizes: IntListFilter",
        "AND: [MakerWhereInput!]",
        "NOT: MakerWhereInput",
        "best: WareWhereInput",
        "scalar JSON",
    ],
)
def test_the_sdl_says(schema: GraphQLSchema, text: str) -> None:
    assert text in print_schema(schema)


def test_computed_fields_are_no_filters_and_lists_of_objects_have_quantifiers(
    schema: GraphQLSchema,
) -> None:
    where: Any = schema.type_map["MakerWhereInput"]
    order: Any = schema.type_map["MakerOrderByInput"]

    assert list(where.fields) == [
        "id", "slug", "old", "grade", "sizes", "extra", "wares", "best", "AND", "OR", "NOT",
    ]  # fmt: skip
    assert list(where.fields["wares"].type.fields) == ["some", "every", "none"]
    assert list(order.fields) == ["id", "slug", "old", "grade"]
    assert order.is_one_of


def test_implementations_are_in_the_schema_though_no_field_returns_them(
    schema: GraphQLSchema,
) -> None:
    assert not validate(schema, parse("{ wareFeed { edges { node { ... on Book { pages } } } } }"))


def test_a_schema_is_built_once(declared: Registry) -> None:
    @fraiseql.query
    def one(info: Any) -> int:
        return 1

    first = build.get_schema()
    assert build.get_schema() is first

    @fraiseql.query
    def two(info: Any) -> int:
        return 2

    assert "two" in build.get_schema().graphql.query_type.fields  # type: ignore[union-attr]  # one was declared


def test_threads_that_ask_at_once_get_one_whole_schema(declared: Registry) -> None:
    @fraiseql.type(view="v_courier")
    class Courier:
        id: UUID
        name: str

    class Query(fraiseql.Query):
        couriers = fraiseql.many(Courier)

    for _ in range(20):
        declared.version += 1
        start = threading.Barrier(4)

        def ask(start: threading.Barrier = start) -> GraphQLSchema:
            start.wait()
            return build.get_schema().graphql

        with ThreadPoolExecutor(4) as threads:
            answers = [future.result() for future in [threads.submit(ask) for _ in range(4)]]

        assert len({id(made) for made in answers}) == 1
        assert validate_schema(answers[0]) == []


def test_nothing_declared_is_named(declared: Registry) -> None:
    with pytest.raises(ConfigurationError, match="Nothing is declared") as caught:
        build.get_schema()

    assert "bindings.py" in str(caught.value.hint)


def test_types_without_sortable_leaves_have_no_order(declared: Registry) -> None:
    @fraiseql.type
    class Loose:
        extra: scalars.JSON
        sizes: list[int]

    @fraiseql.type(view="v_pile")
    class Pile:
        loose: Loose
        extra: scalars.JSON

    @fraiseql.type(view="v_heap")
    class Heap:
        piles: list[Pile]

    class Query(fraiseql.Query):
        piles = fraiseql.many(Pile)
        heaps = fraiseql.many(Heap)

    root = build.get_schema().graphql.query_type
    assert root is not None
    assert list(root.fields["piles"].args) == ["where", "limit", "offset"]
    assert list(root.fields["heaps"].args) == ["where", "limit", "offset"]


def test_the_integer_id_has_an_order_and_the_uuid_has_not(schema: GraphQLSchema) -> None:
    integer: Any = schema.type_map["IntIDFilter"]
    uuid: Any = schema.type_map["IDFilter"]

    assert {"eq", "in", "gt"} <= set(integer.fields)
    assert "gt" not in uuid.fields
    assert str(integer.fields["gt"].type) == "ID"


# Joined graphene schemas


class Old(graphene.ObjectType):
    """An old type."""

    some_thing = graphene.Int()


class OldQuery(graphene.ObjectType):
    """The old query."""

    old_field = graphene.Field(Old)


class OldSubscription(graphene.ObjectType):
    """The old subscription."""

    ticks = graphene.Int()


def joined(declared: Registry, *schemas: graphene.Schema) -> GraphQLSchema:
    """Return the joined schema."""
    return build.build(declared, schemas).graphql


def test_an_old_schema_alone(declared: Registry) -> None:
    made = build.build(declared, (graphene.Schema(query=OldQuery, subscription=OldSubscription),))

    assert made.graphql.query_type is not None
    assert list(made.graphql.query_type.fields) == ["oldField"]
    assert made.graphql.subscription_type is not None
    assert list(made.graphql.subscription_type.fields) == ["ticks"]


def test_types_given_to_an_old_schema_are_kept(declared: Registry) -> None:
    class Hidden(graphene.ObjectType):
        value = graphene.Int()

    assert "Hidden" in joined(declared, graphene.Schema(query=OldQuery, types=[Hidden])).type_map


def test_an_old_schema_may_keep_its_snake_case(declared: Registry) -> None:
    @fraiseql.query
    def new_field(info: Any) -> int:
        return 1

    made = joined(declared, graphene.Schema(query=OldQuery, auto_camelcase=False))

    assert made.query_type is not None
    assert set(made.query_type.fields) == {"old_field", "newField"}


def test_old_schemas_must_agree_on_camelcase(declared: Registry) -> None:
    class OtherQuery(graphene.ObjectType):
        other_field = graphene.Int()

    snake = graphene.Schema(query=OldQuery, auto_camelcase=False)
    with pytest.raises(ConfigurationError, match="differ in auto_camelcase"):
        joined(declared, snake, graphene.Schema(query=OtherQuery))


def test_an_old_schema_of_mutations_only(declared: Registry) -> None:
    class OldMutation(graphene.ObjectType):
        touch = graphene.Int()

    @fraiseql.query
    def one(info: Any) -> int:
        return 1

    made = joined(declared, graphene.Schema(mutation=OldMutation))

    assert made.mutation_type is not None
    assert list(made.mutation_type.fields) == ["touch"]


def test_another_setting_builds_the_schema_again(declared: Registry) -> None:
    @fraiseql.query
    def one(info: Any) -> int:
        return 1

    first = build.get_schema()
    with override_settings(FRAISEQL={"MAX_LIMIT": 7}):
        second = build.get_schema()

    assert first is not second


def test_a_lazy_graphene_type(declared: Registry) -> None:
    @fraiseql.type
    class Maker:
        name: str

    assert fraiseql.graphene_type(Maker)()._meta.name == "Maker"


def test_a_lazy_graphene_type_of_a_stranger(declared: Registry) -> None:
    with pytest.raises(ConfigurationError, match="int is not declared"):
        fraiseql.graphene_type(int)()


def test_variables_inside_json_may_be_of_any_standard_scalar(declared: Registry) -> None:
    @fraiseql.query
    def echo(info: Any, value: scalars.JSON) -> scalars.JSON:
        return value

    result = Client().query(
        "query ($a: Float, $b: ID, $c: Int) { echo(value: {a: $a, b: [$b], c: $c}) }",
        {"a": 1.5, "b": 7, "c": 3},
    )

    assert result.assert_ok() == {"echo": {"a": 1.5, "b": ["7"], "c": 3}}


def test_arguments_may_be_of_graphene_types(declared: Registry) -> None:
    class OldInput(graphene.InputObjectType):
        some_size = graphene.Int()

    @fraiseql.query
    def size(info: Any, given: OldInput, more: list[OldInput] | None = None) -> int:
        return int(given["some_size"]) + len(more or [])

    query = "{ size(given: {someSize: 3}, more: [{someSize: 1}]) }"

    assert Client().query(query).assert_ok() == {"size": 4}


def test_the_garbage_collector_is_left_as_it_was(declared: Registry) -> None:
    @fraiseql.query
    def one(info: Any) -> int:
        return 1

    gc.disable()
    try:
        build.get_schema()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_wrong_literal_is_refused_at_its_place(declared: Registry) -> None:
    @fraiseql.query
    def of(info: Any, on: date) -> int:
        return 1

    (error,) = Client().query('{ of(on: "tomorrow") }').errors

    assert error["locations"] == [{"line": 1, "column": 10}]


def test_a_field_called_like_a_connective_gives_way_to_it(declared: Registry) -> None:
    @fraiseql.type(view="v_maker")
    class Maker:
        AND: str
        name: str

    class Query(fraiseql.Query):
        makers = fraiseql.many(Maker)

    where: Any = build.get_schema().graphql.type_map["MakerWhereInput"]
    assert str(where.fields["AND"].type) == "[MakerWhereInput!]"

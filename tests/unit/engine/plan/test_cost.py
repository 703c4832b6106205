"""What operations cost, worked out before they run."""

from typing import Any

import graphene
import pytest
from graphql import get_introspection_query

from fraiseql.conf import get_settings
from fraiseql.engine.document.document import read_document
from fraiseql.engine.document.limits import Limits
from fraiseql.engine.plan.cost import Cost, compile_cost
from fraiseql.schema import build, registry


class Item(graphene.ObjectType):
    """Something of a joined schema."""

    name = graphene.String()
    numbers = graphene.List(graphene.List(graphene.Int))


class ItemConnection(graphene.relay.Connection):
    """A page of graphene's own."""

    class Meta:
        node = Item


class ItemInput(graphene.InputObjectType):
    """Something to write."""

    name = graphene.String()
    tags = graphene.List(graphene.String)
    data = graphene.JSONString()


class Written(graphene.ObjectType):
    """What was written."""

    written = graphene.List(Item)


class Query(graphene.ObjectType):
    """Fields of a joined schema."""

    grid = graphene.List(graphene.List(Item))
    some = graphene.List(Item, first=graphene.Int(), last=graphene.Int(default_value=5))
    pages = graphene.relay.ConnectionField(ItemConnection)


class Mutation(graphene.ObjectType):
    """Writes of a joined schema."""

    write_items = graphene.Field(Written, items=graphene.List(ItemInput), one=ItemInput())


@pytest.fixture(scope="module")
def schema() -> build.Schema:
    return build.build(registry.current(), (graphene.Schema(query=Query, mutation=Mutation),))


def compiled(schema: build.Schema, text: str, **variables: Any) -> Cost:
    document = read_document(text, schema.graphql, Limits(0, 0, True, True))
    operation = document.operations[0]
    return compile_cost(schema, document.fragments, operation, variables, get_settings())


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("{ __typename maker(id: 1) { name } }", 1 + 1 + 1),
        ("{ makers { name } }", 1 + 100 * 1),
        ("{ wares { name } }", 1 + 5 * 1),
        ("{ makers(limit: 7) { name office { openedOn } } }", 1 + 7 * (1 + 1 + 1)),
        ("{ makers(limit: 7) { wares { name tags } } }", 1 + 7 * (1 + 10 * 2)),
        ("{ makers(limit: null) { name } }", 1 + 100),
        ("{ makers(limit: -7) { name } }", 1),
        ("{ makers(limit: 99999999) { name } }", 1 + 1_000),
        ("{ wares(limit: 99999999) { name } }", 1 + 50),
        ("{ waresAggregate(limit: 3) { count keys { grade } } }", 1 + 3 * 3),
        ("{ wareFeed { totalCount } }", 1 + 1),
        ("{ wareFeed(first: 4) { edges { cursor node { name } } pageInfo { endCursor } } }", 1 + 1 + 4 * 3 + 2),
        ("{ wareFeed(last: 4) { edges { cursor } } }", 1 + 1 + 4),
        ("{ wareFeed(first: 3, last: 4) { edges { cursor } } }", 1 + 1 + 4),
        ("{ wareFeed { a: edges { cursor } } }", 1 + 1 + 2),
        ("{ makers(limit: 7) { rivals { name } } }", 1 + 7 * (1 + 1)),
        ("{ makers(limit: 7) { rivals(limit: 9) { name } } }", 1 + 7 * (1 + 9)),
        ("{ categories(limit: 7) { children { children { children { id } } } } }", 1 + 7 * (1 + 10 * (1 + 20))),
        ("{ writers(limit: 7) { works { id } mentor { id } } }", 1 + 7 * (1 + 3 + 1 + 1)),
        ("{ writers(limit: 7) { works(limit: 9) { id } } }", 1 + 7 * (1 + 9)),
        ("{ writers(limit: 7) { works(limit: 99999999) { id } } }", 1 + 7 * (1 + 20)),
        ("{ writers(limit: 7) { workFeed(last: 5) { edges { cursor } } } }", 1 + 7 * (1 + 1 + 5)),
        ("{ writers(limit: 7) { pupils { jottings(limit: 3) { id } } } }", 1 + 7 * (1 + 100 * (1 + 3))),
        ("{ grid { name numbers } }", 1 + 10 * 10 * 2),
        ("{ some { name } }", 1 + 5),
        ("{ some(first: 8) { name } }", 1 + 8),
        ("{ pages(first: 8) { edges { node { name } } } }", 1 + 1 + 8 * 2),
        ("{ makers(limit: 2) { name } makers(limit: 2) { name identifier } }", 1 + 2 * 2),
        ("{ a: makers(limit: 2) { name } b: makers(limit: 3) { ...F ...F } } fragment F on Maker { name }", 6 + 1),
        ("{ wares(limit: 2) { name ... on Book { pages } ... on Tool { watts } } }", 1 + 2 * 3),
        ("{ makers(limit: 2) { name ... @skip(if: true) { id } ... @include(if: true) { id } } }", 1 + 2 * 2),
        ("mutation { ring { __typename } }", 10 + 1),
        ("mutation { a: ring { __typename } b: ring { __typename } }", 2 * 11),
        ('mutation { doubleStalls(input: {ids: ["a", "b", "c"]}) { __typename } }', 3 * 10 + 1),
        ("mutation { writeItems(items: []) { written { name } } }", 10 + 1 + 10),
        ("mutation { writeItems(items: [{tags: [1]}, {name: 1}], one: {}) { written { name } } }", 3 * 10 + 11),
    ],
)  # fmt: skip
def test_each_field_counts_for_each_row(schema: build.Schema, text: str, cost: int) -> None:
    text = text.replace("tags: [1]", 'tags: ["x"]').replace("name: 1", 'name: "x"')
    for plain in ("a", "b", "c"):
        text = text.replace(f'"{plain}"', f'"00000000-0000-4000-8000-00000000000{plain}"')
    found = compiled(schema, text)

    assert (found.of({}), found.most(), found.terms) == (cost, cost, ())


@pytest.mark.parametrize(
    ("text", "variables", "cost", "most"),
    [
        ("query ($n: Int) { makers(limit: $n) { name } }", {"n": 3}, 4, 1_001),
        ("query ($n: Int) { makers(limit: $n) { name } }", {}, 101, 1_001),
        ("query ($n: Int) { makers(limit: $n) { name } }", {"n": None}, 101, 1_001),
        ("query ($n: Int) { makers(limit: $n) { name } }", {"n": 99_999_999}, 1_001, 1_001),
        ("query ($n: Int) { makers(limit: 5) { rivals(limit: $n) { name } } }", {"n": 20}, 1 + 5 * 21, None),
        ("query ($n: Int, $m: Int) { wareFeed(first: $n, last: $m) { edges { cursor } } }", {"n": 3, "m": 9}, 11,
         52),
        ("query ($n: Int) { wareFeed(first: $n, last: 9) { edges { cursor } } }", {"n": 3}, 11, 52),
        ("query ($n: Int) { makers(limit: $n) { wares { name } } }", {"n": 2}, 1 + 2 * 11, 11_001),
        ("query ($n: Int) { writers(limit: 2) { works(limit: $n) { id } } }", {"n": 7}, 1 + 2 * 8, 1 + 2 * 21),
        ("mutation ($i: [ItemInput]) { writeItems(items: $i) { __typename } }", {"i": [{}] * 7}, 71, None),
        ("mutation ($i: ItemInput) { writeItems(one: $i) { __typename } }", {"i": {"tags": ["x"] * 7}}, 71, None),
        ("mutation ($i: [ItemInput]) { writeItems(items: $i) { __typename } }", {}, 11, None),
        ("mutation ($i: [ItemInput]) { writeItems(items: $i) { __typename } }", {"i": [{"data": [[]]}]}, 11, None),
        ("mutation ($s: [String]) { writeItems(one: {tags: $s}) { __typename } }", {"s": ["x"] * 7}, 71, None),
    ],
)  # fmt: skip
def test_variables_say_how_many_rows(
    schema: build.Schema, text: str, variables: dict[str, Any], cost: int, most: int | None
) -> None:
    found = compiled(schema, text)

    assert (found.of(variables), found.most()) == (cost, most)


def test_conditions_are_those_of_the_request(schema: build.Schema) -> None:
    text = "query ($s: Boolean!) { makers(limit: 2) { name id @include(if: $s) } }"

    assert compiled(schema, text, s=True).fixed == 5
    assert compiled(schema, text, s=False).fixed == 3


def test_the_whole_schema_may_be_asked_for_twice(schema: build.Schema) -> None:
    whole = get_introspection_query()
    fields = " ".join(f"a{n}: __schema {{ ...F }}" for n in range(5))
    fragments = whole[whole.index("fragment FullType") :]
    many = f"{{ {fields} }} fragment F on __Schema {{ types {{ ...FullType }} }} {fragments}"

    assert compiled(schema, whole).fixed <= 1
    assert compiled(schema, many).fixed > 100_000

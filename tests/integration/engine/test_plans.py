"""
At 100,000 posts, PostgreSQL runs a compiled statement as it runs the one written by hand.

Compared are the kinds of nodes and the indexes they use, in order; not costs, which differ by version.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

import fraiseql
from fraiseql import scalars
from fraiseql.db import catalog
from fraiseql.testing import Client, isolated

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

POSTS = 100_000
TABLES = f"""
    CREATE SCHEMA plans;
    CREATE TABLE plans.tv_writer (id uuid PRIMARY KEY, identifier text NOT NULL UNIQUE, data jsonb NOT NULL);
    INSERT INTO plans.tv_writer
    SELECT id, 'writer-' || n, jsonb_build_object('id', id, 'identifier', 'writer-' || n, 'name', 'Ada ' || n)
      FROM (SELECT n, md5('writer:' || n)::uuid AS id FROM generate_series(1, 1000) AS n) AS w;
    CREATE TABLE plans.tv_post (
        id uuid PRIMARY KEY, identifier text NOT NULL UNIQUE, title text NOT NULL, views int NOT NULL,
        created_at timestamptz NOT NULL, writer_id uuid NOT NULL, data jsonb NOT NULL,
        words tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED
    );
    INSERT INTO plans.tv_post
    SELECT id, 'post-' || n, 'Topic ' || n % 1000 || ': ' || n, n * 7919 % {POSTS}, created_at, writer,
           jsonb_build_object('id', id, 'identifier', 'post-' || n, 'title', 'Topic ' || n % 1000 || ': ' || n,
                              'views', n * 7919 % {POSTS}, 'created_at', created_at, 'score', n % 5000,
                              'writer', jsonb_build_object('id', writer, 'name', 'Ada ' || n % 1000,
                                                           'identifier', 'writer-' || n % 1000))
      FROM (SELECT n, md5('post:' || n)::uuid AS id, md5('writer:' || n % 1000)::uuid AS writer,
                   timestamptz '2020-01-01 00:00:00+00' + n * interval '31 minutes' AS created_at
              FROM generate_series(1, {POSTS}) AS n) AS p;
    CREATE INDEX tv_post_created_at_idx ON plans.tv_post (created_at, id);
    CREATE INDEX tv_post_title_idx ON plans.tv_post (title text_pattern_ops);
    CREATE INDEX tv_post_writer_idx ON plans.tv_post (writer_id);
    CREATE INDEX tv_post_writer_created_idx ON plans.tv_post (writer_id, created_at, id);
    CREATE INDEX tv_post_words_idx ON plans.tv_post USING gin (words);
    CREATE INDEX tv_post_month_idx ON plans.tv_post (date_trunc('month', created_at AT TIME ZONE 'UTC'));
    CREATE INDEX tv_post_score_idx ON plans.tv_post (((data->>'score')::int4));
    CREATE INDEX tv_post_name_idx ON plans.tv_post ((data->'writer'->>'name'));
    ANALYZE plans.tv_writer, plans.tv_post;
"""
FIRST = "00000000-0000-0000-0000-000000000000"
NODES = ("Append", "Subquery Scan", "Result")
"""What stands around the reads of a statement and costs nothing."""


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The posts and their writers."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(TABLES)
        yield
        cursor.execute("DROP SCHEMA plans CASCADE")


@pytest.fixture
def posts(loaded: None) -> Iterator[None]:
    """The posts, bound."""
    catalog.forget("default")
    with isolated():

        @fraiseql.type(view="plans.tv_writer")
        class Writer:
            id: scalars.UUID
            identifier: str
            name: str
            posts: "list[Post]" = fraiseql.related(key="writer_id")
            feed: "list[Post]" = fraiseql.related(key="writer_id", connection=True)

        @fraiseql.type(view="plans.tv_post", search="words", search_config="english")
        class Post:
            id: scalars.UUID
            identifier: str
            title: str
            views: int
            score: int
            created_at: scalars.DateTime
            writer_id: scalars.UUID | None
            writer: Writer
            related_writer: Writer | None = fraiseql.related(local="writer_id")

        class Query(fraiseql.Query):
            writer = fraiseql.one(Writer)
            writers = fraiseql.many(Writer)
            post = fraiseql.one(Post)
            posts = fraiseql.many(Post)
            post_feed = fraiseql.connection(Post)
            posts_aggregate = fraiseql.aggregate(Post)

        yield
    catalog.forget("default")


@pytest.fixture
def compiled(posts: None) -> Callable[..., list[str]]:
    """Return the nodes of the plan of an operation's one statement."""

    def plan(query: str, **variables: Any) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            Client().query(query, variables).assert_ok()
        (statement,) = [entry["sql"] for entry in captured.captured_queries]
        return explained(statement)

    return plan


def explained(statement: str) -> list[str]:
    """Return the nodes of a statement's plan, top down."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        found = cursor.fetchone()[0]
    (plan,) = json.loads(found) if isinstance(found, str) else found
    return list(_nodes(plan["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] not in NODES:
        index = node.get("Index Name") or node.get("Relation Name", "")
        backward = " backward" if node.get("Scan Direction") == "Backward" else ""
        yield f"{node['Node Type']} {index}{backward}".strip()
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def cursor_in_the_middle(direction: str) -> str:
    """Return the cursor of a post in the middle, in the order of creation."""
    query = f"""{{ postFeed(where: {{identifier: {{eq: "post-50000"}}}}, orderBy: [{{createdAt: {direction}}}])
                  {{ pageInfo {{ endCursor }} }} }}"""
    cursor: str = Client().query(query).assert_ok()["postFeed"]["pageInfo"]["endCursor"]
    return cursor


PAGE = "(timestamptz '2021-01-01', 'f0000000-0000-0000-0000-000000000000'::uuid)"


@pytest.mark.parametrize(
    ("query", "by_hand"),
    [
        (f'{{ post(id: "{FIRST}") {{ title }} }}',
         f"SELECT data FROM plans.tv_post WHERE id = '{FIRST}' LIMIT 1"),
        ('{ post(identifier: "post-7") { title } }',
         "SELECT data FROM plans.tv_post WHERE identifier = 'post-7' LIMIT 1"),
        ("{ posts(where: {title: {startswith: \"Topic 77\"}}, limit: 10) { title } }",
         "SELECT data FROM plans.tv_post WHERE title LIKE 'Topic 77%' ORDER BY id LIMIT 10"),
        (f'{{ posts(where: {{writerId: {{eq: "{FIRST}"}}}}, limit: 10) {{ title }} }}',
         f"SELECT data FROM plans.tv_post WHERE writer_id = '{FIRST}' ORDER BY id LIMIT 10"),
        ('{ posts(where: {createdAt: {gte: "2021-01-01T00:00:00Z", lt: "2021-01-02T00:00:00Z"}}) { title } }',
         """SELECT data FROM plans.tv_post WHERE created_at >= '2021-01-01Z' AND created_at < '2021-01-02Z'
            ORDER BY id LIMIT 100"""),
        ("{ posts(where: {score: {eq: 77}}) { title } }",
         "SELECT data FROM plans.tv_post WHERE (data->>'score')::int4 = 77 ORDER BY id LIMIT 100"),
        ("{ posts(where: {score: {lt: 7}}, limit: 10) { title } }",
         "SELECT data FROM plans.tv_post WHERE (data->>'score')::int4 < 7 ORDER BY id LIMIT 10"),
        ('{ posts(where: {writer: {name: {eq: "Ada 7"}}}) { title } }',
         "SELECT data FROM plans.tv_post WHERE data->'writer'->>'name' = 'Ada 7' ORDER BY id LIMIT 100"),
        (f'{{ posts(where: {{id: {{in: ["{FIRST}", "f{FIRST[1:]}"]}}}}) {{ title }} }}',
         f"SELECT data FROM plans.tv_post WHERE id = ANY ('{{{FIRST},f{FIRST[1:]}}}') ORDER BY id LIMIT 100"),
        ('{ posts(where: {OR: [{identifier: {eq: "post-1"}}, {identifier: {eq: "post-2"}}]}) { title } }',
         """SELECT data FROM plans.tv_post WHERE identifier = 'post-1' OR identifier = 'post-2'
            ORDER BY id LIMIT 100"""),
        ("{ posts(limit: 10) { title } }", "SELECT data FROM plans.tv_post ORDER BY id LIMIT 10"),
        ("{ posts(limit: 10, orderBy: [{createdAt: ASC}]) { title } }",
         "SELECT data FROM plans.tv_post ORDER BY created_at, id LIMIT 10"),
        ("{ posts(limit: 10, orderBy: [{createdAt: DESC}]) { title } }",
         "SELECT data FROM plans.tv_post ORDER BY created_at DESC, id DESC LIMIT 10"),
        ("{ posts(limit: 10, orderBy: [{identifier: DESC}]) { title } }",
         "SELECT data FROM plans.tv_post ORDER BY identifier DESC LIMIT 10"),
        ("{ posts(limit: 10, offset: 500, orderBy: [{createdAt: ASC}]) { title } }",
         "SELECT data FROM plans.tv_post ORDER BY created_at, id LIMIT 10 OFFSET 500"),
        ("{ posts(limit: 10, orderBy: [{views: DESC}]) { title } }",
         "SELECT data FROM plans.tv_post ORDER BY views DESC, id LIMIT 10"),
        ("{ postFeed(first: 10, orderBy: [{createdAt: ASC}]) { edges { node { title } } } }",
         "SELECT data FROM plans.tv_post ORDER BY created_at, id LIMIT 11"),
        ("{ postFeed(last: 10, orderBy: [{createdAt: ASC}]) { edges { node { title } } } }",
         "SELECT data FROM plans.tv_post ORDER BY created_at DESC, id DESC LIMIT 11"),
        ("{ postsAggregate(groupBy: [{writerId: true}]) { keys { writerId } count } }",
         "SELECT writer_id, count(*) FROM plans.tv_post GROUP BY 1 ORDER BY 1 LIMIT 100"),
        ("{ postsAggregate(groupBy: [{createdAt: MONTH}]) { keys { createdAt } count } }",
         """SELECT date_trunc('month', created_at AT TIME ZONE 'UTC'), count(*) FROM plans.tv_post
             GROUP BY 1 ORDER BY 1 LIMIT 100"""),
        ("{ postsAggregate { min { createdAt } max { createdAt } } }",
         "SELECT min(created_at), max(created_at) FROM plans.tv_post"),
        ("{ postsAggregate(where: {score: {lt: 7}}) { count sum { views } } }",
         "SELECT count(*), sum(views::int8) FROM plans.tv_post WHERE (data->>'score')::int4 < 7"),
        ("""{ postsAggregate(groupBy: [{writerId: true}], having: {count: {gt: 100}}, orderBy: [{count: DESC}])
            { keys { writerId } } }""",
         """SELECT writer_id, count(*) FROM plans.tv_post GROUP BY 1 HAVING count(*) > 100
             ORDER BY 2 DESC, 1 LIMIT 100"""),
        ('{ posts(search: "topics 77", limit: 10) { title } }',
         """SELECT data FROM plans.tv_post WHERE words @@ websearch_to_tsquery('english', 'topics 77')
             ORDER BY ts_rank_cd(words, websearch_to_tsquery('english', 'topics 77')) DESC, id DESC LIMIT 10"""),
        ('{ postFeed(search: "77 or 78") { totalCount } }',
         "SELECT count(*) FROM plans.tv_post WHERE words @@ websearch_to_tsquery('english', '77 or 78')"),
        ("{ posts(distinct: [WRITER_ID], orderBy: [{writerId: ASC}, {createdAt: ASC}], limit: 5) { title } }",
         """SELECT DISTINCT ON (writer_id) data FROM plans.tv_post
             ORDER BY writer_id, created_at, id LIMIT 5"""),
        ("{ postFeed { totalCount } }", "SELECT count(*) FROM plans.tv_post"),
        ("{ postFeed(where: {score: {lt: 7}}) { totalCount } }",
         "SELECT count(*) FROM plans.tv_post WHERE (data->>'score')::int4 < 7"),
    ],
)  # fmt: skip
def test_a_statement_is_planned_as_by_hand(
    compiled: Callable[..., list[str]], query: str, by_hand: str
) -> None:
    assert compiled(query) == explained(by_hand)


@pytest.mark.parametrize(
    ("arguments", "by_hand"),
    [
        ("first: 10, after: $cursor, orderBy: [{createdAt: ASC}]",
         f"WHERE (created_at, id) > {PAGE} ORDER BY created_at, id"),
        ("first: 10, after: $cursor, orderBy: [{createdAt: DESC}]",
         f"WHERE (created_at, id) < {PAGE} ORDER BY created_at DESC, id DESC"),
        ("last: 10, before: $cursor, orderBy: [{createdAt: ASC}]",
         f"WHERE (created_at, id) < {PAGE} ORDER BY created_at DESC, id DESC"),
    ],
)  # fmt: skip
def test_a_page_goes_on_in_the_index(
    compiled: Callable[..., list[str]], arguments: str, by_hand: str
) -> None:
    cursor = cursor_in_the_middle("DESC" if "DESC" in arguments else "ASC")
    query = (
        f"query ($cursor: String) {{ postFeed({arguments}) {{ edges {{ node {{ title }} }} }} }}"
    )
    plan = compiled(query, cursor=cursor)

    assert plan == explained(f"SELECT data FROM plans.tv_post {by_hand} LIMIT 11")
    assert [node for node in plan if "tv_post_created_at_idx" in node]


def test_several_roots_are_planned_as_each_alone(compiled: Callable[..., list[str]]) -> None:
    plan = compiled(
        f"""{{ post(id: "{FIRST}") {{ title }} writer(identifier: "writer-7") {{ name }}
               newest: posts(limit: 5, orderBy: [{{createdAt: DESC}}]) {{ title }}
               postFeed(first: 5, orderBy: [{{createdAt: ASC}}]) {{ totalCount edges {{ cursor }} }} }}"""
    )
    by_hand = [
        f"SELECT data FROM plans.tv_post WHERE id = '{FIRST}' LIMIT 1",
        "SELECT data FROM plans.tv_writer WHERE identifier = 'writer-7' LIMIT 1",
        "SELECT data FROM plans.tv_post ORDER BY created_at DESC, id DESC LIMIT 5",
        "SELECT data FROM plans.tv_post ORDER BY created_at, id LIMIT 6",
        "SELECT count(*) FROM plans.tv_post",
    ]

    assert plan == [node for statement in by_hand for node in explained(statement)]


WRITERS = "(SELECT id, data FROM plans.tv_writer ORDER BY id LIMIT 20) AS w"
POSTS_OF = "SELECT data FROM plans.tv_post WHERE writer_id = w.id ORDER BY created_at DESC, id DESC"


@pytest.mark.parametrize(
    ("query", "by_hand"),
    [
        ("{ writers(limit: 20) { name posts(limit: 5, orderBy: [{createdAt: DESC}]) { title } } }",
         f"""SELECT w.data, posts.list FROM {WRITERS}
             CROSS JOIN LATERAL (SELECT json_agg(p.data) AS list FROM ({POSTS_OF} LIMIT 5) AS p) AS posts"""),
        ("{ posts(limit: 10, orderBy: [{createdAt: DESC}]) { title relatedWriter { name } } }",
         """SELECT p.data, w.data FROM
              (SELECT data, writer_id FROM plans.tv_post ORDER BY created_at DESC, id DESC LIMIT 10) AS p
              LEFT JOIN LATERAL (SELECT data FROM plans.tv_writer WHERE id = p.writer_id LIMIT 1) AS w
              ON true"""),
    ],
)  # fmt: skip
def test_related_rows_are_read_as_a_lateral_join_does(
    compiled: Callable[..., list[str]], query: str, by_hand: str
) -> None:
    # A join of its own node, or a subselect of the row: what is read below is the same.
    def reads(plan: list[str]) -> list[str]:
        return sorted(node for node in plan if "tv_" in node)

    assert reads(compiled(query)) == reads(explained(by_hand))
    assert not [node for node in compiled(query) if node.startswith(("Seq Scan", "Sort"))]


def test_a_related_page_is_cut_in_the_index(compiled: Callable[..., list[str]]) -> None:
    plan = compiled(
        """{ writers(limit: 20) { feed(first: 5, orderBy: [{createdAt: DESC}])
             { edges { cursor node { title } } pageInfo { hasNextPage } } } }"""
    )

    assert "Index Scan tv_post_writer_created_idx backward" in plan
    assert not [node for node in plan if node.startswith("Seq Scan")]


def test_a_condition_across_a_relation_uses_its_key(compiled: Callable[..., list[str]]) -> None:
    plan = compiled(
        """{ posts(where: {relatedWriter: {identifier: {eq: "writer-7"}}}, limit: 500) { title } }"""
    )

    assert "Index Scan tv_writer_identifier_key" in plan
    assert not [node for node in plan if node.startswith("Seq Scan")]

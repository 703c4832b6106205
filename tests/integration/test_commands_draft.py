"""``manage.py fraiseql_draft``: what it writes compiles, builds, and answers with the documents."""

import json
import sys
from collections.abc import Iterator
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

import fraiseql
from fraiseql.db import catalog
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute as answer
from fraiseql.schema import registry
from fraiseql.schema.build import get_schema

pytestmark = pytest.mark.django_db


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    catalog.forget("default")


@pytest.fixture(autouse=True)
def nothing_declared() -> Iterator[None]:
    with registry.isolated():
        yield


def draft(*views: str, **options: Any) -> str:
    """Return the source, which has been imported as a module would be."""
    out = StringIO()
    call_command("fraiseql_draft", *views, stdout=out, stderr=StringIO(), **options)
    source = out.getvalue()
    module = ModuleType("drafted")
    sys.modules["drafted"] = module
    try:
        exec(compile(source, "drafted.py", "exec"), vars(module))
        get_schema()
    finally:
        del sys.modules["drafted"]
    return source


def ask(query: str) -> Any:
    found = json.loads(answer(GraphQLRequest(query)).body)
    assert "errors" not in found, found
    return found["data"]


def documents(*values: Any, view: str = "v_thing") -> None:
    """Make ``view`` with these documents."""
    rows = ", ".join(["(%s::jsonb)"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE tb_{view} AS SELECT * FROM (VALUES {rows}) AS t (data)",
            [json.dumps(value) for value in values],
        )
        cursor.execute(f"CREATE VIEW {view} AS SELECT data FROM tb_{view}")
    catalog.forget("default")


def test_documents_come_back_as_they_are() -> None:
    value = {
        "id": "8b0e7e5e-5f0c-4b8e-9d0e-0123456789ab",
        "title": "Views",
        "likes": 3,
        "score": 0.5,
        "is_open": True,
        "tags": ["a", "b"],
        "matrix": [[1, 2], [3]],
        "createdAt": "2024-01-31T12:00:00.5+00:00",
        "day": "2024-01-31",
        "author": {"name": "Ada", "bio": None},
        "comments": [{"text": "x", "author": {"name": "Bob", "bio": "y"}}],
        "anything": [1, "a", None, {"b": 2}],
    }
    documents(value, {**value, "comments": [], "author": None})
    source = draft("v_thing")
    answered = ask(
        """{ things { id title likes score isOpen tags matrix createdAt day anything
                      author { name bio } comments { text author { name bio } } } }"""
    )

    first = answered["things"][0]
    expected = {**value, "isOpen": True}
    del expected["is_open"]
    assert first == expected
    assert '    created_at: datetime = fraiseql.field(key="createdAt")' in source
    assert "    author: Author | None\n" in source
    assert "    anything: list[scalars.JSON | None]\n" in source
    assert source.count("class Author:") == 1
    assert "    bio: str | None\n" in source


def test_the_source_reads_like_a_binding() -> None:
    documents({"id": 1, "name": "a", "sizes": [{"width": 1}]})

    assert draft("v_thing") == (
        '"""Bindings drafted by manage.py fraiseql_draft from what the views hold;'
        ' now they are yours."""\n\n'
        "import fraiseql\n\n\n"
        "@fraiseql.type\nclass Size:\n    width: int\n\n\n"
        '@fraiseql.type(view="v_thing")\nclass Thing:\n'
        "    id: int\n    name: str\n    sizes: list[Size]\n\n\n"
        "class Query(fraiseql.Query):\n"
        "    thing = fraiseql.one(Thing)\n    things = fraiseql.many(Thing)\n"
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False], "bool"),
        ([1, -(2**31)], "int"),
        ([1, 2**31], "scalars.BigInt"),
        ([1, 0.5], "float"),
        (["a", None], "str | None"),
        ([None], "scalars.JSON | None"),
        ([1, "a"], "scalars.JSON"),
        ([True, 1], "scalars.JSON"),
        ([[]], "list[scalars.JSON | None]"),
        ([["a"], None], "list[str] | None"),
        ([["a", None]], "list[str | None]"),
        ([{}], "scalars.JSON"),
        (["2024-01-31T12:00:00Z", "2024-01-31T12:00:00.123456+05:30"], "datetime"),
        (["2024-01-31"], "date"),
        (["12:30:00"], "time"),
        (["2024-01-31", "soon"], "str"),
        (["8b0e7e5e-5f0c-4b8e-9d0e-0123456789ab"], "UUID"),
    ],
)
def test_values_tell_their_type(values: list[Any], expected: str) -> None:
    documents(*({"value": value, "other": 1} for value in values))
    source = draft("v_thing")

    assert f"    value: {expected}\n" in source
    ask("{ things { value } }")


def test_numbers_that_only_numeric_prints_are_decimals() -> None:
    execute(
        "CREATE VIEW v_thing AS SELECT jsonb_build_object('price', 12.50,"
        " 'exact', 0.123456789012345678901, 'ratio', 0.1::float8) AS data"
    )
    source = draft("v_thing")

    assert "    price: Decimal\n" in source
    assert "    exact: Decimal\n" in source
    assert "    ratio: float\n" in source
    assert ask("{ things { price exact } }") == {
        "things": [{"price": "12.50", "exact": "0.123456789012345678901"}]
    }


def test_absent_keys_are_nullable() -> None:
    documents({"a": 1, "b": 2}, {"a": 1})

    assert "    b: int | None\n" in draft("v_thing")


def test_keys_that_are_no_names_get_some() -> None:
    value = {
        "first name": "a", "2fa": "b", "class": "c", "größe": "d", "firstName": "e", "": "f",
        "__typename": "g", "date": "h", "fullHTMLText": "i", "x_1": "j", "x1": "k", "日本": "l",
        'quo"te': "m", "back\\slash": "n", "perc%nt": "o", "None": "p", "self": "q", "len": "r",
    }  # fmt: skip
    documents(value)
    draft("v_thing")
    fields = get_schema().objects["Thing"].fields
    (found,) = ask(f"{{ things {{ {' '.join(fields)} }} }}")["things"]

    assert sorted(found.values()) == sorted(value.values())
    assert {fields[name].key: shown for name, shown in found.items()} == value
    assert {"firstName", "class", "date", "fullHtmlText", "self"} <= set(fields)


def test_documents_that_look_like_maps_are_objects_all_the_same() -> None:
    documents(*({f"key {n}-{m}": m for m in range(5)} for n in range(4)))

    assert "    key_0_0: int | None" in draft("v_thing")


def test_objects_keyed_by_uuid_are_maps() -> None:
    documents({"prices": {"8b0e7e5e-5f0c-4b8e-9d0e-0123456789ab": 1}})

    assert "    prices: scalars.JSON\n" in draft("v_thing")


def test_columns_that_contradict_the_document_are_left_alone() -> None:
    execute(
        """CREATE VIEW v_thing AS SELECT 1 AS a, '{1}'::int[] AS b, '{x}'::text[] AS c,
                  '{"a": "x", "b": ["x"], "c": ["x"]}'::jsonb AS data"""
    )
    source = draft("v_thing")

    assert "    a: str\n    b: list[str]\n    c: list[str]\n" in source


def test_names_of_types_are_taken_once() -> None:
    documents({"1st": {"a": 1}, "a": {"x": {"b": 1}}, "b": {"x": {"c": 1}}, "c": {"x": {"d": 1}}})
    source = draft("v_thing")

    assert "class N1st:" in source
    assert source.count("class X:") == 1
    assert "class BX:" in source
    documents({"a": 1}, view="v_note")
    documents({"b": 1}, view="v_notes")
    assert "class Note2:" in draft("v_note", "v_notes")


def test_maps_are_json() -> None:
    documents(
        *({"by_user": {f"user {n}-{m}": m for m in range(5)}, "n": n} for n in range(4)),
    )

    assert "    by_user: scalars.JSON\n" in draft("v_thing")


def test_columns_are_told_by_the_catalog() -> None:
    execute(
        "CREATE TYPE post_status AS ENUM ('draft', 'in review', 'true', '2nd', '')",
        "CREATE DOMAIN positive AS integer CHECK (VALUE > 0)",
        """CREATE TABLE tv_thing (
               id bigint PRIMARY KEY, "Name" varchar(20) NOT NULL, price numeric(8,2), born date,
               took interval, address inet, spans daterange[], status post_status NOT NULL,
               history post_status[], payload jsonb, place point, rank positive NOT NULL,
               extra json, at timestamp)""",
        """INSERT INTO tv_thing VALUES (
               5, 'a', 1.5, '2024-01-31', '1 day', '10.0.0.1', '{"[2024-01-01,)"}', 'in review',
               '{2nd}', '{"a": {"b": 1}}', '(1,2)', 3, NULL, '2024-01-31 12:00')""",
    )
    source = draft("tv_thing")
    answered = ask(
        """{ things { id name price born took address spans status history place rank extra at
                      payload { a { b } } } }"""
    )

    for line in (
        '@fraiseql.type(view="tv_thing")',
        "    id: scalars.BigInt\n",
        '    name: str = fraiseql.field(key="Name")',
        "    price: Decimal | None\n",
        "    born: date | None\n",
        "    took: timedelta | None\n",
        "    address: scalars.IpAddress | None\n",
        "    spans: list[scalars.DateRange] | None\n",
        "    status: PostStatus\n",
        "    history: list[PostStatus] | None\n",
        "    payload: Payload | None\n",
        "    place: str | None\n",
        "    rank: int\n",
        "    extra: scalars.JSON | None\n",
        "    at: datetime | None\n",
        '    IN_REVIEW = "in review"',
        '    TRUE_ = "true"',
        '    VALUE_2ND = "2nd"',
        '    EMPTY = ""',
    ):
        assert line in source
    assert answered["things"][0] == {
        "id": "5", "name": "a", "price": "1.50", "born": "2024-01-31", "took": "1 day",
        "address": "10.0.0.1", "spans": ["[2024-01-01,)"], "status": "IN_REVIEW",
        "history": ["VALUE_2ND"], "place": "(1,2)", "rank": 3, "extra": None,
        "at": "2024-01-31T12:00:00+00:00", "payload": {"a": {"b": 1}},
    }  # fmt: skip


def test_columns_beside_the_document_say_more_than_a_sample() -> None:
    execute(
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        """CREATE VIEW v_thing AS SELECT 1::bigint AS size, 'good'::mood AS mood, 'x' AS other,
                  jsonb_build_object('size', 1, 'mood', 'good', 'other', 5) AS data""",
    )
    source = draft("v_thing")

    assert "    size: scalars.BigInt\n" in source
    assert "    mood: Mood\n" in source
    assert "    other: int\n" in source
    assert ask("{ things { size mood other } }") == {
        "things": [{"size": "1", "mood": "GOOD", "other": 5}]
    }


def test_a_projection_is_bound_with_its_source() -> None:
    execute(
        "CREATE SCHEMA sales",
        "CREATE VIEW sales.v_order AS SELECT 1 AS id, '{\"id\": 1}'::jsonb AS data",
        "CREATE TABLE sales.tv_order AS SELECT * FROM sales.v_order",
    )
    source = draft("sales.tv_order")

    assert '@fraiseql.type(view="sales.tv_order", source="sales.v_order")\nclass Order:' in source


def test_several_views_share_shapes() -> None:
    documents({"id": 1, "name": "Ada"}, view="v_user")
    documents(
        {"id": 1, "author": {"id": 1, "name": None}, "meta": {"a": 1}},
        {"id": 1, "author": {"id": 1, "name": "Ada"}, "meta": {"a": 1}},
        view="v_post",
    )
    documents({"id": 1, "meta": {"b": True}}, view="v_page")
    source = draft("v_post", "v_user", "v_page")

    assert "    author: User\n" in source
    assert "class User:\n    id: int\n    name: str | None\n" in source
    assert "class Meta:\n    a: int\n" in source
    assert "class PageMeta:\n    b: bool\n" in source
    assert ask("{ posts { author { name } meta { a } } pages { meta { b } } }")["pages"]


def test_a_type_may_hold_itself() -> None:
    top = {"id": 1, "name": "Books", "parent": None, "children": []}
    documents(
        {**top, "children": [{**top, "id": 2}]},
        {**top, "id": 2, "parent": top},
        view="v_branch",
    )
    source = draft("v_branch")

    assert '    parent: "Branch | None"\n' in source
    assert '    children: "list[Branch]"\n' in source
    assert ask("{ branches { children { id parent { id } } } }") == {
        "branches": [{"children": [{"id": "2", "parent": None}]}, {"children": []}]
    }


def test_without_names_everything_unbound_is_drafted() -> None:
    execute(
        "CREATE TABLE tb_one AS SELECT 1 AS id",
        "CREATE VIEW v_one AS SELECT id FROM tb_one",
        "CREATE MATERIALIZED VIEW mv_two AS SELECT id FROM tb_one",
        "CREATE VIEW v_three AS SELECT id FROM tb_one",
        "CREATE TABLE tv_three AS SELECT id FROM tb_one",
        "CREATE VIEW v_bound AS SELECT id FROM tb_one",
        "CREATE SCHEMA elsewhere",
        "CREATE VIEW elsewhere.v_far AS SELECT 1 AS id",
    )

    @fraiseql.type(view="v_bound")
    class Bound:
        id: int

    source = draft()

    assert '(view="v_one")\nclass One:' in source
    assert '(view="mv_two")\nclass Two:' in source
    assert '(view="tv_three", source="v_three")\nclass Three:' in source
    for absent in ('"v_three")\nclass', "v_bound", "v_far", "tb_one", "auth_user", "django_"):
        assert absent not in source.replace(', source="v_three")\nclass', "")


def test_comments_become_descriptions() -> None:
    execute(
        "CREATE VIEW v_thing AS SELECT 1 AS id, 'x' AS name",
        "COMMENT ON VIEW v_thing IS 'All \"things\" \\ there are.'",
        "COMMENT ON COLUMN v_thing.name IS 'As it is\n\ncalled.'",
    )
    source = draft("v_thing")

    assert '    """All \\"things\\" \\\\ there are."""\n\n    id: int\n' in source
    assert "    # As it is\n    #\n    # called.\n    name: str\n" in source


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("v_user", "User"), ("tv_order_lines", "OrderLine"), ("mv_daily_stats", "DailyStat"),
        ("people", "People"), ("v_status", "Status"), ("v_date", "DateType"), ("v_2020", "N2020"),
        ("v_categories", "Category"), ("v_news", "News"), ("v_boxes", "Box"),
    ],
)  # fmt: skip
def test_types_are_called_after_their_views(view: str, expected: str) -> None:
    execute(f'CREATE VIEW "{view}" AS SELECT 1 AS id')

    assert f"class {expected}:" in draft(f'"{view}"')


def test_names_of_queries_differ() -> None:
    execute("CREATE VIEW v_news AS SELECT 1 AS id", "CREATE VIEW v_list AS SELECT 1 AS size")
    source = draft("v_news", "v_list")

    assert "    news = fraiseql.one(News)\n    all_news = fraiseql.many(News)\n" in source
    assert "fraiseql.one(List)" not in source


def test_rows_are_found_by_a_unique_key_where_there_is_no_id() -> None:
    execute(
        'CREATE TABLE "Album" ("AlbumId" int PRIMARY KEY, "Title" text NOT NULL)',
        "INSERT INTO \"Album\" VALUES (1, 'Blue')",
        "CREATE TABLE rate (day date, currency text, rate numeric, PRIMARY KEY (day, currency))",
        "CREATE TABLE spot (at point)",
        "CREATE TABLE document (id jsonb PRIMARY KEY, name text UNIQUE)",
        "INSERT INTO document VALUES ('{\"a\": 1}', 'x')",
    )
    source = draft('"Album"', "rate", "spot", "document")

    assert '    album = fraiseql.one(Album, by=["album_id"])\n' in source
    assert '    rate = fraiseql.one(Rate, by=["day", "currency"])\n' in source
    assert "fraiseql.one(Spot" not in source
    assert "fraiseql.one(Document" not in source
    assert ask("{ album(albumId: 1) { title } }") == {"album": {"title": "Blue"}}


def test_the_type_may_be_named() -> None:
    documents({"id": 1})

    assert "class Article:" in draft("v_thing", name="Article")
    with pytest.raises(CommandError, match="single view"):
        draft("v_thing", "v_other", name="Article")


def test_views_without_rows_are_drafted_from_their_columns() -> None:
    execute(
        "CREATE VIEW v_thing AS SELECT 1 AS id, 'a' AS name, '{}'::jsonb AS data WHERE false",
    )
    out, notes = StringIO(), StringIO()
    call_command("fraiseql_draft", "v_thing", stdout=out, stderr=notes)

    assert "class Thing:\n    id: int\n    name: str | None\n" in out.getvalue()
    assert notes.getvalue() == "v_thing has no rows: only its columns are known.\n"


def test_what_cannot_be_drafted_is_named() -> None:
    execute("CREATE VIEW v_thing AS SELECT '[]'::jsonb AS data")

    with pytest.raises(CommandError, match=r"no 'v_thingy'\.\nDid you mean 'v_thing'\?"):
        draft("v_thingy")
    with pytest.raises(CommandError, match=r"The database has no 'xyz'\.$"):
        draft("xyz")
    with pytest.raises(CommandError, match=r"v_thing\.data holds no objects\.\nv_thing is"):
        draft("v_thing")


def test_a_view_that_fails_is_said_in_words() -> None:
    execute("CREATE VIEW v_thing AS SELECT 1 / (n - n) AS id FROM generate_series(1, 2) AS n")

    with pytest.raises(CommandError, match="division by zero"):
        draft("v_thing")


def test_another_column_may_hold_the_documents() -> None:
    execute("CREATE VIEW v_thing AS SELECT 1 AS id, '{\"a\": 1}'::jsonb AS payload")

    assert '@fraiseql.type(view="v_thing", jsonb="payload")\n' in draft("v_thing", jsonb="payload")


def test_a_sample_may_be_small() -> None:
    documents({"a": 1}, {"a": None})

    assert "    a: int\n" in draft("v_thing", sample=1)
    assert "    a: int | None\n" in draft("v_thing", sample=2)


def test_json_holds_the_source_too() -> None:
    documents({"a": None})
    out = StringIO()
    call_command("fraiseql_draft", "v_thing", format="json", stdout=out)
    found = json.loads(out.getvalue())

    assert "class Thing:" in found["source"]
    assert found["views"] == ["v_thing"]
    assert found["notes"] == ["v_thing: always null in 1 rows, so of unknown type: a."]

"""Every check that looks at the database, provoked on a real server."""

import enum
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.core.checks import CheckMessage
from django.core.management import CommandError, call_command
from django.db import connection

import fraiseql
from fraiseql import scalars
from fraiseql.checks.database import check_views
from fraiseql.checks.production import check_role
from fraiseql.schema import registry

pytestmark = pytest.mark.django_db


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def found() -> list[CheckMessage]:
    """Return the messages about the declared types."""
    return check_views(databases=["default"])


def only() -> CheckMessage:
    """Return the one message, which has an object and a hint."""
    (message,) = found()
    assert message.hint
    assert str(message.obj).startswith(__name__)
    return message


def ids() -> list[str]:
    return [str(message.id).removeprefix("fraiseql.") for message in found()]


@pytest.fixture(autouse=True)
def declarations() -> Iterator[None]:
    """Nothing is declared but what the test declares."""
    with registry.isolated():
        yield


def declare(view: str, annotations: dict[str, Any], **options: Any) -> Any:
    """Declare a type ``Thing`` bound to ``view``, and a list of it."""
    thing = type("Thing", (), {"__annotations__": annotations, "__module__": __name__})
    bound = fraiseql.type(view=view, **options)(thing)
    type("Query", (fraiseql.Query,), {"things": fraiseql.many(bound), "__module__": __name__})
    return bound


def test_nothing_is_looked_at_unless_a_database_is_named() -> None:
    declare("v_nowhere", {"name": str})

    assert check_views(databases=None) == []
    assert check_views(databases=["other"]) == []


def test_migrate_is_not_kept_from_bringing_the_views(monkeypatch: pytest.MonkeyPatch) -> None:
    declare("v_nowhere", {"name": str})
    monkeypatch.setattr("sys.argv", ["manage.py", "migrate"])

    assert found() == []


def test_django_runs_them_with_its_own_command() -> None:
    declare("v_nowhere", {"name": str})

    with pytest.raises(CommandError, match=r"fraiseql\.E101"):
        call_command("check", databases=["default"])
    call_command("check", databases=None)


def test_a_missing_view_is_answered_with_the_nearest_relation() -> None:
    execute("CREATE VIEW v_article AS SELECT 'x' AS name")
    declare("v_artikle", {"name": str})
    message = only()

    assert message.id == "fraiseql.E101"
    assert str(message.hint).startswith("Did you mean 'v_article'?")
    assert message.obj == f"{__name__}.Thing"


def test_a_right_binding_is_silent() -> None:
    execute(
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        """CREATE TABLE everything (
               id uuid PRIMARY KEY, a text NOT NULL, b varchar(5) NOT NULL, c int NOT NULL,
               d bigint NOT NULL, e numeric(10,2) NOT NULL, f real NOT NULL, g boolean NOT NULL,
               h timestamptz(3) NOT NULL, i date NOT NULL, j interval NOT NULL, k inet NOT NULL,
               l text[] NOT NULL, m jsonb NOT NULL, n mood NOT NULL, o int, p bigint[] NOT NULL,
               q daterange NOT NULL, r macaddr NOT NULL, s cidr NOT NULL, t time NOT NULL)""",
        """INSERT INTO everything VALUES (
               gen_random_uuid(), 'a', 'b', 1, 2, 3.5, 4.5, true, now(), now(), '1 day', '::1',
               '{a}', '{"x": 1}', 'good', NULL, '{1}', '[2020-01-01,)', '08:00:2b:01:02:03',
               '10.0.0.0/8', '12:00')""",
    )

    @fraiseql.enum
    class Mood(enum.Enum):
        GOOD = "good"
        BAD = "bad"

    declare(
        "everything",
        {
            "id": UUID,
            "a": str,
            "b": scalars.Slug,
            "c": int,
            "d": scalars.BigInt,
            "e": Decimal,
            "f": float,
            "g": bool,
            "h": datetime,
            "i": date,
            "j": scalars.Duration,
            "k": scalars.IpAddress,
            "l": list[str],
            "m": dict,
            "n": Mood,
            "o": int | None,
            "p": list[scalars.BigInt],
            "q": scalars.DateRange,
            "r": scalars.MacAddress,
            "s": scalars.CIDR,
            "t": scalars.Time,
        },
    )

    assert [str(message) for message in found()] == []


@pytest.mark.parametrize(
    ("column", "declared", "expected"),
    [
        ("bigint", int, "E106"),
        ("numeric", int, "E106"),
        ("text", int, "E106"),
        ("text", bool, "E106"),
        ("integer", bool, "E106"),
        ("text", float, "E106"),
        ("boolean", scalars.BigInt, "E106"),
        ("date", datetime, "E106"),
        ("timestamptz", date, "E106"),
        ("integer", UUID, "E106"),
        ("boolean", fraiseql.ID, "E106"),
        ("integer", scalars.Email, "E106"),
        ("text[]", str, "E106"),
        ("text", list[str], "E106"),
        ("bigint[]", list[int], "E106"),
        ("inet", scalars.MacAddress, "E106"),
        ("timestamp", datetime, "W107"),
        ("text", datetime, "W107"),
        ("integer", str, "W107"),
        ("text", UUID, "W107"),
        ("text", Decimal, "W107"),
        ("text[]", dict, "W107"),
        ("text", scalars.IpAddress, "W107"),
    ],
)
def test_a_column_that_its_declared_type_does_not_hold(
    column: str, declared: Any, expected: str
) -> None:
    execute(f"CREATE VIEW v_thing AS SELECT NULL::{column} AS value")
    declare("v_thing", {"value": declared | None})
    message = only()

    assert message.id == f"fraiseql.{expected}"
    assert message.obj == f"{__name__}.Thing.value"


class Number(enum.Enum):
    ONE = 1


class Word(enum.Enum):
    ONE = "one"


@pytest.mark.parametrize(
    ("column", "declared", "fits"),
    [
        ("integer", Number, True),
        ("text", Word, True),
        ("boolean", Word, True),
        ("point", Word, True),
        ("text", Number, False),
        ("integer", Word, False),
        ("date", Word, False),
    ],
)
def test_enums_are_held_by_columns_of_their_values(column: str, declared: Any, fits: bool) -> None:
    execute(f"CREATE VIEW v_thing AS SELECT NULL::{column} AS value")
    fraiseql.enum(declared)
    declare("v_thing", {"value": declared | None})

    assert ids() == ([] if fits else ["E106"])


def test_objects_are_held_by_composite_types_and_documents() -> None:
    execute(
        "CREATE TYPE place AS (street text)",
        """CREATE VIEW v_thing AS SELECT ROW('x')::place AS a, '{"street": "x"}'::json AS b,
                  'x' AS c, ARRAY[ROW('x')::place] AS d""",
    )

    @fraiseql.type
    class Place:
        street: str

    declare("v_thing", {"a": Place, "b": Place, "c": Place, "d": list[Place]})
    message = only()

    assert message.obj == f"{__name__}.Thing.c"
    assert message.msg.endswith("which Place cannot hold: it holds no JSON object.")


@pytest.mark.parametrize(
    ("column", "declared"),
    [
        ("uuid", scalars.Email), ("oid", fraiseql.ID), ("timetz", scalars.Time),
        ("uuid", str), ("uuid", fraiseql.ID), ("text", fraiseql.ID), ("point", str),
        ("point", fraiseql.ID), ("cidr", scalars.IpAddress), ("macaddr8", scalars.MacAddress),
        ("point", scalars.Email), ("smallint", int), ("bigint", float), ("numeric", scalars.BigInt),
        ("citext_", scalars.Slug), ("mood", str), ("mood", scalars.Slug), ("point", dict),
    ],
)  # fmt: skip
def test_what_is_printed_as_declared_is_no_error(column: str, declared: Any) -> None:
    execute(
        "CREATE DOMAIN citext_ AS varchar(10)",
        "CREATE TYPE mood AS ENUM ('good')",
        f"CREATE VIEW v_thing AS SELECT NULL::{column} AS value",
    )
    declare("v_thing", {"value": declared | None})

    assert not [message for message in found() if message.is_serious()]


@pytest.mark.parametrize("declared", [str, fraiseql.ID, scalars.Email])
def test_a_column_without_an_order_is_told(declared: Any) -> None:
    execute("CREATE VIEW v_thing AS SELECT NULL::point AS value")
    declare("v_thing", {"value": declared | None})

    assert only().id == "fraiseql.W107"
    assert "no order" in only().msg


def test_a_column_of_a_postgresql_enum_is_answered_with_an_enum() -> None:
    execute("CREATE TYPE mood AS ENUM ('good')", "CREATE VIEW v_thing AS SELECT NULL::mood AS mood")
    declare("v_thing", {"mood": int | None})

    assert only().hint == "Declare it as an @fraiseql.enum."


def test_a_bigint_needs_bigint() -> None:
    execute("CREATE VIEW v_thing AS SELECT 1::bigint AS size")
    declare("v_thing", {"size": int})
    message = only()

    assert message.msg == (
        "v_thing.size is bigint, which int cannot hold: GraphQL's Int has 32 bits."
    )
    assert message.hint == "Declare it as scalars.BigInt."


def test_a_domain_is_what_stands_behind_it() -> None:
    execute(
        "CREATE DOMAIN positive AS bigint CHECK (VALUE > 0)",
        "CREATE VIEW v_thing AS SELECT 1::positive AS size, 2::positive AS other",
    )
    declare("v_thing", {"size": int, "other": scalars.BigInt})

    assert ids() == ["E106"]


def test_an_integer_id_goes_out_as_it_is_and_is_asked_for_with_32_bits() -> None:
    execute("CREATE TABLE thing (id bigint PRIMARY KEY)")
    declare("thing", {"id": int})
    message = only()

    assert message.id == "fraiseql.W107"
    assert "32 bits" in message.msg


def test_a_missing_column_is_answered_with_the_nearest() -> None:
    execute("CREATE VIEW v_thing AS SELECT 'x' AS created_at, 1 AS b")
    declare("v_thing", {"created_on": str | None})
    message = only()

    assert message.id == "fraiseql.E105"
    assert "'created_at'" in str(message.hint)
    assert message.obj == f"{__name__}.Thing.created_on"


def test_a_named_document_column_must_exist() -> None:
    execute("CREATE VIEW v_thing AS SELECT '{}'::jsonb AS data")
    declare("v_thing", {"name": str}, jsonb="payload")
    message = only()

    assert message.id == "fraiseql.E103"
    assert message.hint == "Its columns: data."


def test_a_document_column_must_be_json() -> None:
    execute("CREATE VIEW v_thing AS SELECT '{}' AS data")
    declare("v_thing", {"name": str})

    assert only().id == "fraiseql.E104"


def test_a_view_whose_column_is_called_data_may_have_no_document() -> None:
    execute("CREATE VIEW v_thing AS SELECT 'x' AS data")
    declare("v_thing", {"data": str})

    assert ids() == []


def test_a_column_that_may_be_null_is_no_promise() -> None:
    execute("CREATE TABLE thing (name text, title text NOT NULL)")
    declare("thing", {"name": str, "title": str})
    message = only()

    assert message.id == "fraiseql.W108"
    assert message.hint == "Add NOT NULL to the column, or declare the field as str | None."


def test_nulls_of_views_are_found_in_a_sample() -> None:
    execute("CREATE VIEW v_thing AS SELECT nullif(n, 2) AS n FROM generate_series(1, 3) AS n")
    declare("v_thing", {"n": int})
    message = only()

    assert message.id == "fraiseql.W113"
    assert "v_thing.n is null or absent in 1 of the 3 values" in message.msg


def test_rows_are_found_by_an_index() -> None:
    execute("CREATE TABLE thing (id int NOT NULL, slug text NOT NULL, code text NOT NULL UNIQUE)")
    thing = declare("thing", {"id": int, "slug": str, "code": str})

    class Query(fraiseql.Query):
        thing_by_slug = fraiseql.one(thing, by=["slug"])
        thing_by_code = fraiseql.one(thing, by=["code"])
        feed = fraiseql.connection(thing)

    assert ids() == ["W109", "W109"]
    assert [message.hint for message in found()] == [
        "CREATE UNIQUE INDEX ON thing (slug).",
        "CREATE UNIQUE INDEX ON thing (id).",
    ]


def test_a_key_belongs_beside_the_document() -> None:
    execute(
        "CREATE TABLE thing (id uuid PRIMARY KEY, data jsonb NOT NULL)",
    )
    thing = declare("thing", {"id": UUID, "slug": str, "code": str})

    class Query(fraiseql.Query):
        by_slug = fraiseql.one(thing, by=["slug"])

    message = only()
    assert message.id == "fraiseql.W110"
    assert message.obj == f"{__name__}.Thing.slug"
    execute("CREATE INDEX ON thing ((data->>'slug'))")
    assert ids() == []


def test_a_view_that_fails_is_quoted() -> None:
    execute("CREATE VIEW v_thing AS SELECT 1 / (n - 2) AS n FROM generate_series(1, 3) AS n")
    declare("v_thing", {"n": int | None})
    message = only()

    assert message.id == "fraiseql.E111"
    assert "division by zero" in message.msg


def test_a_view_that_may_not_be_read_wants_a_grant() -> None:
    execute(
        "CREATE TABLE thing (n int NOT NULL)",
        "CREATE ROLE thing_guest",
        "GRANT thing_guest TO CURRENT_USER",
    )
    declare("thing", {"n": int})
    execute("SET LOCAL ROLE thing_guest")
    message = only()

    assert message.id == "fraiseql.E111"
    assert message.hint == "GRANT SELECT ON thing TO the role of the connection."


def document(*documents: str) -> None:
    """Make ``v_thing``, whose rows hold these documents."""
    rows = ", ".join(f"('{item}'::jsonb)" for item in documents)
    execute(f"CREATE VIEW v_thing AS SELECT * FROM (VALUES {rows}) AS v (data)")


def test_an_unknown_key_is_answered_with_the_nearest() -> None:
    document('{"id": "1", "createdAt": "x", "author": {"full_name": "Ada"}}')

    @fraiseql.type
    class Author:
        fullname: str | None

    declare("v_thing", {"created_at": str | None, "author": Author})
    first, second = found()

    assert first.id == second.id == "fraiseql.W112"
    assert "data.created_at is in none of the 1 objects" in first.msg
    assert str(first.hint).startswith("Did you mean 'createdAt'?")
    assert "data.author.fullname" in second.msg
    assert "'full_name'" in str(second.hint)
    assert str(second.obj).endswith("Author.fullname")


def test_documents_without_nulls_may_lack_optional_keys() -> None:
    document('{"name": "a", "bio": "b"}', '{"name": "c"}')
    declare("v_thing", {"name": str, "bio": str | None, "phone": str | None})

    assert ids() == []


def test_a_type_that_holds_itself_ends_somewhere() -> None:
    document('{"name": "a", "parent": {"name": "b"}}')

    @fraiseql.type(view="v_thing")
    class Thing:
        name: str
        parent: "Thing | None"
        other: "Thing | None"

    class Query(fraiseql.Query):
        things = fraiseql.many(Thing)

    message = only()

    assert message.id == "fraiseql.W112"
    assert message.msg.startswith("data.other is in none")


def test_nulls_in_documents_are_counted_by_path() -> None:
    document('{"tags": ["a", null], "name": null}', '{"tags": [], "name": "b"}')
    declare("v_thing", {"tags": list[str], "name": str})
    messages = found()

    assert [message.id for message in messages] == ["fraiseql.W113", "fraiseql.W113"]
    assert "data.tags[] is null or absent in 1 of the 2" in messages[0].msg
    assert "data.name is null or absent in 1 of the 2" in messages[1].msg
    assert str(messages[0].hint).startswith("Declare it as str | None")


@pytest.mark.parametrize(
    ("value", "declared", "kind"),
    [
        ('"1"', int, "a string"),
        ("5000000000", int, "an integer beyond 32 bits"),
        ("1.5", int, "a number with a fraction"),
        ("1", bool, "a number"),
        ("true", datetime, "a boolean"),
        ('"yesterday"', datetime, "a string"),
        ("1", UUID, "a number"),
        ("{}", str, "an object"),
        ('"a"', list[str], "a string"),
        ("[1]", list[str | None], ""),
        ('["a"]', list[int], "a string"),
        ('{"id": 1}', fraiseql.ID, "an object"),
    ],
)
def test_a_value_of_the_wrong_kind(value: str, declared: Any, kind: str) -> None:
    document(f'{{"value": {value}}}')
    declare("v_thing", {"value": declared})

    if not kind:
        assert ids() == []
        return
    message = only()
    assert message.id == "fraiseql.W114"
    assert f" is {kind} in 1 of the 1" in message.msg
    assert "yesterday" not in message.msg


@pytest.mark.parametrize(
    ("value", "declared"),
    [("x", UUID), ("31.1.2024", date), ("many", scalars.BigInt), ("12,5", Decimal)],
)
def test_a_string_that_cannot_be_cast(value: str, declared: Any) -> None:
    document(f'{{"value": "{value}"}}')
    declare("v_thing", {"value": declared})
    message = only()

    assert message.id == "fraiseql.W120"
    assert "data.value is no " in message.msg
    assert value not in message.msg.replace("values", "")


def test_a_document_may_not_be_an_array() -> None:
    document("[]")
    declare("v_thing", {"name": str})

    assert "v_thing" in only().msg
    assert only().id == "fraiseql.W114"


def test_enum_values_are_compared_as_documents_hold_them() -> None:
    document('{"level": 1, "mood": "good"}', '{"level": "1", "mood": "GOOD"}')

    @fraiseql.enum
    class Level(enum.Enum):
        LOW = 1

    @fraiseql.enum
    class Mood(enum.Enum):
        GOOD = "good"

    declare("v_thing", {"level": Level, "mood": Mood})

    assert ids() == ["W114", "W114"]


def test_an_id_of_any_size_goes_out() -> None:
    document('{"id": 5000000000}')
    declare("v_thing", {"id": int})

    assert ids() == []


def test_interfaces_are_followed_by_their_discriminator() -> None:
    document('{"kind": "Cat", "lives": "nine"}', '{"kind": "Dog"}', '{"lives": 7}')

    @fraiseql.interface(discriminator="kind", view="v_thing")
    class Animal:
        kind: str | None

    @fraiseql.type
    class Cat(Animal):
        lives: int

    class Query(fraiseql.Query):
        animals = fraiseql.many(Animal)

    messages = found()

    assert [message.id for message in messages] == [
        "fraiseql.W114",
        "fraiseql.W115",
        "fraiseql.W115",
    ]
    assert "data.kind is 'Dog'" in messages[1].msg
    assert "Known: 'Cat'" in str(messages[1].hint)


def test_labels_and_members_are_compared() -> None:
    execute(
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE VIEW v_thing AS SELECT 'good'::mood AS mood, '{good}'::mood[] AS moods",
    )

    @fraiseql.enum
    class Mood(enum.Enum):
        GOOD = "good"
        AWFUL = "awful"

    declare("v_thing", {"mood": Mood, "moods": list[Mood]})
    messages = found()

    assert ids() == ["W116", "W117", "W116", "W117"]
    assert messages[0].msg == "v_thing.mood may hold 'bad', which Mood does not have."
    assert "Mood has 'awful', which the type mood of v_thing.mood" in messages[1].msg


def test_columns_beside_the_document_are_what_filters_read() -> None:
    execute("""CREATE VIEW v_thing AS SELECT now()::timestamp AS created_at,
                      jsonb_build_object('created_at', now()) AS data""")
    declare("v_thing", {"created_at": datetime})
    message = only()

    assert message.id == "fraiseql.W119"
    assert "v_thing.created_at is timestamp without time zone" in message.msg


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["CREATE TABLE tv_thing (id int PRIMARY KEY)"], "no 'v_thing'"),
        (
            ["CREATE VIEW v_thing AS SELECT 1 AS id", "CREATE VIEW tv_thing AS SELECT 1 AS id"],
            "it is a view",
        ),
        (
            ["CREATE VIEW v_thing AS SELECT 1 AS id", "CREATE TABLE tv_thing (id int NOT NULL)"],
            "no unique key",
        ),
    ],
)
def test_a_projection_that_cannot_be_filled(statements: list[str], fault: str) -> None:
    execute(*statements)
    declare("tv_thing", {"id": int}, source="v_thing")
    message = only()

    assert message.id == "fraiseql.E102"
    assert fault in message.msg


def test_a_projection_has_its_columns_from_its_source() -> None:
    execute(
        "CREATE VIEW v_thing AS SELECT 1 AS id",
        """CREATE TABLE tv_thing (id int PRIMARY KEY, name text NOT NULL, rank int NOT NULL,
                  updated_at timestamptz NOT NULL DEFAULT now(), note text)""",
    )
    declare("tv_thing", {"id": int, "name": str}, source="v_thing")
    message = only()

    assert message.id == "fraiseql.W118"
    assert "columns of the projection tv_thing that need a value: 'name', 'rank'." in message.msg


def test_looking_leaves_no_trace() -> None:
    execute(
        "CREATE SEQUENCE counter",
        "CREATE VIEW v_thing AS SELECT nextval('counter') AS n",
    )
    declare("v_thing", {"n": scalars.BigInt})

    assert ids() == ["E111"]
    execute("CREATE TABLE still_writable ()")


def test_names_that_need_quotes() -> None:
    execute('CREATE SCHEMA "Odd 100%"', """CREATE VIEW "Odd 100%"."v %s" AS SELECT 1 AS "a ""b" """)
    thing = declare('"Odd 100%"."v %s"', {"a": int})
    registry.current().objects.clear()
    thing.__fraiseql_fields__["a"] = fraiseql.field(key='a "b').options
    fraiseql.type(view='"Odd 100%"."v %s"')(thing)

    assert [str(message) for message in found()] == []


def test_a_document_column_is_no_field_of_its_own() -> None:
    execute("""CREATE VIEW v_thing AS SELECT '{"data": 1}'::jsonb AS data""")
    declare("v_thing", {"data": int})

    assert ids() == []


@pytest.mark.parametrize(
    ("value", "fits"), [("true", True), ("false", False), ("1", False), ('"true"', False)]
)
def test_booleans_are_no_numbers_and_no_strings(value: str, fits: bool) -> None:
    document(f'{{"value": {value}}}')

    @fraiseql.enum
    class Flag(enum.Enum):
        YES = True

    declare("v_thing", {"value": Flag})

    assert ids() == ([] if fits else ["W114"])


def test_an_owner_is_told_in_production() -> None:
    execute(
        "CREATE TABLE thing (id int PRIMARY KEY)",
        "CREATE ROLE thing_reader",
        "GRANT thing_reader TO CURRENT_USER",
        "GRANT SELECT ON thing TO thing_reader",
    )
    declare("thing", {"id": int})
    (message,) = check_role(databases=["default"])
    execute("SET LOCAL ROLE thing_reader")
    clean = check_role(databases=["default"])

    assert message.id == "fraiseql.W302"
    assert "'fraiseql' owns what it reads (thing)" in message.msg
    assert clean == []


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"search": "word"}, "there is no such column. Its columns: name, words."),
        ({"search": "name"}, "it is of type text."),
        ({"search": "words", "search_config": "klingon"},
         "there is no text search configuration 'klingon'."),
    ],
)  # fmt: skip
def test_a_search_column_that_cannot_serve_is_told(options: dict[str, str], fault: str) -> None:
    execute("CREATE TABLE tb_note (name text NOT NULL, words tsvector)")
    declare("tb_note", {"name": str}, **options)
    message = only()

    assert message.id == "fraiseql.E123"
    assert message.msg == f"The view 'tb_note' cannot be searched by {options['search']!r}: {fault}"


@pytest.mark.parametrize("config", [None, "english", "pg_catalog.english"])
def test_a_search_column_that_can_serve_is_silent(config: str | None) -> None:
    execute("CREATE TABLE tb_note (name text NOT NULL, words tsvector)")
    declare("tb_note", {"name": str}, search="words", search_config=config)

    assert found() == []


# Related fields


def relate(key: str) -> list[CheckMessage]:
    """Declare things whose parts belong to them by ``key``; return the messages."""
    execute(
        "CREATE TABLE thing (id uuid PRIMARY KEY, n int, data jsonb NOT NULL)",
        "CREATE TABLE part (id uuid PRIMARY KEY, thing_id uuid, number int, data jsonb NOT NULL)",
        """INSERT INTO part VALUES ('00000000-0000-4000-8000-000000000001', NULL, 1,
                                     '{"id": "00000000-0000-4000-8000-000000000001", "owner": null}')""",
    )
    part = type("Part", (), {"__annotations__": {"id": UUID}, "__module__": __name__})
    bound = fraiseql.type(view="part")(part)
    fields = {
        "__annotations__": {"id": UUID, "parts": list[bound]},  # type: ignore[valid-type]  # made here
        "__module__": __name__,
        "parts": fraiseql.related(key=key),
    }
    thing = fraiseql.type(view="thing")(type("Thing", (), fields))
    type("Query", (fraiseql.Query,), {"things": fraiseql.many(thing), "__module__": __name__})
    return found()


def test_a_related_key_is_a_column_or_in_the_documents() -> None:
    (message,) = relate("thing")

    assert message.id == "fraiseql.E141"
    assert message.msg == "part has no column 'thing', nor a field or a document with that key."
    assert message.hint == "Its columns: id, thing_id, number, data."
    assert message.obj == f"{__name__}.Thing.parts"


def test_related_keys_have_comparable_types() -> None:
    (message,) = relate("number")

    assert message.id == "fraiseql.E142"
    assert message.msg == (
        "'number' of part is integer, and 'id' of Thing is uuid: they cannot be compared."
    )


@pytest.mark.parametrize(
    ("key", "index"), [("thing_id", "thing_id"), ("owner", "(data->>'owner')")]
)
def test_an_index_finds_related_rows(key: str, index: str) -> None:
    (message,) = relate(key)

    assert message.id == "fraiseql.W143"
    assert message.msg.startswith(f"Rows of part are found by {key!r}, and no index begins with it")

    execute(f"CREATE INDEX ON part ({index}, number)")
    assert found() == []


def test_the_local_key_is_looked_for_too() -> None:
    execute("CREATE VIEW v_line AS SELECT 1 AS id")
    fields = {
        "__annotations__": {"id": int, "same": "Line"},
        "__module__": __name__,
        "same": fraiseql.related(local="nothing"),
    }
    line = fraiseql.type(view="v_line", jsonb=None)(type("Line", (), fields))
    type("Query", (fraiseql.Query,), {"lines": fraiseql.many(line), "__module__": __name__})

    (message,) = found()
    assert message.id == "fraiseql.E141"
    assert "v_line has no column 'nothing'" in message.msg


def test_unread_samples_and_missing_views_have_one_message() -> None:
    fields = {
        "__annotations__": {"id": int, "same": "Line"},
        "__module__": __name__,
        "same": fraiseql.related(local="other"),
    }
    line = fraiseql.type(view="v_nowhere")(type("Line", (), fields))
    type("Query", (fraiseql.Query,), {"lines": fraiseql.many(line), "__module__": __name__})
    assert ids() == ["E101"]

    execute(
        "CREATE VIEW v_nowhere AS SELECT n AS id, ('x' || n)::jsonb AS data FROM generate_series(1, 2) n"
    )
    assert ids() == ["E111"]

"""The catalog tells of every kind of view, in one query, until it is forgotten."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test import TestCase

from fraiseql.db import catalog
from fraiseql.db.catalog import Argument, Column, Relation
from fraiseql.errors import Forbidden, ServiceUnavailable

SCHEMA = """
DROP SCHEMA IF EXISTS blog CASCADE;
DROP SCHEMA IF EXISTS "Odd ""o""ne" CASCADE;
DROP TABLE IF EXISTS tb_post, parted CASCADE;
DROP DOMAIN IF EXISTS sure, document;
CREATE SCHEMA blog;
CREATE SCHEMA "Odd ""o""ne";
CREATE DOMAIN sure AS text NOT NULL;
CREATE DOMAIN document AS jsonb;
CREATE TYPE blog.status AS ENUM ('draft', 'published');
CREATE TABLE tb_post (
    pk_post int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gone text,
    id uuid UNIQUE NOT NULL,
    identifier varchar(20),
    tags text[],
    price numeric(10, 2),
    status blog.status,
    certain sure,
    body document,
    raw json
);
ALTER TABLE tb_post DROP COLUMN gone;
CREATE UNIQUE INDEX ON tb_post (identifier, price);
CREATE UNIQUE INDEX ON tb_post (identifier) WHERE price > 0;
CREATE UNIQUE INDEX ON tb_post (lower(identifier));
CREATE INDEX ON tb_post (price);
CREATE UNIQUE INDEX covering ON tb_post (tags) INCLUDE (price);
CREATE VIEW blog.v_post AS
SELECT id, certain, jsonb_build_object('id', id) AS data FROM tb_post;
CREATE MATERIALIZED VIEW blog.mv_post AS SELECT * FROM blog.v_post;
CREATE UNIQUE INDEX ON blog.mv_post (id);
CREATE VIEW "Odd ""o""ne"."V.Post" AS SELECT 1 AS "Größe, {""x""}";
CREATE VIEW blog.empty AS SELECT;
CREATE TABLE parted (at date NOT NULL, n int, PRIMARY KEY (at, n)) PARTITION BY RANGE (at);
CREATE SEQUENCE blog.counter;
"""


@pytest.fixture
def schema(client: psycopg.Connection) -> None:
    client.execute(SCHEMA)


def _plain(column: str, type_: str, position: int, **more: bool) -> Column:
    return Column(column, type_, position=position, **{"is_json": False, "not_null": False} | more)


@pytest.mark.usefixtures("schema")
def test_a_table_has_types_nullability_and_unique_keys(alias: str) -> None:
    (post,) = catalog.relations(["tb_post"], alias).values()

    assert (post.schema, post.name, post.kind) == ("public", "tb_post", "table")
    assert list(post.columns.values()) == [
        _plain("pk_post", "integer", 1, not_null=True),
        _plain("id", "uuid", 3, not_null=True),
        _plain("identifier", "character varying(20)", 4),
        _plain("tags", "text[]", 5),
        _plain("price", "numeric(10,2)", 6),
        _plain("status", "blog.status", 7),
        _plain("certain", "sure", 8, not_null=True),
        _plain("body", "document", 9, is_json=True),
        _plain("raw", "json", 10, is_json=True),
    ]
    assert post.unique_keys == (("pk_post",), ("tags",), ("id",), ("identifier", "price"))


@pytest.mark.usefixtures("schema")
def test_views_do_not_know_nullability(alias: str) -> None:
    found = catalog.relations(["blog.v_post", "blog.mv_post"], alias)

    columns = {
        "id": _plain("id", "uuid", 1),
        "certain": _plain("certain", "sure", 2),
        "data": _plain("data", "jsonb", 3, is_json=True),
    }
    assert found == {
        "blog.v_post": Relation("blog", "v_post", "view", columns, ()),
        "blog.mv_post": Relation("blog", "mv_post", "materialized", columns, (("id",),)),
    }


@pytest.mark.usefixtures("schema")
def test_names_are_read_as_sql_reads_them(alias: str) -> None:
    odd = '"Odd ""o""ne"."V.Post"'

    found = catalog.relations([odd, "TB_Post", "BLOG.empty", '"parted"'], alias)

    assert (found[odd].schema, found[odd].name) == ('Odd "o"ne', "V.Post")
    assert list(found[odd].columns) == ['Größe, {"x"}']
    assert found["TB_Post"].name == "tb_post"
    assert found["BLOG.empty"].columns == {}
    assert (found['"parted"'].kind, found['"parted"'].unique_keys) == ("table", (("at", "n"),))


@pytest.mark.usefixtures("schema")
def test_what_is_not_there_or_no_view_or_no_name_is_absent(alias: str) -> None:
    absent = [
        "nope",
        "blog.nope",
        "nowhere.v",
        "blog.counter",
        "a b",
        "a;b",
        "",
        '"',
        "a.b.c",
        "x\0",
    ]

    assert list(catalog.relations([*absent, "tb_post"], alias)) == ["tb_post"]


@pytest.mark.usefixtures("schema")
def test_the_search_path_of_the_connection_counts(alias: str) -> None:
    connections.settings[alias]["OPTIONS"] = {"options": "-c search_path=blog"}

    assert catalog.relations(["v_post"], alias)["v_post"].schema == "blog"


@pytest.mark.usefixtures("schema", "as_served")
def test_the_asynchronous_way_finds_the_same(alias: str) -> None:
    names = ["tb_post", "blog.v_post", "nope"]
    found = asyncio.run(catalog.relations_async(names, alias))
    catalog.forget(alias)

    assert found == catalog.relations(names, alias)
    assert len(found) == 2


@pytest.mark.usefixtures("schema")
def test_what_is_known_is_not_asked_again_until_forgotten(
    alias: str, client: psycopg.Connection
) -> None:
    known = catalog.relations(["tb_post"], alias)
    client.execute("ALTER TABLE tb_post ADD COLUMN later int")

    assert catalog.relations(["tb_post"], alias) == known
    assert asyncio.run(catalog.relations_async(["tb_post"], alias)) == known
    catalog.forget(alias)
    assert "later" in catalog.relations(["tb_post"], alias)["tb_post"].columns


@pytest.mark.usefixtures("schema")
def test_what_was_missing_is_asked_for_again(alias: str, client: psycopg.Connection) -> None:
    assert not catalog.relations(["later"], alias)
    client.execute("CREATE VIEW later AS SELECT 1 AS a")

    assert catalog.relations(["later"], alias)
    client.execute("DROP VIEW later")


@pytest.mark.usefixtures("schema")
def test_another_database_behind_the_alias_is_another_catalog(alias: str) -> None:
    assert catalog.relations(["tb_post"], alias)
    connections.settings[alias]["NAME"] = "postgres"

    assert not catalog.relations(["tb_post"], alias)


@pytest.mark.usefixtures("schema")
def test_it_needs_no_transaction_of_the_caller_and_sees_a_working_one(alias: str) -> None:
    with transaction.atomic(alias):
        with connections[alias].cursor() as cursor:
            cursor.execute("CREATE VIEW uncommitted AS SELECT 1 AS a")
        assert catalog.relations(["uncommitted"], alias)
        with pytest.raises(Exception, match="division"), connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert list(catalog.relations(["blog.v_post", "tb_post"], alias)) == [
            "blog.v_post",
            "tb_post",
        ]
        transaction.set_rollback(True, using=alias)


def test_a_schema_that_may_not_be_used_is_forbidden(alias: str, client: psycopg.Connection) -> None:
    client.execute(
        "DROP SCHEMA IF EXISTS closed CASCADE; CREATE SCHEMA closed; DROP ROLE IF EXISTS outsider;"
        "CREATE ROLE outsider; GRANT outsider TO CURRENT_USER; CREATE VIEW closed.v AS SELECT 1"
    )
    connections.settings[alias]["OPTIONS"] = {"assume_role": "outsider"}

    with pytest.raises(Forbidden):
        catalog.relations(["closed.v"], alias)


def test_a_server_that_is_down_is_named(alias: str, tmp_path: Path) -> None:
    connections.settings[alias]["HOST"] = str(tmp_path)

    with pytest.raises(ServiceUnavailable):
        catalog.relations(["tb_post"], alias)


class InATestCase(TestCase):
    """Views that a test makes are found, and looking is not counted."""

    def setUp(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE VIEW made_by_test AS SELECT 1 AS a")
        self.addCleanup(catalog.forget, "default")

    def test_sync(self) -> None:
        with self.assertNumQueries(0):
            assert "made_by_test" in catalog.relations(["made_by_test"])

    async def test_async(self) -> None:
        assert "made_by_test" in await catalog.relations_async(["made_by_test"])


@pytest.mark.django_db
def test_migrate_has_the_catalog_read_again() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIEW remade AS SELECT 1 AS a")
        assert "a" in catalog.relations(["remade"])["remade"].columns
        cursor.execute("DROP VIEW remade; CREATE VIEW remade AS SELECT 1 AS b")
        call_command("migrate", verbosity=0)

    assert "b" in catalog.relations(["remade"])["remade"].columns
    catalog.forget("default")


FUNCTIONS = """
DROP FUNCTION IF EXISTS fn_all, fn_table, blog.fn_all CASCADE;
DROP ROLE IF EXISTS probe_role;
CREATE FUNCTION fn_all(p_a int, INOUT p_b certain_text, OUT p_c blog.status[], p_d jsonb DEFAULT NULL,
                       VARIADIC p_e text[] DEFAULT '{}')
LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$ SELECT p_b, NULL::blog.status[] $$;
REVOKE EXECUTE ON FUNCTION fn_all FROM PUBLIC;
CREATE FUNCTION blog.fn_all(int) RETURNS SETOF blog.v_post LANGUAGE sql STABLE AS 'SELECT * FROM blog.v_post';
CREATE FUNCTION blog.fn_all(blog.status) RETURNS document LANGUAGE sql AS $$ SELECT '1'::jsonb::document $$;
CREATE FUNCTION fn_table() RETURNS TABLE (x int, y text) LANGUAGE sql AS 'SELECT 1, NULL::text';
CREATE OR REPLACE PROCEDURE fn_procedure() LANGUAGE sql AS '';
"""


@pytest.mark.usefixtures("schema", "as_served")
def test_functions_with_what_they_take_and_return(client: psycopg.Connection, alias: str) -> None:
    client.execute("DROP DOMAIN IF EXISTS certain_text CASCADE; CREATE DOMAIN certain_text AS text")
    client.execute(FUNCTIONS)
    names = ["fn_all", "blog.fn_all", "fn_table", "fn_procedure", "fn_gone", "no name", "a.b.c"]

    found = catalog.functions(names, alias)

    assert set(found) == {"fn_all", "blog.fn_all", "fn_table"}
    (whole,) = found["fn_all"]
    assert whole.arguments == (
        Argument("p_a", "integer", "integer", None, False),
        Argument("p_b", "certain_text", "text", None, False),
        Argument("p_d", "jsonb", "jsonb", None, True),
        Argument("p_e", "text[]", "text[]", None, True),
    )
    assert (whole.returns, whole.returns_set, whole.returns_row) == ("record", False, True)
    assert whole.columns == ("p_b", "p_c")
    assert (whole.is_definer, whole.has_search_path, whole.is_public) == (True, True, False)
    assert whole.is_volatile
    by_type = {one.arguments[0].type: one for one in found["blog.fn_all"]}
    assert by_type["integer"].columns == ("id", "certain", "data")
    assert by_type["integer"].returns_set
    assert not by_type["integer"].is_volatile
    assert by_type["blog.status"].arguments[0].labels == ("draft", "published")
    assert by_type["blog.status"].returns == "jsonb"
    assert (by_type["blog.status"].schema, by_type["blog.status"].is_public) == ("blog", True)
    assert found["fn_table"][0].columns == ("x", "y")
    assert found == asyncio.run(catalog.functions_async(names, alias))


@pytest.mark.usefixtures("schema", "as_served")
def test_constraints_with_their_columns(client: psycopg.Connection, alias: str) -> None:
    client.execute(
        'CREATE TABLE IF NOT EXISTS blog."Odd" (a int, "B" int, CONSTRAINT "c.d" UNIQUE ("B", a),'
        " CONSTRAINT every CHECK (a > 0), CHECK (a < 9 OR a > 9));"
        ' CREATE UNIQUE INDEX IF NOT EXISTS partial_idx ON blog."Odd" (a) WHERE a > 1'
    )
    names = ['"blog"."Odd"."c.d"', '"blog"."Odd"."every"', '"blog"."Odd"."partial_idx"']
    missing = ['"blog"."Odd"."gone"', '"blog"."gone"."both"', "both"]

    found = catalog.constrained([*names, *missing], alias)

    assert list(found.values()) == [("B", "a"), ("a",), ("a",)]
    assert found == asyncio.run(catalog.constrained_async([*names, *missing], alias))

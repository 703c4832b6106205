"""What is read from an SQL file."""

import pytest

from fraiseql.db.objects.script import Head, Name, Script
from fraiseql.errors import MigrationError


def script(text: str) -> Script:
    return Script("v_post.sql", text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("SELECT 1; SELECT 2", [1, 1]),
        ("-- a; b\n\nSELECT ';' , $$;$$, $a$ $$;$$ $a$, \";\", E'\\';', 'it''s;';\n;\nSELECT 2;\n", [3, 5]),
        ("/* ; /* ; */ ; */ SELECT 1", [1]),
        ("CREATE RULE r AS ON DELETE TO t DO (DELETE FROM a; DELETE FROM b);\nSELECT 2", [1, 2]),
        (
            "CREATE FUNCTION f() BEGIN ATOMIC\nSELECT CASE WHEN true THEN 1 END; SELECT 2; END;\nSELECT 3",
            [1, 3],
        ),
        ("BEGIN; SELECT CASE WHEN true THEN 1 END; END", [1, 1, 1]),
        ("", []),
        ("-- nothing", []),
    ],
)  # fmt: skip
def test_statements_end_where_postgresql_says(text: str, lines: list[int]) -> None:
    assert [statement.line for statement in script(text).statements] == lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE VIEW v_post AS SELECT 1", "view v_post"),
        ("create or replace /* here */ view Blog.V_Post as select 1", "view blog.v_post"),
        ('CREATE RECURSIVE VIEW "V ""Post" (n) AS SELECT 1', 'view V "Post'),
        ("CREATE MATERIALIZED  VIEW IF NOT EXISTS mv_post AS SELECT 1", "materialized view mv_post"),
        ("CREATE FUNCTION fn_post() RETURNS int LANGUAGE sql AS '1'", "function fn_post"),
        ("CREATE UNLOGGED TABLE tb_post(id int)", "table tb_post"),
        ("CREATE UNIQUE INDEX CONCURRENTLY i_post ON ONLY blog.tb_post (id)", "index i_post"),
        ("CREATE POLICY p_post ON tb_post USING (true)", "policy p_post"),
        ("CREATE TRIGGER tr_post AFTER INSERT ON tb_post EXECUTE FUNCTION f()", "trigger tr_post"),
        ("CREATE TYPE colour AS ENUM ()", "type colour"),
    ],
)  # fmt: skip
def test_what_a_file_makes_is_known(text: str, expected: str) -> None:
    assert str(script(text).main) == expected


def test_an_index_knows_its_table_and_that_it_is_built_beside_writers() -> None:
    found = script("CREATE UNIQUE INDEX CONCURRENTLY i_post ON ONLY blog.tb_post (id)")

    assert found.main == Head("index", Name(None, "i_post"), Name("blog", "tb_post"), True)
    assert found.is_concurrent


def test_a_file_that_makes_nothing_is_refused() -> None:
    with pytest.raises(MigrationError, match=r"v_post\.sql makes nothing"):
        _ = script("SELECT 1").main


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1;\nSELECT 'open", "line 2: A quote (') is not closed"),
        ('SELECT "open', 'line 1: A quote (") is not closed'),
        ("SELECT $body$ open", "line 1: The text after $body$ does not end"),
        ("SELECT 1 /* /* open */", "line 1: A comment (/*) is not closed"),
    ],
)
def test_what_does_not_end_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(MigrationError) as caught:
        _ = script(text).statements

    assert message in caught.value.message


def test_neither_comments_nor_white_space_make_a_new_version() -> None:
    one = script("-- One\nCREATE VIEW v AS\n  SELECT 1")
    two = script("CREATE VIEW v AS SELECT /* two */ 1;")
    three = script("CREATE VIEW v AS SELECT ' 1'")

    assert one.fingerprint == two.fingerprint != three.fingerprint


def test_what_a_body_names_may_come_later() -> None:
    found = script(
        "CREATE FUNCTION f(p tb_post) RETURNS int LANGUAGE plpgsql AS $$ SELECT V_User; $$"
    )

    assert "tb_post" in found.mentions
    assert "v_user" not in found.mentions
    assert "v_user" in found.mentions_in_bodies


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE VIEW v AS SELECT 1", "CREATE OR REPLACE VIEW v AS SELECT 1"),
        ("create or  replace view v as select 1", "create or  replace view v as select 1"),
    ],
)
def test_a_statement_is_made_to_replace(text: str, expected: str) -> None:
    assert script(text).statements[0].replacing == expected


def test_row_security_that_is_switched_on_is_known() -> None:
    found = script("ALTER TABLE blog.tb_post force row level security; SELECT 1")

    assert [item.row_security for item in found.statements] == [("blog . tb_post", "FORCE"), None]


def test_qualified_names_are_moved_and_bodies_are_not() -> None:
    found = script('CREATE VIEW a.v AS SELECT a.v.n, "a"."v".n, b.v.n, \'a.v\' FROM a . v, a.w')
    moved = found.moved({Name("a", "v"): "z"})

    assert moved.text == "CREATE VIEW z.v AS SELECT z.v.n, z.\"v\".n, b.v.n, 'a.v' FROM z . v, a.w"

"""Files, migrations and a database that do not agree."""

import json

import pytest
from django.core.management import CommandError

from tests.integration.migrations.conftest import NewProject, Project


@pytest.fixture
def shelf(new_project: NewProject) -> Project:
    project = new_project("shelf")
    project.write(
        "shelf",
        types__colour="CREATE TYPE colour AS ENUM ('red', 'blue')",
        tables__tb_book="""\
CREATE TABLE tb_book (
    pk_book int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title   text NOT NULL CHECK (title <> ''),
    cover   colour DEFAULT 'red',
    year    numeric(4) UNIQUE
);
CREATE INDEX tb_book_title_idx ON tb_book (title);
COMMENT ON TABLE tb_book IS 'Books';
""",
        tables__tb_loan="""\
CREATE TABLE tb_loan (fk_book int NOT NULL REFERENCES tb_book, days int DEFAULT 14)
""",
        views__v_book="""\
CREATE VIEW v_book AS
SELECT b.pk_book, b.title, jsonb_build_object('title', b.title, 'cover', b.cover) AS data
  FROM public.tb_book b;
COMMENT ON VIEW v_book IS 'One row per book';
COMMENT ON COLUMN v_book.data IS 'The document';
GRANT SELECT ON v_book TO PUBLIC;
""",
        views__mv_year="""\
CREATE MATERIALIZED VIEW mv_year AS
SELECT year, count(*) AS books FROM tb_book GROUP BY year WITH DATA;
CREATE UNIQUE INDEX mv_year_idx ON mv_year (year);
""",
        functions__fn_title="""\
CREATE FUNCTION fn_title(p_book int) RETURNS text STABLE LANGUAGE sql AS $$
SELECT title FROM v_book WHERE pk_book = p_book
$$;
CREATE FUNCTION fn_title(p_book v_book) RETURNS text LANGUAGE sql
BEGIN ATOMIC SELECT CASE WHEN true THEN p_book.title END; END;
""",
        functions__fn_trigger="""\
CREATE FUNCTION fn_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$
""",
        triggers__tr_book="""\
CREATE TRIGGER tr_book BEFORE INSERT ON public.tb_book FOR EACH ROW EXECUTE FUNCTION fn_trigger()
""",
        policies__tb_book="""\
ALTER TABLE tb_book ENABLE ROW LEVEL SECURITY;
CREATE POLICY p_book_read ON tb_book FOR SELECT USING (true);
CREATE POLICY p_book_write ON tb_book FOR INSERT WITH CHECK (title <> 'x')
""",
    )
    project.run("make")
    project.run("build")
    return project


def differing(project: Project) -> list[tuple[str, str]]:
    """Return what ``check`` finds, as objects and parts."""
    with pytest.raises(CommandError, match="do not agree"):
        project.run("check")
    found = json.loads(project.run("diff", format="json"))
    return [(item["object"], item["part"]) for item in found["differences"]]


def test_what_was_built_is_what_the_files_declare(shelf: Project) -> None:
    assert shelf.run("check") == "Files, migrations and database agree.\n"


def test_what_the_framework_makes_is_what_its_files_declare(new_project: NewProject) -> None:
    project = new_project("fraiseql")
    project.run("build")

    project.run("check")
    assert project.run("make") == "No changes.\n"


def test_check_finds_what_was_altered_by_hand(shelf: Project) -> None:
    shelf.execute(
        """
        CREATE OR REPLACE VIEW v_book AS
            SELECT pk_book, title, jsonb_build_object('title', upper(title), 'cover', cover) AS data FROM tb_book;
        COMMENT ON VIEW v_book IS 'Books, loudly';
        ALTER TABLE tb_book ADD COLUMN note text, ALTER cover DROP DEFAULT, DROP CONSTRAINT tb_book_year_key;
        DROP INDEX tb_book_title_idx;
        CREATE INDEX by_hand_idx ON tb_book (cover);
        DROP MATERIALIZED VIEW mv_year;
        CREATE OR REPLACE FUNCTION fn_title(p_book int) RETURNS text LANGUAGE sql AS $$ SELECT 'None'::text $$;
        CREATE FUNCTION fn_title(p_book text) RETURNS text LANGUAGE sql AS $$ SELECT 'None'::text $$;
        ALTER TABLE tb_book DISABLE TRIGGER tr_book, DISABLE ROW LEVEL SECURITY;
        ALTER POLICY p_book_write ON tb_book WITH CHECK (true);
        ALTER TYPE colour ADD VALUE 'green';
        """
    )

    assert set(differing(shelf)) == {
        ("view v_book", "definition"),
        ("view v_book", "comment"),
        ("table tb_book", "column note"),
        ("table tb_book", "column cover"),
        ("table tb_book", "constraint tb_book_year_key"),
        ("table tb_book", "index tb_book_title_idx"),
        ("index tb_book_title_idx", "object"),
        ("materialized view mv_year", "object"),
        ("index mv_year_idx", "object"),
        ("function fn_title(p_book integer)", "definition"),
        ("function fn_title(p_book text)", "object"),
        ("trigger tr_book", "state"),
        ("table tb_book", "row security"),
        ("policy p_book_write", "check"),
        ("type colour", "labels"),
    }


def test_a_difference_is_shown_line_by_line(shelf: Project) -> None:
    shelf.execute(
        "CREATE OR REPLACE VIEW v_book AS SELECT pk_book, title, '{}'::jsonb AS data FROM tb_book"
    )

    printed = shelf.run("diff")

    assert (
        "shelf/sql/views/v_book.sql: definition of view v_book differs (- file, + database)"
        in printed
    )
    assert "    +     '{}'::jsonb AS data" in printed


def test_files_and_migrations_that_are_behind_are_told(shelf: Project) -> None:
    shelf.replace("shelf", "views__v_book", "b.title, json", "b.title, b.year, json")
    assert "shelf/sql/views/v_book.sql: changed since its last migration" in shelf.run("diff")

    shelf.run("make")
    printed = shelf.run("diff")
    assert "shelf.0002_v_book: not applied" in printed
    assert "the file lacks" not in printed

    assert "Would apply shelf.0002_v_book" in shelf.run("up", dry_run=True)
    assert "[ ] 0002_v_book" in shelf.run("status")
    shelf.run("up")
    shelf.run("check")


def test_a_file_that_cannot_be_run_is_told_with_its_place(shelf: Project) -> None:
    shelf.replace("shelf", "views__v_book", "b.title, json", "b.titel, json")

    assert "shelf/sql/views/v_book.sql, line 2: column b.titel does not exist" in shelf.run("diff")


def test_what_is_compared_leaves_no_trace(shelf: Project) -> None:
    before = shelf.execute("SELECT oid, xmin::text FROM pg_class ORDER BY oid")
    shelf.run("check")

    assert shelf.execute("SELECT oid, xmin::text FROM pg_class ORDER BY oid") == before
    assert shelf.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'fraiseql%'") == 0


def test_files_of_a_schema_of_their_own_are_compared_there(new_project: NewProject) -> None:
    project = new_project("depot")
    project.execute('CREATE SCHEMA "Depot"')
    project.write(
        "depot",
        tables__tb_box='CREATE TABLE "Depot".tb_box (id int PRIMARY KEY)',
        views__v_box='CREATE VIEW "Depot".v_box AS SELECT id FROM "Depot".tb_box',
        policies__tb_box='CREATE POLICY p_box ON "Depot".tb_box USING (id > 0)',
    )
    project.run("make")
    project.run("up")
    project.run("check")
    project.execute(
        'CREATE OR REPLACE VIEW "Depot".v_box AS SELECT id FROM "Depot".tb_box WHERE id > 1'
    )

    assert differing(project) == [("view Depot.v_box", "definition")]


def test_policies_on_a_table_of_a_model_are_compared(new_project: NewProject) -> None:
    project = new_project("gate")
    project.execute("CREATE TABLE auth_like (id int)")
    project.write("gate", policies__auth_like="CREATE POLICY p_gate ON auth_like USING (id > 0)")
    project.run("make")
    project.run("up")

    project.run("check")

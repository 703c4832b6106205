"""Migrations made from SQL files, run forwards and backwards."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.integration.migrations.conftest import ALIAS, NewProject, Project

TB_USER = """\
-- Who writes.
CREATE TABLE tb_user (pk_user int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, age int)
"""
V_USER = """\
-- One row per user.
CREATE VIEW v_user AS
SELECT u.pk_user, u.name, u.age
  FROM tb_user u
"""


@pytest.fixture
def blog(new_project: NewProject) -> Project:
    project = new_project("press")
    project.write(
        "press",
        tables__tb_user=TB_USER,
        views__v_user=V_USER,
        views__v_name="CREATE VIEW v_name AS SELECT v.name FROM v_user v",
        functions__fn_rename="""\
CREATE FUNCTION fn_rename(p_old text, p_new text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    UPDATE tb_user SET name = p_new WHERE name = p_old;
    SELECT count(*) INTO v_count FROM v_user;
    RETURN v_count;
END $$;
""",
    )
    return project


def test_files_become_a_migration_in_the_order_of_their_needs(blog: Project) -> None:
    printed = blog.run("make")

    assert blog.migrations("press") == ["0001_initial"]
    assert [line.split()[-1] for line in printed.splitlines()[1:]] == [
        "sql/tables/tb_user.sql",
        "sql/views/v_user.sql",
        "sql/views/v_name.sql",
        "sql/functions/fn_rename.sql",
    ]


def test_what_did_not_change_makes_nothing(blog: Project) -> None:
    blog.run("make")
    blog.replace(
        "press", "views__v_user", "-- One row per user.", "-- One row per user,\n-- and no more."
    )

    assert blog.run("make") == "No changes.\n"
    assert blog.migrations("press") == ["0001_initial"]
    blog.run("make", check=True)


def test_forwards_backwards_and_forwards_again_the_data_is_there(blog: Project) -> None:
    blog.run("make")
    blog.run("up")
    blog.execute("INSERT INTO tb_user (name, age) VALUES ('Mara', 40)")
    blog.replace("press", "views__v_user", "u.age", "u.age, upper(u.name) AS shown")
    blog.replace("press", "views__v_name", "v.name", "v.name, v.shown")
    blog.run("make")
    blog.run("up")
    assert blog.execute("SELECT name, shown FROM v_name") == [("Mara", "MARA")]

    blog.run("down", "press", "0001")
    assert blog.execute("SELECT * FROM v_name") == [("Mara",)]
    assert blog.execute("SELECT * FROM v_user") == [(1, "Mara", 40)]

    blog.run("up")
    assert blog.execute("SELECT name, shown FROM v_name") == [("Mara", "MARA")]
    assert blog.value("SELECT fn_rename('Mara', 'Nora')") == 1


def test_a_file_that_is_gone_takes_its_object_with_it_and_comes_back(blog: Project) -> None:
    blog.run("make")
    blog.run("up")
    blog.path("press", "views__v_name").unlink()
    blog.run("make")
    blog.run("up")
    assert blog.value("SELECT to_regclass('v_name')") is None

    blog.run("down", "press", "0001")
    assert blog.value("SELECT to_regclass('v_name')::text") == "v_name"

    blog.run("down", "press", "zero")
    assert blog.value("SELECT to_regclass('tb_user')") is None


def test_a_column_that_changes_its_type_keeps_what_depends_on_the_view(
    reader: str, blog: Project
) -> None:
    blog.run("make")
    blog.run("up")
    blog.execute(
        """
        INSERT INTO tb_user (name, age) VALUES ('Mara', 40);
        CREATE VIEW v_old WITH (security_barrier, security_invoker) AS SELECT name, age FROM v_user WHERE age > 30;
        COMMENT ON VIEW v_old IS 'Over thirty';
        COMMENT ON COLUMN v_old.age IS 'In years';
        GRANT SELECT ON v_user, v_old TO press_reader;
        GRANT UPDATE (name) ON v_user TO press_reader;
        COMMENT ON VIEW v_user IS 'Users';
        GRANT CREATE ON SCHEMA public TO press_reader;
        ALTER VIEW v_old OWNER TO press_reader;
        CREATE MATERIALIZED VIEW mv_age AS SELECT age, count(*) AS people FROM v_old GROUP BY age;
        CREATE UNIQUE INDEX mv_age_idx ON mv_age (age);
        COMMENT ON INDEX mv_age_idx IS 'By age';
        CREATE FUNCTION fn_oldest() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT max(name) FROM v_old; END;
        REVOKE EXECUTE ON FUNCTION fn_oldest() FROM PUBLIC;
        CREATE TABLE tb_note (name text);
        ALTER TABLE tb_note ENABLE ROW LEVEL SECURITY;
        CREATE POLICY p_note ON tb_note FOR SELECT TO press_reader USING (name IN (SELECT v.name FROM v_user v));
        CREATE RULE r_note AS ON DELETE TO tb_note DO ALSO SELECT name FROM v_user;
        """.replace("press_reader", reader)
    )
    blog.replace("press", "views__v_user", "u.age", "u.age::bigint AS age")
    blog.run("make")
    blog.run("up")

    assert blog.value("SELECT pg_typeof(age)::text FROM v_old") == "bigint"
    assert blog.value("SELECT reloptions::text FROM pg_class WHERE relname = 'v_old'") == (
        "{security_barrier=true,security_invoker=true}"
    )
    assert blog.execute(
        "SELECT obj_description('v_old'::regclass), obj_description('v_user'::regclass),"
        " col_description('v_old'::regclass, 2), obj_description('mv_age_idx'::regclass)"
    ) == [("Over thirty", "Users", "In years", "By age")]
    assert blog.execute(
        f"SELECT has_table_privilege('{reader}', 'v_user', 'SELECT'),"
        f" has_table_privilege('{reader}', 'v_user', 'DELETE'),"
        f" has_column_privilege('{reader}', 'v_user', 'name', 'UPDATE'),"
        f" has_function_privilege('{reader}', 'fn_oldest()', 'EXECUTE'),"
        " (SELECT relowner::regrole::text FROM pg_class WHERE relname = 'v_old')"
    ) == [(True, False, True, False, reader)]
    assert blog.execute("SELECT age, people FROM mv_age") == [(40, 1)]
    assert blog.value("SELECT fn_oldest()") == "Mara"
    assert blog.execute("SELECT polcmd, polroles::regrole[]::text FROM pg_policy") == [
        ("r", f"{{{reader}}}")
    ]
    assert blog.value("SELECT count(*) FROM pg_rules WHERE rulename = 'r_note'") == 1
    blog.run("check")
    blog.run("down", "press", "0001")
    assert blog.value("SELECT pg_typeof(age)::text FROM v_old") == "integer"


def test_a_view_that_loses_a_column_waits_for_those_that_read_it(blog: Project) -> None:
    blog.replace("press", "views__v_name", "v.name", "v.name, v.age")
    blog.run("make")
    blog.run("up")
    blog.execute("COMMENT ON VIEW v_name IS 'Names'")
    blog.replace("press", "views__v_user", ", u.age", "")
    blog.replace("press", "views__v_name", ", v.age", "")
    blog.run("make")
    blog.run("up")
    assert blog.value("SELECT obj_description('v_name'::regclass)") == "Names"

    blog.run("down", "press", "0001")
    assert blog.execute("SELECT name, age FROM v_name") == []
    assert blog.value("SELECT obj_description('v_name'::regclass)") == "Names"


def test_what_would_no_longer_work_stops_the_change(blog: Project) -> None:
    blog.run("make")
    blog.run("up")
    blog.execute("CREATE VIEW v_age AS SELECT age FROM v_user")
    blog.replace("press", "views__v_user", ", u.age", "")
    blog.run("make")

    with pytest.raises(
        CommandError, match=r"view public.v_age depends on view v_user.*column .*age.* does not"
    ):
        blog.run("up")

    assert blog.execute("SELECT age FROM v_age") == []
    assert blog.run("status").count("[ ]") == 1


def test_a_statement_that_fails_is_named_and_nothing_is_changed(blog: Project) -> None:
    blog.run("make")
    blog.run("up")
    blog.write("press", views__v_first="CREATE VIEW v_first AS SELECT 1 AS one")
    blog.write(
        "press",
        views__v_wrong="""\
-- Two lines of
-- comment.
CREATE VIEW v_wrong AS
SELECT nam FROM tb_user;
COMMENT ON VIEW v_wrong IS 'x'
""",
    )
    blog.run("make")

    with pytest.raises(CommandError) as caught:
        blog.run("up")

    message = str(caught.value)
    assert (
        'press/migrations/sql/views/v_wrong.0001.sql, line 4: column "nam" does not exist'
        in message
    )
    assert "CREATE VIEW v_wrong AS ..." in message
    assert "press.0002_v_first_v_wrong" in message
    assert "Nothing was changed." in message
    assert blog.value("SELECT to_regclass('v_first')") is None


def test_applications_that_need_each_others_views_take_turns(new_project: NewProject) -> None:
    project = new_project("east", "west")
    project.write("east", views__v_one="CREATE VIEW v_one AS SELECT 1 AS n")
    project.write("west", views__v_two="CREATE VIEW v_two AS SELECT n + 1 AS n FROM v_one")
    project.write("east", views__v_three="CREATE VIEW v_three AS SELECT n + 1 AS n FROM v_two")
    project.run("make")
    project.run("up")

    assert project.migrations("east") == ["0001_initial", "0002_v_three"]
    assert project.migrations("west") == ["0001_initial"]
    assert project.value("SELECT n FROM v_three") == 3
    project.replace("east", "views__v_one", "1 AS n", "1::bigint AS n")
    project.run("make")
    project.run("up")
    assert project.value("SELECT pg_typeof(n)::text FROM v_three") == "bigint"


def test_a_function_with_other_arguments_takes_the_place_of_the_old_one(blog: Project) -> None:
    blog.run("make")
    blog.run("up")
    blog.execute(
        "REVOKE EXECUTE ON FUNCTION fn_rename FROM PUBLIC; COMMENT ON FUNCTION fn_rename IS 'Renames'"
    )
    blog.replace(
        "press", "functions__fn_rename", "p_new text)", "p_new varchar, p_age int DEFAULT 0)"
    )
    blog.run("make")
    blog.run("up")

    assert blog.execute(
        "SELECT pg_get_function_identity_arguments(oid), obj_description(oid, 'pg_proc'), proacl::text"
        "  NOT LIKE '{=X%' FROM pg_proc WHERE proname = 'fn_rename'"
    ) == [("p_old text, p_new character varying, p_age integer", "Renames", True)]
    blog.run("down", "press", "0001")
    assert blog.value("SELECT pg_get_function_identity_arguments('fn_rename'::regproc)") == (
        "p_old text, p_new text"
    )


def test_a_table_is_altered_by_statements_of_its_author(blog: Project) -> None:
    blog.run("make")
    blog.run("up")
    blog.replace("press", "tables__tb_user", "age int", "age int, mail text")
    with pytest.raises(CommandError, match=r"how its rows follow cannot be derived.*\n.*alter"):
        blog.run("make")

    add, remove = "ALTER TABLE tb_user ADD COLUMN mail text", "ALTER TABLE tb_user DROP COLUMN mail"
    blog.run("alter", "press", "tables/tb_user.sql", add, remove)
    blog.run("up")
    blog.execute("INSERT INTO tb_user (name, mail) VALUES ('Mara', 'mara@example.org')")

    assert blog.run("make") == "No changes.\n"
    blog.run("down", "press", "0001")
    assert blog.execute("SELECT * FROM tb_user") == [(1, "Mara", None)]


def test_what_somebody_made_already_is_not_taken_over(blog: Project) -> None:
    blog.run("make")
    blog.execute("CREATE VIEW v_user AS SELECT 1 AS mine")

    with pytest.raises(CommandError, match=r'"v_user" already exists(?s:.*)It is there already'):
        blog.run("up")
    assert blog.execute("SELECT mine FROM v_user") == [(1,)]


def test_files_that_need_each_other_are_refused(blog: Project) -> None:
    blog.replace("press", "views__v_user", "FROM tb_user u", "FROM tb_user u JOIN v_name n ON true")

    with pytest.raises(
        CommandError, match=r"need each other: views/v_name.sql -> views/v_user.sql -> views/v_name"
    ):
        blog.run("make")


def test_two_files_that_make_the_same_are_refused(blog: Project) -> None:
    blog.write(
        "press", functions__other="CREATE FUNCTION fn_rename() RETURNS int LANGUAGE sql AS '1'"
    )

    with pytest.raises(
        CommandError, match=r"(?s)both make function fn_rename.*Overloads of a function"
    ):
        blog.run("make")


def test_a_table_that_did_not_change_is_not_altered(blog: Project) -> None:
    blog.run("make")

    with pytest.raises(CommandError, match="has not changed since its last migration"):
        blog.run("alter", "press", "tables/tb_user.sql", "SELECT 1", "SELECT 2")


def test_a_dry_run_says_what_would_be_and_a_check_fails(blog: Project) -> None:
    found = json.loads(blog.run("make", dry_run=True, format="json"))
    with pytest.raises(CommandError, match="changed since their last migration"):
        blog.run("make", check=True)

    (migration,) = found["migrations"]
    assert migration["changes"][0] == {"path": "tables/tb_user.sql", "change": "new"}
    assert blog.migrations("press") == []


def test_django_runs_the_migrations_too(blog: Project) -> None:
    blog.run("make")
    call_command("migrate", database=ALIAS, verbosity=0, skip_checks=True)
    assert blog.execute("SELECT * FROM v_name") == []

    out = StringIO()
    call_command("sqlmigrate", "press", "0001", database=ALIAS, stdout=out, skip_checks=True)
    assert "CREATE VIEW v_name AS SELECT v.name FROM v_user v;" in out.getvalue()
    call_command("migrate", "press", "zero", database=ALIAS, verbosity=0, skip_checks=True)
    assert blog.value("SELECT to_regclass('tb_user')") is None


def test_views_of_a_model_s_table_come_after_its_migration(new_project: NewProject) -> None:
    project = new_project("django.contrib.contenttypes", "press")
    project.write(
        "press", views__v_kind="CREATE VIEW v_kind AS SELECT model FROM django_content_type"
    )
    project.run("make")

    source = (project.folder / "press" / "migrations" / "0001_initial.py").read_text("utf-8")
    assert '("contenttypes", "0002_remove_content_type_name")' in source
    project.run("up")
    assert project.execute("SELECT model FROM v_kind") != []

"""Migrations that fail, wait, are interrupted, or would break what is bound."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connections
from django.test import override_settings

import fraiseql
from fraiseql.schema import registry
from tests.integration.migrations.conftest import ALIAS, NewProject, Project

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def mill(new_project: NewProject) -> Project:
    project = new_project("mill")
    project.write(
        "mill",
        tables__tb_sack="CREATE TABLE tb_sack (id int PRIMARY KEY, grain text NOT NULL, weight int)",
        views__v_sack="CREATE VIEW v_sack AS SELECT id, grain, weight FROM tb_sack",
    )
    project.run("make")
    project.run("build")
    project.execute("INSERT INTO tb_sack VALUES (1, 'rye', 50), (2, 'rye', 60)")
    return project


def test_a_lock_that_does_not_come_ends_the_wait(mill: Project) -> None:
    mill.replace("mill", "views__v_sack", "weight", "weight, upper(grain) AS shown")
    mill.run("make")

    with psycopg.connect(mill.uri) as reader, override_settings(FRAISEQL={"LOCK_TIMEOUT_MS": 50}):
        reader.execute("SELECT * FROM v_sack")
        with pytest.raises(CommandError) as caught:
            mill.run("up")

    assert "canceling statement due to lock timeout" in str(caught.value)
    assert "Another transaction uses it." in str(caught.value)
    mill.run("up")
    assert mill.value("SELECT shown FROM v_sack WHERE id = 1") == "RYE"


def test_an_index_is_built_beside_writers_in_a_migration_of_its_own(mill: Project) -> None:
    mill.write("mill", views__v_other="CREATE VIEW v_other AS SELECT 1 AS one")
    mill.write(
        "mill",
        tables__tb_sack_grain_idx="CREATE UNIQUE INDEX CONCURRENTLY tb_sack_grain_idx ON tb_sack (grain)",
    )
    mill.run("make")
    assert mill.migrations("mill")[1:] == ["0002_tb_sack_grain_idx", "0003_v_other"]

    with pytest.raises(CommandError) as caught:
        mill.run("up")
    assert "could not create unique index" in str(caught.value)
    assert "What was left of the index is dropped" in str(caught.value)
    assert mill.value("SELECT to_regclass('tb_sack_grain_idx')") is None

    mill.execute("UPDATE tb_sack SET grain = 'oats' WHERE id = 2")
    mill.run("up")
    assert mill.value(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'tb_sack_grain_idx'::regclass"
    )
    mill.run("check")
    mill.run("down", "mill", "0001")
    assert mill.value("SELECT to_regclass('tb_sack_grain_idx')") is None


def test_an_index_left_invalid_is_built_again(mill: Project) -> None:
    with psycopg.connect(mill.uri, autocommit=True) as connection, pytest.raises(psycopg.Error):
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY tb_sack_grain_idx ON tb_sack (grain)")
    mill.execute("DELETE FROM tb_sack WHERE id = 2")
    mill.write(
        "mill",
        tables__tb_sack_grain_idx="CREATE UNIQUE INDEX CONCURRENTLY tb_sack_grain_idx ON tb_sack (grain)",
    )
    mill.run("make")
    mill.run("up")

    assert mill.value(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 'tb_sack_grain_idx'::regclass"
    )


def test_what_a_bound_type_would_miss_is_told_before_anything_runs(mill: Project) -> None:
    mill.replace("mill", "views__v_sack", ", weight", "")
    mill.run("make")
    with registry.isolated(), override_settings(FRAISEQL={"DATABASE": ALIAS}):

        @fraiseql.type(view="v_sack")
        class Sack:
            id: int
            grain: str
            weight: int | None

        class Query(fraiseql.Query):
            sacks = fraiseql.many(Sack)

        with pytest.raises(CommandError) as caught:
            mill.run("up")
        assert "it would break what is bound" in str(caught.value)
        assert "weight" in str(caught.value)
        assert "--force" in str(caught.value)
        assert mill.value("SELECT max(weight) FROM v_sack") == 60

        mill.run("up", force=True)
    assert mill.execute("SELECT * FROM v_sack WHERE id = 1") == [(1, "rye")]


def test_what_a_mutation_would_miss_is_told_before_anything_runs(mill: Project) -> None:
    mill.write(
        "mill",
        functions__fn_fill="CREATE FUNCTION fn_fill(p_id int) RETURNS int LANGUAGE sql AS $$ SELECT p_id $$",
    )
    mill.run("make")
    mill.run("up")
    mill.replace("mill", "functions__fn_fill", "p_id int", "p_id int, p_weight int")
    mill.run("make")
    with registry.isolated(), override_settings(FRAISEQL={"DATABASE": ALIAS}):

        @fraiseql.type(view="v_sack")
        class Sack:
            id: int

        class Query(fraiseql.Query):
            sack = fraiseql.one(Sack)

        @fraiseql.mutation(function="fn_fill")
        class Fill:
            id: int
            returns: Sack

        with pytest.raises(CommandError, match=r"it would break what is bound.*\n.*fn_fill"):
            mill.run("up")

    assert mill.value("SELECT fn_fill(7)") == 7


def test_an_interrupt_leaves_the_old_state(mill: Project) -> None:
    mill.replace("mill", "views__v_sack", "weight", "weight, pg_sleep(60)::text AS slept")
    mill.write(
        "mill", views__mv_sack="CREATE MATERIALIZED VIEW mv_sack AS SELECT slept FROM v_sack"
    )
    mill.run("make")
    program = (
        "import sys, django; from django.conf import settings;"
        " settings.configure(INSTALLED_APPS=['fraiseql', 'mill'], DATABASES={'default': dict("
        "ENGINE='django.db.backends.postgresql', **eval(sys.argv.pop(1)))}); django.setup();"
        " from django.core.management import execute_from_command_line as run; run(sys.argv)"
    )
    settings = {
        name: connections[ALIAS].settings_dict[name] for name in ("NAME", "USER", "HOST", "PORT")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", program, repr(settings), "fraiseql_migrate", "up"],
        cwd=mill.folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(mill.folder)])},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    while not mill.value(asleep):
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)

    assert process.returncode == 130
    assert told.strip().splitlines()[-1] == "Interrupted: what was under way is undone."
    assert mill.execute("SELECT * FROM v_sack WHERE id = 1") == [(1, "rye", 50)]
    assert "[ ] 0002" in mill.run("status")


def test_a_projection_is_made_anew_from_its_view(mill: Project) -> None:
    mill.write(
        "mill",
        views__v_grain="""\
CREATE VIEW v_grain AS SELECT grain AS id, sum(weight)::int AS weight FROM tb_sack GROUP BY grain
""",
        projections__tv_grain="CREATE TABLE tv_grain (id text PRIMARY KEY)",
        policies__tv_grain="""\
ALTER TABLE tv_grain ENABLE ROW LEVEL SECURITY;
ALTER TABLE tv_grain FORCE ROW LEVEL SECURITY;
CREATE POLICY p_grain ON tv_grain USING (true)
""",
        views__v_heavy="CREATE VIEW v_heavy AS SELECT id FROM tv_grain",
    )
    mill.run("make")
    mill.run("up")
    mill.execute(
        "INSERT INTO tv_grain VALUES ('rye'); CREATE INDEX tv_grain_by_hand ON tv_grain (upper(id))"
    )
    mill.write(
        "mill",
        projections__tv_grain="CREATE TABLE tv_grain (id text PRIMARY KEY, weight int NOT NULL)",
    )
    mill.run("make")
    mill.run("up")

    assert mill.execute("SELECT * FROM tv_grain") == [("rye", 110)]
    assert mill.execute("SELECT * FROM v_heavy") == [("rye",)]
    assert mill.value("SELECT to_regclass('tv_grain_by_hand')::text") == "tv_grain_by_hand"
    assert mill.execute(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = 'tv_grain'"
    ) == [(True, True)]
    mill.run("check")
    mill.run("down", "mill", "0002")
    assert mill.execute("SELECT * FROM tv_grain") == [("rye",)]
    mill.execute("DROP VIEW v_grain")
    with pytest.raises(CommandError, match="there is no v_grain to fill tv_grain from"):
        mill.run("up")


def test_a_materialized_view_is_filled_and_keeps_the_indexes_made_besides(mill: Project) -> None:
    mill.write(
        "mill",
        views__mv_grain="""\
CREATE MATERIALIZED VIEW mv_grain AS SELECT grain, count(*) AS sacks FROM v_sack GROUP BY grain;
CREATE UNIQUE INDEX mv_grain_idx ON mv_grain (grain);
""",
    )
    mill.run("make")
    mill.run("up")
    mill.execute("CREATE INDEX mv_grain_by_hand ON mv_grain (sacks)")
    mill.replace(
        "mill", "views__mv_grain", "count(*) AS sacks", "count(*) AS sacks, max(weight) AS weight"
    )
    mill.run("make")
    mill.run("up")

    assert mill.execute("SELECT * FROM mv_grain") == [("rye", 2, 60)]
    assert mill.execute(
        "SELECT indexname FROM pg_indexes WHERE tablename = 'mv_grain' ORDER BY 1"
    ) == [
        ("mv_grain_by_hand",),
        ("mv_grain_idx",),
    ]


def test_data_that_does_not_fit_the_new_view_stops_the_change(mill: Project) -> None:
    mill.execute("CREATE MATERIALIZED VIEW mv_share AS SELECT 100 / weight AS share FROM v_sack")
    mill.replace("mill", "views__v_sack", "weight FROM", "(weight - 50)::bigint AS weight FROM")
    mill.run("make")

    with pytest.raises(CommandError, match="division by zero"):
        mill.run("up")
    assert mill.execute("SELECT share FROM mv_share ORDER BY 1") == [(1,), (2,)]


def test_a_function_that_is_renamed_in_its_file_leaves_under_its_old_name(mill: Project) -> None:
    body = "RETURNS int LANGUAGE sql AS $$ SELECT 1 $$"
    mill.write("mill", functions__fn_one=f"CREATE FUNCTION fn_one() {body}")
    mill.run("make")
    mill.run("up")
    mill.write("mill", functions__fn_one=f"CREATE FUNCTION fn_eins() {body}")
    mill.run("make")
    mill.run("up")

    names = "SELECT proname::text FROM pg_proc WHERE proname IN ('fn_one', 'fn_eins')"
    assert mill.execute(names) == [("fn_eins",)]
    mill.run("down", "mill", "0002")
    assert mill.execute(names) == [("fn_one",)]


def test_what_hangs_on_a_dependent_view_stays(mill: Project) -> None:
    mill.execute(
        """
        CREATE VIEW v_edit AS SELECT id, grain, weight FROM v_sack;
        ALTER VIEW v_edit ALTER COLUMN grain SET DEFAULT 'oats';
        COMMENT ON COLUMN v_edit.grain IS 'Which';
        CREATE FUNCTION fn_edit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER tr_edit INSTEAD OF INSERT ON v_edit FOR EACH ROW EXECUTE FUNCTION fn_edit();
        COMMENT ON TRIGGER tr_edit ON v_edit IS 'Edits';
        CREATE FUNCTION fn_row(p_row v_sack) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN p_row.id; END $$;
        CREATE FUNCTION fn_rows(p_rows v_sack[]) RETURNS SETOF v_edit LANGUAGE sql AS 'SELECT * FROM v_edit';
        """
    )
    mill.replace("mill", "views__v_sack", "weight FROM", "weight::bigint AS weight FROM")
    mill.run("make")
    mill.run("up")

    assert mill.execute(
        "SELECT obj_description(t.oid, 'pg_trigger'), col_description(t.tgrelid, 2),"
        " (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = t.tgrelid)"
        " FROM pg_trigger t WHERE tgname = 'tr_edit'"
    ) == [("Edits", "Which", "'oats'::text")]
    assert mill.execute(
        "SELECT fn_row(s), (fn_rows(ARRAY[s])).id FROM v_sack s WHERE s.id = 1"
    ) == [
        (1, 1),
        (1, 2),
    ]


def test_a_trigger_that_is_off_is_off_afterwards(mill: Project) -> None:
    mill.write(
        "mill",
        functions__fn_fits="CREATE FUNCTION fn_fits(n int) RETURNS int LANGUAGE sql AS $$ SELECT n $$",
    )
    mill.run("make")
    mill.run("up")
    mill.execute(
        """
        CREATE FUNCTION fn_watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
        CREATE TRIGGER tr_watch BEFORE INSERT ON tb_sack FOR EACH ROW
            WHEN (fn_fits(NEW.weight) > 0) EXECUTE FUNCTION fn_watch();
        ALTER TABLE tb_sack DISABLE TRIGGER tr_watch
        """
    )
    mill.replace("mill", "functions__fn_fits", "RETURNS int", "RETURNS bigint")
    mill.run("make")
    mill.run("up")

    assert mill.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'tr_watch'") == "D"


def test_policies_are_replaced_and_undone(mill: Project) -> None:
    mill.write(
        "mill",
        policies__tb_sack="""\
ALTER TABLE tb_sack ENABLE ROW LEVEL SECURITY;
CREATE POLICY p_sack ON tb_sack USING (weight > 0);
""",
    )
    mill.run("make")
    mill.run("up")
    mill.replace("mill", "policies__tb_sack", "weight > 0", "weight > 10")
    mill.run("make")
    mill.run("up")
    assert mill.value("SELECT qual FROM pg_policies") == "(weight > 10)"

    mill.run("down", "mill", "0001")
    assert mill.execute("SELECT polname FROM pg_policy") == []
    assert mill.value("SELECT relrowsecurity FROM pg_class WHERE relname = 'tb_sack'") is False


def test_build_refuses_a_database_that_has_something(mill: Project) -> None:
    with pytest.raises(CommandError, match=r"is not empty.*\n.*fraiseql_migrate up"):
        mill.run("build")


def test_an_unknown_application_or_migration_is_told(mill: Project) -> None:
    with pytest.raises(CommandError, match="'nobody'"):
        mill.run("make", "nobody")
    with pytest.raises(CommandError, match="'nobody'"):
        mill.run("up", "nobody")
    with pytest.raises(CommandError, match="Its migrations: 0001_initial"):
        mill.run("down", "mill", "0009")


def test_build_makes_the_database_too(new_project: NewProject) -> None:
    project = new_project("kiln")
    project.write("kiln", views__v_pot="CREATE VIEW v_pot AS SELECT 1 AS id")
    project.run("make")
    settings = connections[ALIAS].settings_dict
    existing = settings["NAME"]
    settings["NAME"] = f"{existing}_new"
    try:
        assert f"{existing}_new, a new database" in project.run("build", dry_run=True)
        assert project.run("build").splitlines()[-1] == "Applied kiln.0001_initial"
        with connections[ALIAS].cursor() as cursor:
            cursor.execute("SELECT current_database(), id FROM v_pot")
            assert cursor.fetchone() == (f"{existing}_new", 1)
    finally:
        connections[ALIAS].close()
        settings["NAME"] = existing
        project.execute(f"DROP DATABASE IF EXISTS {existing}_new")


def test_a_server_that_is_not_there_is_told(new_project: NewProject) -> None:
    project = new_project("kiln")
    settings = connections[ALIAS].settings_dict
    existing = settings["PORT"]
    settings["PORT"] = "1"
    try:
        with pytest.raises(CommandError, match="The database cannot be reached"):
            project.run("build")
    finally:
        settings["PORT"] = existing


def test_what_an_operation_is_for_is_held_against_its_file(mill: Project) -> None:
    migration = mill.folder / "mill" / "migrations" / "0001_initial.py"
    migration.write_text(
        migration.read_text("utf-8").replace("CreateView(", "CreateFunction("), "utf-8"
    )
    migration.write_text(
        migration.read_text("utf-8").replace("import CreateTable, CreateView", "import *"), "utf-8"
    )
    mill.execute("DROP VIEW v_sack; DROP TABLE tb_sack; DELETE FROM django_migrations")

    with pytest.raises(
        CommandError, match=r"makes a view.(?s:.*)CreateFunction is for a function or procedure"
    ):
        mill.run("up", "mill")


def test_a_version_that_is_not_checked_in_is_told(mill: Project) -> None:
    version = mill.folder / "mill" / "migrations" / "sql" / "views" / "v_sack.0001.sql"
    version.unlink()

    with pytest.raises(
        CommandError, match=r"v_sack.0001.sql, which does not exist(?s:.*)check them in together"
    ):
        mill.run("make")


def test_migrations_that_branch_are_told(mill: Project) -> None:
    folder = mill.folder / "mill" / "migrations"
    source = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = "
    for name in ("0002_left", "0002_right"):
        (folder / f"{name}.py").write_text(f'{source}[("mill", "0001_initial")]\n', "utf-8")

    with pytest.raises(CommandError, match="branch: mill: 0002_left, 0002_right"):
        mill.run("make")

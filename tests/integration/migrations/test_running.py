"""Migrations that fail, wait, are interrupted, or would break what is bound."""

import psycopg
import pytest
from django.core.management import CommandError
from django.test import override_settings

import fraiseql
from fraiseql.schema import registry
from tests.integration.migrations.conftest import ALIAS, NewProject, Project


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

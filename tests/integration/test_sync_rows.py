"""Rows synced by key, in batches, beside other writers, and with those that embed them."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from pytest_django import Settings

import fraiseql
from fraiseql.cqrs import cascade, sync
from fraiseql.cqrs.projection import Projection, pair_of, sync_function
from fraiseql.cqrs.sync import Refreshed, drift, projections, synchronize
from fraiseql.db import catalog
from fraiseql.errors import BadUserInput, ConfigurationError, DatabaseFault
from fraiseql.schema import registry

ANN, BOB = UUID(int=1), UUID(int=2)
POSTS = [UUID(int=number) for number in range(101, 111)]

SETUP = """
CREATE TABLE tb_writer (id uuid PRIMARY KEY, name text NOT NULL);
CREATE TABLE tb_essay (
    id uuid PRIMARY KEY, identifier text NOT NULL UNIQUE DEFERRABLE, title text NOT NULL,
    writer uuid NOT NULL REFERENCES tb_writer, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE tb_remark (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), essay uuid NOT NULL REFERENCES tb_essay,
    writer uuid NOT NULL REFERENCES tb_writer, text text NOT NULL);
CREATE VIEW v_writer AS SELECT id, jsonb_build_object('id', id, 'name', name) AS data FROM tb_writer;
CREATE VIEW v_remark AS
SELECT r.id, r.essay, jsonb_build_object('id', r.id, 'text', r.text, 'writer', w.data) AS data
  FROM tb_remark r JOIN v_writer w ON w.id = r.writer;
CREATE VIEW v_essay AS
SELECT e.id, e.identifier, e.updated_at, jsonb_build_object(
           'id', e.id, 'title', e.title, 'length', 100 / length(e.title), 'writer', w.data,
           'remarks', coalesce((SELECT jsonb_agg(r.data ORDER BY r.id) FROM v_remark r WHERE r.essay = e.id),
                               '[]')) AS data
  FROM tb_essay e JOIN v_writer w ON w.id = e.writer;
CREATE TABLE tv_writer (id uuid PRIMARY KEY, data jsonb NOT NULL);
CREATE TABLE tv_essay (id uuid PRIMARY KEY, identifier text NOT NULL UNIQUE, data jsonb NOT NULL);
"""
ESSAY = Projection("tv_essay", "v_essay")


def execute(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values or None)


def rows(text: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, values or None)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def make() -> None:
    execute(SETUP)
    catalog.forget("default")
    execute("INSERT INTO tb_writer VALUES (%s, 'Ann'), (%s, 'Bob')", ANN, BOB)
    for number, key in enumerate(POSTS):
        execute(
            "INSERT INTO tb_essay (id, identifier, title, writer) VALUES (%s, %s, 'Title', %s)",
            key, f"essay-{number}", (ANN, BOB)[number % 2],
        )  # fmt: skip


@contextmanager
def declared() -> Iterator[None]:
    with registry.isolated():

        @fraiseql.type(view="tv_writer", source="v_writer")
        class Writer:
            id: UUID
            name: str
            # Not in the document, so that no rule speaks of it.
            essays: "list[Essay]" = fraiseql.related(key="writer_id")

        @fraiseql.type(view="v_remark")
        class Remark:
            id: UUID
            text: str
            writer: Writer

        @fraiseql.type(view="tv_essay", source="v_essay")
        class Essay:
            id: UUID
            writer_id: UUID | None
            title: str
            writer: Writer
            remarks: list[Remark]

        class Query(fraiseql.Query):
            essays = fraiseql.many(Essay)

        yield
    catalog.forget("default")


@pytest.fixture
def essays(db: None) -> Iterator[None]:
    make()
    with declared():
        yield


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    make()
    with declared():
        yield
    execute("DROP TABLE tv_essay, tv_writer, tb_remark, tb_essay, tb_writer CASCADE")
    execute("DROP FUNCTION IF EXISTS fn_sync_tv_essay(uuid[]), fn_sync_tv_essay(uuid)")
    execute("TRUNCATE tb_sync_log")


def fill() -> None:
    for projection in projections():
        synchronize(projection, "default")
    execute("TRUNCATE tb_sync_log")


def is_in_step() -> bool:
    return not any(drift(projection, "default") for projection in projections())


def by_view(done: list[Refreshed]) -> dict[str, tuple[int, int, int]]:
    return {item.view: (item.inserted, item.updated, item.deleted) for item in done}


# Rows by key


def test_one_row_is_written_and_the_others_are_left(essays: None) -> None:
    done = sync.sync_essay([POSTS[3]])

    assert by_view(done) == {"tv_essay": (1, 0, 0)}
    assert rows("SELECT id FROM tv_essay") == [(POSTS[3],)]


def test_a_row_whose_source_is_gone_is_deleted(essays: None) -> None:
    fill()
    execute("DELETE FROM tb_essay WHERE id = %s", POSTS[0])

    assert by_view(sync.sync_essay([str(POSTS[0]), POSTS[1]])) == {"tv_essay": (0, 0, 1)}


def test_rows_may_swap_a_unique_value(essays: None) -> None:
    fill()
    execute(
        "SET CONSTRAINTS ALL DEFERRED;"
        "UPDATE tb_essay SET identifier = 'essay-' || (1 - right(identifier, 1)::int)"
        " WHERE identifier IN ('essay-0', 'essay-1'); SET CONSTRAINTS ALL IMMEDIATE"
    )

    assert by_view(sync.sync_essay(POSTS[:2])) == {"tv_essay": (0, 2, 0)}
    assert is_in_step()


def test_a_deferred_sync_happens_when_the_transaction_commits(committed: None) -> None:
    with transaction.atomic():
        assert sync.sync_essay([POSTS[0]], mode="deferred") == []
        assert rows("SELECT id FROM tv_essay") == []

    assert rows("SELECT id FROM tv_essay") == [(POSTS[0],)]


def test_a_deferred_sync_is_forgotten_with_its_transaction(essays: None) -> None:
    with transaction.atomic():
        sync.sync_essay([POSTS[0]], mode="deferred")
        transaction.set_rollback(True)

    assert rows("SELECT id FROM tv_essay") == []


def test_a_whole_projection_from_python(essays: None) -> None:
    assert by_view(sync.sync_essay(mode="full")) == {"tv_essay": (10, 0, 0)}


def test_it_is_awaited_in_asynchronous_code(essays: None) -> None:
    async def write() -> list[Refreshed]:
        return await sync.sync_essay([POSTS[0]])  # type: ignore[no-any-return]

    assert by_view(async_to_sync(write)()) == {"tv_essay": (1, 0, 0)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "lazy"}, "'lazy' is not a mode"),
        ({"mode": "full", "ids": [ANN]}, "takes no ids"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadUserInput, match=message):
        sync.sync_essay(**options)


def test_an_unknown_entity_is_answered_with_the_known_ones(essays: None) -> None:
    with pytest.raises(ConfigurationError, match="No bound type is called 'esay'") as caught:
        sync.sync_esay([ANN])

    assert caught.value.hint == "Known: essay, remark, writer."


def test_a_type_that_nothing_stores_needs_the_cascade(essays: None) -> None:
    with pytest.raises(ConfigurationError, match="No projection stores the rows of v_remark"):
        sync.sync_remark([ANN])


def test_what_is_no_sync_is_no_attribute() -> None:
    with pytest.raises(AttributeError):
        sync.anything  # noqa: B018 - the access is the test


def test_a_key_of_another_type_says_so(essays: None) -> None:
    with pytest.raises(DatabaseFault, match="invalid input syntax for type uuid"):
        sync.sync_essay(["nonsense"])


# Cascade


def test_rules_are_read_off_the_types(essays: None) -> None:
    found = {str(rule) for rule in cascade.rules(projections())}

    assert found == {
        "tv_writer -> tv_essay at writer",
        "v_remark -> tv_essay at remarks[]",
        "tv_writer -> tv_essay at remarks[].writer",
    }


def test_the_rows_that_embed_a_row_are_refreshed_and_no_others(essays: None) -> None:
    execute("INSERT INTO tb_remark (essay, writer, text) VALUES (%s, %s, 'Hm')", POSTS[1], ANN)
    fill()
    execute("UPDATE tb_writer SET name = 'Anna' WHERE id = %s", ANN)

    # Ann wrote five essays, and remarked on one of Bob's.
    done = by_view(sync.sync_writer([ANN], cascade=True))

    assert done == {"tv_writer": (0, 1, 0), "tv_essay": (0, 6, 0)}
    assert is_in_step()


def test_a_type_without_a_projection_refreshes_those_that_embed_it(essays: None) -> None:
    execute("INSERT INTO tb_remark VALUES (%s, %s, %s, 'Hm')", UUID(int=7), POSTS[1], ANN)
    fill()
    execute("DELETE FROM tb_remark")

    assert by_view(sync.sync_remark([UUID(int=7)], cascade=True)) == {"tv_essay": (0, 1, 0)}
    assert is_in_step()


def test_the_rules_index_finds_the_rows(essays: None) -> None:
    wanted = cascade.rules(projections())
    assert not cascade.indexed(wanted, "default")
    for rule in wanted:
        execute(str(rule.index()))

    assert cascade.indexed(wanted, "default") == set(wanted)
    with transaction.atomic():
        execute("SET LOCAL enable_seqscan = off")
        plan = rows(
            "EXPLAIN SELECT id FROM tv_essay WHERE data -> 'remarks' @>"
            " jsonb_build_array(jsonb_build_object('writer', jsonb_build_object('id', %s::uuid)))",
            ANN,
        )
    assert any("tv_essay_remarks_gin" in line for (line,) in plan)


def test_a_rule_may_be_a_function_and_another_be_left_out(essays: None, settings: Settings) -> None:
    settings.FRAISEQL = {
        "CASCADE_RULES": [
            "without tv_writer -> tv_essay at writer",
            "without tv_writer -> tv_essay at remarks[].writer",
            "tv_essay -> tv_writer by fn_writers_of",
        ]
    }
    execute(
        "CREATE FUNCTION fn_writers_of(keys uuid[]) RETURNS SETOF uuid LANGUAGE sql AS"
        " $$ SELECT DISTINCT writer FROM tb_essay WHERE id = ANY (keys) $$"
    )
    fill()
    execute("UPDATE tb_writer SET name = name || '!'")

    assert by_view(sync.sync_essay([POSTS[0]], cascade=True)) == {
        "tv_writer": (0, 1, 0), "tv_essay": (0, 1, 0),
    }  # fmt: skip
    assert by_view(sync.sync_writer([BOB], cascade=True)) == {"tv_writer": (0, 1, 0)}
    assert command("--rules").splitlines() == [
        "v_remark -> tv_essay at remarks[]",
        "tv_essay -> tv_writer by fn_writers_of",
        f"{cascade.rules(projections())[0].index()};",
    ]


# Functions


def test_the_function_does_what_the_sync_does(essays: None) -> None:
    execute(sync_function(pair_of(ESSAY, "default")))

    assert rows("SELECT fn_sync_tv_essay(%s::uuid)", POSTS[0]) == [(1,)]
    assert rows("SELECT fn_sync_tv_essay(%s::uuid[])", POSTS[:3]) == [(2,)]
    execute("DELETE FROM tb_essay WHERE id = %s", POSTS[0])
    assert rows("SELECT fn_sync_tv_essay(%s::uuid)", POSTS[0]) == [(1,)]
    assert rows("SELECT id FROM tv_essay ORDER BY id") == [(POSTS[1],), (POSTS[2],)]


def test_python_calls_the_function_where_there_is_one(essays: None) -> None:
    execute(
        "CREATE FUNCTION fn_sync_tv_essay(ids uuid[]) RETURNS void LANGUAGE sql AS"
        " $$ INSERT INTO tv_essay SELECT id, 'by hand', '{}' FROM unnest(ids) AS id $$"
    )

    assert by_view(sync.sync_essay([POSTS[0]])) == {"tv_essay": (0, 1, 0)}
    assert rows("SELECT identifier FROM tv_essay") == [("by hand",)]


# Batches


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "BATCH", 3)


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_cover_every_row(committed: None, small_batches: None, workers: int) -> None:
    told: list[tuple[int, int]] = []
    execute("INSERT INTO tv_essay VALUES (%s, 'orphan', '{}')", uuid4())

    done = synchronize(ESSAY, "default", workers=workers, advance=lambda *parts: told.append(parts))

    assert by_view([done]) == {"tv_essay": (10, 0, 1)}
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert is_in_step() is False  # tv_writer is empty still
    assert not drift(ESSAY, "default")


def test_a_unique_value_may_move_between_batches(essays: None, small_batches: None) -> None:
    fill()
    execute(
        "SET CONSTRAINTS ALL DEFERRED;"
        "UPDATE tb_essay SET identifier = 'essay-' || (9 - right(identifier, 1)::int)"
        " WHERE identifier IN ('essay-0', 'essay-9'); SET CONSTRAINTS ALL IMMEDIATE"
    )
    synchronize(ESSAY, "default")

    assert is_in_step()


@pytest.mark.parametrize("workers", [1, 2])
def test_rows_that_fail_are_named_and_all_others_are_done(
    committed: None, small_batches: None, workers: int
) -> None:
    execute("UPDATE tb_essay SET title = '' WHERE id = ANY (%s)", [POSTS[1], POSTS[7]])
    execute("INSERT INTO tv_essay VALUES (%s, 'old', '{}')", POSTS[7])

    with pytest.raises(DatabaseFault, match=f"with id {POSTS[1]}, {POSTS[7]} cannot be computed"):
        synchronize(ESSAY, "default", workers=workers)

    assert {key for (key,) in rows("SELECT id FROM tv_essay")} == {*POSTS} - {POSTS[1]}
    assert rows("SELECT identifier FROM tv_essay WHERE id = %s", POSTS[7]) == [("old",)]
    ((count, success, error),) = rows("SELECT rows, success, error FROM tb_sync_log")
    assert (count, success, "division by zero" in error) == (8, False, True)
    execute("UPDATE tb_essay SET title = 'Mended' WHERE title = ''")
    assert by_view([synchronize(ESSAY, "default")]) == {"tv_essay": (1, 1, 0)}


def test_a_view_that_fails_on_many_rows_is_given_up(essays: None) -> None:
    execute(
        "INSERT INTO tb_essay (id, identifier, title, writer)"
        " SELECT gen_random_uuid(), 'bad-' || n, '', %s FROM generate_series(1, 25) AS n",
        ANN,
    )

    with pytest.raises(DatabaseFault, match="cannot be computed") as caught:
        synchronize(ESSAY, "default")
    assert caught.value.message.count(", ") == 20


# Beside other writers


def test_two_writers_of_one_document_lose_neither_change(committed: None) -> None:
    fill()
    execute(sync_function(pair_of(ESSAY, "default")))
    start = threading.Barrier(8)

    def remark(number: int) -> None:
        try:
            start.wait()
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO tb_remark (essay, writer, text) VALUES (%s, %s, %s)",
                    [POSTS[0], ANN, f"remark {number}"],
                )
                cursor.execute("SELECT fn_sync_tv_essay(%s::uuid)", [POSTS[0]])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(remark, range(8)))

    assert rows(
        "SELECT jsonb_array_length(data -> 'remarks') FROM tv_essay WHERE id = %s", POSTS[0]
    ) == [(8,)]
    assert is_in_step()


def test_a_full_sync_beside_writers_ends_in_step(committed: None, small_batches: None) -> None:
    writing = threading.Event()
    writing.set()

    def write() -> None:
        number = 0
        try:
            while writing.is_set():
                number += 1
                key = POSTS[number % len(POSTS)]
                with transaction.atomic():
                    execute("UPDATE tb_essay SET title = %s WHERE id = %s", f"T{number}", key)
                    sync.sync_essay([key])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        writers = [threads.submit(write) for _ in range(2)]
        try:
            for _ in range(5):
                synchronize(ESSAY, "default")
                execute("DELETE FROM tv_essay WHERE id = %s", POSTS[0])
        finally:
            writing.clear()
        for writer in writers:
            writer.result()
    synchronize(Projection("tv_writer", "v_writer"), "default")
    sync.sync_essay([POSTS[0]])

    assert is_in_step()


# The log


def test_every_sync_is_logged(essays: None) -> None:
    execute(sync_function(pair_of(Projection("tv_writer", "v_writer"), "default")))
    synchronize(ESSAY, "default")
    sync.sync_essay([POSTS[0]])
    execute("SELECT fn_sync_tv_writer(%s::uuid)", ANN)
    execute("UPDATE tb_essay SET title = '' WHERE id = %s", POSTS[0])
    with pytest.raises(DatabaseFault):
        sync.sync_essay([POSTS[0]])

    found = rows(
        "SELECT entity, mode, rows, success, error IS NULL, duration_ms > 0 FROM tb_sync_log ORDER BY 1, 2"
    )
    assert sorted(found) == [
        ("tv_essay", "full", 10, True, True, True),
        ("tv_essay", "incremental", 0, False, False, True),
        ("tv_essay", "incremental", 0, True, True, True),
        ("tv_writer", "incremental", 1, True, True, True),
    ]


# The command


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("fraiseql_sync", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_syncs_rows_by_id(essays: None) -> None:
    assert command("tv_essay", "--ids", str(POSTS[0])).startswith("tv_essay: 1 inserted")


def test_ids_need_one_projection(essays: None) -> None:
    with pytest.raises(CommandError, match="name it"):
        command("--ids", str(POSTS[0]))


def test_the_command_syncs_rows_that_changed_since(essays: None) -> None:
    execute("UPDATE tb_essay SET updated_at = '2020-01-01' WHERE id <> %s", POSTS[0])
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()

    assert command("tv_essay", "--since", yesterday).startswith("tv_essay: 1 inserted")


@pytest.mark.parametrize(("view", "time", "message"), [
    ("tv_writer", "2026-11-21T08:00", "does not say when its rows changed"),
    ("tv_essay", "yesterday", "--since is no time"),
    ("tv_essay", "2026-13-21T08:00", "--since is no time"),
])  # fmt: skip
def test_since_needs_a_time_on_both_sides(essays: None, view: str, time: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        command(view, "--since", time)


@pytest.mark.parametrize("option", ["--dry-run", "--check"])
def test_a_look_may_be_at_some_rows(essays: None, option: str) -> None:
    fill()
    execute("UPDATE tb_essay SET updated_at = '2020-01-01'")
    execute("UPDATE tb_writer SET name = 'Anna' WHERE id = %s", ANN)
    execute("UPDATE tb_essay SET title = 'New', updated_at = '2026-01-01' WHERE id = %s", POSTS[1])
    execute("DELETE FROM tv_essay WHERE id = %s", POSTS[2])

    def look(*arguments: str) -> str:
        out = StringIO()
        failing = pytest.raises(CommandError, match="not in step")
        with failing if option == "--check" else nullcontext():
            call_command("fraiseql_sync", *arguments, option, stdout=out)
        return out.getvalue()

    assert look("tv_essay", "--ids", str(POSTS[2]), str(POSTS[3])) == (
        "tv_essay: 1 missing, 0 stale, 0 orphaned\n"
    )
    assert look("tv_essay", "--since", "2025-01-01T00:00") == (
        "tv_essay: 0 missing, 1 stale, 0 orphaned\n"
    )
    # Ann wrote five essays, of which one is missing: nothing says that it is hers.
    assert look("tv_writer", "--ids", str(ANN), "--cascade").splitlines() == [
        "tv_writer: 0 missing, 1 stale, 0 orphaned",
        "tv_essay: 0 missing, 4 stale, 0 orphaned",
    ]


def test_full_writes_every_row(essays: None) -> None:
    fill()

    assert command("tv_essay").startswith("tv_essay: 0 inserted, 0 updated")
    assert command("tv_essay", "--full").startswith("tv_essay: 0 inserted, 10 updated")
    assert is_in_step()


def test_the_command_prints_rules_with_the_indexes_they_lack(essays: None) -> None:
    printed = command("--rules")

    assert "tv_writer -> tv_essay at remarks[].writer" in printed
    assert printed.count("CREATE INDEX") == 2
    assert '"is_indexed": false' in command("--rules", "--format", "json")


def test_the_functions_printed_run_as_they_are(essays: None) -> None:
    execute(command("tv_essay", "--functions"))

    assert rows("SELECT fn_sync_tv_essay(%s::uuid)", POSTS[0]) == [(1,)]

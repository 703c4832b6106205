"""Projections synced by processes: beside writers, and killed half-way."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.db import transaction

from fraiseql.cqrs import sync
from tests.integration import test_sync_rows as rows_of
from tests.integration.processes import output, program
from tests.integration.test_sync_rows import ESSAY, POSTS, declared, execute, is_in_step, rows

SYNC = """
from django.core.management import ManagementUtility
from fraiseql.cqrs import sync
from tests.integration.test_sync_rows import declared
sync.BATCH = 3
with declared():
    ManagementUtility(["manage.py", "fraiseql_sync", "tv_essay"]).execute()
"""
WRITE = """
import random, sys
from django.db import transaction
from fraiseql.cqrs import sync
from tests.integration.test_sync_rows import ANN, BOB, POSTS, declared, execute
chance = random.Random(sys.argv[1])
with declared():
    for number in range(60):
        key, writer = chance.choice(POSTS), chance.choice([ANN, BOB])
        if chance.random() < 0.2:
            with transaction.atomic():
                execute("UPDATE tb_writer SET name = %s WHERE id = %s", f"{sys.argv[1]} {number}", writer)
                sync.sync_writer([writer])
            # A transaction of its own: who embeds the writer is asked when the name can be seen.
            sync.sync_writer([writer], cascade=True)
            continue
        with transaction.atomic():
            execute("UPDATE tb_essay SET title = %s, writer = %s WHERE id = %s", f"T{number}", writer, key)
            sync.sync_essay([key])
"""


@pytest.fixture
def essays(transactional_db: None) -> Iterator[None]:
    """Ten essays in the database, and nothing in their projection."""
    rows_of.make()
    with declared():
        yield
    execute("DROP TABLE tv_essay, tv_writer, tb_remark, tb_essay, tb_writer CASCADE")
    execute("TRUNCATE tb_sync_log")


def until_it_waits_for_a_lock(process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    # pg_stat_activity stands still inside a transaction, pg_locks does not.
    while not rows("SELECT FROM pg_locks WHERE NOT granted"):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_sync_that_is_killed_leaves_whole_batches_and_is_gone_on_with(
    essays: None, how: signal.Signals
) -> None:
    execute("INSERT INTO tv_essay VALUES (%s, 'old', '{}')", POSTS[7])
    with transaction.atomic(), program(SYNC) as process:
        # The third batch has to wait for this row.
        execute("SELECT FROM tv_essay WHERE id = %s FOR UPDATE", POSTS[7])
        until_it_waits_for_a_lock(process)
        process.send_signal(how)
        _, told = process.communicate(timeout=60)

    assert process.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert ("Interrupted: run this again to go on." in told) == (how == signal.SIGINT)
    assert len(rows("SELECT FROM tv_essay WHERE identifier <> 'old'")) == 6
    assert rows("SELECT entity, mode, rows, success, error FROM tb_sync_log") == [
        ("tv_essay", "full", 0, False, "Not finished: under way, interrupted or killed.")
    ]
    with program(SYNC) as again:
        assert "tv_essay: 3 inserted, 1 updated, 0 deleted" in output(again)
    assert not sync.drift(ESSAY, "default")
    assert rows("SELECT rows, success FROM tb_sync_log ORDER BY pk_sync_log")[1] == (4, True)


def test_projections_equal_their_sources_after_writers_and_syncs_in_many_processes(
    essays: None,
) -> None:
    rows_of.fill()
    with ExitStack() as stack:
        writers = [stack.enter_context(program(WRITE, name)) for name in ("a", "b", "c")]
        while any(writer.poll() is None for writer in writers):
            sync.synchronize(ESSAY, "default", workers=2)
        for writer in writers:
            output(writer)

    assert is_in_step()

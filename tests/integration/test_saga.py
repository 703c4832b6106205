"""Sagas on a real server, with processes that die between their steps and inside them."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from fraiseql.cqrs import saga
from fraiseql.cqrs.saga import Progress, Saga, Step
from fraiseql.errors import ConfigurationError, NotFound
from tests.integration.processes import output, program

SETUP = """
CREATE TABLE tb_effect (step text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE FUNCTION fn_reserve(input jsonb, results jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
    IF input ? 'refuse' THEN RAISE EXCEPTION 'Sold out'; END IF;
    INSERT INTO tb_effect (step) VALUES ('reserve');
    RETURN jsonb_build_object('place', input -> 'seat');
END $$;
CREATE FUNCTION fn_release(input jsonb, results jsonb) RETURNS void LANGUAGE sql AS
$$ DELETE FROM tb_effect WHERE step = 'reserve' AND results -> 'reserve' ->> 'place' = input ->> 'seat' $$;
CREATE FUNCTION fn_send(input jsonb, results jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tb_effect (step) VALUES ('send');
    IF input ? 'lost' THEN RAISE EXCEPTION 'The post lost it'; END IF;
END $$;
"""


def execute(text: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values or None)


def effects() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT step FROM tb_effect")
        return {step for (step,) in cursor.fetchall()}


def charge(state: Progress) -> dict[str, str]:
    if state.input.get("poor"):
        raise ValueError("The card is refused.")
    execute("INSERT INTO tb_effect (step) VALUES ('charge')")
    return {"receipt": state.key_of("charge")}


def refund(state: Progress) -> None:
    assert state.results["charge"]["receipt"] == f"{state.id}:charge"
    execute("DELETE FROM tb_effect WHERE step = 'charge'")


ORDER = Saga(
    "tests_order",
    Step("reserve", do="fn_reserve", undo="fn_release"),
    Step("charge", do=charge, undo=refund),
    Step("send", do="fn_send"),
)
ALL = {"reserve", "charge", "send"}


@pytest.fixture
def shop(db: None) -> None:
    execute(SETUP)


@pytest.fixture
def committed(transactional_db: None) -> Iterator[None]:
    execute(SETUP)
    yield
    execute("DROP TABLE tb_effect; TRUNCATE tb_saga")
    execute("DROP FUNCTION fn_reserve, fn_release, fn_send")


def test_all_steps_are_done(shop: None) -> None:
    state = ORDER.start({"seat": 7})

    assert (state.status, state.done, state.error) == ("completed", 3, None)
    assert state.results == {
        "reserve": {"place": 7}, "charge": {"receipt": f"{state.id}:charge"}, "send": None,
    }  # fmt: skip
    assert effects() == ALL


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"refuse": True}, "Sold out"),
        ({"poor": True}, "The card is refused."),
        ({"lost": True}, "The post lost it"),
    ],
)
def test_the_steps_before_one_that_fails_are_undone(
    shop: None, given: dict[str, Any], error: str
) -> None:
    state = ORDER.start({"seat": 7, **given})

    assert state.status == "compensated"
    assert state.error is not None
    assert state.error.startswith(error)
    assert effects() == set()


def test_the_same_key_is_the_same_saga(shop: None) -> None:
    first = ORDER.start({"seat": 7}, key="order-1")
    second = ORDER.start({"seat": 8}, key="order-1")

    assert second == first
    assert ORDER.start({"seat": 9, "poor": True}, key="order-2").id != first.id


def test_an_undoing_that_fails_is_gone_on_with_later(shop: None) -> None:
    execute("ALTER FUNCTION fn_release RENAME TO fn_gone")
    with pytest.raises(Exception, match="fn_release"):
        ORDER.start({"seat": 7, "poor": True}, key="a")
    (left,) = saga.listed(["compensating"], "default")
    execute("ALTER FUNCTION fn_gone RENAME TO fn_release")

    assert (left.done, effects()) == (1, {"reserve"})
    assert saga.resume(left.id, "default").status == "compensated"
    assert effects() == set()


def test_no_saga_runs_inside_a_transaction(committed: None) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        ORDER.start({"seat": 7})


def test_many_who_go_on_with_one_do_each_step_once(committed: None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tb_saga (name, steps, input) VALUES ('tests_order', %s, '{\"seat\": 7}')"
            " RETURNING id",
            [list(ORDER.names)],
        )
        (key,) = cursor.fetchone()

    def resume(_: int) -> Progress:
        try:
            return saga.resume(key, "default")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as threads:
        ends = set(map(str, threads.map(resume, range(6))))

    # A step done twice would break the table's key.
    assert len(ends) == 1
    assert "completed" in ends.pop()
    assert effects() == ALL


def test_the_steps_of_a_running_saga_must_stay(shop: None) -> None:
    key = uuid4()
    execute(
        "INSERT INTO tb_saga (id, name, steps, done, input) VALUES (%s, 'tests_order', '{book,send}', 1, '{}')",
        key,
    )

    with pytest.raises(ConfigurationError, match="other steps than when"):
        saga.resume(key, "default")


def test_what_is_wrong_with_a_saga_is_named(shop: None) -> None:
    with pytest.raises(ConfigurationError, match="needs steps with different names"):
        Saga("tests_empty")
    with pytest.raises(ConfigurationError, match="Two sagas are called 'tests_order'"):
        Saga("tests_order", Step("other", do="fn_other"))
    with pytest.raises(ConfigurationError, match="No saga is called 'tests_nothing'"):
        saga.declared("tests_nothing")
    with pytest.raises(NotFound, match="There is no saga"):
        saga.resume(uuid4(), "default")


# The command


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("fraiseql_saga", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_goes_on_with_what_was_left(shop: None) -> None:
    key, other = uuid4(), uuid4()
    for each, status in ((key, "running"), (other, "compensated")):
        execute(
            "INSERT INTO tb_saga (id, name, steps, input, status) VALUES (%s, %s, %s, '{\"seat\": 1}', %s)",
            each, "tests_order", list(ORDER.names), status,
        )  # fmt: skip

    assert command("list") == f"{key} tests_order running, 0 of 3 steps done\n"
    assert str(other) in command("list", "--all")
    assert command("resume") == ""  # something happened a moment ago
    assert "running" in command("resume", "--idle", "0", "--dry-run")
    assert "completed, 3 of 3" in command("resume", "--idle", "0")
    assert json.loads(command("resume", str(key), "--format", "json"))["status"] == "completed"


def test_the_command_tells_of_each_that_cannot_be_finished(shop: None) -> None:
    execute(
        "INSERT INTO tb_saga (name, steps, input) VALUES ('tests_unknown', '{a}', '{}')",
    )
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 1 could not be finished"):
        call_command("fraiseql_saga", "resume", "--idle", "0", stderr=out)

    assert "No saga is called 'tests_unknown'" in out.getvalue()
    with pytest.raises(CommandError, match="There is no saga"):
        command("resume", str(uuid4()))


# Death

# For each statement of a saga a child that dies by its own hand, before it is sent or after it was answered; then
# what is left is gone on with. A line for each: how the child ended, how the sagas did, and what they effected.
PROGRAM = """
import io, json, os, signal, sys
from django.core.management import call_command
from django.db import connection
from fraiseql.cqrs import saga
from tests.integration import test_saga

given = {"seat": 7, "lost": True} if sys.argv[1] == "lost" else {"seat": 7}
count = 0

def child(at, when):
    def die(execute, *arguments):
        global count
        count += 1
        if (count, when) == (at, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        done = execute(*arguments)
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    with connection.execute_wrapper(die):
        test_saga.ORDER.start(given, key="only")
    os._exit(count)

def trial(at, when):
    test_saga.execute("TRUNCATE tb_effect, tb_saga")
    connection.close()
    pid = os.fork()
    if not pid:
        child(at, when)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    call_command("fraiseql_saga", "resume", idle=0, stdout=io.StringIO())
    ends = saga.listed(["running", "compensating", "completed", "compensated"], "default")
    print(json.dumps([status, [state.status for state in ends], sorted(test_saga.effects())]))
    return status

for at in range(1, trial(0, "before") + 1):
    trial(at, "before")
    trial(at, "after")
"""


@pytest.mark.parametrize("fate", ["sent", "lost"])
def test_a_saga_killed_anywhere_is_finished_or_undone(committed: None, fate: str) -> None:
    with program(PROGRAM, fate) as process:
        printed = output(process)
    whole, *trials = [json.loads(line) for line in printed.splitlines()]

    status, effected = ("completed", sorted(ALL)) if fate == "sent" else ("compensated", [])
    assert whole == [whole[0], [status], effected]
    assert len(trials) == 2 * whole[0] > 16
    killed = [trial for trial in trials if trial[0] == -signal.SIGKILL]
    # The statement that fails is not answered, so nothing dies after its answer.
    assert len(killed) == len(trials) - (fate == "lost")
    for _, ends, left in trials:
        # Killed before it was written down, it never began.
        assert (ends, left) in (([status], effected), ([], []))


def test_ids_are_uuids(shop: None) -> None:
    assert isinstance(ORDER.start({"seat": 1}).id, UUID)

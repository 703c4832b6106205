"""
Work of several steps that is finished or undone, whatever dies on the way.

::

    PLACE_ORDER = Saga(
        "place_order",
        Step("reserve", do="fn_reserve_stock", undo="fn_release_stock"),
        Step("charge", do=charge_card, undo=refund_card),
        Step("ship", do="fn_ship_order"),
    )

    outcome = PLACE_ORDER.start({"order": str(order_id)}, key=str(order_id))

A step is a PostgreSQL function ``fn(input jsonb, results jsonb) RETURNS jsonb`` or a Python function that takes a
``Progress``. Each runs in a transaction with the note that it is done (``tb_saga``). When one fails, those before
it are undone, the latest first. What a killed process leaves, ``manage.py fraiseql_saga resume`` goes on with.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connections, transaction
from psycopg import sql

from fraiseql.conf import get_settings
from fraiseql.db import faults
from fraiseql.db.texts import sql_text
from fraiseql.engine.sql.scope import identifier
from fraiseql.errors import ConfigurationError, NotFound

COMPLETED, COMPENSATED = "completed", "compensated"
RUNNING, COMPENSATING = "running", "compensating"


@dataclass(frozen=True)
class Progress:
    """
    How far a saga is. ``status``: running, completed, compensating or compensated.

    ``results``: what each step that was done returned. ``error``: of the step that failed.
    """

    id: UUID
    name: str
    input: Any
    results: Mapping[str, Any]
    status: str
    steps: tuple[str, ...]
    done: int
    error: str | None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is left to do."""
        return self.status in (COMPLETED, COMPENSATED)

    def key_of(self, step: str) -> str:
        """Return an idempotency key for other systems: a step in Python may be run again after a crash."""
        return f"{self.id}:{step}"


Work = str | Callable[[Progress], Any]


@dataclass(frozen=True)
class Step:
    """One step. ``do``, ``undo``: the name of a PostgreSQL function, or a Python function."""

    name: str
    do: Work
    undo: Work | None = None


_declared: dict[str, "Saga"] = {}


class Saga:
    """Steps in their order, under a name that stays the same between releases."""

    def __init__(self, name: str, *steps: Step) -> None:
        names = tuple(step.name for step in steps)
        if not names or len(set(names)) < len(names):
            raise ConfigurationError(f"The saga {name!r} needs steps with different names.")
        self.name, self.steps, self.names = name, steps, names
        if _declared.setdefault(name, self).steps != steps:
            raise ConfigurationError(f"Two sagas are called {name!r}.")

    def start(self, input: Any, key: str | None = None, using: str | None = None) -> Progress:  # noqa: A002
        """
        Run the saga with ``input``, a value JSON has, and return where it ended.

        ``key``: a saga of this name and key that was started before is gone on with instead. Raises what
        an undoing step raises, RuntimeError inside a transaction, which would undo the notes too.
        """
        using = using or get_settings().DATABASE
        with transaction.atomic(using, durable=True), connections[using].cursor() as cursor:
            cursor.execute(
                sql_text("fraiseql.cqrs", "start_saga"),
                [self.name, key, list(self.names), json.dumps(input)],
            )
            (made,) = cursor.fetchone()
        return resume(made, using)


def declared(name: str) -> Saga:
    """Return the saga called ``name``. Raises ConfigurationError."""
    if name not in _declared:
        raise ConfigurationError(
            f"No saga is called {name!r}.",
            hint=f"Known: {', '.join(sorted(_declared)) or 'none'}. They are found in sagas.py.",
        )
    return _declared[name]


def progress(id: UUID, using: str, lock: bool = False) -> Progress:  # noqa: A002 - its name everywhere
    """Return how far a saga is; ``lock``: and keep others from going on with it. Raises NotFound."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            sql_text("fraiseql.cqrs", "find_saga") + (" FOR UPDATE" if lock else ""), [id]
        )
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"There is no saga {id}.")
    return _progress(row)


def listed(statuses: list[str], using: str, idle_s: float = 0) -> list[Progress]:
    """Return the sagas of ``statuses`` at which nothing happened for ``idle_s`` seconds, the oldest first."""
    with connections[using].cursor() as cursor:
        cursor.execute(sql_text("fraiseql.cqrs", "list_sagas"), [statuses, idle_s])
        return [_progress(row) for row in cursor.fetchall()]


def resume(id: UUID, using: str) -> Progress:  # noqa: A002 - its name everywhere
    """Go on with a saga until it is over. Raises what an undoing step raises; it can be resumed then."""
    while True:
        state = _advance(id, using)
        if state.is_over:
            return state


def _advance(id: UUID, using: str) -> Progress:  # noqa: A002 - its name everywhere
    """Do or undo one step, in one transaction with the note of it."""
    try:
        with transaction.atomic(using, durable=True):
            state = progress(id, using, lock=True)
            if state.is_over:
                return state
            saga = _of(state)
            if state.status == COMPENSATING:
                return _undo(saga, state, using)
            return _do(saga, state, using)
    except _Failed as failed:
        return _turn_back(id, failed, using)


class _Failed(Exception):
    """A step failed; ``at``: its number."""

    def __init__(self, at: int, error: Exception) -> None:
        super().__init__(str(error))
        self.at = at


def _of(state: Progress) -> Saga:
    saga = declared(state.name)
    if saga.names[: state.done] != state.steps[: state.done]:
        raise ConfigurationError(
            f"The saga {state.name!r} has other steps than when {state.id} was started:"
            f" {', '.join(state.steps)}.",
            hint="Finish it with the release that started it, or bring the steps back.",
        )
    return saga


def _do(saga: Saga, state: Progress, using: str) -> Progress:
    if state.done == len(saga.steps):
        return _note(state, state.done, state.results, COMPLETED, using)
    step = saga.steps[state.done]
    try:
        result = _tried(step.do, state, using)
    except Exception as error:  # whatever it is, the steps before have to be undone
        raise _Failed(state.done, error) from error
    done = state.done + 1
    status = COMPLETED if done == len(saga.steps) else RUNNING
    return _note(state, done, {**state.results, step.name: result}, status, using)


def _undo(saga: Saga, state: Progress, using: str) -> Progress:
    done = state.done - 1
    if done >= 0 and (undo := saga.steps[done].undo) is not None:
        _call(undo, state, using)
    status = COMPENSATING if done > 0 else COMPENSATED
    return _note(state, max(done, 0), state.results, status, using)


def _turn_back(id: UUID, failed: _Failed, using: str) -> Progress:  # noqa: A002 - its name everywhere
    with transaction.atomic(using, durable=True):
        state = progress(id, using, lock=True)
        if state.status != RUNNING or state.done != failed.at:
            return state  # Another process has gone on with it.
        status = COMPENSATING if state.done else COMPENSATED
        return _note(state, state.done, state.results, status, using, str(failed))


def _tried(work: Work, state: Progress, using: str) -> Any:
    """Return what a step returns; one that lost against another transaction is tried once more."""
    try:
        with transaction.atomic(using):
            return _call(work, state, using)
    except DatabaseError as error:
        if getattr(faults.database_error(error), "sqlstate", None) not in faults.SERIALIZATION:
            raise
    with transaction.atomic(using):
        return _call(work, state, using)


def _call(work: Work, state: Progress, using: str) -> Any:
    if not isinstance(work, str):
        return work(state)
    call = sql.SQL("SELECT {}(%s::jsonb, %s::jsonb)").format(identifier(*work.split(".")))
    with connections[using].cursor() as cursor:
        cursor.execute(call, [json.dumps(state.input), json.dumps(dict(state.results))])
        (result,) = cursor.fetchone()
    # What returns void has returned "".
    return json.loads(result) if result else None


def _note(
    state: Progress,
    done: int,
    results: Mapping[str, Any],
    status: str,
    using: str,
    error: str | None = None,
) -> Progress:
    with connections[using].cursor() as cursor:
        values: list[Any] = [done, json.dumps(dict(results)), status, error, state.id]
        cursor.execute(sql_text("fraiseql.cqrs", "note_saga"), values)
        return _progress(cursor.fetchone())


def _progress(row: tuple[Any, ...]) -> Progress:
    key, name, steps, given, results, done, status, error = row
    return Progress(
        id=key,
        name=name,
        input=json.loads(given),
        results=json.loads(results),
        status=status,
        steps=tuple(steps),
        done=done,
        error=error,
    )

"""
Statements that travel together: one round trip, one transaction, all or nothing.

A viewer's session variables go first and end with the transaction, so that whoever the connection
serves next does not have them.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.pq.abc import PGresult

from fraiseql.db.horizon import Horizon
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement, encoded

if TYPE_CHECKING:
    from fraiseql.db.link import Link

Session = tuple[tuple[str, str], ...]
"""PostgreSQL settings, name and value, in force for one flight."""

DEFAULTS: Session = (
    ("app.user_id", ""),
    ("app.is_super_admin", "false"),
    ("app.current_tenant_id", ""),
    ("app.tenant_id", ""),
    ("app.contact_id", ""),
)
"""What an anonymous viewer has: in force on a connection of ours from its start."""

Step = tuple[str, Sequence[bytes | None]]


class Flight:
    """
    What one transaction sends. ``steps``: texts with encoded parameters, the session's first.

    ``own``: settings the connection does not have by itself, as behind a pooler; without them only
    what differs from ``DEFAULTS`` is sent. ``future``: ends with the rows of each statement, or with
    an error unless ``on_failed`` is called with it. ``leading``: how many steps are no statements of
    the caller's. ``writes``: one of the statements changes data. ``failed``: the index of the
    caller's statement that failed, once one has.
    ``seconds``: how long it had the server. ``replies``, ``prepares``, ``error``: of the link that
    has it; ``prepares`` are the texts of those replies that are of a PREPARE, by index. ``horizon``:
    who has to see what it writes, if that can be elsewhere.
    """

    __slots__ = (
        "error", "failed", "future", "horizon", "leading", "on_failed", "prepares", "replies",
        "seconds", "statements", "steps", "writes",
    )  # fmt: skip

    def __init__(
        self,
        statements: Sequence[Statement],
        session: Session = (),
        own: Session = (),
        horizon: Horizon | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.statements = statements
        self.steps: list[Step] = []
        self.writes = False
        for statement in statements:
            self.steps.append((statement.text, encoded(statement.params)))
            if statement.writes:
                self.writes = True
        self.leading = 0
        step = _leading(session, own) if own or (session and session is not DEFAULTS) else None
        if step is not None:
            self.steps.insert(0, step)
            self.leading = 1
        # Asking which loop runs is a system call.
        loop = loop or asyncio.get_running_loop()
        self.future: asyncio.Future[list[Rows]] = loop.create_future()
        self.on_failed: Callable[[Link, Flight, psycopg.Error], None] | None = None
        self.failed: int | None = None
        self.horizon = horizon
        self.seconds = 0.0
        self.replies: list[PGresult] = []
        self.prepares: dict[int, str] = {}
        self.error: PGresult | None = None

    @classmethod
    def unwanted(cls, steps: list[Step]) -> "Flight":
        """Return a flight that nobody waits for."""
        flight = cls(())
        flight.steps = steps
        flight.future.cancel()
        return flight

    def again(self) -> "Flight":
        """Return the same, not yet sent."""
        flight = Flight((), horizon=self.horizon)
        flight.statements, flight.writes = self.statements, self.writes
        flight.steps, flight.leading = self.steps, self.leading
        return flight

    def leave(self) -> "Flight":
        """Return what takes the place of this on its link; this may then be sent elsewhere."""
        shadow = Flight.unwanted(self.steps)
        shadow.replies, shadow.prepares, shadow.error = self.replies, self.prepares, self.error
        self.replies, self.prepares, self.error = [], {}, None
        return shadow

    def answer(self, rows: list[Rows]) -> None:
        """Give ``rows`` to who still waits for them."""
        if not self.future.done():
            self.future.set_result(rows)

    def refuse(self, error: BaseException) -> None:
        """Give an error to who still waits."""
        if not self.future.done():
            self.future.set_exception(error)


def set_session(session: Session) -> Statement:
    """Return the statement that puts ``session`` in force until the transaction ends; it has no rows."""
    text = _set_text(tuple(name for name, _ in session))
    return Statement(text, tuple(value for _, value in session))


@lru_cache(maxsize=256)
def _set_text(names: tuple[str, ...]) -> str:
    # In a condition that none fulfils and all are asked for: a row would cost both sides more.
    conditions = [
        sql.SQL("set_config({}, {}, true) IS NULL").format(
            sql.Literal(name.replace("%", "%%")), sql.Placeholder()
        )
        for name in names
    ]
    return (sql.SQL("SELECT WHERE ") + sql.SQL(" OR ").join(conditions)).as_string(None)


# The same few viewers come again and again; bounded for those who do not.
@lru_cache(maxsize=1024)
def _leading(session: Session, own: Session) -> Step | None:
    given = own + session if own else tuple(pair for pair in session if pair not in DEFAULTS)
    if not given:
        return None
    statement = set_session(given)
    return statement.text, encoded(statement.params)

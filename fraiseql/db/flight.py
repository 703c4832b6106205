"""
Statements that travel together: one round trip, one transaction, all or nothing.

A viewer's session variables go first and end with the transaction, so that whoever the connection
serves next does not have them.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache

from psycopg import sql
from psycopg.pq.abc import PGresult

from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement, encoded

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
"""A statement that is ready to be sent: its text, and its parameters as ``encoded`` returns them."""


class Flight:
    """
    What one transaction sends. ``steps``: the caller's, and before them the session's if it has one.

    ``own``: settings the connection does not have by itself, as behind a pooler; without them only
    what differs from ``DEFAULTS`` is sent. ``writes``: one of the steps changes data. ``future``:
    ends with the rows of each of the caller's, or with an error. ``leading``: how many steps are not
    the caller's. ``replies``, ``prepares``, ``error``: of the link that has it; ``prepares`` are the
    texts of those replies that are of a PREPARE, by index.
    """

    __slots__ = ("error", "future", "leading", "prepares", "replies", "steps", "writes")

    def __init__(
        self,
        steps: Sequence[Step],
        session: Session = DEFAULTS,
        own: Session = (),
        loop: asyncio.AbstractEventLoop | None = None,
        writes: bool = False,
    ) -> None:
        first = _leading(session, own)
        if first is None:
            self.steps, self.leading = steps, 0
        else:
            self.steps, self.leading = [first, *steps], 1
        self.writes = writes
        # Asking which loop runs is a system call.
        self.future: asyncio.Future[list[Rows]] = (
            loop or asyncio.get_running_loop()
        ).create_future()
        self.replies: list[PGresult] = []
        self.prepares: dict[int, str] | None = None
        self.error: PGresult | None = None

    @classmethod
    def unwanted(cls, steps: Sequence[Step]) -> "Flight":
        """Return a flight that nobody waits for."""
        flight = cls(steps)
        flight.future.cancel()
        return flight

    @property
    def text(self) -> str | None:
        """Return the text of its one statement if that reads; None if it has several or writes."""
        single = len(self.steps) == self.leading + 1 and not self.writes
        return self.steps[-1][0] if single else None

    @property
    def failed(self) -> int | None:
        """Return the index of the caller's statement that failed, once one has."""
        index = len(self.replies) - self.leading
        is_one = self.error is not None and 0 <= index < len(self.steps) - self.leading
        return index if is_one else None

    def again(self) -> "Flight":
        """Return the same, not yet sent."""
        flight = Flight(self.steps, writes=self.writes)
        flight.leading = self.leading
        return flight

    def leave(self) -> "Flight":
        """Return what takes the place of this on its link; this may then be sent elsewhere."""
        shadow = Flight.unwanted(self.steps)
        shadow.replies, shadow.prepares, shadow.error = self.replies, self.prepares, self.error
        self.replies, self.prepares, self.error = [], None, None
        return shadow

    def answer(self, rows: list[Rows]) -> None:
        """Give ``rows`` to who still waits for them."""
        if not self.future.done():
            self.future.set_result(rows)

    def refuse(self, error: BaseException) -> None:
        """Give an error to who still waits."""
        if not self.future.done():
            self.future.set_exception(error)


def step_of(statement: Statement) -> Step:
    """Return what is sent of a statement. Raises BadUserInput for what PostgreSQL does not take."""
    return statement.text, encoded(statement.params)


def decoded(step: Step) -> Statement:
    """Return the reading statement whose step it is."""
    text, params = step
    return Statement(text, tuple(None if value is None else value.decode() for value in params))


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
    return step_of(set_session(given))

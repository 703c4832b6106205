"""
Statements that travel together: one round trip, one transaction, all or nothing.

A viewer's session variables go first and end with the transaction, so that whoever the connection
serves next does not have them.
"""

from collections.abc import Sequence
from functools import lru_cache

from fraiseql.db.statement import Statement, encoded

Session = tuple[tuple[str, str], ...]
"""PostgreSQL settings, name and value, in force for one flight."""

Step = tuple[str, Sequence[bytes | None]]


class Flight:
    """
    What one transaction sends. ``steps``: texts with encoded parameters, the session's first.

    ``leading``: how many steps are no statements of the caller's. ``failed``: the index of the
    caller's statement that failed, once one has. ``seconds``: how long it had the server.
    """

    __slots__ = ("failed", "leading", "seconds", "statements", "steps")

    def __init__(self, statements: Sequence[Statement], session: Session = ()) -> None:
        self.statements = statements
        self.steps: list[Step] = [(text, encoded(params)) for text, params, _ in statements]
        self.leading = 0
        if session:
            self.steps.insert(0, _session_step(session))
            self.leading = 1
        self.failed: int | None = None
        self.seconds = 0.0

    @property
    def writes(self) -> bool:
        """Tell whether one of the statements changes data."""
        return any(statement.writes for statement in self.statements)


def set_session(session: Session) -> Statement:
    """Return the statement that puts ``session`` in force until the transaction ends."""
    text = "SELECT " + ", ".join(["set_config(%s, %s, true)"] * len(session))
    return Statement(text, tuple(part for pair in session for part in pair))


# The same few viewers come again and again; bounded for those who do not.
@lru_cache(maxsize=1024)
def _session_step(session: Session) -> Step:
    statement = set_session(session)
    return statement.text, encoded(statement.params)

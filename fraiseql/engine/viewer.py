"""
Who asks.

Made at the edges from what a request proves (a session, a token), never from its body: no variable or
extension of an operation says who its viewer is.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Viewer:
    """
    The one a request is answered for.

    ``session``: PostgreSQL session variables, name and value, that hold for the viewer's statements.
    """

    user_id: str | None = None
    is_staff: bool = False
    is_superuser: bool = False
    roles: frozenset[str] = frozenset()
    session: tuple[tuple[str, str], ...] = ()

    @property
    def is_authenticated(self) -> bool:
        """Tell whether it is known who asks."""
        return self.user_id is not None


ANONYMOUS = Viewer()

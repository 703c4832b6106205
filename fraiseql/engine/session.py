"""
Who asks, as PostgreSQL's policies and functions see it: session variables.

They hold for one flight. All of ``DEFAULTS`` have a value, empty when unknown: a policy that
compares with them then finds no rows, whatever a session of a pooler had before.
"""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from fraiseql.conf import imported
from fraiseql.db.flight import DEFAULTS, Session
from fraiseql.engine.viewer import ANONYMOUS, Viewer


def session_of(viewer: Viewer, paths: tuple[str, ...] = ()) -> Session:
    """
    Return the session variables of a request by ``viewer``.

    ``paths``: of functions that return more by the viewer (setting SESSION_VARIABLES); later ones win.
    """
    session = DEFAULTS
    if viewer is not ANONYMOUS:
        session = _own(viewer.user_id, viewer.is_superuser, viewer.session)
    if not paths:
        return session
    merged = dict(session)
    for path in paths:
        merged |= {name: value or "" for name, value in _function(path)(viewer).items()}
    return tuple(merged.items())


def request_variables(viewer: Viewer) -> Mapping[str, str]:
    """Return ``fraiseql.request_id`` and ``fraiseql.started_at``, to be named in SESSION_VARIABLES."""
    return {
        "fraiseql.request_id": os.urandom(16).hex(),
        "fraiseql.started_at": datetime.now(UTC).isoformat(),
    }


# By what they are made of: each request has a viewer of its own, which is slow to hash and compare.
@lru_cache(maxsize=1024)
def _own(user_id: str | None, is_superuser: bool, session: Session) -> Session:
    variables = dict(DEFAULTS)
    variables["app.user_id"] = user_id or ""
    variables["app.is_super_admin"] = "true" if is_superuser else "false"
    given = dict(session)
    tenant = given.get("app.current_tenant_id") or given.get("app.tenant_id") or ""
    variables["app.current_tenant_id"] = variables["app.tenant_id"] = tenant
    return tuple({**variables, **given}.items())


@lru_cache(maxsize=64)
def _function(path: str) -> Callable[[Viewer], Mapping[str, str | None]]:
    function: Callable[[Viewer], Mapping[str, str | None]] = imported("SESSION_VARIABLES", path)
    return function

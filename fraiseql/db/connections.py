"""
How this room connects: as Django would, by ``DATABASES``, but without its cursors and adapters.
"""

import logging
import math
from typing import Any

from django.db import connections

from fraiseql.conf import get_settings
from fraiseql.db.flight import DEFAULTS, Session
from fraiseql.errors import ConfigurationError

logger = logging.getLogger("fraiseql.db")

# What get_connection_params() adds for Django's own synchronous cursors.
_DJANGO_ONLY = ("context", "cursor_factory", "prepare_threshold", "autocommit", "row_factory")


# How often a backend looks, while it works, whether its client is still there: it hears of a
# client that cancels, but not of a process that was killed.
CHECK_MS = 5_000
CHECK_NAME = "client_connection_check_interval"


def parameters(using: str, is_watched: bool = True) -> dict[str, Any]:
    """
    Return the libpq parameters of an alias. Raises ConfigurationError if not PostgreSQL.

    ``is_watched``: ask the server to watch its clients, which not every system can.
    """
    connection = connections[using]
    if connection.vendor != "postgresql":
        raise ConfigurationError(
            f"DATABASES[{using!r}] is {connection.display_name}, not PostgreSQL.",
            hint="Use the engine django.db.backends.postgresql.",
        )
    params: dict[str, Any] = dict(connection.get_connection_params())
    for name in _DJANGO_ONLY:
        params.pop(name, None)
    params.setdefault("connect_timeout", max(1, math.ceil(get_settings().POOL_TIMEOUT_MS / 1000)))
    params.setdefault("fallback_application_name", "fraiseql")
    if not is_pooled(using):
        own = dict(_own_settings(using) + DEFAULTS)
        if is_watched:
            own[CHECK_NAME] = str(CHECK_MS)
        given = [params["options"]] if params.get("options") else []
        params["options"] = " ".join([*given, *map(_option, own.items())])
    return params


def is_pooled(using: str) -> bool:
    """Tell whether a pooler may run each transaction in another session of the server."""
    # Django's setting for PgBouncer in transaction mode.
    return bool(connections[using].settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False))


def find_pooled(using: str) -> None:
    """Take a database as behind a pooler, of which its settings say nothing."""
    if not is_pooled(using):
        connections.settings[using]["DISABLE_SERVER_SIDE_CURSORS"] = True
        logger.warning(
            "A pooler stands before database %r: taken as one in transaction mode. Set"
            " DATABASES[%r]['DISABLE_SERVER_SIDE_CURSORS'] to True, which Django needs there, too.",
            using,
            using,
        )


def settings_of_flight(using: str) -> Session:
    """Return what each flight has to set: behind a pooler a connection keeps nothing."""
    return _own_settings(using) if is_pooled(using) else ()


def _own_settings(using: str) -> Session:
    """Return the time zone, timeout and role of our statements."""
    connection = connections[using]
    # Django's zone for this alias (UTC under USE_TZ), so that both ways print the same times.
    settings = {
        "TimeZone": connection.timezone_name,
        "statement_timeout": str(get_settings().STATEMENT_TIMEOUT_MS),
    }
    if role := connection.settings_dict["OPTIONS"].get("assume_role"):
        settings["role"] = role
    return tuple(settings.items())


def _option(setting: tuple[str, str]) -> str:
    name, value = setting
    return f"-c {name}=" + value.replace("\\", "\\\\").replace(" ", "\\ ")

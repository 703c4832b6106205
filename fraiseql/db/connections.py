"""
How this room connects: as Django would, by ``DATABASES``, but without its cursors and adapters.
"""

import math
from typing import Any

from django.db import connections

from fraiseql.conf import get_settings
from fraiseql.db.statement import Statement
from fraiseql.errors import ConfigurationError

# What get_connection_params() adds for Django's own synchronous cursors.
_DJANGO_ONLY = ("context", "cursor_factory", "prepare_threshold", "autocommit", "row_factory")


def parameters(using: str) -> dict[str, Any]:
    """Return the libpq parameters of an alias. Raises ConfigurationError if not PostgreSQL."""
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
    return params


def prepares(using: str) -> bool:
    """Tell whether connections keep what is prepared on them: not those of a transaction pooler."""
    # Django's setting for PgBouncer in transaction mode, where the next statement may run elsewhere.
    return not connections[using].settings_dict.get("DISABLE_SERVER_SIDE_CURSORS", False)


def session(using: str) -> Statement:
    """Return the statement that gives a new connection its time zone, timeout and role."""
    connection = connections[using]
    # Django's zone for this alias (UTC under USE_TZ), so that both ways print the same times.
    settings = {
        "TimeZone": connection.timezone_name,
        "statement_timeout": str(get_settings().STATEMENT_TIMEOUT_MS),
    }
    if role := connection.settings_dict["OPTIONS"].get("assume_role"):
        settings["role"] = role
    calls = ", ".join(["set_config(%s, %s, false)"] * len(settings))
    params = tuple(part for pair in settings.items() for part in pair)
    return Statement(f"SELECT {calls}", params)

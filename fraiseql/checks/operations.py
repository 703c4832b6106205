"""
Checks of registered operations against the schema: what a deploy would break, seen before it does.
"""

import sys
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage

from fraiseql.checks import table
from fraiseql.conf import get_settings
from fraiseql.errors import ConfigurationError, FraiseQLError
from fraiseql.management import registering
from fraiseql.schema.build import get_schema


def check_operations(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Return what is wrong with the operations that are registered in the database."""
    # migrate runs these checks first, and is what makes the store.
    if not databases or sys.argv[1:2] == ["migrate"]:
        return []
    try:
        settings = get_settings()
        get_schema()
    except ConfigurationError:
        return []  # Reported by check_bindings.
    if settings.DATABASE not in databases:
        return []
    try:
        rows = registering.stored(settings.DATABASE)
    except FraiseQLError as error:
        if settings.PERSISTED_OPERATIONS == "off":
            return []
        fault = str(error.__cause__ or error).partition("\n")[0]
        return [table.NO_STORE("FRAISEQL['PERSISTED_OPERATIONS']", fault=fault)]
    return [
        table.UNFIT_OPERATION(
            f"tb_persisted_operation {each.hash}",
            name=each.name or each.hash,
            fault="; ".join(each.faults),
            hash=each.hash,
        )
        for each in registering.warm(rows)
        if each.faults
    ]

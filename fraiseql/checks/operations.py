"""
Checks of registered operations against the schema: what a deploy would break, seen before it does.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage

from fraiseql.checks import table
from fraiseql.checks.database import looked_at
from fraiseql.errors import FraiseQLError
from fraiseql.management import registering


def check_operations(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Return what is wrong with the operations that are registered in the database."""
    found = looked_at(databases)
    if found is None:
        return []
    settings = found[0]
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

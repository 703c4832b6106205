"""What the person at the terminal is told of an error: more than a client."""

from django.core.management.base import CommandError
from django.db import DatabaseError

from fraiseql.db import faults
from fraiseql.errors import FraiseQLError, ServiceUnavailable


def command_error(error: FraiseQLError | DatabaseError) -> CommandError:
    """Return the message, what PostgreSQL said and the hint, as the error a command ends with."""
    fault = error if isinstance(error, FraiseQLError) else faults.fault(error)
    hint = fault.hint
    if isinstance(fault, ServiceUnavailable):
        hint = "manage.py fraiseql_doctor says what is wrong."
    said = reason(error)
    lines = [fault.message, said if said not in fault.message else None, hint]
    return CommandError("\n".join(filter(None, lines)))


def reason(error: BaseException) -> str:
    """Return the first line of the error at the bottom: PostgreSQL's own words, if it spoke."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error).strip().partition("\n")[0]

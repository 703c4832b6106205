"""
PostgreSQL's errors as FraiseQL's, by SQLSTATE.

What PostgreSQL says may quote values of other people's rows (its DETAIL does), so messages for
clients are written here; the original stays as ``__cause__`` for the log. Only ``RAISE EXCEPTION``
(P0001, PT404 and the like) speaks for itself: its author wrote it for the user.
"""

from dataclasses import dataclass

import psycopg
from django.db.utils import Error as DjangoError

from fraiseql.errors import (
    BadUserInput,
    Conflict,
    DatabaseFault,
    Forbidden,
    FraiseQLError,
    NotFound,
    Repeated,
    ServiceUnavailable,
    StaleCatalog,
    Timeout,
    Unauthenticated,
)

UNREACHABLE = "The database cannot be reached."
RETRY_HINT = "Try again in a moment. If you run this service: its log has the database's message."

# Errors after which the same statement in a new transaction may well succeed.
SERIALIZATION = {"40001", "40P01"}

# The server ends these sessions by itself: the statement was rolled back, not lost halfway.
_SHUTDOWN = {"57P01", "57P02", "57P03", "57P04", "57P05"}

_BY_STATE: dict[str, tuple[type[FraiseQLError], str]] = {
    "23505": (Conflict, "Something with the same key exists already."),
    "23P01": (Conflict, "This collides with something that exists already."),
    "23502": (BadUserInput, "A required value is missing."),
    "23503": (BadUserInput, "A reference points to something that does not exist, or is in use."),
    "23514": (BadUserInput, "A value is not allowed."),
    "22001": (BadUserInput, "A text is too long."),
    "22003": (BadUserInput, "A number is out of range."),
    "22007": (BadUserInput, "A date or time has the wrong format."),
    "22008": (BadUserInput, "A date or time is out of range."),
    "22012": (BadUserInput, "A division by zero."),
    "2201B": (BadUserInput, "A regular expression is not valid."),
    "22021": (BadUserInput, "A text has characters that PostgreSQL cannot store."),
    "22P02": (BadUserInput, "A value has the wrong format for its type."),
    "40001": (Conflict, "Another transaction changed the same data."),
    "40P01": (Conflict, "Another transaction holds the same data."),
    "55P03": (Conflict, "Another transaction holds the same data."),
    # Of PostgreSQL 15 for a label of an ltree.
    "42622": (BadUserInput, "A text is too long."),
    "42501": (Forbidden, "The database does not allow this."),
    "57014": (Timeout, "The statement took too long and was cancelled."),
    "53300": (ServiceUnavailable, "The database takes no more connections."),
    "P0002": (NotFound, "There is no such thing."),
    "FQ001": (Repeated, "This request has been answered before."),
    "54000": (BadUserInput, "A value is too large to be worked with."),
    "54001": (BadUserInput, "The query is too complex."),
}
# RAISE EXCEPTION, and with the codes by which PostgREST's users say which HTTP status they mean.
_RAISED: dict[str, type[FraiseQLError]] = {
    "P0001": BadUserInput,
    "PT400": BadUserInput,
    "PT422": BadUserInput,
    "PT401": Unauthenticated,
    "PT403": Forbidden,
    "PT404": NotFound,
    "PT409": Conflict,
}
_BY_CLASS: dict[str, tuple[type[FraiseQLError], str]] = {
    "08": (ServiceUnavailable, UNREACHABLE),
    "22": (BadUserInput, "A value is not valid for its type."),
    "23": (BadUserInput, "A constraint of the database refuses a value."),
    "53": (ServiceUnavailable, "The database is out of resources."),
}
_STALE = {"42P01", "42703", "42883", "3F000", "26000"}

# 42601 is a syntax error: of the statement, or of a value that has a grammar of its own.
_GRAMMARS_OF_VALUES = ("tsquery", "tsvector", "ltree", "ltxtquery", "lquery", "jsonpath", "vector")


def fault(error: Exception, statement: int | None = None) -> FraiseQLError:
    """
    Return what to raise ``from`` a psycopg error, or from Django's wrapper of one.

    ``statement``: the index in its flight of the statement that failed, if it was one of them.
    """
    made = _fault(error)
    made.statement = statement
    return made


def _fault(error: Exception) -> FraiseQLError:
    cause = database_error(error)
    if not isinstance(cause, psycopg.Error):
        return DatabaseFault(str(error))
    state = cause.sqlstate
    if state is None:
        return _without_state(cause)
    if state in _STALE or is_plan_outdated(cause):
        return StaleCatalog(
            f"The database no longer has what the statement names ({state}).",
            hint="A view or column was dropped, renamed or changed; the log has its name.",
        )
    if state in _RAISED:
        return _RAISED[state](cause.diag.message_primary or "The database refused this.")
    if state == "42601" and _is_syntax_of_value(cause):
        return BadUserInput("A search expression or path is not valid.")
    if state in _SHUTDOWN:
        return ServiceUnavailable(UNREACHABLE, hint=RETRY_HINT)
    kind, message = _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or (None, "")
    if kind is None:
        return DatabaseFault(f"PostgreSQL refused the statement (SQLSTATE {state}).")
    return kind(message, hint=RETRY_HINT if kind is ServiceUnavailable else None)


@dataclass(frozen=True)
class Violation:
    """
    A constraint that a statement has violated.

    ``constraint``: ``"schema"."table"."name"``, as ``catalog.constrained`` takes it; ``column``: of not-null only.
    """

    state: str
    constraint: str | None
    column: str | None


def violation(error: FraiseQLError) -> Violation | None:
    """Return what constraint an error speaks of, or None if it speaks of none."""
    cause = None if error.__cause__ is None else database_error(error.__cause__)
    if not isinstance(cause, psycopg.Error) or not (cause.sqlstate or "").startswith("23"):
        return None
    found = cause.diag
    names = (found.schema_name, found.table_name, found.constraint_name)
    constraint = None
    if all(names):
        constraint = ".".join('"{}"'.format((name or "").replace('"', '""')) for name in names)
    return Violation(cause.sqlstate or "", constraint, found.column_name)


def database_error(error: BaseException) -> BaseException:
    """Return the psycopg error inside Django's wrapper; anything else as it is."""
    if isinstance(error, DjangoError) and error.__cause__ is not None:
        return error.__cause__
    return error


def is_lost(error: psycopg.Error) -> bool:
    """Tell whether ``error`` ended the connection rather than only the statement."""
    if error.sqlstate is not None:
        return error.sqlstate in _SHUTDOWN or error.sqlstate.startswith("08")
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))


def is_plan_outdated(error: psycopg.Error) -> bool:
    """Tell whether a prepared statement no longer fits the view it was prepared on."""
    if error.sqlstate == "26000":
        return True
    # The function's name and not the message, which the server translates.
    return error.sqlstate == "0A000" and error.diag.source_function == "RevalidateCachedQuery"


def _without_state(error: psycopg.Error) -> FraiseQLError:
    """Return the fault for an error of psycopg or libpq itself; PostgreSQL's have a SQLSTATE."""
    if isinstance(error, psycopg.DataError):
        return BadUserInput("A text has characters that PostgreSQL cannot store.")
    if is_lost(error):
        return ServiceUnavailable(UNREACHABLE, hint=RETRY_HINT)
    return DatabaseFault(f"The statement could not be sent ({type(error).__name__}).")


def _is_syntax_of_value(error: psycopg.Error) -> bool:
    return (error.diag.source_file or "").startswith(_GRAMMARS_OF_VALUES)

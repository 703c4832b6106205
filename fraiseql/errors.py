"""
Every exception FraiseQL raises.

One class per cause, each with a ``code`` from the closed list of GraphQL error codes. ``public`` decides
whether the message reaches clients; the others go out as "Internal error" with an id found in the log.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

CODES = frozenset(
    {
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "BAD_USER_INPUT",
        "OPERATION_RESOLUTION_FAILURE",
        "PERSISTED_QUERY_NOT_FOUND",
        "PERSISTED_QUERY_NOT_SUPPORTED",
        "BAD_REQUEST",
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "NOT_FOUND",
        "CONFLICT",
        "RATE_LIMITED",
        "COST_EXCEEDED",
        "TIMEOUT",
        "SERVICE_UNAVAILABLE",
        "INTERNAL_SERVER_ERROR",
    }
)
"""The closed list of codes; an error with another one is INTERNAL_SERVER_ERROR to clients."""


class FraiseQLError(Exception):
    """
    The base: a message that names the thing and the value, and a hint that says what to do.

    ``statement``: of several that went to the database together, the index of the one that failed.
    ``shown``: what clients find in ``extensions`` beside the code.
    """

    code: ClassVar[str] = "INTERNAL_SERVER_ERROR"
    public: ClassVar[bool] = False
    statement: int | None = None
    shown: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, message: str, *, hint: str | None = None, **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.extensions = extensions


class ConfigurationError(FraiseQLError):
    """A setting or a declaration is wrong: the application cannot start."""


class MigrationError(FraiseQLError):
    """A file of SQL cannot become what the database has, or what it has cannot become the file."""


class BadRequest(FraiseQLError):
    """
    The HTTP request is not a GraphQL request; ``status`` is what HTTP says of it.

    422: what was sent can be read and is no GraphQL request; the profile ``compat`` makes 400 of it.
    """

    code, public = "BAD_REQUEST", True

    def __init__(
        self, message: str, *, hint: str | None = None, status: int = 400, **extensions: Any
    ) -> None:
        super().__init__(message, hint=hint, **extensions)
        self.status = status


class Unauthenticated(BadRequest):
    """The request claims a viewer and does not prove it. ``challenge``: for ``WWW-Authenticate``."""

    code = "UNAUTHENTICATED"

    def __init__(
        self,
        message: str = "This request does not prove who sent it.",
        *,
        challenge: str = "",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint, status=401)
        self.challenge = challenge


class PersistedQueryNotFound(BadRequest):
    """No operation is stored under the hash or id; clients of automatic ones then send the text with it."""

    code = "PERSISTED_QUERY_NOT_FOUND"

    def __init__(self) -> None:
        # The message Apollo's and urql's clients look for; many never read another status than 200.
        super().__init__("PersistedQueryNotFound", status=200)


class PersistedQueryNotSupported(BadRequest):
    """Automatic persisted queries are off, or their store cannot be read; clients then send texts only."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotSupported", status=200)


class OperationNotRegistered(FraiseQLError):
    """Only registered operations run here (setting PERSISTED_OPERATIONS), and this is none of them."""

    code, public = "FORBIDDEN", True


class RateLimited(FraiseQLError):
    """The client does something more often than it may."""

    code, public = "RATE_LIMITED", True


class ParseFailed(FraiseQLError):
    """The document is not GraphQL."""

    code, public = "GRAPHQL_PARSE_FAILED", True


class ValidationFailed(FraiseQLError):
    """The document does not fit the schema."""

    code, public = "GRAPHQL_VALIDATION_FAILED", True


class CostExceeded(FraiseQLError):
    """The operation would read or return more than one operation may."""

    code, public = "COST_EXCEEDED", True

    def __init__(self, message: str, *, hint: str, **shown: Any) -> None:
        super().__init__(message, hint=hint)
        self.shown = shown


class OperationUnresolved(FraiseQLError):
    """The request names no operation of its document, or leaves open which one."""

    code, public = "OPERATION_RESOLUTION_FAILURE", True


class BadUserInput(FraiseQLError):
    """A variable or an argument has a value the schema or the data refuses."""

    code, public = "BAD_USER_INPUT", True


class Conflict(FraiseQLError):
    """The write collides with what is stored, or with another transaction."""

    code, public = "CONFLICT", True


class Repeated(Conflict):
    """A request comes with a key that has been used; its answer is kept."""


class Forbidden(FraiseQLError):
    """The database role or the viewer may not do this."""

    code, public = "FORBIDDEN", True


class NotFound(FraiseQLError):
    """The object asked for does not exist, or is not visible."""

    code, public = "NOT_FOUND", True


class Timeout(FraiseQLError):
    """The statement took longer than it may."""

    code, public = "TIMEOUT", True


class ServiceUnavailable(FraiseQLError):
    """
    PostgreSQL cannot be reached, or more is asked of the service than it can do.

    ``retry_after_s``: when to ask again.
    """

    code, public, status = "SERVICE_UNAVAILABLE", True, 503

    def __init__(
        self, message: str, *, hint: str | None = None, retry_after_s: float = 1, **extensions: Any
    ) -> None:
        super().__init__(message, hint=hint, **extensions)
        self.retry_after_s = max(1, retry_after_s)


class EmbeddedServerError(FraiseQLError):
    """The private PostgreSQL server of development cannot be started, stopped or reached."""

    code, status = "SERVICE_UNAVAILABLE", 503

    def __str__(self) -> str:
        # Raised while settings load, where only the last line of a traceback is read.
        return f"{self.message} {self.hint}" if self.hint else self.message


class DatabaseFault(FraiseQLError):
    """PostgreSQL refused the statement for a reason that is not the client's."""


class StaleCatalog(DatabaseFault):
    """A view or column the statement names is gone or has changed since the catalog was read."""


class DocumentError(FraiseQLError):
    """A stored document breaks a promise of its declared type: a null, a wrong value, an unknown type."""

    public = True


class ResultError(FraiseQLError):
    """
    A row is not the JSON document its view promised.

    ``row``: index of the row, ``offset``: byte within the row.
    """

    def __init__(self, row: int, offset: int) -> None:
        super().__init__(
            f"Row {row} is not JSON at byte {offset}.",
            hint="A bound view's document column must be json or jsonb.",
        )
        self.row, self.offset = row, offset

"""
Results and errors to the response's bytes.
"""

import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

from graphql import FieldNode, GraphQLError

from fraiseql.errors import (
    CODES,
    CostExceeded,
    FraiseQLError,
    OperationNotRegistered,
    ValidationFailed,
)

MAX_ERRORS = 100
"""Errors in one response; the rest is left out, for one cause may hit every row."""

log = logging.getLogger("fraiseql.errors")

ErrorDict = dict[str, Any]

_OPERATORS_CARE = frozenset({"SERVICE_UNAVAILABLE", "TIMEOUT", "FORBIDDEN"})
"""Codes of errors that clients may see and that whoever runs the service must."""


class Response(NamedTuple):
    """
    One GraphQL response. ``is_request_error``: nothing was executed, there is no ``data``.

    ``status``: of HTTP; None: as the media type has it. ``code``: why the request was refused.
    """

    body: bytes
    is_request_error: bool = False
    status: int | None = None
    code: str = ""
    retry_after_s: float | None = None
    of_batch: tuple["Response", ...] = ()

    @property
    def has_errors(self) -> bool:
        """Tell whether there is an error: where there are some, they come first."""
        if self.of_batch:
            return any(each.has_errors for each in self.of_batch)
        return self.body.startswith(b'{"errors"')


def success(fields: Iterable[bytes], errors: Sequence[ErrorDict]) -> Response:
    """Return the response of executed fields, each a ``member``, in response order."""
    data = b'"data":{%b}}' % b",".join(fields)
    if not errors:
        return Response(b"{" + data)
    return Response(b'{"errors":%b,%b' % (dumps(_most(errors)), data))


def member(key: str) -> bytes:
    """Return the beginning of a field of a response, before its value."""
    return b'"%b":' % key.encode()


def no_data(errors: Sequence[ErrorDict]) -> Response:
    """Return the response of an execution whose error bubbled to the root."""
    return Response(b'{"errors":%b,"data":null}' % dumps(_most(errors)))


def too_large(max_bytes: int) -> Response:
    """Return the response in place of one of more than ``max_bytes``."""
    error = CostExceeded(
        f"The response has more than {max_bytes:,} bytes.",
        hint="Ask for fewer rows or fields at once, or raise FRAISEQL['MAX_RESPONSE_BYTES'].",
        maxBytes=max_bytes,
    )
    return no_data([describe(error, debug=False)])


def not_executed(errors: Sequence[ErrorDict]) -> Response:
    """Return the response to a request that graphene's executor refused before the first field."""
    return Response(b'{"errors":%b}' % dumps(_most(errors)), is_request_error=True)


def executed(data: Mapping[str, Any] | None, errors: Sequence[ErrorDict]) -> Response:
    """Return the response of graphene's executor."""
    shown: dict[str, Any] = {"errors": _most(errors)} if errors else {}
    return Response(dumps({**shown, "data": data}))


def _most(errors: Sequence[ErrorDict]) -> Sequence[ErrorDict]:
    """
    Return at most MAX_ERRORS, at least one of each cause as long as there is room.

    Errors have one cause if they differ only in the rows they happened in.
    """
    if len(errors) <= MAX_ERRORS:
        return errors
    causes: dict[Any, int] = {}
    for number, error in enumerate(errors):
        names = tuple(part for part in error.get("path") or () if isinstance(part, str))
        causes.setdefault((error["message"], names), number)
    kept = list(causes.values())[:MAX_ERRORS]
    first = set(kept)
    others = (number for number in range(len(errors)) if number not in first)
    kept += islice(others, MAX_ERRORS - len(kept))
    return [errors[number] for number in sorted(kept)]


def refusal(error: FraiseQLError, debug: bool) -> Response:
    """Return the response to a request that was not executed."""
    several = error.extensions.get("errors")
    if several:
        extensions = {"code": error.code}
        shown = [{**entry, "extensions": extensions} for entry in several[:MAX_ERRORS]]
    else:
        shown = [describe(error, debug)]
    return Response(
        b'{"errors":%b}' % dumps(shown),
        is_request_error=True,
        status=getattr(error, "status", None if error.public else 500),
        code=error.code,
        retry_after_s=getattr(error, "retry_after_s", None),
    )


def batch(responses: Sequence[Response]) -> Response:
    """Return several responses as one; what it says of all of them holds for each."""
    statuses = {response.status for response in responses}
    codes = {response.code for response in responses}
    waits = [each.retry_after_s for each in responses if each.retry_after_s is not None]
    return Response(
        b"[%b]" % b",".join([response.body for response in responses]),
        is_request_error=all(response.is_request_error for response in responses),
        status=statuses.pop() if len(statuses) == 1 else None,
        code=codes.pop() if len(codes) == 1 else "",
        retry_after_s=max(waits) if len(waits) == len(responses) else None,
        of_batch=tuple(responses),
    )


def moved(response: Response, column: Callable[[int, int], int]) -> Response:
    """Return a response whose errors are in the ``column`` of each place's line and column."""
    if not response.has_errors:
        return response
    body = response.body.decode()
    errors, end = _decoder.raw_decode(body, len('{"errors":'))
    for place in [place for error in errors for place in error.get("locations", ())]:
        place["column"] = column(place["line"], place["column"])
    return response._replace(body=b'{"errors":%b%b' % (dumps(errors), body[end:].encode()))


_decoder = json.JSONDecoder()


def describe(
    error: BaseException,
    debug: bool,
    path: Sequence[str | int] | None = None,
    nodes: Sequence[FieldNode] = (),
) -> ErrorDict:
    """
    Return an error as clients see it.

    What is not public goes to the log under an id and out as "Internal error", unless ``debug``.
    """
    shown: ErrorDict = {"message": str(error)}
    # Only ours: other libraries' exceptions have codes that mean something else.
    code = error.code if isinstance(error, FraiseQLError) else FraiseQLError.code
    if code not in CODES:
        code = FraiseQLError.code  # An application's own class with a code of its own.
    extensions: dict[str, Any] = {"code": code}
    is_public = isinstance(error, FraiseQLError) and error.public
    if not is_public:
        extensions["id"] = str(uuid.uuid4())
        log.error("Internal error %s", extensions["id"], exc_info=error)
    elif extensions["code"] in _OPERATORS_CARE and not isinstance(error, OperationNotRegistered):
        log.warning("%s: %s", error, error.__cause__)
    if not is_public and not debug:
        shown["message"] = "Internal error"
    elif isinstance(error, FraiseQLError) and error.hint:
        extensions["hint"] = error.hint
    if isinstance(error, FraiseQLError):
        extensions |= error.shown
    if nodes:
        shown["locations"] = [
            {"line": node.loc.start_token.line, "column": node.loc.start_token.column}
            for node in nodes
            if node.loc
        ]
    if path is not None:
        shown["path"] = list(path)
    shown["extensions"] = extensions
    return shown


def describe_graphql(error: GraphQLError, debug: bool) -> ErrorDict:
    """Return an error of graphene's executor as clients see it."""
    cause: BaseException = error.original_error or error
    if isinstance(cause, TypeError) and error.message.startswith("Cannot return null for non-null"):
        cause = _public(error.message)
    elif isinstance(cause, GraphQLError) and not _passed(cause, "complete_value"):
        # Raised by a resolver or a scalar for the client to read, as graphene's users do.
        given = cause.extensions or {}
        is_of_input = not error.path or _passed(cause, "get_argument_values")
        code = given.get("code", "BAD_USER_INPUT" if is_of_input else "INTERNAL_SERVER_ERROR")
        if not isinstance(code, str) or code not in CODES:
            code = FraiseQLError.code
        cause = _public(error.message if debug else error.message.partition(" Did you mean")[0])
        shown = describe(cause, debug, error.path, error.nodes or ())  # type: ignore[arg-type]  # field nodes here
        shown["extensions"] = {**given, "code": code}
        return shown
    return describe(cause, debug, error.path, error.nodes or ())  # type: ignore[arg-type]  # field nodes here


def _passed(error: GraphQLError, function: str) -> bool:
    """
    Tell whether graphql-core's ``function`` raised the error.

    ``complete_value`` refuses what a resolver returned, and its message shows the value;
    ``get_argument_values`` refuses arguments.
    """
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_name == function:
            return True
        step = step.tb_next
    return False


def _public(message: str) -> FraiseQLError:
    error = ValidationFailed(message)
    error.code = "INTERNAL_SERVER_ERROR"  # type: ignore[misc]  # of this one error
    return error


def dumps(value: Any) -> bytes:
    """Return a value of the executor as JSON; decimals keep their digits."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode("utf-8", "backslashreplace")


_string = json.encoder.encode_basestring


def _write(value: Any, parts: list[str]) -> None:
    if (
        value is None
        or isinstance(value, bool | int | float)
        or not isinstance(value, str | dict | list | tuple | Decimal)
    ):
        parts.append(json.dumps(value, allow_nan=False))
    elif isinstance(value, str):
        parts.append(_string(value))
    elif isinstance(value, Decimal):
        parts.append(str(value))
    elif isinstance(value, dict):
        separator = "{"
        for key, item in value.items():
            parts.append(f"{separator}{_string(str(key))}:")
            _write(item, parts)
            separator = ","
        parts.append("}" if value else "{}")
    else:
        separator = "["
        for item in value:
            parts.append(separator)
            _write(item, parts)
            separator = ","
        parts.append("]" if value else "[]")

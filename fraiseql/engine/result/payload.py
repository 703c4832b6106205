"""
What a function did to the document a mutation's payload is projected from.

The result's own documents stay the bytes that PostgreSQL printed; only what stands around them is written here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext

from fraiseql.errors import FraiseQLError
from fraiseql.schema.mutations import CURRENT, ERROR, KIND, RESULT, SUCCESS


def noop(message: str) -> str:
    """Return ``message``, marked for translation; Django's own wants settings at import."""
    return message


HTTP_STATUS = {
    "BAD_USER_INPUT": 422,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "TIMEOUT": 408,
    "INTERNAL_SERVER_ERROR": 500,
}
"""The codes of errors in payloads, with what HTTP would say."""

_FAILURES = {
    "noop": "BAD_USER_INPUT",
    "validation": "BAD_USER_INPUT",
    "unauthorized": "UNAUTHENTICATED",
    "forbidden": "FORBIDDEN",
    "not_found": "NOT_FOUND",
    "conflict": "CONFLICT",
    "timeout": "TIMEOUT",
    "failed": "INTERNAL_SERVER_ERROR",
}
_MESSAGES = {
    "BAD_USER_INPUT": noop("A value is not allowed."),
    "UNAUTHENTICATED": noop("You are not signed in."),
    "FORBIDDEN": noop("This is not allowed."),
    "NOT_FOUND": noop("There is no such thing."),
    "CONFLICT": noop("Somebody else has changed this."),
    "TIMEOUT": noop("This took too long."),
    "INTERNAL_SERVER_ERROR": noop("This failed."),
}


@dataclass(frozen=True)
class UserError:
    """Why a mutation changed nothing, as its payload says it."""

    message: str
    code: str
    field: str | None = None
    identifier: str | None = None
    index: int | None = None

    def document(self) -> bytes:
        """Return it as JSON."""
        shown = {**self.__dict__, "status": HTTP_STATUS.get(self.code, 500)}
        return json.dumps(shown).encode()


@dataclass(frozen=True)
class Payload:
    """
    What a mutation answers.

    ``result``, ``updated_fields``, ``cascade``, ``current``: JSON. ``is_partial``: of a batch some items failed
    and the others stand.
    """

    result: bytes | None = None
    errors: tuple[UserError, ...] = ()
    status: str | None = None
    message: str | None = None
    updated_fields: bytes | None = None
    cascade: bytes | None = None
    current: bytes | None = None
    is_partial: bool = False

    def document(self) -> bytes:
        """Return the payload's document, for every selection and for both styles of payload types."""
        is_error = bool(self.errors) and not self.is_partial
        first = self.errors[0] if self.errors else None
        members: dict[str, bytes] = {
            KIND: _json(ERROR if is_error else SUCCESS),
            RESULT: self.result or b"null",
            "errors": b"[%b]" % b",".join(error.document() for error in self.errors),
            "status": _json(self.status),
            "message": _json(first.message if is_error and first else self.message),
            "code": _json(first.code if first else None),
            "updated_fields": self.updated_fields or b"null",
            "cascade": self.cascade or b"null",
            CURRENT: self.current or b"null",
        }
        parts = (b'"%b":%b' % (key.encode(), value) for key, value in members.items())
        return b"{%b}" % b",".join(parts)


def _json(value: str | None) -> bytes:
    return json.dumps(value).encode()


def failed(error: FraiseQLError, *fields: str | None) -> Payload:
    """Return the payload of a mutation that changed nothing because of ``error``, once for each field."""
    shown = gettext(error.message)
    return Payload(errors=tuple(UserError(shown, error.code, name) for name in fields or (None,)))


@dataclass(frozen=True)
class Response:
    """One row of a function that returns ``mutation_response``; JSON as PostgreSQL printed it."""

    status: str
    message: str | None = None
    entity: bytes | None = None
    updated_fields: bytes | None = None
    cascade: bytes | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, row: Sequence[bytes | None]) -> "Response":
        """Return the response in a row, whose columns are those of ``calls.RESPONSE``."""
        status, message, entity, updated_fields, cascade, metadata = row
        known = json.loads(metadata) if metadata else None
        return cls(
            _text(status) or "success",
            _text(message),
            entity,
            updated_fields,
            cascade,
            known if isinstance(known, dict) else {},
        )

    @property
    def code(self) -> str | None:
        """Return the code of the failure that the status speaks of; None: it is a success."""
        return _FAILURES.get(self.status.partition(":")[0].strip().lower())

    def errors(self, names: "dict[str, str]") -> tuple[UserError, ...]:
        """Return why it failed; ``names``: the function's names of input fields to GraphQL's."""
        listed = self.metadata.get("errors")
        code = self.code
        if isinstance(listed, list) and listed:
            return tuple(self._listed(item, names) for item in listed if isinstance(item, dict))
        if code is None:
            return ()
        head, _, rest = self.status.partition(":")
        identifier = rest.strip() or head.strip()
        name = self.metadata.get("field")
        return (
            UserError(
                self.message or gettext(_MESSAGES[code]),
                code,
                names.get(name, name) if isinstance(name, str) else None,
                identifier,
            ),
        )

    def _listed(self, item: dict[str, Any], names: "dict[str, str]") -> UserError:
        code = item.get("code")
        if code not in HTTP_STATUS:
            code = self.code or "BAD_USER_INPUT"
        name, identifier, index = item.get("field"), item.get("identifier"), item.get("index")
        return UserError(
            str(item.get("message") or self.message or gettext(_MESSAGES[code])),
            code,
            names.get(name, name) if isinstance(name, str) else None,
            identifier if isinstance(identifier, str) else None,
            index if type(index) is int else None,
        )


def from_response(
    response: Response, written: Sequence[bytes | None], names: dict[str, str]
) -> Payload:
    """Return the payload of one ``mutation_response``; ``written``: what its view has of the entity."""
    errors = response.errors(names)
    entity = response.entity or next(iter(written), None)
    return Payload(
        result=None if errors else entity,
        errors=errors,
        status=response.status,
        message=response.message,
        updated_fields=response.updated_fields,
        cascade=response.cascade,
        # A function that found another version shows the row as it is.
        current=entity if errors else None,
    )


def from_responses(
    responses: Sequence[Response], written: Sequence[bytes | None], names: dict[str, str]
) -> Payload:
    """Return the payload of a batch, one ``mutation_response`` for each item in its order."""
    errors: list[UserError] = []
    entities: list[bytes] = []
    for index, response in enumerate(responses):
        found = response.errors(names)
        errors += [replace(error, index=index) for error in found if error.index is None]
        errors += [error for error in found if error.index is not None]
        if not found and response.entity is not None:
            entities.append(response.entity)
    entities += [document for document in written if document is not None]
    succeeded = any(not response.errors(names) for response in responses)
    return Payload(
        result=json_array(entities) if succeeded or not errors else None,
        errors=tuple(errors),
        is_partial=bool(errors) and succeeded,
    )


def json_array(documents: Sequence[bytes | None]) -> bytes:
    """Return documents as one JSON array."""
    return b"[%b]" % b",".join(document or b"null" for document in documents)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()

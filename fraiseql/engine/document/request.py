"""
HTTP payloads to GraphQL requests.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn

from fraiseql.engine.document.persisted import hash_of
from fraiseql.errors import BadRequest, CostExceeded

MAX_ID = 256
"""Characters of the longest id a document may be called by."""

# Relay's network layers do not agree on a name; the first is that of GraphQL over HTTP.
_IDS = ("documentId", "doc_id", "id")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass
class Budget:
    """What the operations of one batch may cost together: ``left`` of it."""

    left: int

    def spend(self, cost: int) -> None:
        """Take ``cost`` from what is left. Raises CostExceeded if that is less."""
        if cost > self.left:
            raise CostExceeded(
                f"The operation costs {cost:,}; of its batch's cost {self.left:,} is left.",
                hint="Send fewer operations at once, or raise FRAISEQL['MAX_COST'].",
                cost=cost,
                maxCost=self.left,
            )
        self.left -= cost


_NONE: Final[dict[str, Any]] = {}  # Never changed: it is that of every request without.


class GraphQLRequest(NamedTuple):
    """
    One operation to run. ``variables``: as the client sent them, not yet coerced.

    ``document_id``: the hash or the id the client gave; ``query`` is "" if it sent no text. ``is_automatic``:
    the id came as an automatic persisted query's. ``client``: what the client says it is called. ``budget``:
    shared with the others of its batch.
    ``idempotency_key``: the same for a request and its repetitions.
    """

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = _NONE
    extensions: dict[str, Any] = _NONE
    document_id: str | None = None
    is_automatic: bool = False
    client: str = ""
    budget: Budget | None = None
    idempotency_key: str = ""

    @property
    def is_dry(self) -> bool:
        """Tell whether mutations are to be undone once they are answered; ``"extensions": {"dryRun": true}``."""
        return self.extensions.get("dryRun") is True


Batch = tuple[GraphQLRequest | BadRequest, ...]
"""Requests in the order they were sent; in the place of what is none, why."""


def from_json(body: bytes) -> GraphQLRequest:
    """Return the request in a JSON body. Raises BadRequest if it is none."""
    return from_payload(_payload(body))


def from_json_array(body: bytes, most: int) -> GraphQLRequest | Batch:
    """Return the request in a JSON body, or up to ``most`` of them. Raises BadRequest if it is neither."""
    payload = _payload(body)
    return _batch(payload, most) if isinstance(payload, list) else from_payload(payload)


def _payload(body: bytes) -> Any:
    try:
        return _json(body.decode())
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.", hint='Send {"query": "..."}.') from error


def _batch(payload: list[Any], most: int) -> Batch:
    if not 0 < len(payload) <= most:
        raise BadRequest(f"A batch has 1 to {most} operations.", status=422)
    return tuple(_item(each) for each in payload)


def _item(payload: Any) -> GraphQLRequest | BadRequest:
    try:
        return from_payload(payload)
    except BadRequest as error:
        return error


def from_query_string(parameters: dict[str, str]) -> GraphQLRequest:
    """Return the request in the parameters of a URL; ``variables`` and ``extensions`` are JSON there."""
    payload: dict[str, Any] = {
        name: parameters.get(name) or None for name in ("query", "operationName", *_IDS)
    }
    for name in ("variables", "extensions"):
        if text := parameters.get(name):
            try:
                payload[name] = _json(text)
            except (ValueError, RecursionError) as error:
                raise BadRequest(f"The parameter {name!r} is not JSON.") from error
    return from_payload(payload)


def from_payload(payload: Any) -> GraphQLRequest:
    """Return the request in a parsed JSON object; keys it does not know are ignored, null is absent."""
    if not isinstance(payload, dict):
        hint = "Batches are not accepted." if isinstance(payload, list) else None
        raise BadRequest("The body must be a JSON object.", hint=hint, status=422)
    query, name = payload.get("query"), payload.get("operationName")
    variables = payload.get("variables")
    if (
        (query and type(query) is str and payload.get("extensions") is None)
        and (name is None or type(name) is str)
        and (variables is None or type(variables) is dict)
    ):
        # What most clients send.
        return GraphQLRequest(query, name, variables or _NONE)
    extensions = _object(payload, "extensions")
    digest = _automatic(extensions) if extensions else None
    if query is not None and not isinstance(query, str):
        raise BadRequest("'query' must be a string.", hint=_HINT, status=422)
    document_id = digest if query or digest else _document_id(payload)
    if not query and document_id is None:
        raise BadRequest("The request has no 'query'.", hint=_HINT, status=422)
    if query and digest is not None and digest != hash_of(query):
        raise BadRequest("'sha256Hash' is not the SHA-256 of 'query'.")
    if name is not None and not isinstance(name, str):
        raise BadRequest("'operationName' must be a string.", status=422)
    variables = _object(payload, "variables")
    return GraphQLRequest(query or "", name, variables, extensions, document_id, digest is not None)


def _automatic(extensions: dict[str, Any]) -> str | None:
    """Return the hash of an automatic persisted query, if the request is one."""
    given = extensions.get("persistedQuery")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise BadRequest("'extensions.persistedQuery' must be an object.")
    if given.get("version") != 1 or given["version"] is True:
        raise BadRequest("The version of 'extensions.persistedQuery' must be 1.")
    digest = given.get("sha256Hash")
    if not isinstance(digest, str):
        raise BadRequest("'extensions.persistedQuery.sha256Hash' must be a string.")
    return normal_id(digest)


def _document_id(payload: dict[str, Any]) -> str | None:
    for name in _IDS:
        if isinstance(given := payload.get(name), str) and given:
            return normal_id(given.removeprefix("sha256:"))
    return None


def normal_id(given: str) -> str:
    """Return an id as it is looked up: hashes in lower case. Raises BadRequest for what is none."""
    if not 0 < len(given) <= MAX_ID:
        raise BadRequest(f"The id of a document has 1 to {MAX_ID} characters.")
    return given.lower() if _SHA256.fullmatch(given) else given


def _object(payload: dict[str, Any], name: str) -> dict[str, Any]:
    value: dict[str, Any] | None = payload.get(name)
    if value is None:
        return _NONE
    if not isinstance(value, dict):
        raise BadRequest(f"{name!r} must be an object.", status=422)
    return value


_HINT = 'Send {"query": "{ __typename }"}.'


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


# NaN and Infinity are no JSON. Made once: json.loads with an option makes a decoder each time.
_decoder = json.JSONDecoder(parse_constant=_refuse_constant)
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]  # typeshed lacks it


def _json(text: str) -> Any:
    # The scanner alone takes half of the decoder's time; programs put no space around what they send.
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        end = -1
    return value if end == len(text) else _decoder.decode(text)

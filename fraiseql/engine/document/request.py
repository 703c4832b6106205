"""
HTTP payloads to GraphQL requests.
"""

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

from fraiseql.errors import BadRequest, PersistedQueryNotSupported


@dataclass(frozen=True)
class GraphQLRequest:
    """One operation to run. ``variables``: as the client sent them, not yet coerced."""

    query: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)


def from_json(body: bytes) -> GraphQLRequest:
    """Return the request in a JSON body. Raises BadRequest if it is none."""
    try:
        payload = _json(body.decode())
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not JSON.", hint='Send {"query": "..."}.') from error
    return from_payload(payload)


def from_query_string(parameters: dict[str, str]) -> GraphQLRequest:
    """Return the request in the parameters of a URL; ``variables`` and ``extensions`` are JSON there."""
    payload: dict[str, Any] = {
        name: parameters.get(name) or None for name in ("query", "operationName")
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
        raise BadRequest("The body must be a JSON object.", hint=hint)
    query = payload.get("query")
    if not query and "persistedQuery" in _object(payload, "extensions"):
        raise PersistedQueryNotSupported
    if not isinstance(query, str) or not query:
        raise BadRequest(
            "The request has no 'query'." if query in (None, "") else "'query' must be a string.",
            hint='Send {"query": "{ __typename }"}.',
        )
    name = payload.get("operationName")
    if name is not None and not isinstance(name, str):
        raise BadRequest("'operationName' must be a string.")
    return GraphQLRequest(
        query, name, _object(payload, "variables"), _object(payload, "extensions")
    )


def _object(payload: dict[str, Any], name: str) -> dict[str, Any]:
    value = payload.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"{name!r} must be an object.")
    return value


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


# NaN and Infinity are no JSON. Made once: json.loads with an option makes a decoder each time.
_json = json.JSONDecoder(parse_constant=_refuse_constant).decode

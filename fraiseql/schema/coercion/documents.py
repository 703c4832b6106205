"""
JSON, and vectors.
"""

import json
from typing import Any

from fraiseql.schema.coercion.numbers import float64, printable
from fraiseql.schema.coercion.words import text

# Deeper documents have no use and would exhaust the stack of json.dumps and of PostgreSQL's parser.
MAX_JSON_DEPTH = 100


def document(value: object) -> Any:
    """Return any JSON value that jsonb can store."""
    level: list[object] = [value]
    for _ in range(MAX_JSON_DEPTH):
        level = [item for entry in level for item in _parts(entry)]
        if not level:
            return value
    raise ValueError(f"expected JSON of at most {MAX_JSON_DEPTH} levels.")


def _parts(value: object) -> list[Any]:
    """Return what a JSON value holds one level down."""
    match value:
        case None | bool():
            return []
        case str():
            text(value)
            return []
        case int():
            printable(value)
            return []
        case float():
            float64(value)
            return []
        case list() | tuple():
            return list(value)
        case dict():
            for key in value:
                text(key)
            return list(value.values())
        case _:
            raise ValueError("expected JSON.")


def encode_document(value: Any) -> str:
    """Return JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def vector(value: object) -> tuple[float, ...]:
    """Return a vector, from a list of numbers."""
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= 16_000:
        raise ValueError("expected a list of 1 to 16,000 numbers.")
    return tuple(float64(item) for item in value)


def encode_vector(value: tuple[float, ...]) -> str:
    """Return a vector as pgvector reads it."""
    return f"[{','.join(map(repr, value))}]"


def vector_distance(value: object) -> tuple[tuple[float, ...], float]:
    """Return a vector and a distance from it, from ``{vector: [...], distance: 0.5}``."""
    if not isinstance(value, dict) or value.keys() != {"vector", "distance"}:
        raise ValueError("expected an object of `vector` and `distance`.")
    return vector(value["vector"]), float64(value["distance"])


def encode_vector_distance(value: tuple[tuple[float, ...], float]) -> str:
    """Return a vector and a distance as JSON, whose lists pgvector reads as they are."""
    return encode_document({"vector": list(value[0]), "distance": value[1]})

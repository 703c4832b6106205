"""
Rows to values for graphene's executor.

What stands beside a document (see ``shape.JOINED``) goes into it under ``complete.BESIDE``, by response path:
resolvers know where they are, and aliases of one field differ there alone.
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from fraiseql.schema import shape
from fraiseql.schema.complete import BESIDE, ResponsePath

Read = Callable[[Any], Any]


def reader(node: shape.Node, path: ResponsePath) -> Callable[[bytes | None], Any]:
    """Return what makes a value of a row under the Shape ``node``, which stands at ``path``."""
    arrange = _arranger(node, path) or _same

    def read(row: bytes | None) -> Any:
        return None if row is None else arrange(json.loads(row, parse_float=Decimal))

    return read


def _same(value: Any) -> Any:
    return value


def _arranger(node: shape.Node, path: ResponsePath) -> Read | None:
    """Return what brings joined values into their documents, None if there are none below."""
    if node[0] == shape.LIST:
        item = _arranger(node[2], path)
        return item and _list(item)
    if node[0] == shape.OBJECT:
        return _page(_below(node[2], path))
    return _document(node[1], path) if node[0] == shape.JOINED else None


def _below(entries: tuple[Any, ...], path: ResponsePath) -> dict[ResponsePath, tuple[Any, Read]]:
    """Return the entries whose values are joined, or have joined values in them."""
    found = {}
    for key, response_key, _, node in entries:
        place = (*path, response_key)
        arrange = _arranger(node, place)
        if arrange is not None or isinstance(key, int):
            found[place] = (key, arrange or _same)
    return found


def _list(item: Read) -> Read:
    def arrange(value: Any) -> Any:
        return [item(entry) for entry in value] if isinstance(value, list) else value

    return arrange


def _page(below: Mapping[ResponsePath, tuple[Any, Read]]) -> Read | None:
    def arrange(value: Any) -> Any:
        beside = {place: read(value.get(key.decode())) for place, (key, read) in below.items()}
        return {**value, BESIDE: beside}

    return arrange if below else None


def _document(inner: shape.Node, path: ResponsePath) -> Read:
    discriminator: str | None = None
    kinds: dict[Any, dict[ResponsePath, tuple[Any, Read]]] = {}
    if inner[0] == shape.OBJECT:
        kinds[None] = _below(inner[2], path)
    else:
        discriminator = _text(inner[2])
        kinds = {_text(kind): _below(entries, path) for kind, entries in inner[3]}

    def arrange(value: Any) -> Any:
        if value is None or not isinstance(value[0], dict):
            return value and value[0]
        kind = None if discriminator is None else value[0].get(discriminator)
        below = kinds.get(kind, {}) if isinstance(kind, str | None) else {}
        beside = {
            place: read(value[key] if key < len(value) else None)
            for place, (key, read) in below.items()
        }
        return {**value[0], BESIDE: beside}

    return arrange


def _text(content: bytes) -> str:
    """Return the text that a Shape spells as it stands between JSON's quotes."""
    text: str = json.loads(b'"%b"' % content)
    return text

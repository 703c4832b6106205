"""
Operations registered, forgotten and looked at: what ``manage.py fraiseql_turbo`` does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from django.db import transaction

from fraiseql.db import sync
from fraiseql.engine import pipeline
from fraiseql.engine.document import persisted
from fraiseql.errors import FraiseQLError
from fraiseql.management.manifests import Fault, Found

Step = Callable[[str], None]


@dataclass(frozen=True)
class Change:
    """What a registration does to an operation."""

    found: Found
    new_ids: tuple[str, ...]
    is_new: bool

    @property
    def state(self) -> str:
        """Return the change in a word."""
        if self.is_new:
            return "added"
        return "ids added" if self.new_ids else "unchanged"


@dataclass(frozen=True)
class Warmed:
    """How long an operation took to compile, or why it did not."""

    name: str | None
    hash: str
    duration_ms: float
    faults: tuple[str, ...] = ()


def stored(using: str, *, with_automatic: bool = False) -> list[dict[str, Any]]:
    """Return the registered operations with what was counted of them. Raises FraiseQLError."""
    return persisted.listed(sync.fetch(persisted.every(with_automatic=with_automatic), using))


def validate(operations: Iterable[Found], step: Step) -> list[Fault]:
    """Return why operations do not fit the schema, each fault at its line; give names to those without."""
    engine = pipeline.get_engine()
    faults: list[Fault] = []
    for found in operations:
        step(found.name or found.hash)
        try:
            names = {name for _, name in engine.compile_all(found.text) if name}
        except FraiseQLError as error:
            faults += _faults(found, error)
        else:
            found.name = found.name or (names.pop() if len(names) == 1 else None)
    return faults


def plan(
    operations: Sequence[Found], known: Sequence[dict[str, Any]]
) -> tuple[list[Change], list[Fault]]:
    """Return what registering does to ``operations``, and the ids that are other operations' already."""
    owners = {
        document_id: row["hash"] for row in known for document_id in (row["hash"], *row["ids"])
    }
    hashes = {row["hash"] for row in known}
    changes, faults = [], []
    for found in operations:
        for document_id in sorted(found.ids):
            owner = owners.setdefault(document_id, found.hash)
            if owner != found.hash:
                message = f"{document_id!r} stands for another operation already ({owner})."
                faults.append(Fault(found.place, message))
        ids = next((row["ids"] for row in known if row["hash"] == found.hash), ())
        new_ids = tuple(sorted(found.ids.difference(ids)))
        changes.append(Change(found, new_ids, found.hash not in hashes))
    return changes, faults


def register(changes: Iterable[Change], client: str, using: str) -> None:
    """Write the changes, all or none. Raises FraiseQLError."""
    operations = [
        {
            "hash": change.found.hash,
            "text": change.found.text,
            "name": change.found.name,
            "client": client,
            "ids": list(change.new_ids),
        }
        for change in changes
        if change.is_new or change.new_ids
    ]
    if operations:
        with transaction.atomic(using):
            sync.fetch(persisted.register(operations), using)


def remove(hashes: Sequence[str], using: str) -> None:
    """Forget operations. Raises FraiseQLError."""
    sync.fetch(persisted.remove(hashes), using)


def warm(rows: Iterable[dict[str, Any]], step: Step = lambda _: None) -> list[Warmed]:
    """Compile what is registered, as a server does when it starts."""
    engine = pipeline.get_engine()
    warmed = []
    for row in rows:
        step(row["name"] or row["hash"])
        faults: tuple[str, ...] = ()
        started = perf_counter()
        try:
            engine.compile_all(row["text"])
        except FraiseQLError as error:
            faults = tuple(entry["message"] for entry in _entries(error))
        duration_ms = (perf_counter() - started) * 1000
        warmed.append(Warmed(row["name"], row["hash"], duration_ms, faults))
    return warmed


def _faults(found: Found, error: FraiseQLError) -> list[Fault]:
    return [
        Fault(found.place_of(entry.get("locations", [{"line": 1}])[0]["line"]), entry["message"])
        for entry in _entries(error)
    ]


def _entries(error: FraiseQLError) -> list[dict[str, Any]]:
    return error.extensions.get("errors") or [{"message": error.message}]

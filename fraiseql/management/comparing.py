"""
What files, migrations and a database do not agree on: for ``fraiseql_migrate diff`` and ``check``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from difflib import ndiff
from typing import Any

from django.db import connections

from fraiseql.db.objects.drift import Difference, differences
from fraiseql.management import ledger, migrating
from fraiseql.management.making import Change, changes, in_order


@dataclass(frozen=True)
class Disagreement:
    """
    ``unrecorded``: files that changed since their last migration; ``waiting``: migrations that are not applied;
    ``differences``: what files declare and the database has otherwise.
    """

    unrecorded: list[Change]
    waiting: list[str]
    differences: list[Difference]

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.unrecorded or self.waiting or self.differences)

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "unrecorded": [
                {"app": item.app, "path": item.path, "change": item.verb}
                for item in self.unrecorded
            ],
            "waiting": self.waiting,
            "differences": [asdict(item) for item in self.differences],
        }


def compare(using: str, labels: Iterable[str] = ()) -> Disagreement:
    """Return what is not agreed on; ``labels``: of which applications. Raises FraiseQLError, DatabaseError."""
    files, known = ledger.declared(), ledger.read()
    wanted = set(ledger.known(labels))
    unrecorded = [change for change in changes(files, known) if change.app in wanted]
    waiting = [
        str(migration)
        for migration, _ in migrating.plan(using, None, None)
        if migration.app_label in wanted
    ]
    # All of them are built, since each may need the others'.
    everything = in_order(
        [Change(*key, script, None) for key, script in files.items() if script.heads]
    )
    scripts = [change.new for change in everything if change.new is not None]
    labelled = {script.label for (label, _), script in files.items() if label in wanted}
    found = differences(connections[using], scripts)
    return Disagreement(unrecorded, waiting, [item for item in found if item.file in labelled])


def lines(found: Disagreement) -> Iterator[str]:
    """Return it for people."""
    for change in found.unrecorded:
        yield f"{change.app}/sql/{change.path}: {change.verb} since its last migration"
    for name in found.waiting:
        yield f"{name}: not applied"
    for item in found.differences:
        yield from _difference(item)


def _difference(item: Difference) -> Iterator[str]:
    if item.declared is None or item.live is None:
        where = "the database lacks" if item.live is None else "the file lacks"
        if item.part == "file":
            yield f"{item.file}: it cannot be run: {item.declared}"
        elif item.part == "object":
            yield f"{item.file}: {where} {item.object}"
        else:
            yield f"{item.file}: {where} {item.part} of {item.object}: {item.declared or item.live}"
        return
    yield f"{item.file}: {item.part} of {item.object} differs (- file, + database)"
    for line in ndiff(item.declared.splitlines(), item.live.splitlines()):
        if not line.startswith("?"):
            yield f"    {line}".rstrip()

"""
The log of syncs in figures: for Prometheus, for pages, for reports.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connections

from fraiseql.conf import get_settings
from fraiseql.db.texts import sql_text


@dataclass(frozen=True)
class Syncs:
    """
    The syncs of one projection in the last 24 hours.

    ``changed``: rows inserted, updated and deleted. ``latest``: when the last one ended.
    """

    entity: str
    syncs: int
    failures: int
    changed: int
    mean_ms: float
    longest_ms: float
    latest: datetime


@dataclass(frozen=True)
class Total:
    """The same of all projections. Without syncs, mean and share are None."""

    syncs: int
    failures: int
    mean_ms: float | None
    success_pct: float | None


def syncs_of_a_day(using: str | None = None) -> list[Syncs]:
    """Return the figures of each projection that was synced, by name. Raises Django's DatabaseError."""
    with connections[using or get_settings().DATABASE].cursor() as cursor:
        cursor.execute(sql_text("fraiseql.observability", "syncs"))
        return [
            Syncs(entity, syncs, failures, int(changed), mean_ms, longest_ms, latest)
            for entity, syncs, failures, changed, mean_ms, longest_ms, latest in cursor.fetchall()
        ]


def total(each: Sequence[Syncs]) -> Total:
    """Return the sum of ``each``."""
    syncs = sum(one.syncs for one in each)
    failures = sum(one.failures for one in each)
    if not syncs:
        return Total(0, 0, None, None)
    mean_ms = sum(one.mean_ms * one.syncs for one in each) / syncs
    return Total(syncs, failures, mean_ms, 100 * (syncs - failures) / syncs)

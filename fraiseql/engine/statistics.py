"""
How often stored operations were used, how often they failed and how long they took.

Requests only add to numbers in memory; a thread of the process writes them every few seconds, and what is left
when the process ends.
"""

import atexit
import logging
import os
from threading import Event, Lock, Thread

from django.core import mail
from django.db import connections

from fraiseql.db import sync
from fraiseql.engine.document import persisted
from fraiseql.engine.document.persisted import Count
from fraiseql.errors import FraiseQLError

INTERVAL_S = 10.0
MAX_COUNTED = 10_000
"""Operations counted at once; while the database is away, others are left out."""

log = logging.getLogger(__name__)

Place = tuple[str, tuple[str, str]]
"""A database's alias, and what its store has the operation under."""


class Statistics:
    """What this process has counted and not yet written."""

    def __init__(self) -> None:
        self._counts: dict[Place, Count] = {}
        self._lock = Lock()
        self._writer: Thread | None = None
        self._ended = Event()

    def note(self, using: str, key: tuple[str, str], duration_ms: float, failed: bool) -> None:
        """Count one answer of an operation."""
        self._add((using, key), Count(1, int(failed), duration_ms, duration_ms))
        # Django's own mark of its test environment, where nothing is written behind a test's back.
        if self._writer is None and not hasattr(mail, "outbox"):
            self._start()

    def flush(self) -> None:
        """Write what was counted, on Django's connections; what cannot be written is kept."""
        with self._lock:
            taken, self._counts = self._counts, {}
        for using in {using for using, _ in taken}:
            counts = {key: count for (alias, key), count in taken.items() if alias == using}
            try:
                sync.fetch(persisted.count(counts.items()), using)
            except FraiseQLError as error:
                log.warning("Statistics of %d operations are not written: %s", len(counts), error)
                for key, count in counts.items():
                    self._add((using, key), count)

    def close(self) -> None:
        """Write what is left and end the thread that writes."""
        self._ended.set()
        self.flush()

    def _add(self, place: Place, count: Count) -> None:
        with self._lock:
            known = self._counts.get(place)
            if known is not None:
                known.add(count)
            elif len(self._counts) < MAX_COUNTED:
                self._counts[place] = count

    def _start(self) -> None:
        with self._lock:
            if self._writer is None:
                self._writer = Thread(target=self._write, name="fraiseql-statistics", daemon=True)
                self._writer.start()
                atexit.register(self.close)

    def _write(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            self.flush()
            connections.close_all()


statistics = Statistics()
"""Those of this process; a forked one begins anew, for threads are not forked."""

os.register_at_fork(after_in_child=statistics.__init__)  # type: ignore[misc]  # as when it was made

"""
One connection of the asynchronous pool, spoken to through libpq in its pipeline mode.

psycopg opens and cancels; statements go by hand, since raw bytes need none of a cursor's adapters
and row makers. Each flight ends with a Sync of its own: it is one transaction, and its error ends
there. The socket stays registered with the event loop while the connection lives: nothing to do
per statement, and a server that goes away is noticed when it goes, not by the next request.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, Self

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from fraiseql.db.flight import Flight
from fraiseql.db.statement import numbered

# A connection that prepared more texts is replaced: one reconnection frees the backend's memory
# for all of them, and bounds what clients that never repeat a query can make it hold.
MAX_PREPARED = 500

_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.EMPTY_QUERY)
_SYNC, _FATAL, _ABORTED = (
    ExecStatus.PIPELINE_SYNC,
    ExecStatus.FATAL_ERROR,
    ExecStatus.PIPELINE_ABORTED,
)


class _Sent:
    """A flight under way: ``replies`` so far, ``prepares`` the texts of those that are of a PREPARE."""

    __slots__ = ("error", "flight", "future", "prepares", "replies")

    def __init__(self, flight: Flight, future: asyncio.Future[list[PGresult] | None]) -> None:
        self.flight = flight
        self.future = future
        self.error: PGresult | None = None
        self.prepares: list[str | None] = []
        self.replies: list[PGresult] = []


class Link:
    """
    A connection that runs flights in the order of ``send``, each text prepared once.

    ``prepares``: False sends texts unprepared, for a pooler that gives each transaction any session.
    ``used``: the loop's time since which the first flight under way has had the server, or of the
    last one's end; ``born``: of the connection. ``retired``: to be closed as soon as it is free.
    ``on_free``: called once when the last flight under way has ended.
    """

    __slots__ = (
        "_connection", "_drained", "_has_unsent", "_is_open", "_loop", "_names", "_on_lost",
        "_pgconn", "_prepared", "_prepares", "_preparing", "_sent", "_socket",
        "born", "on_free", "retired", "used",
    )  # fmt: skip

    def __init__(
        self,
        connection: psycopg.AsyncConnection[Any],
        on_lost: "Callable[[Link], None]",
        prepares: bool = True,
    ) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._pgconn.enter_pipeline_mode()
        self._socket = connection.pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self.proceed)
        self._on_lost = on_lost
        self._is_open, self._has_unsent = True, False
        self._prepares = prepares
        self._names = count()
        self._prepared: dict[str, bytes] = {}
        self._preparing: dict[str, bytes] = {}
        self._sent: deque[_Sent] = deque()
        self._drained: asyncio.Future[None] | None = None
        self.born = self.used = self._loop.time()
        self.retired = False
        self.on_free: Callable[[Link], None] | None = None

    @classmethod
    async def open(
        cls, params: dict[str, Any], on_lost: "Callable[[Link], None]", prepares: bool = True
    ) -> Self:
        """Return a connection. Raises psycopg.Error."""
        connection = await psycopg.AsyncConnection.connect(**params, autocommit=True)
        return cls(connection, on_lost, prepares)

    @property
    def is_busy(self) -> bool:
        """Tell whether a flight is under way, wanted or not."""
        return bool(self._sent)

    @property
    def is_wanted(self) -> bool:
        """Tell whether somebody still waits for a flight under way."""
        return any(not sent.future.done() for sent in self._sent)

    @property
    def load(self) -> int:
        """Return how many flights are under way."""
        return len(self._sent)

    @property
    def first(self) -> Flight:
        """Return the flight that has the server."""
        return self._sent[0].flight

    def pass_on(self) -> None:
        """End all flights but the first with None: they are better sent elsewhere."""
        for sent in tuple(self._sent)[1:]:
            if not sent.future.done():
                sent.future.set_result(None)

    def send(self, flight: Flight) -> asyncio.Future[list[PGresult] | None]:
        """Start a flight; the future ends with a result for each statement or a psycopg.Error."""
        if not self._sent:
            self.used = self._loop.time()
        sent = _Sent(flight, self._loop.create_future())
        self._sent.append(sent)
        try:
            self._send_steps(sent)
            self._pgconn.pipeline_sync()
            self._flush()
        except psycopg.Error as error:
            self.fail(error)
        return sent.future

    async def cancel(self, timeout_s: float) -> None:
        """Have the server cancel what is under way, wanted or not, and see it end."""
        if not self._sent:
            return
        drained = self._drained = self._drained or self._loop.create_future()
        try:
            await self._connection.cancel_safe(timeout=timeout_s)
            await asyncio.wait({drained}, timeout=timeout_s)
        except psycopg.Error as error:
            self.fail(error)
        if self._sent:
            self.fail(psycopg.OperationalError("the statement did not end when cancelled"))

    def fail(self, error: psycopg.Error) -> None:
        """Close the connection; what is under way ends with ``error``."""
        ended, self._sent = self._sent, deque()
        self.close()
        for sent in ended:
            if not sent.future.done():
                # The server may have said why before it hung up.
                sent.future.set_exception(error_from_result(sent.error) if sent.error else error)
        self._end_drained()
        self._on_lost(self)

    def close(self) -> None:
        """Close the connection at once, whatever it is doing."""
        self.retired = True
        if not self._is_open:
            return  # The socket's number may be another connection's by now.
        self._is_open = False
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._pgconn.finish()

    def _send_steps(self, sent: _Sent) -> None:
        pgconn = self._pgconn
        for text, params in sent.flight.steps:
            name = self._prepared.get(text)
            if name is not None:
                pgconn.send_query_prepared(name, params)
            elif not self._prepares or text in self._preparing:
                # A flight ahead prepares it, and may fail to.
                pgconn.send_query_params(numbered(text), params)
            else:
                name = self._preparing[text] = b"fraiseql_%d" % next(self._names)
                pgconn.send_prepare(name, numbered(text))
                sent.prepares.append(text)
                pgconn.send_query_prepared(name, params)
            sent.prepares.append(None)

    def _flush(self) -> None:
        """Send what libpq holds; what the socket does not take goes when it is writable."""
        if self._pgconn.flush():
            self._has_unsent = True
            self._loop.add_writer(self._socket, self.proceed)
        elif self._has_unsent:
            self._has_unsent = False
            self._loop.remove_writer(self._socket)

    def proceed(self) -> None:
        """Send and receive as far as the socket lets us."""
        pgconn = self._pgconn
        try:
            if self._has_unsent:
                self._flush()
            pgconn.consume_input()
            while not pgconn.is_busy() and self._sent:
                result = pgconn.get_result()
                if result is not None:
                    self._take(result)
        except psycopg.Error as error:
            self.fail(error)

    def _take(self, result: PGresult) -> None:
        status, sent = result.status, self._sent[0]
        if status in _DONE:
            sent.replies.append(result)
        elif status == _SYNC:
            self._end()
        elif status == _FATAL:
            sent.error = sent.error or result
        elif status != _ABORTED:
            raise psycopg.NotSupportedError("COPY is no statement with rows")

    def _end(self) -> None:
        """Wake the sender of the flight that came to its end."""
        sent = self._sent.popleft()
        now = self._loop.time()
        sent.flight.seconds, self.used = now - self.used, now
        results = self._results(sent)
        if sent.future.done():
            pass
        elif sent.error is not None:
            failed = len(results) - sent.flight.leading
            sent.flight.failed = failed if 0 <= failed < len(sent.flight.statements) else None
            sent.future.set_exception(error_from_result(sent.error))
        else:
            sent.future.set_result(results[sent.flight.leading :])
        if not self._sent:
            self._end_drained()
            on_free, self.on_free = self.on_free, None
            if on_free is not None:
                on_free(self)

    def _results(self, sent: _Sent) -> list[PGresult]:
        """Return the replies of statements, having learned from those of PREPARE."""
        if len(sent.prepares) == len(sent.flight.steps):
            return sent.replies
        results = []
        for text, reply in zip(sent.prepares, sent.replies, strict=False):
            if text is None:
                results.append(reply)
            else:
                self._prepared[text] = self._preparing[text]
        for text in sent.prepares:
            if text is not None:
                del self._preparing[text]
        self.retired = self.retired or len(self._prepared) >= MAX_PREPARED
        return results

    def _end_drained(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None:
            drained.set_result(None)

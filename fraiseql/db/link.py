"""
One connection of the asynchronous pool, spoken to through libpq in its pipeline mode.

psycopg opens and cancels; statements go by hand, since raw bytes need none of a cursor's adapters
and row makers. Each flight ends with a Sync of its own: it is one transaction, and its error ends
there. What is sent in one turn of the event loop goes to the server at its end, at once. The socket
stays registered with the event loop while the connection lives: nothing to do per statement, and a
server that goes away is noticed when it goes, not by the next request.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from time import monotonic
from typing import Any, Self

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from fraiseql.db.flight import Flight, Step
from fraiseql.db.libpq import sender_of_sync, unable
from fraiseql.db.rows import Rows
from fraiseql.db.statement import numbered

# A connection that prepared more texts is replaced: one reconnection frees the backend's memory
# for all of them, and bounds what clients that never repeat a query can make it hold.
MAX_PREPARED = 500

_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.EMPTY_QUERY)
# As numbers, which is what a result's status is compared with, for each statement.
_ROWS, _SYNC = int(ExecStatus.TUPLES_OK), int(ExecStatus.PIPELINE_SYNC)

# libpq reads as much at once as its buffer holds, which begins with 16 kB and grows for a longer
# message, for good: results are read in one go and not as often as the server pauses between.
WIDEN = "SELECT pg_backend_pid(), repeat(' ', 100000)"

# What PgBouncer says to options of a connection, which PostgreSQL takes.
_NO_OPTIONS = "unsupported startup parameter"

# What a function that writes may have set for longer than its transaction ends here.
_RESET: list[Step] = [("RESET ALL", ())]


class PoolerFound(psycopg.OperationalError):
    """Not the server itself answers."""


class Link:
    """
    A connection that runs flights in the order of ``send``, each text prepared once.

    ``prepares``: False sends texts unprepared, for a pooler that gives each transaction any session.
    ``flights``: under way, the first has the server as soon as it is sent. ``used``: since when it
    has had it, or the last one's end; ``born``: of the connection. ``seconds``: how long the last
    one had the server. ``retired``: to be closed as soon as it is free. ``on_end``: called when
    flights have ended, with their number; ``on_free``: once when the last one has; ``on_failed``:
    with a flight that somebody waits for and its error, to end it.
    """

    __slots__ = (
        "_connection", "_drained", "_has_unsent", "_is_flushing", "_is_idle", "_is_open", "_loop", "_names",
        "_on_lost", "_pgconn", "_prepared", "_prepares", "_preparing", "_send_sync", "_socket",
        "born", "flights", "on_end", "on_failed", "on_free", "retired", "seconds", "used",
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
        self._send_sync = sender_of_sync(connection.pgconn)
        self._is_open, self._is_idle = True, True
        self._is_flushing, self._has_unsent = False, False
        self._prepares = prepares
        self._names = count()
        self._prepared: dict[str, bytes] = {}
        self._preparing: dict[str, bytes] = {}
        self._drained: asyncio.Future[None] | None = None
        self.flights: deque[Flight] = deque()
        self.born = self.used = monotonic()
        self.seconds = 0.0
        self.retired = False
        self.on_end: Callable[[Link, int], None] | None = None
        self.on_failed: Callable[[Link, Flight, psycopg.Error], None] | None = None
        self.on_free: Callable[[Link], None] | None = None

    @classmethod
    async def open(
        cls, params: dict[str, Any], on_lost: "Callable[[Link], None]", prepares: bool = True
    ) -> Self:
        """Return a connection. Raises psycopg.Error: PoolerFound, if it cannot be relied on to prepare."""
        try:
            connection = await psycopg.AsyncConnection.connect(**params, autocommit=True)
        except psycopg.OperationalError as error:
            if prepares and _NO_OPTIONS in str(error):
                raise PoolerFound(str(error)) from error
            raise
        try:
            if prepares:  # A pooler may let statements wait, and nobody watches over this one.
                (row,) = await (await connection.execute(WIDEN)).fetchall()
                if row[0] != connection.info.backend_pid:
                    raise PoolerFound("a pooler answers in the server's place")
        except BaseException:
            await connection.close()
            raise
        return cls(connection, on_lost, prepares)

    @property
    def is_busy(self) -> bool:
        """Tell whether a flight is under way, wanted or not."""
        return bool(self.flights)

    @property
    def busy_s(self) -> float:
        """Return how long the first flight under way has had the server."""
        return 0.0 if self._is_idle else monotonic() - self.used

    @property
    def is_wanted(self) -> bool:
        """Tell whether somebody still waits for a flight under way."""
        return any(not flight.future.done() for flight in self.flights)

    def pass_on(self) -> list[Flight]:
        """Return all flights but the first, if wanted, to be sent elsewhere."""
        first, *others = self.flights
        self.flights.clear()
        self.flights.extend((first, *(flight.leave() for flight in others)))
        return [flight for flight in others if not flight.future.done()]

    def send(self, flight: Flight) -> asyncio.Future[list[Rows]]:
        """Start a flight; its future ends with the rows of each statement or a psycopg.Error."""
        pgconn, prepared = self._pgconn, self._prepared
        self.flights.append(flight)
        try:
            for text, params in flight.steps:
                name = prepared.get(text)
                if name is not None:
                    pgconn.send_query_prepared(name, params)
                else:
                    self._put_new(flight, text, params)
            if not self._send_sync():
                pgconn.pipeline_sync()
            if flight.writes and self._prepares:
                self.send(Flight.unwanted(_RESET))
        except psycopg.Error as error:
            self.fail(error)
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)
        return flight.future

    async def cancel(self, timeout_s: float) -> None:
        """Have the server cancel what is under way, wanted or not, and see it end."""
        if not self.flights:
            return
        drained = self._drained = self._drained or self._loop.create_future()
        try:
            await self._connection.cancel_safe(timeout=timeout_s)
            await asyncio.wait({drained}, timeout=timeout_s)
        except psycopg.Error as error:
            self.fail(error)
        if self.flights:
            self.fail(psycopg.OperationalError("the statement did not end when cancelled"))

    def fail(self, error: psycopg.Error) -> None:
        """Close the connection; what is under way ends with ``error``."""
        ended = tuple(self.flights)
        self.flights.clear()
        self.close()
        self._end_drained()
        self._on_lost(self)
        for flight in ended:
            # The server may have said why before it hung up; no statement is to blame.
            said, flight.error = flight.error, None
            self._refuse(flight, error_from_result(said) if said else error)

    def close(self) -> None:
        """Close the connection at once, whatever it is doing."""
        self.retired = True
        if not self._is_open:
            return  # The socket's number may be another connection's by now.
        self._is_open = False
        self._send_sync = unable
        if not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._pgconn.finish()

    def _put_new(self, flight: Flight, text: str, params: Sequence[bytes | None]) -> None:
        """Hand a text to libpq that is not known to be prepared, and prepare it if that can be."""
        # Where a step ahead prepares it, that may fail.
        if not self._prepares or text in self._preparing:
            self._pgconn.send_query_params(numbered(text), params)
            return
        name = self._preparing[text] = b"fraiseql_%d" % next(self._names)
        self._pgconn.send_prepare(name, numbered(text))
        self._pgconn.send_query_prepared(name, params)
        index = [each for each, _ in flight.steps].index(text)
        flight.prepares = flight.prepares or {}
        flight.prepares[index + len(flight.prepares)] = text

    def _flush(self) -> None:
        self._is_flushing = False
        # libpq sends when it reads, too: the answer may have been quicker than this.
        if self._is_idle and self.flights:
            self._is_idle, self.used = False, monotonic()
        try:
            if self._is_open:
                self._send()
        except psycopg.Error as error:
            self.fail(error)

    def proceed(self) -> None:
        """Send and receive as far as the socket lets us."""
        pgconn = self._pgconn
        try:
            if self._has_unsent:
                self._send()
            pgconn.consume_input()
            if not self.flights:
                self._read_on()
            elif not pgconn.is_busy():
                self._receive()
        except psycopg.Error as error:
            self.fail(error)

    def _send(self) -> None:
        """Send what libpq holds; what the socket does not take goes when it is writable."""
        if self._pgconn.flush():
            self._has_unsent = True
            self._loop.add_writer(self._socket, self.proceed)
        elif self._has_unsent:
            self._has_unsent = False
            self._loop.remove_writer(self._socket)

    def _receive(self) -> None:
        """Take what libpq has read."""
        flights, is_busy, get_result = self.flights, self._pgconn.is_busy, self._pgconn.get_result
        count, now, replies = len(flights), monotonic(), flights[0].replies
        while not is_busy():
            result = get_result()
            if result is None:
                continue
            status = result.status
            if status == _ROWS:
                replies.append(result)
                get_result()  # None, which is there at once: a statement has one result.
            elif status == _SYNC:
                self._end(flights.popleft())
                if not flights:
                    break
                replies = flights[0].replies
            else:
                self._take(result, status)
        if len(flights) < count:
            self._note(count - len(flights), now)

    def _read_on(self) -> None:
        """
        Read behind what the server said last, where it may have hung up.

        libuv tells once of a socket with an error, which a backend leaves that has not read all, and
        then watches it no more; the first read ends before the error.
        """
        self._pgconn.consume_input()

    def _take(self, result: PGresult, status: int) -> None:
        flight = self.flights[0]
        if status in _DONE:
            flight.replies.append(result)
        elif status == ExecStatus.FATAL_ERROR:
            flight.error = flight.error or result
            self._read_on()
        elif status != ExecStatus.PIPELINE_ABORTED:
            raise psycopg.NotSupportedError("COPY is no statement with rows")

    def _end(self, flight: Flight) -> None:
        """Wake the sender of a flight that came to its end."""
        if flight.prepares:
            flight.replies = self._learned(flight.replies, flight.prepares)
        if flight.error is not None:
            self._refuse(flight, error_from_result(flight.error))
        elif not flight.future.done():
            flight.future.set_result(list(map(Rows, flight.replies[flight.leading :])))

    def _note(self, ended: int, now: float) -> None:
        """Tell who wants to know that so many flights have ended."""
        self.seconds, self.used = now - self.used, now
        if self.on_end is not None:
            self.on_end(self, ended)
        if not self.flights:
            self._is_idle = True
            self._end_drained()
            on_free, self.on_free = self.on_free, None
            if on_free is not None:
                on_free(self)

    def _refuse(self, flight: Flight, error: psycopg.Error) -> None:
        if flight.steps is _RESET:
            self.retired = True
        if flight.future.done():
            pass
        elif self.on_failed is not None:
            self.on_failed(self, flight, error)
        else:
            flight.future.set_exception(error)

    def _learned(self, replies: list[PGresult], prepares: dict[int, str]) -> list[PGresult]:
        """Return the replies that are of statements, having learned from those of PREPARE."""
        for index, text in prepares.items():
            name = self._preparing.pop(text)
            if index < len(replies):
                self._prepared[text] = name
        self.retired = self.retired or len(self._prepared) >= MAX_PREPARED
        return [reply for index, reply in enumerate(replies) if index not in prepares]

    def _end_drained(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None:
            drained.set_result(None)

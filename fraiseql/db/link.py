"""
One connection of the asynchronous pool, spoken to through libpq.

psycopg opens and cancels; statements go by hand, since raw bytes need none of a cursor's adapters
and row makers. The socket stays registered with the event loop while the connection lives: nothing
to do per statement, and a server that goes away is noticed when it goes, not by the next request.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Self

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from fraiseql.db.statement import Statement, numbered

# A connection that prepared more texts is replaced: one reconnection frees the backend's memory
# for all of them, and bounds what clients that never repeat a query can make it hold.
MAX_PREPARED = 500

_COMMAND_OK, _TUPLES_OK = ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK
_FATAL_ERROR, _EMPTY_QUERY = ExecStatus.FATAL_ERROR, ExecStatus.EMPTY_QUERY
_FINAL = (_TUPLES_OK, _COMMAND_OK, _FATAL_ERROR, _EMPTY_QUERY)


class Link:
    """
    A connection that runs one statement at a time, each text prepared once.

    ``prepares``: False sends texts unprepared, for a pooler that gives each statement any session.
    ``used``: the loop's time of the last ``send``; ``born``: of the connection. ``retired``: to be
    closed as soon as it is free.
    """

    __slots__ = (
        "_connection", "_future", "_has_unsent", "_is_open", "_loop", "_names", "_on_lost",
        "_pending", "_pgconn", "_prepared", "_prepares", "_result", "_socket",
        "born", "retired", "used",
    )  # fmt: skip

    def __init__(
        self,
        connection: psycopg.AsyncConnection[Any],
        on_lost: "Callable[[Link], None]",
        prepares: bool = True,
    ) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._socket = connection.pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._proceed)
        self._on_lost = on_lost
        self._is_open, self._has_unsent = True, False
        self._prepares = prepares
        self._names = count()
        self._prepared: dict[str, bytes] = {}
        self._future: asyncio.Future[PGresult] | None = None
        self._pending: tuple[str, bytes, Sequence[bytes | None]] | None = None
        self._result: PGresult | None = None
        self.born = self.used = self._loop.time()
        self.retired = False

    @classmethod
    async def open(
        cls,
        params: dict[str, Any],
        session: Statement,
        on_lost: "Callable[[Link], None]",
        prepares: bool = True,
    ) -> Self:
        """Return a connection with the session's settings. Raises psycopg.Error."""
        connection = await psycopg.AsyncConnection.connect(**params, autocommit=True)
        try:
            await connection.execute(session.text.encode(), session.params)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, on_lost, prepares)

    @property
    def is_busy(self) -> bool:
        """Tell whether a statement is under way, wanted or not."""
        return self._future is not None

    def send(self, text: str, params: Sequence[bytes | None]) -> asyncio.Future[PGresult]:
        """Start a statement; the future ends with its result or a psycopg.Error."""
        self.used = self._loop.time()
        self._future = future = self._loop.create_future()
        name = self._prepared.get(text)
        try:
            if name is not None:
                self._pgconn.send_query_prepared(name, params)
            elif self._prepares:
                name = b"fraiseql_%d" % next(self._names)
                self._pending = (text, name, params)
                self._pgconn.send_prepare(name, numbered(text))
            else:
                self._pgconn.send_query_params(numbered(text), params)
            self._flush()
        except psycopg.Error as error:
            self.fail(error)
        return future

    async def cancel(self, timeout_s: float) -> None:
        """Have the server cancel the statement under way, wanted or not, and see it end."""
        if self._future is None:
            return
        self._pending = None
        if self._future.done():
            self._future = self._loop.create_future()
        ended = self._future
        try:
            await self._connection.cancel_safe(timeout=timeout_s)
            await asyncio.wait({ended}, timeout=timeout_s)
        except psycopg.Error as error:
            self.fail(error)
        if not ended.done():
            self.fail(psycopg.OperationalError("the statement did not end when cancelled"))
        if not ended.cancelled():
            ended.exception()  # Known: asyncio need not report it.

    def fail(self, error: psycopg.Error) -> None:
        """Close the connection; the statement under way ends with ``error``."""
        future, self._future = self._future, None
        if self._result is not None and self._result.status == _FATAL_ERROR:
            # The server said why before it hung up.
            error = error_from_result(self._result)
        self.close()
        if future is not None and not future.done():
            future.set_exception(error)
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

    def _flush(self) -> None:
        """Send what libpq holds; what the socket does not take goes when it is writable."""
        if self._pgconn.flush():
            self._has_unsent = True
            self._loop.add_writer(self._socket, self._proceed)
        elif self._has_unsent:
            self._has_unsent = False
            self._loop.remove_writer(self._socket)

    def _proceed(self) -> None:
        """Send and receive as far as the socket lets us."""
        pgconn = self._pgconn
        try:
            if self._has_unsent:
                self._flush()
            pgconn.consume_input()
            while not pgconn.is_busy():
                result = pgconn.get_result()
                if result is None:
                    self._end()
                    return
                if result.status not in _FINAL:
                    raise psycopg.NotSupportedError("COPY is no statement with rows")
                self._result = result
        except psycopg.Error as error:
            self.fail(error)

    def _end(self) -> None:
        """Take the result of what was sent: go on after a PREPARE, else wake the sender."""
        result, self._result = self._result, None
        if result is None:
            return  # A notice or a changed parameter, between statements.
        pending, self._pending = self._pending, None
        if pending is not None and result.status == _COMMAND_OK:
            text, name, params = pending
            self._prepared[text] = name
            self.retired = self.retired or len(self._prepared) >= MAX_PREPARED
            self._pgconn.send_query_prepared(name, params)
            self._flush()
            return
        future, self._future = self._future, None
        if future is None or future.done():
            return
        if result.status == _FATAL_ERROR:
            future.set_exception(error_from_result(result))
        else:
            future.set_result(result)

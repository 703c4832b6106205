"""The least that a statement over psycopg's libpq can cost: pipelines without errors, limits or settings."""

import asyncio
from collections import deque

import psycopg
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

CONNECTIONS = 4
_ROWS, _SYNC = int(ExecStatus.TUPLES_OK), int(ExecStatus.PIPELINE_SYNC)


class Pipeline:
    """One connection, one prepared statement; each run of it ends with a Sync."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection, self._pgconn = connection, connection.pgconn
        self._loop = asyncio.get_running_loop()
        self._result: PGresult | None = None
        self.waiting: deque[asyncio.Future[PGresult | None]] = deque()

    @classmethod
    async def open(cls, text: bytes) -> "Pipeline":
        """Connect by libpq's environment variables, prepare ``text``."""
        made = cls(await psycopg.AsyncConnection.connect(autocommit=True))
        made._pgconn.prepare(b"one", text)
        made._pgconn.enter_pipeline_mode()
        made._loop.add_reader(made._pgconn.socket, made._read)
        return made

    def run(self, *params: bytes) -> asyncio.Future[PGresult | None]:
        """Run the statement."""
        future: asyncio.Future[PGresult | None] = self._loop.create_future()
        self._pgconn.send_query_prepared(b"one", params)
        self._pgconn.pipeline_sync()
        self.waiting.append(future)
        return future

    async def close(self) -> None:
        """Close the connection."""
        self._loop.remove_reader(self._pgconn.socket)
        await self._connection.close()

    def _read(self) -> None:
        self._pgconn.consume_input()
        while self.waiting and not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is None:
                continue
            if result.status == _ROWS:
                self._result = result
            elif result.status == _SYNC:
                self.waiting.popleft().set_result(self._result)
            else:
                raise RuntimeError(result.error_message)


class Pipelines:
    """``CONNECTIONS`` of them, opened by the first statement."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._opened: list[Pipeline] = []

    async def values(self, param: str) -> list[bytes | None]:
        """Return the first column."""
        if not self._opened:
            self._opened = [await Pipeline.open(self._text) for _ in range(CONNECTIONS)]
        least = min(self._opened, key=lambda pipeline: len(pipeline.waiting))
        result = await least.run(param.encode())
        if result is None:
            raise LookupError(param)
        return [result.get_value(row, 0) for row in range(result.ntuples)]

    async def close(self) -> None:
        """Close all."""
        for pipeline in self._opened:
            await pipeline.close()

"""
Clients that leave before they are answered: what runs for them is cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

WATCH_AFTER_S = 0.05
"""A client is watched for leaving when its answer has taken that long, or twice."""


class Waiting:
    """
    Who waits for an answer in an event loop: their tasks are cancelled, and so their statements, when they leave.

    Watching for it takes a task of its own, which costs more than most answers: one timer begins it for
    those that take long.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._new: dict[asyncio.Task[Any], Receive] = {}
        self._before: set[asyncio.Task[Any]] = set()
        self._watchers: dict[asyncio.Task[Any], asyncio.Task[None]] = {}
        self._left: set[asyncio.Task[Any]] = set()
        self._is_looking = False

    def enter(self, receive: Receive) -> asyncio.Task[Any]:
        """Let the running task, which is returned, wait."""
        task: asyncio.Task[Any] = asyncio.current_task(self._loop)  # type: ignore[assignment]  # it runs
        self._new[task] = receive
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_later(WATCH_AFTER_S, self._look)
        return task

    def leave(self, task: asyncio.Task[Any]) -> None:
        """End that."""
        if self._new.pop(task, None) is None:
            self._watchers.pop(task).cancel()
            self._left.discard(task)

    def has_left(self, task: asyncio.Task[Any]) -> bool:
        """Tell whether a task was cancelled because its client left."""
        return task in self._left

    def _look(self) -> None:
        """Watch those that were there the last time; end when there is nobody."""
        for task in self._before & self._new.keys():
            watcher = self._loop.create_task(self._watch(task, self._new.pop(task)))
            self._watchers[task] = watcher
        self._before = set(self._new)
        self._is_looking = bool(self._new)
        if self._is_looking:
            self._loop.call_later(WATCH_AFTER_S, self._look)

    async def _watch(self, task: asyncio.Task[Any], receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._left.add(task)
        task.cancel()


_waiting: dict[asyncio.AbstractEventLoop, Waiting] = {}


def waiting_in(loop: asyncio.AbstractEventLoop) -> Waiting:
    """Return those who wait in an event loop."""
    waiting = _waiting.get(loop)
    if waiting is None:
        for ended in [each for each in list(_waiting) if each.is_closed()]:
            _waiting.pop(ended, None)
        waiting = _waiting[loop] = Waiting(loop)
    return waiting

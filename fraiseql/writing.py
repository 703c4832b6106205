"""
An answer's head and body, written at once.

uvicorn writes them apart, each as soon as it has it: two system calls, two packets, and a client that wakes up for
half of an answer. ASGI has no message for both, so its transport is stood in for while they are sent.
"""

from typing import Any, Final

_UVICORN: Final = frozenset(
    f"uvicorn.protocols.http.{name}_impl" for name in ("h11", "httptools", "zttp")
)


class AtOnce:
    """
    Stands in for the transport of ``cycle``, uvicorn's object of one request, until ``end``.

    It keeps what is written. Whatever else is asked of it, the transport does.
    """

    __slots__ = ("_cycle", "_parts", "_transport", "write")

    def __init__(self, cycle: Any) -> None:
        self._cycle, self._transport = cycle, cycle.transport
        self._parts: list[bytes] = []
        self.write = self._parts.append
        cycle.transport = self

    def close(self) -> None:
        """Write what was kept, and close the transport."""
        self.end()
        self._transport.close()

    def end(self) -> None:
        """Write what was kept, and give the transport back."""
        self._cycle.transport = self._transport
        if self._parts and not self._transport.is_closing():
            self._transport.writelines(self._parts)
            self._parts = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def at_once(send: Any) -> AtOnce | None:
    """Return what joins the writes of ``send``, if it is uvicorn's own and no middleware's."""
    cycle = getattr(send, "__self__", None)
    return AtOnce(cycle) if type(cycle).__module__ in _UVICORN else None

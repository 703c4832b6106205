"""
What resolvers find in ``info.context``.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fraiseql.engine.viewer import ANONYMOUS, Viewer
from fraiseql.errors import FraiseQLError


class Context:
    """
    The context of one request: Django's request with the database beside it.

    ``context.db`` and ``context["db"]`` read bound types, ``context.viewer`` is who asks; every other attribute
    is the request's (``context.user``, ``context.session``), so that resolvers written for graphene-django work
    unchanged.
    """

    def __init__(self, request: Any, db: Any, async_db: Any, viewer: Viewer = ANONYMOUS) -> None:
        self.request = request
        self.db = db
        self.viewer = viewer
        self._async_db = async_db
        self.calls: Mapping[str, Callable[[], Any]] = {}
        self._bound: Mapping[str, Any] = {}
        self._extra: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__dict__.get("request"), name)

    def __getitem__(self, name: str) -> Any:
        if name in self._extra:
            return self._extra[name]
        try:
            return getattr(self, name)
        except AttributeError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, value: Any) -> None:
        self._extra[name] = value

    def __contains__(self, name: object) -> bool:
        return name in self._extra or name in {"db", "request", "viewer"}

    def __iter__(self) -> Iterator[str]:
        return iter(("db", "request", "viewer", *self._extra))

    def get(self, name: str, default: Any = None) -> Any:
        """Return the entry ``name``, or ``default``."""
        try:
            return self[name]
        except KeyError:
            return default

    def for_async(self) -> "Context":
        """Return the same context for an asynchronous resolver, whose ``db`` is awaited."""
        twin = Context(self.request, self._async_db, self._async_db, self.viewer)
        twin.calls = self.calls
        twin._bound, twin._extra = self._bound, self._extra
        return twin

    def bind(self, values: Mapping[str, Any]) -> None:
        """Keep what the bound root fields of this operation read, by response key."""
        self._bound = values

    def take_bound(self, response_key: str) -> Any:
        """Return what the bound root field read. Raises its error if it failed."""
        value = self._bound[response_key]
        if isinstance(value, FraiseQLError):
            raise value
        return value

    def call_bound(self, response_key: str) -> Any:
        """Run a bound mutation, whose turn has come, and return its payload. Raises its error."""
        return self.calls[response_key]()

"""
Who asks: requests to viewers, by the setting AUTHENTICATION, the same at both edges.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.contrib.auth import get_user
from django.db import Error, connections
from django.http import HttpRequest
from django.http.cookie import parse_cookie

from fraiseql import sessions
from fraiseql.conf import get_settings, imported
from fraiseql.engine.viewer import ANONYMOUS, Viewer

Claim = Viewer | None
Authentication = Callable[["Request"], Claim | Awaitable[Claim]]


class Request:
    """
    What an authentication sees of a request.

    ``django``: Django's request on the view, None in front of Django. What is read here is named in the
    response's ``Vary``, so that no cache gives one viewer's answer to another.
    """

    def __init__(
        self, header: Callable[[str], str | None], django: HttpRequest | None = None
    ) -> None:
        self._header = header
        self.django = django
        self.consulted: set[str] = set()

    def header(self, name: str) -> str:
        """Return the value of a header, "" if it was not sent."""
        name = name.lower()
        self.consulted.add(name)
        return self._header(name) or ""

    @property
    def cookies(self) -> dict[str, str]:
        """Return the cookies by name."""
        sent = self.header("cookie")
        return parse_cookie(sent) if sent else {}


def reads(*names: str) -> Callable[[Authentication], Authentication]:
    """
    Say which headers an authentication goes by: without all of them it is not asked.

    For a function or a class in the setting AUTHENTICATION::

        @reads("authorization")
        async def token(request: Request) -> Viewer | None: ...
    """

    def mark(authentication: Authentication) -> Authentication:
        authentication.reads = frozenset(name.lower() for name in names)  # type: ignore[attr-defined]  # its mark
        return authentication

    return mark


def has_no_claim(request: Request) -> bool:
    """Tell whether no authentication has anything to go by, so that nobody asks."""
    if request.django is not None:
        return False  # Its middleware may know more than headers say.
    names: set[str] = set()
    for authentication in authentications():
        found = getattr(authentication, "reads", None)
        if found is None:
            return False
        names |= found
    sent = [request.header(name) for name in names]  # Each, since each is named in Vary.
    return not any(sent)


_MIDDLEWARE = "django.contrib.auth.middleware.AuthenticationMiddleware"


def viewer_of(request: Request) -> Viewer:
    """Return who sent a request, in a thread: the first claim, or nobody."""
    for authentication in authentications():
        claim = authentication(request)
        if isinstance(claim, Awaitable):
            claim = async_to_sync(_wait)(claim)
        if claim is not None:
            return claim
    return ANONYMOUS


def claimed(request: Request) -> Viewer | Awaitable[Viewer]:
    """Return the same in an event loop, at once where nothing has to be waited for."""
    asked = authentications()
    for authentication in asked:
        claim = authentication(request)
        if isinstance(claim, Viewer):
            return claim
        if claim is not None:
            return _claimed(request, claim, asked[asked.index(authentication) + 1 :])
    return ANONYMOUS


async def _claimed(
    request: Request, first: Awaitable[Claim], others: tuple[Authentication, ...]
) -> Viewer:
    found = await first
    for authentication in others:
        if found is not None:
            break
        claim = authentication(request)
        found = await claim if isinstance(claim, Awaitable) else claim
    return found or ANONYMOUS


def authentications() -> tuple[Authentication, ...]:
    """Return what AUTHENTICATION names. Raises ConfigurationError if it cannot be imported."""
    return _authentications(get_settings().AUTHENTICATION)


async def _wait(claim: Awaitable[Claim]) -> Claim:
    return await claim


@lru_cache(maxsize=4)
def _authentications(paths: tuple[str, ...]) -> tuple[Authentication, ...]:
    return tuple(_authentication(path) for path in paths)


def _authentication(path: str) -> Authentication:
    found = imported("AUTHENTICATION", path)
    authentication: Authentication = found() if isinstance(found, type) else found
    return authentication


@reads("cookie")
def session(request: Request) -> Claim | Awaitable[Claim]:
    """
    Return the viewer who is logged in to Django; their groups are the viewer's roles.

    The view asks ``request.user``, which the middleware sets. In front of Django the session is read as
    the middleware would, but never written.
    """
    cookies = request.cookies
    if request.django is not None:
        return user_viewer(getattr(request.django, "user", None))
    key = cookies.get(django_settings.SESSION_COOKIE_NAME) if cookies else None
    if not key or _MIDDLEWARE not in django_settings.MIDDLEWARE:
        return None
    return sessions.viewer(key, _session_viewer)


def user_viewer(user: Any) -> Viewer | None:
    """Return the viewer a user of Django is, or None of one who is not logged in or not stored."""
    if user is None or not user.is_authenticated or user.pk is None:
        return None
    groups = getattr(user, "groups", None)
    roles = () if groups is None else groups.values_list("name", flat=True)
    return Viewer(
        user_id=str(user.pk),
        is_staff=bool(getattr(user, "is_staff", False)),
        is_superuser=bool(getattr(user, "is_superuser", False)),
        roles=frozenset(roles),
    )


def _session_viewer(key: str) -> Viewer | None:
    """
    Return whose session ``key`` is.

    The connection stays open for the next session, whatever CONN_MAX_AGE says: one thread reads them all,
    and to connect costs many times what it reads. If the server has ended it, it is opened again, once.
    """
    try:
        return _read_session(key)
    except Error:
        if not _close_lost_connections():
            raise
        return _read_session(key)


def _read_session(key: str) -> Viewer | None:
    request = HttpRequest()
    request.session = _read_only_store(django_settings.SESSION_ENGINE)(key)
    return user_viewer(get_user(request))


def _close_lost_connections() -> bool:
    """Tell whether there were any."""
    lost = [
        connection
        for connection in connections.all(initialized_only=True)
        if not connection.in_atomic_block and not connection.is_usable()
    ]
    for connection in lost:
        connection.close()
    return bool(lost)


@lru_cache(maxsize=4)
def _read_only_store(engine: str) -> Any:
    """Return a SESSION_ENGINE's store that changes nothing: no cookie could be sent with a new key."""

    def nothing(self: Any) -> None:
        pass

    store = import_module(engine).SessionStore
    # The same name: stores sign with it.
    return type(store.__qualname__, (store,), {"cycle_key": nothing, "flush": nothing})

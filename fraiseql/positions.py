"""
A client's horizon as HTTP carries it: a cookie, which browsers keep, and a header for programs.

Both are signed and soon expire: nobody else can have the primary asked where a replica would do, and a
position of a server that has been restored from a backup is forgotten.
"""

from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Final

from django.conf import settings as django_settings
from django.core.signing import BadSignature, TimestampSigner
from django.http.cookie import parse_cookie

from fraiseql.conf import get_settings
from fraiseql.db.horizon import Horizon

COOKIE: Final = "fraiseql_lsn"
HEADER: Final = "x-fraiseql-lsn"
# What the clocks of servers and the last look at a replica may differ by.
_MARGIN_S: Final = 30
_MAX_TOKEN: Final = 128
_SALT: Final = "fraiseql.positions"

Header = tuple[bytes, bytes]


def received(header: Callable[[str], str | None]) -> Horizon:
    """Return the horizon of a request; what is not of our making says nothing."""
    lsn = _lsn(header(HEADER) or "")
    cookies = header("cookie") or ""
    if COOKIE in cookies:
        lsn = max(lsn, _lsn(parse_cookie(cookies).get(COOKIE, "")))
    return Horizon(lsn)


def sent(horizon: Horizon) -> tuple[Header, ...]:
    """Return the headers of a response after ``horizon`` has moved."""
    token = TimestampSigner(salt=_SALT).sign(f"{horizon.lsn:X}")
    cookie = SimpleCookie({COOKIE: token})[COOKIE]
    # Wherever the session goes: a page of another site that may send the one sends the other.
    cookie["path"] = django_settings.SESSION_COOKIE_PATH
    cookie["domain"] = django_settings.SESSION_COOKIE_DOMAIN or ""
    cookie["secure"] = bool(django_settings.SESSION_COOKIE_SECURE)
    cookie["samesite"] = django_settings.SESSION_COOKIE_SAMESITE or ""
    cookie["httponly"] = True
    cookie["max-age"] = _lifetime_s()
    return (HEADER.encode(), token.encode()), (b"set-cookie", cookie.OutputString().encode())


def _lsn(token: str) -> int:
    if not token or len(token) > _MAX_TOKEN:
        return 0
    try:
        return int(TimestampSigner(salt=_SALT).unsign(token, max_age=_lifetime_s()), 16)
    except BadSignature:
        return 0


def _lifetime_s() -> int:
    # A replica further behind than this is not read from, so nothing is forgotten too soon.
    return get_settings().REPLICA_MAX_LAG_MS // 1000 + _MARGIN_S

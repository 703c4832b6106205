"""
GraphiQL: the page a browser gets from the endpoint, and the files it loads.

The Django view and the ASGI application both send what this module returns, so that the page
works without collectstatic, without a CDN and under a strict Content-Security-Policy. The
third-party files are listed in ``static/fraiseql/graphiql/VENDORED.md``.
"""

import hashlib
import secrets
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from urllib.parse import quote

from django.conf import settings
from django.utils.html import format_html

# Below the endpoint: the ASGI application answers without Django's static files.
ASSETS = "assets/"

_FILES = (
    "react.production.min.js",
    "react-dom.production.min.js",
    "graphiql.min.js",
    "graphiql.min.css",
    "page.js",
    "page.css",
)
_CONTENT_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

# No inline script at all. The nonce is for one style element: react-remove-scroll adds it while a
# menu or a dialog is open. CodeMirror and React set styles through the CSSOM, which needs no leave.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Cpath fill='%23d60590' d='M8 0l7 4v8l-7 4-7-4V4z'/%3E"
    "%3Cpath fill='none' stroke='%23fff' stroke-width='1.6' d='M6 12V4.5h4.5M6 8h3.5'/%3E%3C/svg%3E"
)
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>GraphiQL · {endpoint}</title>
<link rel="icon" href="{icon}">
<link rel="stylesheet" href="{graphiql_css}">
<link rel="stylesheet" href="{page_css}">
<script defer src="{react}"></script>
<script defer src="{react_dom}"></script>
<script defer src="{graphiql_js}"></script>
<script defer src="{page_js}" nonce="{nonce}"></script>
</head>
<body>
<div id="graphiql" data-endpoint="{endpoint}"
 data-csrf-cookie="{csrf_cookie}" data-csrf-header="{csrf_header}">
<p class="notice">Loading GraphiQL…</p>
<noscript>
<p class="notice">GraphiQL needs JavaScript. Other clients send queries to {endpoint} by HTTP POST.</p>
</noscript>
</div>
</body>
</html>
"""


@dataclass(frozen=True)
class Reply:
    """The body and the headers of a 200 response, for whichever server sends it."""

    body: bytes
    headers: tuple[tuple[str, str], ...]


def page(*, endpoint: str) -> Reply:
    """
    Return the GraphiQL page that sends its queries to ``endpoint``.

    ``endpoint``: the request's path with its mount point, decoded, as in ``HttpRequest.path``.
    Two calls differ in a nonce, so the reply is not to be cached. ``?query=``, ``?variables=`` and
    ``?operationName=`` of the page's address fill the editors; they are read in the browser.
    """
    # Collapsed and quoted: a path of //host or /\\host would name another server.
    path = "/" + quote(endpoint.lstrip("/"))
    nonce = secrets.token_urlsafe(16)
    urls = {name: f"{path.rstrip('/')}/{ASSETS}{hashed}" for name, hashed in _names().items()}
    html = format_html(
        _PAGE,
        endpoint=path,
        icon=_ICON,
        nonce=nonce,
        react=urls["react.production.min.js"],
        react_dom=urls["react-dom.production.min.js"],
        graphiql_js=urls["graphiql.min.js"],
        graphiql_css=urls["graphiql.min.css"],
        page_js=urls["page.js"],
        page_css=urls["page.css"],
        csrf_cookie=settings.CSRF_COOKIE_NAME,
        csrf_header=settings.CSRF_HEADER_NAME.removeprefix("HTTP_").replace("_", "-"),
    )
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", _POLICY.format(nonce=nonce)),
        ("Cache-Control", "no-store"),
        ("Vary", "Accept"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
    )
    return Reply(html.encode(), headers)


def asset(name: str) -> Reply | None:
    """
    Return the file the page calls ``name``, or None if it calls none so.

    Names are looked up among those the page writes, never in a file system. Each carries a hash of
    its file, so browsers keep the reply for good.
    """
    return _assets().get(name)


@cache
def _assets() -> dict[str, Reply]:
    return {_names()[file]: _reply(file) for file in _FILES}


@cache
def _names() -> dict[str, str]:
    return {file: _hashed(file) for file in _FILES}


def _hashed(file: str) -> str:
    path = PurePosixPath(file)
    return f"{path.stem}.{hashlib.sha256(_read(file)).hexdigest()[:12]}{path.suffix}"


def _reply(file: str) -> Reply:
    headers = (
        ("Content-Type", _CONTENT_TYPES[PurePosixPath(file).suffix]),
        ("Cache-Control", "public, max-age=31536000, immutable"),
        ("X-Content-Type-Options", "nosniff"),
    )
    return Reply(_read(file), headers)


def _read(file: str) -> bytes:
    return (resources.files("fraiseql") / "static/fraiseql/graphiql" / file).read_bytes()

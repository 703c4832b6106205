"""
Addresses: IP, MAC, host names, e-mail and URLs.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from fraiseql.schema.coercion.words import matched, text

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T")
# The rule of <input type=email> (WHATWG HTML, 4.10.5.1.5), with at least two labels after the @.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
    re.ASCII | re.IGNORECASE,
)
_HOSTNAME = re.compile(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    re.ASCII | re.IGNORECASE,
)
_MAC = re.compile(r"[0-9a-f]{2}([:-])([0-9a-f]{2}\1){4}[0-9a-f]{2}", re.ASCII | re.IGNORECASE)
_URL_SCHEMES = frozenset({"http", "https", "ftp", "ftps", "ws", "wss"})


def ip_address(value: object) -> IpAddress:
    """Return an address, version 4 or 6, without a prefix length or a zone."""
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv6Address):
        address = value
    else:
        address = _network_value(ipaddress.ip_address, text(value), "an IP address")
    if getattr(address, "scope_id", None) is not None:
        raise ValueError("expected an IP address without a zone.")
    return address


def cidr(value: object) -> IpNetwork:
    """Return a network whose bits right of the mask are zero."""
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    given = text(value)
    if "%" in given:
        raise ValueError("expected a network without a zone.")
    return _network_value(
        ipaddress.ip_network, given, "a network, 10.0.0.0/8, with zeros right of the mask"
    )


def _network_value(read: Callable[[str], T], given: str, expected: str) -> T:
    # A /255.0.0.0 mask is Python's, not PostgreSQL's.
    if len(given) > 60 or given.partition("/")[2].count("."):
        raise ValueError(f"expected {expected}.")
    try:
        return read(given)
    except ValueError:
        raise ValueError(f"expected {expected}.") from None


def ip_range(value: object) -> tuple[IpAddress, IpAddress]:
    """Return the first and the last address of ``10.0.0.1-10.0.0.99``."""
    first, dash, last = text(value).partition("-")
    if not dash:
        raise ValueError("expected two IP addresses with a hyphen between, first-last.")
    low, high = ip_address(first.strip()), ip_address(last.strip())
    if low.version != high.version:
        raise ValueError("expected two addresses of one IP version.")
    return low, high


def encode_ip_range(value: tuple[IpAddress, IpAddress]) -> str:
    """Return two addresses as an array."""
    return f"{{{value[0]},{value[1]}}}"


def mac_address(value: object) -> str:
    """Return a MAC address of six bytes, in lower case with colons."""
    return matched(_MAC, value, "a MAC address, 08:00:2b:01:02:03").lower().replace("-", ":")


def hostname(value: object) -> str:
    """Return a host name (RFC 1123)."""
    return matched(_HOSTNAME, value, "a host name", 253)


def email(value: object) -> str:
    """Return an e-mail address."""
    return matched(_EMAIL, value, "an e-mail address", 254)


def url(value: object) -> str:
    """Return an absolute URL of a scheme that browsers may safely follow."""
    given = text(value)
    expected = "expected an absolute URL, https://example.com/path."
    if len(given) > 8_192 or any(character.isspace() or ord(character) < 32 for character in given):
        raise ValueError(expected)
    try:
        parts = urlsplit(given)
        known = parts.scheme in _URL_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(expected) from None
    if not known:
        raise ValueError(expected)
    return given

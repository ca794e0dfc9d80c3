"""What a browser may be tricked into: names that lead here, and pages of others that call here."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def is_local_name(header: bytes) -> bool:
    """Whether a `Host` header names this machine by a name that no DNS of others can give.

    A page whose own name is made to resolve to 127.0.0.1 reaches a loopback daemon, but its
    requests carry that name.
    """
    return is_loopback(_host(header) or "")


def is_same_origin(origin: bytes, host: bytes | None) -> bool:
    """Whether a page of this very address is asking; the port counts."""
    try:
        return urlsplit(origin.decode("ascii")).netloc.lower() == (host or b"").decode().lower()
    except ValueError:
        return False


def _host(header: bytes) -> str | None:
    try:
        return urlsplit("//" + header.decode("ascii")).hostname
    except ValueError:
        return None

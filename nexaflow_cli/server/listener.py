"""The address a daemon listens on."""

from __future__ import annotations

import errno
import socket

from nexaflow_cli.errors import ConflictError, NotAllowedError, UsageError


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to an address, that takes no connections yet.

    Args:
        port: 0 lets the system choose.

    Raises:
        ConflictError: something listens there already.
        NotAllowedError: the system forbids it.
        UsageError: this machine has no such address.
    """
    try:
        infos = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        # `localhost` has two addresses, and it is the old one that clients are told of.
        infos.sort(key=lambda info: info[0] != socket.AF_INET)
        family, kind, protocol, _, address = infos[0]
    except (OSError, UnicodeError) as error:
        raise _unusable(host, error) from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by the connections: peers that are gone without a word are found out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setblocking(False)
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise taken(host, port) from error
        if error.errno == errno.EACCES:
            raise NotAllowedError(
                f"the system does not let this user listen on port {port}",
                hint="choose one above 1023 with --port",
            ) from error
        raise _unusable(host, error) from error
    return listener


def taken(host: str, port: int) -> ConflictError:
    """The error for an address that something else listens on."""
    return ConflictError(
        f"{shown(host, port)} is taken: something listens there already",
        hint=f"choose another port, as in `nexaflow serve --port {port + 1}`, or see "
        "`nexaflow daemon status`",
    )


def shown(host: str, port: int) -> str:
    """The address as part of a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _unusable(host: str, error: Exception) -> UsageError:
    reason = getattr(error, "strerror", None) or str(error)
    return UsageError(
        f"cannot listen on {host!r}: {reason}",
        hint="--host takes an address of this machine, such as 127.0.0.1 or 0.0.0.0",
    )

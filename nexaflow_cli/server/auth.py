"""Who shows which key, and whether that allows what is asked."""

from __future__ import annotations

import hmac
import os
import pwd
from dataclasses import dataclass
from hashlib import sha256

from nexaflow_cli.server.roles import GRANTS, Permission, Role


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the name that history and audit show, and the role of the key shown."""

    name: str
    role: Role


class Keyring:
    """The keys that open this daemon.

    Args:
        local_key: the key of this life of the daemon, for the user it runs as.
    """

    def __init__(self, local_key: str) -> None:
        # Digests are compared: their length tells nothing, and keys of users will be kept so too.
        self._local = _digest(local_key)
        self._owner = Identity(_user_name(), Role.ADMIN)

    def identify(self, token: str) -> Identity | None:
        """Whose key this is; None: nobody's. Takes as long for a near miss as for any other."""
        return self._owner if hmac.compare_digest(self._local, _digest(token)) else None


def allowed(identity: Identity, permission: Permission) -> bool:
    """Whether the role of an identity holds a permission."""
    return permission in GRANTS[identity.role]


def bearer(header: bytes | None) -> str | None:
    """The token of an `Authorization` header; None if it holds no bearer token."""
    if header is None:
        return None
    scheme, _, token = header.partition(b" ")
    if scheme.lower() != b"bearer":
        return None
    try:
        return token.strip().decode("ascii") or None
    except UnicodeDecodeError:
        return None


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"

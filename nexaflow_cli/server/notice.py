"""Whether a client's version fits this daemon's, in words."""

from __future__ import annotations

import re

from nexaflow_cli import __version__

HEADER = b"x-nexaflow-client"
_CLIENT = re.compile(
    rb"([A-Za-z][A-Za-z0-9._-]{0,39})/(\d{1,4})\.(\d{1,4})(?:[.A-Za-z0-9+-]{0,40})"
)
_MAJOR, _MINOR = (int(part) for part in __version__.split(".")[:2])


def mismatch(header: bytes | None) -> str:
    """What to tell a client that says, in `X-Nexaflow-Client`, which version it is.

    Empty for one that fits: of the same major version, and not newer.
    """
    if header is None:
        return ""
    told = _CLIENT.fullmatch(header)
    if told is None:
        return "X-Nexaflow-Client cannot be read; write it like nexaflow-cli/2.0.0"
    name = told[1].decode()
    version = header.decode().partition("/")[2]
    major, minor = int(told[2]), int(told[3])
    if major != _MAJOR:
        return (
            f"{name} is version {version} and this daemon {__version__}; they may misunderstand "
            f"each other: install the same major version on both sides"
        )
    if minor > _MINOR:
        return (
            f"{name} {version} is newer than this daemon ({__version__}), which may not know "
            "all it asks for: upgrade the daemon"
        )
    return ""

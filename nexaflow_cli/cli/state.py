"""What the global options of this invocation say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nexaflow_cli.client.http import HttpClient
    from nexaflow_cli.config import Connection


@dataclass(slots=True)
class Options:
    """The global options, as given before or after the command."""

    url: str | None = None
    api_key: str | None = None
    debug: bool = False
    no_color: bool = False


options = Options()


def reset() -> None:
    """Forget the options of an earlier invocation in the same process."""
    for name in Options.__slots__:
        setattr(options, name, getattr(_DEFAULTS, name))


_DEFAULTS = Options()


def connection() -> Connection:
    """The daemon that the options, the environment and the defaults name."""
    from nexaflow_cli import config

    return config.connection(options.url, options.api_key)


def client(*, timeout: float = 30.0, attempts: int = 4) -> HttpClient:
    """A client of that daemon; use it in a `with`."""
    from nexaflow_cli.client.http import HttpClient

    return HttpClient(connection(), timeout=timeout, attempts=attempts)

"""Log lines that the daemon has, page after page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nexaflow_cli.client.http import HttpClient

_PAGE = 1000


def stored(
    client: HttpClient, run: str, step: str | None = None, after: int | None = None
) -> Iterator[Any]:
    """The lines that are there now, after number `after`, page after page."""
    while True:
        page = client.get(f"runs/{run}/logs", step=step, after=after, limit=_PAGE)
        yield from page["items"]
        after = page.get("next")
        if after is None or not page["items"]:
            return

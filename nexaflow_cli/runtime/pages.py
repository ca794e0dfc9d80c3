"""Lists by pages: a cursor says where the last one ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from nexaflow_cli.errors import UsageError

T = TypeVar("T")
Page = dict[str, Any]
"""`items`, and `next`: the cursor of the page after this one, or None."""


def number(cursor: str | None) -> int | None:
    """The number in a cursor.

    Raises:
        UsageError: it is none of ours.
    """
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise UsageError(
            f"{cursor[:40]!r} is not a cursor", hint="use the `next` of the page before, as it is"
        )
    return int(cursor)


def page(
    rows: Sequence[T], limit: int, shape: Callable[[T], Any], place: Callable[[T], int]
) -> Page:
    """A page of rows that were asked for with one more than `limit`."""
    chosen = rows[:limit]
    following = str(place(chosen[-1])) if len(rows) > limit and chosen else None
    return {"items": [shape(row) for row in chosen], "next": following}

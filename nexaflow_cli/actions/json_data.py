"""Reading JSON that others wrote: strict, and no deeper than the rest can handle."""

from __future__ import annotations

from typing import Any

DEEPEST = 200
"""Levels of nesting; beyond about this, writing the data again fails."""


def load_json(data: bytes | str) -> Any:
    """The data that a JSON text holds.

    Raises:
        ValueError: it is no JSON (the message says why and where), or too deep.
    """
    import orjson

    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ValueError(str(error).rsplit(" (char ", 1)[0]) from None
    if deeper_than(DEEPEST, value):
        raise ValueError(f"it is nested deeper than {DEEPEST} levels")
    return value


def deeper_than(limit: int, value: Any) -> bool:
    """Whether JSON data is nested deeper than so many levels."""
    level = [value]
    for _ in range(limit + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer if isinstance(outer, list) else outer.values())
            if isinstance(inner, list | dict)
        ]
        if not level:
            return False
    return True

"""Spans of time as people write them: `1h30m`, `250ms`, or a number of seconds."""

from __future__ import annotations

import math
import re

MAX_SECONDS = 3650 * 86400.0
"""Ten years: more than any wait, and far from where float arithmetic on dates breaks."""

_UNITS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[wdhms])", re.ASCII)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
_HELP = "write it like 30s, 5m, 1h30m or 250ms"


def parse_duration(value: str | float) -> float:
    """Read a duration.

    Args:
        value: text such as `1h30m` (units w d h m s ms, largest first), or seconds as a number.

    Returns:
        Seconds, from 0 to ten years.

    Raises:
        ValueError: the value is not a duration, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"a duration is text or a number of seconds; {_HELP}")
    seconds = _parse_text(value.strip()) if isinstance(value, str) else _parse_number(value)
    if seconds < 0:
        raise ValueError("a duration cannot be negative")
    if seconds > MAX_SECONDS:
        raise ValueError("the duration is longer than ten years")
    return seconds


def _parse_number(value: float) -> float:
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if math.isnan(seconds):
        raise ValueError(f"a duration must be a number; {_HELP}")
    return seconds


def _parse_text(text: str) -> float:
    # The longest sensible text is far below this; a huge one is not worth echoing or scanning.
    if not text or len(text) > 64:
        raise ValueError(f"not a duration; {_HELP}")
    if _NUMBER.fullmatch(text):
        return float(text)
    order = list(_UNITS)
    total, position, last = 0.0, 0, -1
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            raise ValueError(f"`{text}` is not a duration; {_HELP}")
        rank = order.index(part[2])
        if rank <= last:
            raise ValueError(f"`{text}`: units go from large to small, each once; {_HELP}")
        total += float(part[1]) * _UNITS[part[2]]
        position, last = part.end(), rank
    return total


def format_duration(seconds: float) -> str:
    """Write seconds as the shortest duration text, to the millisecond: 5400.0 -> `1h30m`."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 0:
        return "-" + format_duration(-seconds)
    parts = []
    for unit, size in _UNITS.items():
        if unit == "w":
            continue  # 7d reads better than 1w, and 10d better than 1w3d
        count, milliseconds = divmod(milliseconds, round(size * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"

"""Moments and spans as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def parse(text: object) -> datetime | None:
    """The moment an API timestamp names; None for none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def ago(moment: datetime, now: datetime) -> str:
    """The distance from now, such as `3m ago` or `in 2h`; a date when it is over a week."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 1:
        return "now"
    if size > 7 * _DAY:
        return f"{moment.astimezone():%Y-%m-%d}"
    if size < _MINUTE:
        span = f"{int(size)}s"
    elif size < _HOUR:
        span = f"{int(size / _MINUTE)}m"
    elif size < _DAY:
        span = f"{int(size / _HOUR)}h"
    else:
        span = f"{int(size / _DAY)}d"
    return f"{span} ago" if seconds > 0 else f"in {span}"


def clock(moment: datetime) -> str:
    """The time of day here, to the second."""
    return f"{moment.astimezone():%H:%M:%S}"


def local(moment: datetime) -> str:
    """Date and time here."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def duration(milliseconds: float) -> str:
    """A span in its two largest units: `850ms`, `1.2s`, `3m 5s`, `2h 10m`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f}ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    for unit, name, below, small in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "m"),
        (_MINUTE, "m", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // below
            return f"{whole // unit}{name}" + (f" {rest}{small}" if rest else "")
    return f"{whole}s"


def size(count: float) -> str:
    """Bytes in the largest fitting unit of 1024."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"

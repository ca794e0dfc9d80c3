"""Times as clients see them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(seconds: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC, to the ms; None stays None."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration_ms(start: float | None, end: float | None) -> int | None:
    """The time between two moments in whole ms; None while one of them is not known."""
    return None if start is None or end is None else max(0, round((end - start) * 1000))

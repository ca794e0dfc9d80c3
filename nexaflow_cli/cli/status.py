"""The sign and the colour of a status, the same everywhere."""

from __future__ import annotations

from nexaflow_cli.cli.console import Stream

_STATUS = {
    "success": ("✓", "+", "good"),
    "failed": ("✗", "x", "bad"),
    "running": ("●", "*", "busy"),
    "queued": ("○", "o", "muted"),
    "waiting": ("◌", ".", "busy"),
    "paused": ("‖", "=", "warn"),
    "cancelled": ("⊘", "/", "warn"),
    "skipped": ("–", "-", "muted"),
    "interrupted": ("!", "!", "warn"),
    "pending": ("·", ".", "muted"),
    "active": ("", "", "good"),
    "ok": ("", "", "good"),
    "degraded": ("", "", "warn"),
    "created": ("+", "+", "good"),
    "updated": ("~", "~", "warn"),
    "unchanged": ("=", "=", "muted"),
    "deleted": ("-", "-", "bad"),
}
ENDED = frozenset({"success", "failed", "cancelled"})


def style(status: str) -> str:
    """The style of meaning of a status."""
    return _STATUS.get(status, ("", "", ""))[2]


def glyph(status: str, stream: Stream) -> str:
    """The one character that stands for a status, in what the stream can carry."""
    sign, plain, _ = _STATUS.get(status, ("?", "?", ""))
    return sign if stream.unicode else plain

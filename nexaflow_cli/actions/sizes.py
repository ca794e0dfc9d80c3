"""Sizes as people write them."""

from __future__ import annotations

_UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def size(count: int) -> str:
    """A number of bytes with its unit, such as `1 MiB`."""
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.{1 if count % unit else 0}f} {name}"
    return f"{count} bytes"

"""The file of one run's log: JSON lines, appended by one writer, read by offset."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson

_SCAN = 8 * 1024 * 1024  # bytes of a file looked at in one read, so that it stays short


def append(path: Path, data: bytes) -> None:
    """Add bytes at the end of a log file, and make it and its directory if need be.

    Raises:
        OSError: not all of it could be written.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
    finally:
        os.close(fd)


def read(
    path: Path, step: str | None, after: int, limit: int
) -> tuple[list[dict[str, Any]], int | None]:
    """Entries that end after offset `after`, and the offset to go on from, None at the end.

    Args:
        path: the file; without it there are no entries.
        step: only of this step and those inside of it; None for all.
        after: where an entry ended; any other offset means the next entry that begins.
        limit: most entries; fewer come where other steps fill the file.
    """
    items: list[dict[str, Any]] = []
    # Looking for the bytes first spares parsing the lines of other steps.
    mark = b'"step":' + orjson.dumps(step)[:-1] if step is not None else b""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return items, None
    with file:
        position = after
        if after:
            file.seek(after - 1)
            if file.read(1) != b"\n":  # no number of ours: go on with the next line
                position += len(file.readline())
        stop = position + _SCAN
        for line in file:
            if not line.endswith(b"\n"):
                break  # still being written, or torn by a crash
            position += len(line)
            if mark in line and (entry := _entry(line, step)) is not None:
                items.append({"n": position, **entry})
            if len(items) >= limit or position >= stop:
                more = position < os.fstat(file.fileno()).st_size
                return items, position if more else None
    return items, None


def _entry(line: bytes, step: str | None) -> dict[str, Any] | None:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None  # torn by a crash
    if not isinstance(entry, dict):
        return None
    if step is not None and entry.get("step") != step:
        key = str(entry.get("step"))
        if not key.startswith((f"{step}[", f"{step}.")):
            return None
    return entry

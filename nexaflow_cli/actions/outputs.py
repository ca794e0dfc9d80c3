"""What a process hands back: bounded stdout, and the `key=value` lines of `$NEXAFLOW_OUTPUT`."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nexaflow_cli.actions.base import ActionError
from nexaflow_cli.actions.json_data import load_json
from nexaflow_cli.actions.sizes import size

FORMS = ("text", "json", "lines")

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}", re.ASCII)


class Capture:
    """The first `limit` bytes of a stream; over it nothing is kept but the fact."""

    __slots__ = ("_limit", "_pieces", "_size", "over")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        self.over = False

    def write(self, data: bytes) -> None:
        if self.over:
            return
        self._size += len(data)
        if self._size > self._limit:
            self.over = True
            self._pieces.clear()
        else:
            self._pieces.append(data)

    def value(self) -> bytes:
        """All of it.

        Raises:
            ActionError: it was more than the limit.
        """
        if self.over:
            raise ActionError(
                f"stdout is more than {size(self._limit)}, the most a step's output may be; "
                "write it to a file and hand on its path",
                type="output",
                retryable=False,
            )
        return b"".join(self._pieces)


class Tail:
    """The end of a stream, to name the cause of a failure with."""

    __slots__ = ("_data",)

    KEEP = 8192

    def __init__(self) -> None:
        self._data = b""

    def write(self, data: bytes) -> None:
        self._data = (self._data + data[-self.KEEP :])[-self.KEEP :]

    def last_line(self, mask: Callable[[str], str] = str) -> str:
        """The last line that says something, at most 400 characters of it; or nothing.

        Args:
            mask: takes secrets out, which must be before a cut goes through one.
        """
        lines = mask(self._data.decode("utf-8", "replace")).splitlines()
        for number in reversed(range(len(lines))):
            if words := "".join(c if c.isprintable() else " " for c in lines[number]).strip():
                if len(words) <= 400:
                    return words
                # The beginning of what was kept may be half a secret.
                is_cut = number == 0 and len(self._data) == self.KEEP
                return "…" + words[-399:] if is_cut else words[:399] + "…"
        return ""


def parse(data: bytes, form: str) -> Any:
    """Stdout as `text` (without the newlines at its end), `lines` or `json`.

    Raises:
        ActionError: `json` was declared and it is none.
    """
    if form == "json":
        return _json(data)
    text = data.decode("utf-8", "replace")
    if form == "text":
        return text.rstrip("\r\n")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines[-1] == "":
        lines.pop()
    return lines


def _json(data: bytes) -> Any:
    if not data.strip():
        raise ActionError("stdout is empty, but `output: json` was declared", type="output")
    try:
        return load_json(data)
    except ValueError as error:
        raise ActionError(f"stdout is not JSON: {error}", type="output") from None


def read_values(path: Path, limit: int) -> dict[str, str]:
    """The `key=value` lines of the file a step was given; empty if it wrote none.

    Args:
        path: the file; the step may have left anything there, so it is opened with care.
        limit: most bytes it may hold.

    Raises:
        ActionError: it is no regular file, over the limit, or a line is not `key=value`.
    """
    try:
        # Neither a link to elsewhere nor a pipe without a writer may be followed or waited for.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unreadable(os.strerror(error.errno or 0)) from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise _unreadable("it is no ordinary file")
        with os.fdopen(fd, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(fd)
    if len(data) > limit:
        raise _unreadable(f"it holds more than {size(limit)}")
    return parse_values(data.decode("utf-8", "replace"))


def parse_values(text: str) -> dict[str, str]:
    """`key=value` lines, and `key<<END` with lines up to one that is `END`; the last one wins.

    Raises:
        ActionError: a line is neither, or a block has no end.
    """
    values: dict[str, str] = {}
    lines = enumerate(text.replace("\r\n", "\n").split("\n"), 1)
    for number, line in lines:
        if not line.strip():
            continue
        name, mark, rest = line.partition("=")
        block, arrows, end = line.partition("<<")
        if arrows and len(block) < len(name):
            name, rest = block, _block(lines, end.strip(), number)
        elif not mark:
            raise _unreadable(f"line {number} is not key=value: {line[:80]!r}")
        if not _KEY.fullmatch(name := name.strip()):
            raise _unreadable(f"line {number}: {name[:80]!r} is no name (letters, digits, _ and -)")
        values[name] = rest
    return values


def _block(lines: enumerate[str], end: str, start: int) -> str:
    if not end:
        raise _unreadable(f"line {start}: after << comes the word that ends the block")
    found: list[str] = []
    for _, line in lines:
        if line == end:
            return "\n".join(found)
        found.append(line)
    raise _unreadable(f"the block of line {start} has no line {end!r} that ends it")


def _unreadable(cause: str) -> ActionError:
    return ActionError(f"cannot take the values of $NEXAFLOW_OUTPUT: {cause}", type="output")

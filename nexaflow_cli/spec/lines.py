"""Offsets of a text as lines and columns."""

from __future__ import annotations

import re
from bisect import bisect_right

_BREAK = re.compile(r"\r\n|\n|\r")


def split_lines(text: str) -> list[str]:
    """The lines as an editor counts them: ended by LF, CRLF or CR and nothing else."""
    return _BREAK.split(text)


class LineTable:
    """Finds lines by offset; the table is made when first asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of a character."""
        if self._starts is None:
            self._starts = [0, *(match.end() for match in _BREAK.finditer(self._text))]
        offset = max(0, min(offset, len(self._text)))
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line_end(self, offset: int) -> int:
        """The offset just after the last character of that line."""
        end = self._text.find("\n", offset)
        end = len(self._text) if end < 0 else end
        carriage = self._text.find("\r", offset, end)
        return end if carriage < 0 else carriage

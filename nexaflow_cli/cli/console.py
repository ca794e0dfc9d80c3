"""The two streams of a command: data to `out`, everything else to `err`."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from nexaflow_cli.cli import state
from nexaflow_cli.cli.text import clean

# Colour carries meaning only: how a thing went, and what may be read second.
_STYLES = {
    "good": "32",
    "bad": "31",
    "warn": "33",
    "busy": "36",
    "muted": "2",
    "strong": "1",
    "": "",
}


class Stream:
    """One of the standard streams, looked up at each use so that a redirection is seen."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def file(self) -> TextIO:
        """The stream itself."""
        stream: TextIO = getattr(sys, self._name)
        return stream

    @property
    def is_terminal(self) -> bool:
        return self.file.isatty()

    @property
    def color(self) -> bool:
        """Whether colour may be used: a terminal that can, and nobody who declined."""
        return (
            self.is_terminal
            and not state.options.no_color
            and not os.environ.get("NO_COLOR")
            and os.environ.get("TERM") != "dumb"
        )

    @property
    def unicode(self) -> bool:
        """Whether the stream can carry characters beyond ASCII."""
        return (self.file.encoding or "").lower().replace("-", "") == "utf8"

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None where nothing limits a line."""
        return shutil.get_terminal_size().columns if self.is_terminal else None

    def paint(self, text: str, style: str) -> str:
        """The text in a style of meaning, where the stream shows colour."""
        code = _STYLES[style]
        return f"\x1b[{code}m{text}\x1b[0m" if code and text and self.color else text

    def line(self, text: str = "") -> None:
        """Write one line."""
        self.file.write(text + "\n")

    def raw(self, text: str) -> None:
        """Write text as it is."""
        self.file.write(text)

    def flush(self) -> None:
        self.file.flush()


out = Stream("stdout")
err = Stream("stderr")


def error(message: str, hint: str = "") -> None:
    """Tell what went wrong, and what to try."""
    err.line(f"{err.paint('error:', 'bad')} {clean(message)}")
    if hint:
        err.line(f"{err.paint('hint:', 'strong')} {clean(hint)}")


def note(message: str) -> None:
    """Tell something that is not data."""
    err.line(clean(message))

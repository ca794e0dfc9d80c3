"""Text from outside made safe and measured for a terminal."""

from __future__ import annotations

import re

# Control characters can move the cursor, retitle the window or hide text; the direction marks
# (bidi) can make a name read as another one. Shown as escapes, they do neither.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_ANSI = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    "|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)"  # OSC: titles, links
    "|\x1b[@-Z\\\\^_]"
)


def clean(text: object) -> str:
    """One line that is safe to print: breaks become spaces, controls become visible escapes."""
    line = str(text)
    if line.isascii() and line.isprintable():
        return line
    return _UNSAFE.sub(_visible, re.sub(r"\s*[\r\n]\s*", " ", line).replace("\t", " "))


def clean_log(text: str) -> str:
    """One line that a program printed, without its colours, as a terminal would have left it."""
    line = _ANSI.sub("", text.rstrip("\r\n"))
    line = line.rpartition("\r")[2]
    return _UNSAFE.sub(_visible, line.expandtabs(8))


def escape_json(text: str) -> str:
    """JSON text in which characters unsafe for a terminal are written as escapes."""
    return _UNSAFE.sub(lambda found: _json_escape(found.group()), text)


def width_of(text: str) -> int:
    """Columns of a terminal that the text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fit(text: str, width: int, *, keep: str = "start") -> str:
    """The text in `width` columns at most; what is cut is marked with an ellipsis.

    Args:
        text: clean text.
        width: columns, at least 1.
        keep: which part matters, `start` or `end`.
    """
    if width_of(text) <= width:
        return text
    if keep == "end":
        while text and width_of(text) > width - 1:
            text = text[1:]
        return "…" + text
    while text and width_of(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _visible(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _json_escape(character: str) -> str:
    return character if character == "\n" else f"\\u{ord(character):04x}"

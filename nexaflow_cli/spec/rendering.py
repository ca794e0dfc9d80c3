"""Diagnostics as text with the source line and a caret, as JSON, and for GitHub."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping

from nexaflow_cli.spec.diagnostics import Diagnostic
from nexaflow_cli.spec.lines import split_lines

_WIDTH = 160
# A file's own text must not steer the terminal that shows it.
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def render_text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str] = {}) -> str:
    """Each problem as `file:line:column: severity[code]: message`, its line and a caret.

    Args:
        diagnostics: what to show, in this order.
        sources: file name to the text of the whole file; a file not in it shows no line.
    """
    lines = {file: split_lines(text) for file, text in sources.items()}
    return "".join(_one(found, lines.get(found.file, [])) for found in diagnostics)


def _one(found: Diagnostic, lines: list[str]) -> str:
    out = [
        f"{_clean(found.file)}:{found.line}:{found.column}: "
        f"{found.severity}[{found.code}]: {_clean(found.message)}"
    ]
    if 0 < found.line <= len(lines):
        shown, caret = _excerpt(lines[found.line - 1], found.column - 1, found.end_column - 1)
        gutter = f"{found.line:>5} | "
        out += [gutter + shown, " " * (len(gutter) - 2) + "| " + caret]
    if found.hint:
        out.append(f"      = {_clean(found.hint)}")
    return "\n".join(out) + "\n"


def _excerpt(line: str, start: int, end: int) -> tuple[str, str]:
    """The part of a line around a span, and the line of carets below it."""
    first = max(0, start - _WIDTH * 2 // 3) if len(line) > _WIDTH else 0
    part = line[first : first + _WIDTH]
    before, after = ("…" if first else ""), ("…" if first + _WIDTH < len(line) else "")
    start, end = start - first, min(end - first, len(part))
    lead = _columns(before + _clean(part[:start]))
    width = max(1, _columns(_clean(part[start:end])))
    return before + _clean(part) + after, " " * lead + "^" * width


def _clean(text: str) -> str:
    return _UNSAFE.sub("�", text.replace("\t", " ").replace("\n", " "))


def _columns(text: str) -> int:
    """Columns that a terminal gives the text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def render_json(diagnostics: Iterable[Diagnostic]) -> str:
    """A JSON array of objects."""
    found = [diagnostic.to_dict() for diagnostic in diagnostics]
    return json.dumps(found, ensure_ascii=False, indent=2)


def render_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands that GitHub shows beside the lines of a pull request."""
    return "".join(_command(found) for found in diagnostics)


def _command(found: Diagnostic) -> str:
    properties = {
        "file": found.file,
        "line": str(found.line),
        "col": str(found.column),
        "endColumn": str(found.end_column),
        "title": f"nexaflow {found.code}",
    }
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = f"{found.message}\n{found.hint}" if found.hint else found.message
    return f"::{found.severity} {listed}::{_data(message)}\n"


def _data(text: str) -> str:
    # Unescaped, a line break in a message would let a file start commands of its own.
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return _UNSAFE.sub("�", escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""Draws what is wrong with workflow files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from nexaflow_cli.cli.console import Stream
from nexaflow_cli.cli.documents import Checked

if TYPE_CHECKING:
    from nexaflow_cli.spec.diagnostics import Diagnostic

_HEAD = re.compile(r"^(?P<place>\S.*?:\d+:\d+:) (?P<kind>(error|warning)\[[^\]]*\]): (?P<text>.*)$")
_CARET = re.compile(r"^(?P<gutter> +\| +)(?P<caret>\^+)$")


class Report(StrEnum):
    """How problems are reported."""

    text = "text"
    json = "json"
    github = "github"


def report(files: Sequence[Checked], kind: Report, stream: Stream) -> None:
    """Print every problem of the files."""
    from nexaflow_cli.spec import rendering

    found = [diagnostic for file in files for diagnostic in file.diagnostics]
    if kind is Report.json:
        stream.line(rendering.render_json(found))
    elif kind is Report.github:
        stream.raw(rendering.render_github(found))
    else:
        draw(found, {file.name: file.text for file in files if file.diagnostics}, stream)


def draw(found: Sequence[Diagnostic], sources: Mapping[str, str], stream: Stream) -> None:
    """Print problems with their lines and carets."""
    from nexaflow_cli.spec.rendering import render_text

    for line in render_text(found, sources).splitlines():
        stream.line(_painted(line, stream))


def from_rows(rows: Sequence[Mapping[str, Any]]) -> list[Diagnostic]:
    """What the daemon found, as the same values."""
    from nexaflow_cli.spec.diagnostics import Diagnostic

    return [
        Diagnostic(
            code=str(row.get("code", "invalid")),
            severity="warning" if row.get("severity") == "warning" else "error",
            message=str(row.get("message", "")),
            file=str(row.get("file", "")),
            line=int(row.get("line") or 0),
            column=int(row.get("column") or 1),
            end_column=int(row.get("end_column") or (row.get("column") or 1) + 1),
            hint=str(row.get("hint") or ""),
        )
        for row in rows
    ]


def summary(files: Sequence[Checked]) -> str:
    """The result of a check in one line."""
    problems = [found for file in files for found in file.diagnostics]
    errors = sum(found.severity == "error" for found in problems)
    warnings = len(problems) - errors
    checked = f"{count(len(files), 'file')} checked"
    if not problems:
        workflows = count(sum(len(file.workflows) for file in files), "workflow")
        return f"{checked}, {workflows}: no problems"
    bad = sum(bool(file.diagnostics) for file in files)
    told = [count(errors, "error")] if errors else []
    told += [count(warnings, "warning")] if warnings else []
    return f"{checked}: {' and '.join(told)} in {count(bad, 'file')}"


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _painted(line: str, stream: Stream) -> str:
    if head := _HEAD.match(line):
        style = "bad" if head["kind"].startswith("error") else "warn"
        place = stream.paint(head["place"], "strong")
        return f"{place} {stream.paint(head['kind'] + ':', style)} {head['text']}"
    if caret := _CARET.match(line):
        return caret["gutter"] + stream.paint(caret["caret"], "bad")
    return line

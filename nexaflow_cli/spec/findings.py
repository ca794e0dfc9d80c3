"""Collects what the checks of one document find, and gives it its place in the file."""

from __future__ import annotations

from nexaflow_cli.spec.diagnostics import Diagnostic, Severity
from nexaflow_cli.spec.lines import LineTable
from nexaflow_cli.spec.places import Path, SourceDocument, Span

MAX_FINDINGS = 200
_CONTEXT = 80


class Findings:
    """The diagnostics of one document.

    Args:
        filename: as the user gave it.
        text: the whole file.
        lines: its line table.
        document: where the parts of the document are; None if there is no document.
    """

    def __init__(
        self, filename: str, text: str, lines: LineTable, document: SourceDocument | None
    ) -> None:
        self.found: list[Diagnostic] = []
        self._filename = filename
        self._text = text
        self._lines = lines
        self._document = document
        self._broken: set[Path] = set()

    def add(
        self,
        code: str,
        message: str,
        path: Path,
        hint: str = "",
        *,
        of_key: bool = False,
        severity: Severity = "error",
    ) -> None:
        """Report the value at `path`, or its key."""
        if self.is_full():
            return
        if self._document is None:
            self.add_span(code, message, (0, 0), hint, severity)
            return
        find = self._document.key_span if of_key else self._document.value_span
        self.add_span(code, message, find(path), hint, severity)

    def add_inside(
        self,
        code: str,
        message: str,
        path: Path,
        value: str,
        offset: int,
        length: int,
        hint: str = "",
        *,
        severity: Severity = "error",
    ) -> None:
        """Report `length` characters from `offset` of the text `value` that is at `path`."""
        if self.is_full():
            return
        assert self._document is not None
        span = self._document.value_span(path)
        self.add_span(code, message, self._inside(span, value, offset, length), hint, severity)

    def _inside(self, span: Span, value: str, offset: int, length: int) -> Span:
        """The same characters in the file; quoting and indentation may have moved them."""
        raw = self._text[span[0] : span[1]]
        position = raw.find(value)
        if position >= 0:
            start = span[0] + position + offset
            return start, start + max(1, length)
        # What follows on the same line is in the file as well; count which occurrence it is.
        line_end = value.find("\n", offset, offset + _CONTEXT)
        rest = value[offset : line_end if line_end >= 0 else offset + _CONTEXT]
        for needle in (rest, rest[: max(length, 1)]):
            before = value.count(needle, 0, offset + len(needle) - 1) if needle else _CONTEXT
            if before >= _CONTEXT:
                continue
            position = -1
            for _ in range(before + 1):
                position = raw.find(needle, position + 1)
                if position < 0:
                    break
            if position >= 0:
                start = span[0] + position
                return start, start + max(1, min(length, len(needle)))
        return span

    def add_span(
        self, code: str, message: str, span: Span, hint: str = "", severity: Severity = "error"
    ) -> None:
        """Report characters of the file."""
        if self.is_full():
            return
        line, column = self._lines.position(span[0])
        first_line_end = self._lines.line_end(span[0])
        end = max(min(span[1], first_line_end), span[0] + 1)
        self.found.append(
            Diagnostic(
                code, severity, message, self._filename, line, column, column + end - span[0], hint
            )
        )

    def is_full(self) -> bool:
        """Whether more would not be taken: nobody reads on after so many."""
        return len(self.found) >= MAX_FINDINGS

    def line_of(self, path: Path) -> int:
        """The line on which the value at `path` begins."""
        start = self._document.value_span(path)[0] if self._document is not None else 0
        return self._lines.position(start)[0]

    def mark_broken(self, path: Path) -> None:
        """Remember that the value at `path` has not the form it should, so not to look into it."""
        self._broken.add(path)

    def is_broken(self, path: Path) -> bool:
        return path in self._broken

    def is_broken_below(self, path: Path) -> bool:
        """Whether anything at or under `path` has not the form it should."""
        return any(broken[: len(path)] == path for broken in self._broken)

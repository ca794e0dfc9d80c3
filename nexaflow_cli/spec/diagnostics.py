"""What is wrong with a file, as values: where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem of a file.

    Args:
        code: stable kebab-case name of the kind of problem.
        severity: `error` refuses the file, `warning` does not.
        message: one sentence that says what is wrong.
        file: name of the file as the user gave it.
        line: from 1.
        column: from 1, in characters.
        end_column: the column after the last character meant, on the same line.
        hint: what to write or do instead; empty if there is nothing to say.
    """

    code: str
    severity: Severity
    message: str
    file: str
    line: int
    column: int
    end_column: int
    hint: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The members by name, as the API and `-o json` show them."""
        return asdict(self)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them refuses the file."""
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)


def ordered(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """In the order of the file, each once."""
    unique = dict.fromkeys(diagnostics)
    return sorted(unique, key=lambda found: (found.line, found.column, found.code, found.message))

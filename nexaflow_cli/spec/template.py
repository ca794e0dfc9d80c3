"""Finds the `${{ … }}` parts of a text; knows nothing of what is inside them."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPEN = "${{"
MAX_EXPRESSION = 4096
"""Characters of one expression; longer ones belong into a script."""

_INSIDE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|["'{}]""", re.DOTALL)


class ExpressionError(ValueError):
    """An expression is malformed, or could not be evaluated.

    Args:
        message: what is wrong, as a sentence.
        offset: characters from the beginning of the text that holds the expression.
        length: characters that the problem spans, 0 if unknown.
        hint: what to write instead; empty if there is nothing to say.
        path: keys and indexes that lead to the text inside a larger value.
    """

    def __init__(
        self,
        message: str,
        offset: int = 0,
        *,
        length: int = 0,
        hint: str = "",
        path: tuple[str | int, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.hint = hint
        self.path = path

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


@dataclass(frozen=True, slots=True)
class Part:
    """An expression inside a text: its source and where that source begins."""

    source: str
    offset: int


def has_expression(text: str) -> bool:
    """Whether the text has a `${{` in it; says nothing of its being well-formed."""
    return OPEN in text


def split(text: str) -> list[str | Part]:
    """Cut a text into plain strings and expressions; `$${{` stands for a literal `${{`.

    Raises:
        ExpressionError: an expression is not closed, empty or too long.
    """
    parts: list[str | Part] = []
    plain: list[str] = []
    position = 0
    while True:
        start = text.find(OPEN, position)
        if start < 0:
            plain.append(text[position:])
            break
        if start > position and text[start - 1] == "$":
            plain.append(text[position : start - 1] + OPEN)
            position = start + len(OPEN)
            continue
        plain.append(text[position:start])
        end = _end(text, start)
        if before := "".join(plain):
            parts.append(before)
        plain = []
        parts.append(_part(text, start + len(OPEN), end))
        position = end + 2
    if rest := "".join(plain):
        parts.append(rest)
    return parts


def _end(text: str, start: int) -> int:
    """Where the `}}` is that closes the `${{` at `start`; braces of dicts and strings are not."""
    depth = 0
    position = start + len(OPEN)
    limit = position + MAX_EXPRESSION + 2
    while token := _INSIDE.search(text, position, limit):
        position = token.end()
        match token[0]:
            case "{":
                depth += 1
            case "}" if depth:
                depth -= 1
            case "}" if text.startswith("}", position):
                return token.start()
            case "'" | '"':
                raise ExpressionError(
                    "a string in the expression is not closed", token.start(), length=1
                )
    if len(text) > limit:
        raise ExpressionError(
            f"the expression is not closed within {MAX_EXPRESSION} characters", start, length=3
        )
    raise ExpressionError("`${{` is not closed by `}}`", start, length=3)


def _part(text: str, start: int, end: int) -> Part:
    inside = text[start:end]
    source = inside.strip()
    if not source:
        raise ExpressionError("the expression is empty", start, length=max(1, end - start))
    return Part(source, start + len(inside) - len(inside.lstrip()))

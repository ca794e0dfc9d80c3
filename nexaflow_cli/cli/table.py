"""Rows of cells laid out in columns: aligned, cut to the width, no lines drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nexaflow_cli.cli.console import Stream
from nexaflow_cli.cli.text import fit, width_of

_GAP = 2
_LEAST = 8


@dataclass(frozen=True, slots=True)
class Cell:
    """Clean text with a style of meaning."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """How a column is laid out.

    Args:
        title: printed above it.
        right: aligned to the right, for numbers.
        keep: which end survives a cut; `start`, or `end` for paths.
        flexible: gives way first when the table is too wide.
    """

    title: str
    right: bool = False
    keep: str = "start"
    flexible: bool = False


def lines(
    headings: Sequence[Heading],
    rows: Sequence[Sequence[Cell]],
    stream: Stream,
    *,
    whole: bool = False,
) -> list[str]:
    """The table as lines for the stream, headings first.

    Args:
        headings: of the columns.
        rows: a cell for each column.
        stream: whose width the table keeps to, if it has one.
        whole: cut nothing, however wide it gets.
    """
    natural = [
        max([width_of(heading.title), *(width_of(row[index].text) for row in rows)])
        for index, heading in enumerate(headings)
    ]
    widths = _shrink(natural, headings, None if whole else stream.width)
    head = [Cell(heading.title, "strong") for heading in headings]
    return [_line(row, headings, widths, stream) for row in [head, *rows]]


def _shrink(natural: list[int], headings: Sequence[Heading], limit: int | None) -> list[int]:
    widths = list(natural)
    if limit is None:
        return widths
    over = sum(widths) + _GAP * (len(widths) - 1) - limit
    for flexible in (True, False):
        while over > 0:
            wide = [
                index
                for index, heading in enumerate(headings)
                if heading.flexible is flexible and widths[index] > _LEAST
            ]
            if not wide:
                break
            widest = max(wide, key=lambda index: widths[index])
            widths[widest] -= 1
            over -= 1
    return widths


def _line(
    row: Sequence[Cell], headings: Sequence[Heading], widths: Sequence[int], stream: Stream
) -> str:
    parts: list[str] = []
    pending = 0
    for cell, heading, width in zip(row, headings, widths, strict=True):
        text = fit(cell.text, width, keep=heading.keep)
        room = width - width_of(text)
        before, after = (room, 0) if heading.right else (0, room)
        if text:
            parts.append(" " * (pending + before) + stream.paint(text, cell.style))
            pending = after + _GAP
        else:
            pending += width + _GAP
    return "".join(parts)

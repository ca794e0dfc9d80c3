"""What a list shows: one declaration a noun, drawn by `render` in every format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nexaflow_cli.cli import status, times
from nexaflow_cli.cli.table import Cell, Heading
from nexaflow_cli.cli.text import clean

Item = Mapping[str, Any]
NOTHING = Cell("-", "muted")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list.

    Args:
        title: the heading.
        value: where the value is, as a dotted path, or how it is made of an item.
        kind: how it reads: text, list, status, time, duration (ms), number, size (bytes) or path.
        wide: shown only in the wide format.
        flexible: gives way first when the terminal is narrow.
    """

    title: str
    value: str | Callable[[Item], Any]
    kind: str = "text"
    wide: bool = False
    flexible: bool = False

    def heading(self) -> Heading:
        """How the column is laid out."""
        return Heading(
            self.title,
            right=self.kind in {"duration", "number", "size"},
            keep="end" if self.kind == "path" else "start",
            flexible=self.flexible or self.kind == "path",
        )

    def cell(self, item: Item, *, wide: bool, now: datetime) -> Cell:
        """The item's value as it reads in this column."""
        value = self.value(item) if callable(self.value) else look_up(item, self.value)
        if isinstance(value, Cell):
            return value
        return KINDS[self.kind](value, wide, now)


@dataclass(frozen=True, slots=True)
class View:
    """How a noun's list is drawn.

    Args:
        columns: in order.
        name: the key whose value the format `name` prints.
        empty: said, on stderr, when there is nothing to list.
    """

    columns: tuple[Column, ...]
    name: str = "name"
    empty: str = "nothing to list"


def look_up(item: Item, path: str) -> Any:
    """The value at a dotted path; None where something on the way is missing."""
    value: Any = item
    for part in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _text(value: Any, wide: bool, now: datetime) -> Cell:
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return Cell("yes" if value else "no")
    if isinstance(value, list):
        return Cell(clean(", ".join(map(str, value)))) if value else NOTHING
    return Cell(clean(value))


def _list(value: Any, wide: bool, now: datetime) -> Cell:
    """Several in one text: the first of them, and how many more."""
    first, *more = str(value or "").split(", ")
    if wide or not more:
        return _text(value, wide, now)
    return Cell(f"{clean(first)} (+{len(more)})")


def _status(value: Any, wide: bool, now: datetime) -> Cell:
    return Cell(clean(value), status.style(str(value))) if value else NOTHING


def _time(value: Any, wide: bool, now: datetime) -> Cell:
    moment = times.parse(value)
    if moment is None:
        return NOTHING
    return Cell(clean(value)) if wide else Cell(times.ago(moment, now))


def _duration(value: Any, wide: bool, now: datetime) -> Cell:
    return NOTHING if value is None else Cell(times.duration(float(value)))


def _size(value: Any, wide: bool, now: datetime) -> Cell:
    if value is None:
        return NOTHING
    return Cell(str(value)) if wide else Cell(times.size(float(value)))


KINDS: dict[str, Callable[[Any, bool, datetime], Cell]] = {
    "text": _text,
    "path": _text,
    "list": _list,
    "number": _text,
    "status": _status,
    "time": _time,
    "duration": _duration,
    "size": _size,
}

"""Draws what a read command found, in the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from nexaflow_cli.cli import console
from nexaflow_cli.cli.columns import Item, View, look_up
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.table import lines
from nexaflow_cli.cli.text import clean, escape_json


class Format(StrEnum):
    """The formats of every read command."""

    table = "table"
    wide = "wide"
    json = "json"
    yaml = "yaml"
    name = "name"


def show_list(items: Iterable[Item], view: View, format: Format) -> None:
    """Print a list: a table, an array, or a name a line."""
    rows = list(items)
    if format is Format.json:
        print_json(rows)
    elif format is Format.yaml:
        print_yaml(rows)
    elif format is Format.name:
        for row in rows:
            out.line(clean(look_up(row, view.name)))
    elif rows:
        table(rows, view, wide=format is Format.wide)
    else:
        console.note(view.empty)


def show_one(item: Item, format: Format, draw: Callable[[bool], None], name: str = "name") -> None:
    """Print one thing: as `draw(wide)` does it, as an object, or by its name."""
    if format is Format.json:
        print_json(item)
    elif format is Format.yaml:
        print_yaml(item)
    elif format is Format.name:
        out.line(clean(look_up(item, name)))
    else:
        draw(format is Format.wide)


def table(rows: Iterable[Item], view: View, *, wide: bool = False) -> None:
    """Print rows in the columns of a view."""
    now = datetime.now(UTC)
    columns = [column for column in view.columns if wide or not column.wide]
    cells = [[column.cell(row, wide=wide, now=now) for column in columns] for row in rows]
    for line in lines([column.heading() for column in columns], cells, out, whole=wide):
        out.line(line)


def print_json(value: Any) -> None:
    """Print a value as JSON that is safe in a terminal and readable by any parser."""
    import json

    out.line(escape_json(json.dumps(value, indent=2, ensure_ascii=not out.unicode, default=str)))


def print_yaml(value: Any) -> None:
    """Print a value as YAML."""
    import json

    import yaml

    plain = json.loads(json.dumps(value, default=str))
    text = json.dumps(plain, ensure_ascii=False)
    safe = out.unicode and escape_json(text) == text
    out.raw(yaml.safe_dump(plain, sort_keys=False, allow_unicode=safe, width=10_000))

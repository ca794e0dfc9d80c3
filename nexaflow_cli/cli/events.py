"""`nexaflow events`."""

from dataclasses import replace
from typing import Annotated

import typer

from nexaflow_cli.cli import complete, render, state
from nexaflow_cli.cli.columns import NOTHING, Column, Item, View
from nexaflow_cli.cli.framework import group, verb
from nexaflow_cli.cli.options import FormatOption, LimitOption
from nexaflow_cli.cli.render import Format
from nexaflow_cli.cli.table import Cell
from nexaflow_cli.cli.text import clean

app = group("List the events that started runs.")


def _cause(item: Item) -> Cell:
    """The run whose step brought the event about."""
    cause = item.get("cause") or {}
    if not cause.get("run"):
        return NOTHING
    return Cell(clean(f"{cause['run']} ({cause.get('workflow')})"))


LIST = View(
    (
        Column("ID", "id", wide=True),
        Column("WHEN", "time", "time"),
        Column("TYPE", "type"),
        Column("PATH", "path", "path"),
        Column("RUNS", "runs", flexible=True),
        Column("CAUSE", _cause, wide=True),
    ),
    name="id",
    empty="no events yet",
)


@verb(
    app,
    "list",
    "nexaflow events list",
    "nexaflow events list --type file.created --path /workspace/inbox/a.txt",
)
def list_(
    type: Annotated[
        str | None, typer.Option(metavar="TYPE", help="Only of this type, as file.created.")
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Only about this file.", autocompletion=complete.paths),
    ] = None,
    limit: LimitOption = 20,
    format: FormatOption = Format.table,
) -> None:
    """List events, the newest first, and the runs each started."""
    with state.client() as client:
        items = client.pages("events", limit=limit, type=type, path=path)
        empty = "no such events" if type or path else LIST.empty
        render.show_list(items, replace(LIST, empty=empty), format)

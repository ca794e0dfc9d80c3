"""`nexaflow workflows`: look at definitions and their past."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from nexaflow_cli.cli import console, facts, render, state, times
from nexaflow_cli.cli.columns import NOTHING, Column, View
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.framework import group, verb
from nexaflow_cli.cli.options import FormatOption, LimitOption, WorkflowArgument
from nexaflow_cli.cli.render import Format
from nexaflow_cli.cli.status import style
from nexaflow_cli.cli.table import Cell
from nexaflow_cli.cli.text import clean

app = group("List workflows, look into one, pause or delete it.")


def _last_run(item: Any) -> Cell:
    run = item.get("last_run")
    if not run:
        return NOTHING
    moment = times.parse(run.get("started_at"))
    when = f" {times.ago(moment, datetime.now(UTC))}" if moment else ""
    return Cell(f"{clean(run['status'])}{when}", style(run["status"]))


LIST = View(
    (
        Column("NAME", "name"),
        Column("STATUS", "status", "status"),
        Column("TRIGGER", "trigger", "list", flexible=True),
        Column("LAST RUN", _last_run),
        Column("VERSION", "version", "number", wide=True),
        Column("UPDATED", "updated_at", "time", wide=True),
        Column("DESCRIPTION", "description", wide=True),
    ),
    empty="no workflows yet; apply some with: nexaflow apply FILE",
)
HISTORY = View(
    (
        Column("RUN", "id"),
        Column("STATUS", "status", "status"),
        Column("WHEN", "timestamp", "time"),
        Column("DURATION", "duration", "duration"),
        Column("FILE", "file", "path"),
        Column("VERSION", "version", "number", wide=True),
        Column("TRIGGER", "trigger.type", wide=True),
        Column("ERROR", "error.message", wide=True),
    ),
    name="id",
    empty="no runs yet",
)
ERRORS = View(
    (
        Column("WHEN", "timestamp", "time"),
        Column("RUN", "run"),
        Column("STEP", "step"),
        Column("TRY", "attempt", "number"),
        Column("ERROR", "error", flexible=True),
        Column("TYPE", "type", wide=True),
    ),
    name="run",
    empty="no errors",
)


@verb(app, "list", "nexaflow workflows list", "nexaflow workflows list -o wide")
def list_(
    limit: LimitOption = 1000,
    format: FormatOption = Format.table,
) -> None:
    """List the workflows, with what starts them and how they last went."""
    with state.client() as client:
        render.show_list(client.pages("workflows", limit=limit), LIST, format)


@verb(
    app,
    "get",
    "nexaflow workflows get invoices",
    "nexaflow workflows get invoices --source > invoices.yaml",
)
def get(
    name: WorkflowArgument,
    source: Annotated[bool, typer.Option("--source", help="Print the YAML it came from.")] = False,
    format: FormatOption = Format.table,
) -> None:
    """Show one workflow: its triggers, inputs and state."""
    with state.client() as client:
        item = client.get(f"workflows/{name}")
    if source:
        out.raw(item.get("source") or "")
        return
    render.show_one(item, format, lambda wide: facts.workflow(item, wide))


@verb(
    app,
    "history",
    "nexaflow workflows history invoices --limit 20",
    "nexaflow workflows history invoices -o json",
)
def history(
    name: WorkflowArgument, limit: LimitOption = 20, format: FormatOption = Format.table
) -> None:
    """List the runs of a workflow, with the file each was about."""
    with state.client() as client:
        items = client.pages(f"workflows/{name}/history", limit=limit)
        render.show_list(items, HISTORY, format)


@verb(app, "stats", "nexaflow workflows stats invoices")
def stats(name: WorkflowArgument, format: FormatOption = Format.table) -> None:
    """Count the runs of a workflow, and how they went."""
    with state.client() as client:
        item = client.get(f"workflows/{name}/stats")
    render.show_one(item, format, lambda wide: facts.stats(item), name="workflow")


@verb(app, "errors", "nexaflow workflows errors invoices --limit 50")
def errors(
    name: WorkflowArgument, limit: LimitOption = 20, format: FormatOption = Format.table
) -> None:
    """List what went wrong in the runs of a workflow, retried or not."""
    with state.client() as client:
        render.show_list(client.pages(f"workflows/{name}/errors", limit=limit), ERRORS, format)


@verb(app, "pause", "nexaflow workflows pause invoices")
def pause(name: WorkflowArgument, format: FormatOption = Format.table) -> None:
    """Let events and schedules start no runs; those under way go on."""
    _change(name, "pause", "paused", format)


@verb(app, "resume", "nexaflow workflows resume invoices")
def resume(name: WorkflowArgument, format: FormatOption = Format.table) -> None:
    """Let events and schedules start runs again."""
    _change(name, "resume", "active", format)


@verb(app, "delete", "nexaflow workflows delete invoices")
def delete(name: WorkflowArgument) -> None:
    """Delete a workflow; the history of its runs stays."""
    with state.client() as client:
        client.request("DELETE", f"workflows/{name}", repeatable=False)
    console.out.line(f"{out.paint('-', 'bad')} {clean(name)} deleted")


def _change(name: str, verb: str, status: str, format: Format) -> None:
    with state.client() as client:
        item = client.post(f"workflows/{name}/{verb}", repeatable=True)

    def draw(wide: bool) -> None:
        out.line(f"{clean(name)} {out.paint(status, style(status))}")

    render.show_one(item or {"name": name, "status": status}, format, draw)

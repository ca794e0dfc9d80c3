"""`nexaflow runs`: look at runs, follow them, stop them."""

from dataclasses import replace
from typing import Annotated

import typer

from nexaflow_cli.cli import console, follow, logs, render, runview, state
from nexaflow_cli.cli.columns import Column, View
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.framework import group, verb
from nexaflow_cli.cli.options import FormatOption, LimitOption, RunArgument, WorkflowOption
from nexaflow_cli.cli.render import Format
from nexaflow_cli.cli.status import style
from nexaflow_cli.cli.text import clean

app = group("List runs, look into one, follow or stop it.")

LIST = View(
    (
        Column("ID", "id"),
        Column("WORKFLOW", "workflow", flexible=True),
        Column("STATUS", "status", "status"),
        Column("STARTED", "started_at", "time"),
        Column("DURATION", "duration_ms", "duration"),
        Column("TRIGGER", "trigger.type"),
        Column("VERSION", "version", "number", wide=True),
        Column("CREATED", "created_at", "time", wide=True),
        Column("FINISHED", "finished_at", "time", wide=True),
        Column("PATH", "trigger.path", wide=True),
        Column("ERROR", "error.message", wide=True),
    ),
    name="id",
    empty="no runs yet; start one with: nexaflow run WORKFLOW",
)
STATUSES = ["queued", "running", "waiting", "paused", "success", "failed", "cancelled"]


def _statuses(incomplete: str) -> list[str]:
    return STATUSES


StepOption = Annotated[
    str | None, typer.Option("--step", "-s", metavar="STEP", help="Only of this step.")
]


@verb(
    app,
    "list",
    "nexaflow runs list",
    "nexaflow runs list --workflow invoices --status failed",
    "nexaflow runs list -o name | xargs -n1 nexaflow runs cancel",
)
def list_(
    workflow: WorkflowOption = None,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="STATUS",
            help=f"Only with this status: {', '.join(STATUSES)}.",
            autocompletion=_statuses,
        ),
    ] = None,
    limit: LimitOption = 20,
    format: FormatOption = Format.table,
) -> None:
    """List runs, the newest first."""
    with state.client() as client:
        items = client.pages("runs", limit=limit, workflow=workflow, status=status)
        empty = "no such runs" if workflow or status else LIST.empty
        render.show_list(items, replace(LIST, empty=empty), format)


@verb(app, "get", "nexaflow runs get 1m800xfen000", "nexaflow runs get 1m800xfen000 -o json")
def get(run: RunArgument, format: FormatOption = Format.table) -> None:
    """Show one run: each step, how it went, and why it failed."""
    with state.client() as client:
        item = client.get(f"runs/{run}")
        last: list[str] = []
        if format in {Format.table, Format.wide} and item.get("status") == "failed":
            last = logs.last_lines(client, item)
    render.show_one(item, format, lambda wide: runview.show(item, last, wide=wide), name="id")


@verb(
    app,
    "logs",
    "nexaflow runs logs 1m800xfen000",
    "nexaflow runs logs 1m800xfen000 --step extract -f",
)
def show_logs(
    run: RunArgument,
    step: StepOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay until the run has ended.")
    ] = False,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", "-t", help="Begin each line with its time.")
    ] = False,
    format: FormatOption = Format.table,
) -> None:
    """Print what the steps of a run printed."""
    logs.show(run, step=step, follow=follow, timestamps=timestamps, format=format)


@verb(app, "watch", "nexaflow runs watch 1m800xfen000")
def watch(
    run: RunArgument,
    logs: Annotated[bool, typer.Option("--logs/--no-logs", help="Also what steps print.")] = True,
) -> None:
    """Watch a run until it ends; exit code 1 if it failed."""
    raise typer.Exit(follow.watch(run, logs=logs))


@verb(app, "cancel", 'nexaflow runs cancel 1m800xfen000 --reason "wrong file"')
def cancel(
    run: RunArgument,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Kept in the run's history.")
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """Stop a run; its steps under way are ended."""
    _change(run, "cancel", format, {"reason": reason} if reason else {})


@verb(app, "pause", "nexaflow runs pause 1m800xfen000")
def pause(run: RunArgument, format: FormatOption = Format.table) -> None:
    """Start no more steps of a run; those under way go on."""
    _change(run, "pause", format, {})


@verb(app, "resume", "nexaflow runs resume 1m800xfen000")
def resume(run: RunArgument, format: FormatOption = Format.table) -> None:
    """Go on with a paused run."""
    _change(run, "resume", format, {})


def _change(run: str, verb: str, format: Format, body: dict[str, str]) -> None:
    with state.client() as client:
        item = client.post(f"runs/{run}/{verb}", body, repeatable=True)

    def draw(wide: bool) -> None:
        status = str(item.get("status", ""))
        out.line(f"{clean(item['id'])} {out.paint(clean(status), style(status))}")
        if verb == "cancel" and status not in {"cancelled"}:
            console.note(f"cancellation requested; see it end with: nexaflow runs watch {run}")

    render.show_one(item, format, draw, name="id")

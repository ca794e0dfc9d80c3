"""Options and arguments that many commands share, with their completion."""

from typing import Annotated

import typer

from nexaflow_cli.cli import complete
from nexaflow_cli.cli.render import Format
from nexaflow_cli.errors import NotFoundError

FormatOption = Annotated[
    Format,
    typer.Option("--output", "-o", metavar="FORMAT", help="table, wide, json, yaml or name."),
]
LimitOption = Annotated[
    int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many at most.")
]


def _workflow(name: str | None) -> str | None:
    _check(name, "workflow named", "`nexaflow workflows list` shows all")
    return name


def _run(name: str | None) -> str | None:
    _check(name, "run", "`nexaflow runs list` shows the newest")
    return name


def _check(name: str | None, what: str, hint: str) -> None:
    """Refuse what would be read as another address than that of one thing."""
    if name is not None and (name in {"", ".", ".."} or set("/?#%") & set(name)):
        raise NotFoundError(f"there is no {what} {name!r}", hint=hint)


WorkflowArgument = Annotated[
    str,
    typer.Argument(
        metavar="WORKFLOW",
        help="Name of the workflow.",
        autocompletion=complete.workflows,
        callback=_workflow,
    ),
]
RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="Id of the run.", autocompletion=complete.runs, callback=_run
    ),
]
WorkflowOption = Annotated[
    str | None,
    typer.Option(
        "--workflow",
        "-w",
        metavar="NAME",
        help="Only of this workflow.",
        autocompletion=complete.workflows,
    ),
]

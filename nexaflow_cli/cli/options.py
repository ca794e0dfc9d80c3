"""Options and arguments that many commands share, with their completion."""

from typing import Annotated

import typer

from nexaflow_cli.cli import complete
from nexaflow_cli.cli.render import Format

FormatOption = Annotated[
    Format,
    typer.Option("--output", "-o", metavar="FORMAT", help="table, wide, json, yaml or name."),
]
LimitOption = Annotated[
    int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many at most.")
]
WorkflowArgument = Annotated[
    str,
    typer.Argument(
        metavar="WORKFLOW", help="Name of the workflow.", autocompletion=complete.workflows
    ),
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="Id of the run.", autocompletion=complete.runs)
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

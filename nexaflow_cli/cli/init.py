"""`nexaflow init`."""

from pathlib import Path
from typing import Annotated

import typer

from nexaflow_cli.cli import console, starter
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.framework import single, verb
from nexaflow_cli.errors import ConflictError

app = single()


@verb(app, "init", "nexaflow init", "nexaflow init automation/")
def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write.")] = Path(),
) -> None:
    """Write a first workflow and a CI job to start from.

    Files that are there are left as they are.
    """
    if directory.exists() and not directory.is_dir():
        raise ConflictError(f"{directory} is a file", hint="nexaflow init ANOTHER_DIRECTORY")
    for name, text in starter.FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            out.line(f"{out.paint('+', 'good')} {path}")
        except FileExistsError:
            out.line(f"{out.paint('=', 'muted')} {path} is there already")
    out.flush()
    first = directory / starter.WORKFLOW
    console.note(f"try it now, without a daemon: nexaflow run {first} -i name=you")

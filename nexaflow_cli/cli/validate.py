"""`nexaflow validate`."""

from typing import Annotated

import typer

from nexaflow_cli.cli import console, diagnose, documents
from nexaflow_cli.cli.console import err, out
from nexaflow_cli.cli.diagnose import Report
from nexaflow_cli.cli.framework import single, verb

app = single()

PathsArgument = Annotated[
    list[str],
    typer.Argument(metavar="PATH…", help="Files, directories, or - for standard input."),
]
_SHOW_PROGRESS = 200


@verb(
    app,
    "validate",
    "nexaflow validate workflows/",
    "nexaflow validate --format github workflows/     in a CI job",
    "cat hello.yaml | nexaflow validate -",
)
def validate(
    paths: PathsArgument,
    format: Annotated[
        Report,
        typer.Option("--format", "--output", "-o", metavar="FORMAT", help="text, json or github."),
    ] = Report.text,
) -> None:
    """Check workflow files, and show every problem.

    Directories are searched for *.yaml and *.yml. No daemon is needed. The exit code is 1 if a
    file has an error.
    """
    files = check_all(documents.read(paths))
    diagnose.report(files, format, out)
    out.flush()
    console.note(diagnose.summary(files))
    raise typer.Exit(1 if any(file.failed for file in files) else 0)


def check_all(sources: list[documents.Source]) -> list[documents.Checked]:
    """Check files, with a progress bar in a terminal if there are many."""
    checked = documents.check(sources)
    if len(sources) < _SHOW_PROGRESS or not err.is_terminal:
        return list(checked)
    from rich.console import Console
    from rich.progress import track

    terminal = Console(file=err.file, no_color=not err.color)
    return list(track(checked, "checking", total=len(sources), console=terminal, transient=True))

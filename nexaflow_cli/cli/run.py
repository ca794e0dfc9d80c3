"""`nexaflow run`: a workflow of the daemon, or a file in this process."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nexaflow_cli.cli import complete, console, follow, inputs, logs, render, runview, state
from nexaflow_cli.cli.console import err, out
from nexaflow_cli.cli.framework import single, verb
from nexaflow_cli.cli.options import FormatOption
from nexaflow_cli.cli.render import Format
from nexaflow_cli.cli.status import ENDED, style
from nexaflow_cli.cli.text import clean

app = single()


@verb(
    app,
    "run",
    "nexaflow run invoices",
    "nexaflow run invoices -i region=eu -i recipients='[\"a@example.com\"]' --follow",
    "nexaflow run invoices -i @inputs.json --wait -o json",
    "nexaflow run workflows/hello.yaml          no daemon needed",
)
def run(
    workflow: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE",
            help="A workflow of the daemon, or a YAML file to run here and now.",
            autocompletion=complete.workflows_and_files,
        ),
    ],
    input: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            "-i",
            metavar="KEY=VALUE",
            help="An input, or @FILE with a JSON object; repeat for more.",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Watch it to its end, with what it prints.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it has ended.")] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="For a FILE: keep its files and logs here."),
    ] = None,
    format: FormatOption = Format.table,
) -> None:
    """Start a workflow, or run a file here and now.

    A FILE runs in this process and is watched to its end. The exit code is 1 if the run that was
    watched or waited for did not succeed.
    """
    words = input or []
    if is_file(workflow):
        raise typer.Exit(_here(Path(workflow), words, data_dir, follow, format))
    raise typer.Exit(_there(workflow, words, follow=follow, wait=wait, format=format))


def is_file(name: str) -> bool:
    """Whether the word names a file; the name of a workflow has neither dots nor slashes."""
    return "/" in name or name.endswith((".yaml", ".yml"))


def _there(name: str, words: list[str], *, follow: bool, wait: bool, format: Format) -> int:
    from uuid import uuid4

    with state.client() as client:
        schemas = client.get(f"workflows/{name}").get("inputs") if words else None
        body = {
            "workflow": name,
            "inputs": inputs.parse(words, schemas),
            # A repeat after a lost answer finds the run of the first delivery.
            "idempotency_key": uuid4().hex,
        }
        started = client.post("runs", body, repeatable=True)
        code = 0
        if follow:
            code = _follow(started["id"], format)
        elif wait:
            code = _wait(started["id"])
        if follow and format is Format.table:
            return code
        last: list[str] = []
        if follow or wait:
            started = client.get(f"runs/{started['id']}")
            if format in {Format.table, Format.wide}:
                last = logs.last_lines(client, started)
    render.show_one(started, format, lambda wide: _tell(started, last, wide), name="id")
    return code


def _follow(run: str, format: Format) -> int:
    stream = out if format is Format.table else err
    return follow.watch(run, logs=True, stream=stream)


def _wait(run: str) -> int:
    status = ""
    for frame in follow.frames_of(run, logs=False):
        if frame["type"] == "end":
            status = str(frame["status"])
    return follow.exit_code(status)


def _tell(run: Any, last: list[str], wide: bool) -> None:
    if run["status"] in ENDED:
        runview.show(run, last, wide=wide)
        return
    status = str(run["status"])
    out.line(f"{clean(run['id'])} {out.paint(clean(status), style(status))}")
    out.flush()
    console.note(f"follow it with: nexaflow runs watch {run['id']}")


def _here(path: Path, words: list[str], data_dir: Path | None, watch: bool, format: Format) -> int:
    from nexaflow_cli.cli import diagnose, documents
    from nexaflow_cli.client.live import InOrder
    from nexaflow_cli.runtime.offline import run_file

    try:
        text, workflow = documents.one(path)
    except documents.InvalidFileError as error:
        diagnose.report([error.file], diagnose.Report.text, err)
        raise
    given = inputs.parse(words, workflow.inputs)
    quiet = format is not Format.table and not watch
    stream = out if format is Format.table else err
    if quiet:
        found = run_file(text, str(path), given, lambda frame: None, data_dir)
    else:
        with follow.watcher(stream, logs=True) as view:
            order = InOrder()
            found = run_file(text, str(path), given, order.then(view.feed), data_dir)
        follow.conclude(view.progress, stream)
    if format is not Format.table:
        render.show_one(found, format, lambda wide: runview.show(found, [], wide=wide), name="id")
    status = str(found["status"])
    # Nobody but the person at the keyboard cancels a run of this process.
    return 130 if status == "cancelled" else follow.exit_code(status)

"""`nexaflow plan` and `nexaflow apply`."""

from collections import Counter
from typing import Annotated, Any

import typer

from nexaflow_cli.cli import console, diagnose, documents, render, state
from nexaflow_cli.cli.console import err, out
from nexaflow_cli.cli.framework import single, verb
from nexaflow_cli.cli.options import FormatOption
from nexaflow_cli.cli.render import Format
from nexaflow_cli.cli.status import glyph, style
from nexaflow_cli.cli.text import clean
from nexaflow_cli.cli.validate import PathsArgument, check_all
from nexaflow_cli.client.problems import RejectedError
from nexaflow_cli.errors import UnreachableError

app = single()

# Seconds that --wait gives a daemon that is starting.
_PATIENCE = 60.0

PruneOption = Annotated[
    bool, typer.Option("--prune", help="Delete the daemon's workflows that no file defines.")
]


@verb(
    app,
    "plan",
    "nexaflow plan workflows/",
    "nexaflow plan workflows/ --diff",
    "nexaflow plan workflows/ --prune --exit-code   fails if there is a change",
)
def plan(
    paths: PathsArgument,
    prune: PruneOption = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what changes in the YAML.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if something would change.")
    ] = False,
    format: FormatOption = Format.table,
) -> None:
    """Show what apply would change."""
    files = _checked(paths)
    changes = _send(files, prune=prune, dry_run=True)
    _tell(changes, format, planned=True)
    if diff and format is Format.table:
        _diff(files, changes)
    changed = any(change["change"] != "unchanged" for change in changes)
    raise typer.Exit(1 if exit_code and changed else 0)


@verb(
    app,
    "apply",
    "nexaflow apply workflows/",
    "nexaflow apply workflows/ --prune --wait         in a CI job",
)
def apply(
    paths: PathsArgument,
    prune: PruneOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change, as plan does.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait up to a minute for a daemon that is starting.")
    ] = False,
    format: FormatOption = Format.table,
) -> None:
    """Bring the daemon's workflows to what the files say.

    All files are applied, or none. A workflow gets a new version if its meaning changed.
    """
    files = _checked(paths)
    if wait:
        _await_daemon()
    changes = _send(files, prune=prune, dry_run=dry_run)
    _tell(changes, format, planned=dry_run)


def _checked(paths: list[str]) -> list[documents.Checked]:
    files = check_all(documents.read(paths))
    if any(file.failed for file in files):
        diagnose.report(files, diagnose.Report.text, err)
        console.error(f"nothing was applied; {diagnose.summary(files)}")
        raise typer.Exit(1)
    return files


def _await_daemon() -> None:
    import tenacity

    def ask() -> None:
        with state.client(timeout=5.0, attempts=1) as client:
            client.get("/health")

    def tell(attempt: tenacity.RetryCallState) -> None:
        if attempt.attempt_number == 1:
            console.note(f"waiting up to a minute for the daemon at {state.connection().url}")

    tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(UnreachableError),
        stop=tenacity.stop_after_delay(_PATIENCE),
        wait=tenacity.wait_fixed(0.25),
        before_sleep=tell,
        reraise=True,
    )(ask)


def _send(files: list[documents.Checked], *, prune: bool, dry_run: bool) -> list[dict[str, Any]]:
    body = {
        "documents": [{"filename": file.name, "source": file.text} for file in files],
        "prune": prune,
        "dry_run": dry_run,
    }
    sources = {file.name: file.text for file in files}
    with state.client(timeout=120.0) as client:
        try:
            answer = client.post("workflows/apply", body, repeatable=True)
        except RejectedError as error:
            diagnose.draw(diagnose.from_rows(error.diagnostics), sources, err)
            raise
    diagnose.draw(diagnose.from_rows(answer.get("diagnostics") or []), sources, err)
    changes: list[dict[str, Any]] = answer["changes"]
    return changes


def _tell(changes: list[dict[str, Any]], format: Format, *, planned: bool) -> None:
    would = "would be " if planned else ""
    if format is Format.json:
        render.print_json(changes)
    elif format is Format.yaml:
        render.print_yaml(changes)
    elif format is Format.name:
        for change in changes:
            out.line(clean(change["name"]))
    else:
        for change in changes:
            what = str(change["change"])
            sign = out.paint(glyph(what, out), style(what))
            version = f" v{change['version']}" if change.get("version") else ""
            words = what if what == "unchanged" else would + what
            out.line(f"{sign} {clean(change['name'])}{version} {out.paint(words, style(what))}")
    out.flush()
    counts = Counter(str(change["change"]) for change in changes)
    order = ("created", "updated", "deleted")
    told = [f"{counts[what]} {would}{what}" for what in order if counts[what]]
    told += [f"{counts['unchanged']} unchanged"] if counts["unchanged"] else []
    console.note(", ".join(told) or "nothing to apply")


def _diff(files: list[documents.Checked], changes: list[dict[str, Any]]) -> None:
    """Print how the YAML of the updated workflows differs from what the daemon has."""
    from difflib import unified_diff

    new = documents.sources_by_name(files)
    styles = {"+": "good", "-": "bad", "@": "busy"}
    with state.client() as client:
        for change in changes:
            name = change["name"]
            if change["change"] != "updated" or name not in new:
                continue
            known = client.get(f"workflows/{name}")
            old = (known.get("source") or "").splitlines()
            there, here = f"{name} v{known['version']} (daemon)", f"{name} (file)"
            out.line()
            for line in unified_diff(old, new[name].splitlines(), there, here, lineterm=""):
                out.line(out.paint(clean(line), styles.get(line[:1], "")))

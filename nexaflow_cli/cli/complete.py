"""Real names for the shell's completion: quick, and silent when something is wrong."""

from collections.abc import Iterable
from typing import Any

import typer

from nexaflow_cli.cli import state

# A key press waits for this answer: seconds, for everything.
_PATIENCE = 0.8
_MANY = 200

Candidates = list[tuple[str, str]]


def workflows(ctx: typer.Context, incomplete: str) -> Candidates:
    """Names of workflows, with their triggers."""
    rows = _fetch(ctx, "workflows", limit=_MANY)
    return [(row["name"], row.get("trigger") or "") for row in rows]


def runs(ctx: typer.Context, incomplete: str) -> Candidates:
    """Ids of the newest runs, with their workflows and statuses."""
    rows = _fetch(ctx, "runs", limit=50)
    return [(row["id"], f"{row['workflow']} {row['status']}") for row in rows]


def paths(ctx: typer.Context, incomplete: str) -> Candidates:
    """Paths of the file space, a folder at a time."""
    folder = incomplete.rpartition("/")[0]
    found: dict[str, str] = {}
    for row in _fetch(ctx, "files", pattern=f"{folder}/**", limit=1000):
        path = str(row["path"])
        rest = path[len(folder) + 1 :]
        first, slash, _ = rest.partition("/")
        found.setdefault(f"{folder}/{first}{slash}", "folder" if slash else "")
    return list(found.items())


def actions(incomplete: str) -> Candidates:
    """Names of actions, with their summaries."""
    try:
        from nexaflow_cli.actions.registry import BUILTIN
    except Exception:
        return []
    return [(action.name, action.summary) for action in BUILTIN.values()]


def _fetch(ctx: typer.Context, path: str, **params: Any) -> Iterable[dict[str, Any]]:
    given = ctx.find_root().params
    try:
        state.options.url = state.options.url or given.get("url")
        state.options.api_key = state.options.api_key or given.get("api_key")
        with state.client(timeout=_PATIENCE, attempts=1) as client:
            items: list[dict[str, Any]] = client.get(path, **params)["items"]
            return items
    except Exception:
        # Whatever it was, the command itself will tell; a prompt is no place for it.
        return []


def workflows_and_files(ctx: typer.Context, incomplete: str) -> Candidates:
    """Names of workflows, and workflow files here."""
    from pathlib import Path

    folder, _, start = incomplete.rpartition("/")
    here = Path(folder or ("/" if incomplete.startswith("/") else "."))
    prefix = incomplete[: len(incomplete) - len(start)]
    try:
        entries = sorted(here.iterdir())
    except OSError:
        entries = []
    files = [
        (f"{prefix}{entry.name}" + ("/" if entry.is_dir() else ""), "")
        for entry in entries
        if entry.name.startswith(start)
        and (entry.is_dir() or entry.suffix in {".yaml", ".yml"})
        and not entry.name.startswith(".")
    ]
    return [*workflows(ctx, incomplete), *files] if "/" not in incomplete else files

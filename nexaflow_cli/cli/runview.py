"""One run told in full: what started it, each step, and why it failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nexaflow_cli.cli import facts, times
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.progress import error_of
from nexaflow_cli.cli.status import ENDED, glyph, style
from nexaflow_cli.cli.table import Cell, Heading, lines
from nexaflow_cli.cli.text import clean

_HEADINGS = (
    Heading("STEP"),
    Heading("STATUS"),
    Heading("TIME", right=True),
    Heading("TRIES", right=True),
    Heading("NOTE", flexible=True),
)
_MANY = 20


def show(run: Any, last: list[str], *, wide: bool) -> None:
    """Print one run.

    Args:
        run: as the API tells it, with its steps.
        last: the last lines that the failed step printed.
        wide: every item of a long for_each, and exact times.
    """
    status = str(run["status"])
    spent = run.get("duration_ms")
    ended = f" after {times.duration(spent)}" if spent is not None else ""
    sign = out.paint(f"{glyph(status, out)} {clean(status)}", style(status))
    facts.show(
        [
            ("run", out.paint(clean(run["id"]), "strong")),
            ("workflow", f"{clean(run['workflow'])} v{run.get('version')}"),
            ("status", sign + ended),
            ("trigger", trigger(run.get("trigger") or {})),
            ("started", clean(run["started_at"]) if wide else facts.moment(run.get("started_at"))),
            ("inputs", facts.value(run["inputs"]) if run.get("inputs") else None),
            ("output", facts.value(run["output"]) if run.get("output") is not None else None),
        ]
    )
    rows = [_settled(step, status) for step in run.get("steps") or []]
    steps = list(tree(rows, wide))
    if steps:
        out.line()
        for line in lines(_HEADINGS, steps, out):
            out.line(line)
    if error := error_of(run):
        out.line()
        out.line(f"{out.paint('error', 'bad')}  {error}")
        for text in last:
            out.line(out.paint("  | ", "muted") + text)
        out.line(f"{out.paint('logs ', 'muted')}  nexaflow runs logs {clean(run['id'])}")


def _settled(step: Any, status: str) -> Any:
    """A step that never came to its turn waits no longer when the run has ended."""
    if status in ENDED and step["status"] in {"pending", "queued"}:
        return {**step, "status": "skipped", "reason": step.get("reason") or "not reached"}
    return step


def trigger(found: Any) -> str:
    """What started a run, in a few words."""
    kind = str(found.get("type") or "manual")
    known = ("event_type", "event", "path", "schedule", "cron")
    words = [kind, *(found[key] for key in known if isinstance(found.get(key), str))]
    if found.get("by"):
        words.append(f"by {found['by']}")
    return clean(" ".join(dict.fromkeys(words)))


def tree(steps: list[Any], wide: bool) -> Iterator[tuple[Cell, ...]]:
    """The rows of the steps, each beneath the one it belongs to."""
    children: dict[str | None, list[Any]] = {}
    keys = {step["key"] for step in steps}
    for step in steps:
        parent = step.get("parent")
        children.setdefault(parent if parent in keys else None, []).append(step)
    yield from _level(children, None, 0, wide)


def _level(
    children: dict[str | None, list[Any]], parent: str | None, depth: int, wide: bool
) -> Iterator[tuple[Cell, ...]]:
    found = children.get(parent, [])
    shown = found
    if len(found) > _MANY and not wide:
        telling = [step for step in found if step["status"] not in {"success", "queued"}]
        shown = (telling or found)[: _MANY - 1]
    for step in shown:
        yield _row(step, parent, depth)
        yield from _level(children, step["key"], depth + 1, wide)
    if hidden := len(found) - len(shown):
        text = "  " * depth + f"… {hidden} more, all with -o wide"
        yield (Cell(text, "muted"), *[Cell("")] * (len(_HEADINGS) - 1))


def _row(step: Any, parent: str | None, depth: int) -> tuple[Cell, ...]:
    status = str(step["status"])
    key = str(step["key"])
    label = key.removeprefix(parent).lstrip(".") if parent and key.startswith(parent) else key
    spent = step.get("duration_ms")
    attempt = int(step.get("attempt") or 0)
    error = step.get("error")
    note = step.get("reason") or (error or {}).get("message") or ""
    if status == "waiting" and (wake := times.parse(step.get("wake_at"))):
        note = f"until {times.clock(wake)}" + (f": {note}" if note else "")
    return (
        Cell("  " * depth + f"{glyph(status, out)} {clean(label)}", style(status)),
        Cell(clean(status), style(status)),
        Cell("" if spent is None or status == "skipped" else times.duration(spent), "muted"),
        Cell(str(attempt) if attempt > 1 else "", "warn"),
        Cell(clean(note), "bad" if error else "muted"),
    )

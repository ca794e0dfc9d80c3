"""What the steps of a run printed, as far as it is there or as it comes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nexaflow_cli.cli import console, render, state
from nexaflow_cli.cli.columns import View
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.follow import frames_of
from nexaflow_cli.cli.render import Format
from nexaflow_cli.cli.stored_lines import stored
from nexaflow_cli.cli.text import clean, clean_log
from nexaflow_cli.errors import NotFoundError

if TYPE_CHECKING:
    from nexaflow_cli.client.http import HttpClient

_LAST = 8
_LEVELS = {"error": "bad", "warning": "warn", "warn": "warn", "debug": "muted"}


def show(run: str, *, step: str | None, follow: bool, timestamps: bool, format: Format) -> None:
    """Print the lines of a run.

    Args:
        run: its id.
        step: only the lines of this step.
        follow: stay until the run has ended.
        timestamps: begin each line with its time.
        format: of each line; JSON is one object a line when following.
    """
    with state.client() as client:
        if not follow:
            lines = stored(client, run, step)
            if format in {Format.json, Format.yaml}:
                render.show_list(lines, View(()), format)
                return
            line = None
            for line in lines:
                _print(line, step, timestamps)
            if line is None:
                _tell_empty(client, run, step)
            return
        seen = -1
        for line in stored(client, run, step):
            seen = int(line["n"])
            _emit(line, step, timestamps, format)
        out.flush()
        for line in arriving(run, step, seen):
            _emit(line, step, timestamps, format)
            out.flush()


def arriving(run: str, step: str | None, seen: int) -> Iterator[Any]:
    """The lines after number `seen`, as they come, until the run ends."""
    for frame in frames_of(run, logs=True):
        if frame["type"] == "log" and frame["n"] > seen and step in {None, frame["step"]}:
            yield frame


def last_lines(client: HttpClient, run: Any) -> list[str]:
    """The last lines that the failed step of a run printed, safe to print."""
    step = (run.get("error") or {}).get("step")
    if not step:
        return []
    kept = deque(stored(client, run["id"], step), maxlen=_LAST)
    final = max((line["attempt"] for line in kept), default=None)
    return [clean_log(str(line["text"])) for line in kept if line["attempt"] == final]


def _tell_empty(client: HttpClient, run: str, step: str | None) -> None:
    """Say why there is nothing to print.

    Raises:
        NotFoundError: the run has no such step.
    """
    if step is not None:
        keys = [str(found["key"]) for found in client.get(f"runs/{run}").get("steps") or []]
        if step not in keys:
            raise NotFoundError(
                f"run {run} has no step {step!r}", hint=f"nexaflow runs get {run} shows its steps"
            )
    console.note("nothing was printed" + (f" by {step}" if step else ""))


def _emit(line: Any, step: str | None, timestamps: bool, format: Format) -> None:
    if format is Format.json:
        import json

        out.line(json.dumps({key: line.get(key) for key in _KEYS}))
    else:
        _print(line, step, timestamps)


_KEYS = ("n", "at", "step", "attempt", "stream", "level", "text")


def _print(line: Any, step: str | None, timestamps: bool) -> None:
    prefix = f"{clean(line['at'])} " if timestamps else ""
    if step is None:
        prefix += f"{clean(line['step'])} | "
    text = clean_log(str(line["text"]))
    style = _LEVELS.get(str(line.get("level")), "")
    out.line(out.paint(prefix, "muted") + out.paint(text, style))

"""Watches a run to its end, in a terminal or in a log of a CI job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from nexaflow_cli.cli import console, state, times
from nexaflow_cli.cli.console import Stream, out
from nexaflow_cli.cli.facts import value
from nexaflow_cli.cli.progress import Frame, Progress, seconds
from nexaflow_cli.cli.status import glyph, style
from nexaflow_cli.cli.text import clean, clean_log


class Watcher(Protocol):
    """Shows frames as they come."""

    progress: Progress

    def feed(self, frame: Frame) -> None: ...


class PlainWatcher:
    """One line for each thing that happens, for pipes and logs."""

    def __init__(self, stream: Stream) -> None:
        self.progress = Progress()
        self._out = stream

    def feed(self, frame: Frame) -> None:
        """Print what the frame tells."""
        self.progress.feed(frame)
        if frame["type"] == "log":
            self._line(frame, f"  {clean(frame['step'])} | {clean_log(str(frame['text']))}")
        elif frame["type"] == "fact" and frame.get("step"):
            self._step(frame)
        elif frame["type"] == "fact":
            told = _RUN.get(str(frame["kind"]))
            if told:
                self._line(frame, f"run {told}")
        self._out.flush()

    def _step(self, frame: Frame) -> None:
        step = self.progress.steps[str(frame["step"])]
        sign = self._out.paint(glyph(step.status, self._out), style(step.status))
        words = f"{sign} {clean(step.key)}"
        if frame["kind"] == "step.started":
            words += " started" + (f" (attempt {step.attempt})" if step.attempt > 1 else "")
        elif step.finished is not None and step.status in {"success", "failed"}:
            words += f" {step.status} in {times.duration(step.seconds(step.finished) * 1000)}"
        elif frame["kind"] != "step.expanded":
            words += f" {step.status}"
        self._line(frame, words + (f": {step.note}" if step.note else ""))

    def _line(self, frame: Frame, text: str) -> None:
        at = datetime.fromtimestamp(seconds(frame.get("at")), UTC)
        self._out.line(f"{self._out.paint(times.clock(at), 'muted')} {text}")


_RUN = {
    "run.started": "started",
    "run.paused": "paused",
    "run.resumed": "resumed",
    "run.cancel_requested": "is being cancelled",
    "run.timed_out": "is out of time",
}


@contextmanager
def watcher(stream: Stream, *, logs: bool) -> Iterator[Watcher]:
    """The watcher that suits the stream."""
    if not stream.is_terminal:
        yield PlainWatcher(stream)
        return
    from nexaflow_cli.cli.liveview import LiveWatcher

    with LiveWatcher(stream, logs=logs) as live:
        yield live


def frames_of(run: str, *, logs: bool) -> Iterable[Frame]:
    """The live stream of one run, from its start."""
    from nexaflow_cli.cli.stored_lines import stored
    from nexaflow_cli.client.live import LiveStream

    def lost(reason: str) -> None:
        console.note(f"connection lost ({reason}); trying again")

    def missed(after: int) -> Iterator[Frame]:
        with state.client() as client:
            for line in stored(client, run, after=after):
                yield {"type": "log", "run": run, **line}

    return LiveStream(
        state.connection(),
        run=run,
        logs=logs,
        on_break=lost,
        missed=missed,
        again=state.connection,
    )


def watch(run: str, *, logs: bool, stream: Stream = out) -> int:
    """Show a run of a daemon until it ends, and return the exit code that its end means."""
    try:
        with watcher(stream, logs=logs) as view:
            for frame in frames_of(run, logs=logs):
                view.feed(frame)
    except KeyboardInterrupt:
        console.note(f"the run goes on; see it again with: nexaflow runs watch {run}")
        raise
    return conclude(view.progress, stream)


def conclude(progress: Progress, stream: Stream) -> int:
    """Tell how the run ended, and return the exit code that it means."""
    status = progress.status
    sign = f"{glyph(status, stream)} {status}"
    spent = times.duration(progress.seconds(progress.finished or 0.0) * 1000)
    line = f"{stream.paint(sign, style(status))} in {spent}"
    if progress.error:
        line += f": {progress.error}"
    stream.line(line)
    if progress.output is not None:
        stream.line(f"output: {value(progress.output)}")
    return exit_code(status)


def exit_code(status: str) -> int:
    """0 for success; 1 for every other end."""
    return 0 if status == "success" else 1

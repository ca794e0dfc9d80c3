"""The live view of a run in a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from nexaflow_cli.cli import state, times
from nexaflow_cli.cli.console import Stream
from nexaflow_cli.cli.progress import Frame, Progress, StepRow
from nexaflow_cli.cli.status import glyph
from nexaflow_cli.cli.status import style as style_of

if TYPE_CHECKING:
    from rich.console import RenderableType

_RICH = {"good": "green", "bad": "red", "warn": "yellow", "busy": "cyan", "muted": "dim", "": ""}
_LOG_LINES = 6


class LiveWatcher:
    """Draws the run's steps in place, with the last lines they printed beneath."""

    def __init__(self, stream: Stream, *, logs: bool) -> None:
        from rich.console import Console
        from rich.live import Live

        self.progress = Progress()
        self._stream = stream
        self._logs = logs
        self._done = False
        self._console = Console(
            file=stream.file,
            no_color=not stream.color,
            markup=False,
            highlight=False,
            emoji=False,
        )
        self._live = Live(
            get_renderable=self._draw,
            console=self._console,
            refresh_per_second=8,
            vertical_overflow="crop",
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveWatcher:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done = True
        self._live.vertical_overflow = "visible"
        self._live.stop()

    def feed(self, frame: Frame) -> None:
        """Take in one frame; the view is drawn again a few times a second."""
        self.progress.feed(frame)

    def _draw(self) -> RenderableType:
        import time

        from rich.console import Group
        from rich.text import Text

        now = time.time()
        room = max(4, self._console.height - 3 - (_LOG_LINES if self._logs else 0))
        rows = list(self.progress.steps.values())
        shown = rows if self._done else choose(rows, room)
        lines = [self._head(now)]
        if hidden := len(rows) - len(shown):
            lines.append(Text(f"  … {hidden} more steps", style="dim"))
        lines += [self._row(row, now) for row in shown]
        if self._logs and not self._done:
            tail = list(self.progress.tail)[-_LOG_LINES:]
            lines += [
                Text(f"  {step} | {text}", style="dim", no_wrap=True, overflow="ellipsis")
                for step, _, text in tail
            ]
        return Group(*lines)

    def _head(self, now: float) -> Any:
        from rich.text import Text

        run = self.progress
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(f"{glyph(run.status, self._stream)} ", _style(run.status))
        line.append(run.workflow or "run", "" if state.options.no_color else "bold")
        line.append(f"  {run.run}  ", "dim")
        line.append(run.status, _style(run.status))
        line.append(f"  {times.duration(run.seconds(now) * 1000)}", "dim")
        return line

    def _row(self, row: StepRow, now: float) -> Any:
        from rich.text import Text

        line = Text("  " * (row.depth + 1), no_wrap=True, overflow="ellipsis")
        line.append(f"{glyph(row.status, self._stream)} ", _style(row.status))
        line.append(row.key)
        if row.status not in {"skipped"}:
            line.append(f"  {times.duration(row.seconds(now) * 1000)}", "dim")
        if row.attempt > 1:
            line.append(f"  attempt {row.attempt}", "yellow")
        if row.note:
            line.append(f"  {row.note}", "red" if row.status == "failed" else "dim")
        return line


def choose(rows: list[StepRow], room: int) -> list[StepRow]:
    """The rows worth a place in `room` lines: what is open or went wrong, then the latest."""
    if len(rows) <= room:
        return rows
    open_ = [row for row in rows if row.finished is None or row.status == "failed"][-room + 1 :]
    rest = room - 1 - len(open_)
    keys = {row.key for row in open_}
    latest = [row for row in rows if row.key not in keys][-rest:] if rest > 0 else []
    keys |= {row.key for row in latest}
    return [row for row in rows if row.key in keys]


def _style(status: str) -> str:
    return _RICH[style_of(status)]

"""A run as the frames of the live stream tell it, one frame at a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nexaflow_cli.cli.text import clean, clean_log
from nexaflow_cli.cli.times import clock, parse

Frame = dict[str, Any]
TAIL = 200


@dataclass(slots=True)
class StepRow:
    """One step as far as it is known; times in seconds since the epoch."""

    key: str
    status: str = "running"
    attempt: int = 1
    started: float = 0.0
    finished: float | None = None
    note: str = ""
    container: bool = False

    @property
    def depth(self) -> int:
        """How deep the step lies in others, as its key tells."""
        return self.key.count("[") + self.key.count("].")

    def seconds(self, now: float) -> float:
        return max(0.0, (self.finished or now) - self.started)


@dataclass(slots=True)
class Progress:
    """The run so far."""

    run: str = ""
    workflow: str = ""
    status: str = "queued"
    started: float | None = None
    finished: float | None = None
    error: str = ""
    output: Any = None
    steps: dict[str, StepRow] = field(default_factory=dict)
    tail: deque[tuple[str, str, str]] = field(default_factory=lambda: deque(maxlen=TAIL))

    def feed(self, frame: Frame) -> None:
        """Take one frame into the picture."""
        if frame["type"] == "log":
            stream = str(frame.get("stream") or "")
            self.tail.append((str(frame.get("step")), stream, clean_log(str(frame.get("text")))))
        elif frame["type"] == "end":
            self._end(str(frame.get("status")))
        elif frame["type"] == "fact":
            self.run = str(frame.get("run") or self.run)
            self.workflow = str(frame.get("workflow") or self.workflow)
            kind, at, data = str(frame["kind"]), seconds(frame.get("at")), frame.get("data") or {}
            if frame.get("step"):
                self._step(str(frame["step"]), kind, at, data)
            else:
                self._run(kind, at, data)

    def seconds(self, now: float) -> float:
        """How long the run has taken."""
        return 0.0 if self.started is None else max(0.0, (self.finished or now) - self.started)

    def _run(self, kind: str, at: float, data: dict[str, Any]) -> None:
        if kind == "run.started":
            self.started, self.status = at, "running"
        elif kind == "run.paused":
            self.status = "paused"
        elif kind == "run.resumed":
            self.status = "running"
        elif kind == "run.finished":
            self.finished = at
            self.output = data.get("output")
            self.error = error_of(data)
            self._end(str(data.get("status")))

    def _step(self, key: str, kind: str, at: float, data: dict[str, Any]) -> None:
        step = self.steps.get(key)
        if step is None:
            step = self.steps[key] = StepRow(key, started=at)
        step.attempt = int(data.get("attempt") or step.attempt)
        if kind == "step.started":
            step.status, step.finished, step.note = "running", None, ""
            if step.attempt == 1:
                step.started = at
        elif kind == "step.expanded":
            step.status, step.container = "running", True
            if isinstance(items := data.get("items"), list):
                step.note = f"{len(items)} item" + ("" if len(items) == 1 else "s")
            elif isinstance(case := data.get("case"), int):
                step.note = f"case {case + 1}"
        elif kind == "step.suspended":
            step.status = "waiting"
            if data.get("until") is not None:
                step.note = f"until {clock(datetime.fromtimestamp(seconds(data['until']), UTC))}"
        elif kind == "step.failed" and data.get("retry_at") is not None:
            step.status = "waiting"
            pause = max(0.0, seconds(data["retry_at"]) - at)
            step.note = f"again in {pause:.3g}s: {message_of(data.get('error'))}"
        elif kind in _ENDS:
            step.status, step.finished = _ENDS[kind], at
            step.note = clean(data.get("reason") or message_of(data.get("error")) or "")

    def _end(self, status: str) -> None:
        self.status = status
        for step in self.steps.values():
            if step.container and step.finished is None:
                step.finished = self.finished
                step.status = self._of_children(step.key)

    def _of_children(self, key: str) -> str:
        inner = [row.status for row in self.steps.values() if row.key.startswith(f"{key}[")]
        return next((status for status in ("failed", "cancelled") if status in inner), "success")


_ENDS = {
    "step.succeeded": "success",
    "step.failed": "failed",
    "step.skipped": "skipped",
    "step.cancelled": "cancelled",
    "step.interrupted": "interrupted",
}


def seconds(at: Any) -> float:
    """A frame's time as seconds since the epoch, whether it came as text or as a number."""
    if isinstance(at, int | float):
        return float(at)
    moment = parse(at)
    return (moment or datetime.now(UTC)).timestamp()


def error_of(run: Any) -> str:
    """Why a run failed, in a sentence that names the step."""
    error = run.get("error")
    if not error:
        return ""
    where = f"step {clean(error['step'])}: " if error.get("step") else ""
    return f"{where}{message_of(error)}"


def message_of(error: Any) -> str:
    """The words of an error of the journal."""
    if not isinstance(error, dict):
        return clean(error) if error else ""
    return clean(error.get("message") or error.get("type") or "failed")

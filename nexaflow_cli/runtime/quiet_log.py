"""The log of an attempt that will most likely say nothing: made when it says something."""

from __future__ import annotations

from nexaflow_cli.runtime.logs import RunLogs
from nexaflow_cli.runtime.step_log import StepLog


class QuietLog:
    """A `Log` of actions; stands in front of a step's real one."""

    __slots__ = ("_attempt", "_logs", "_real", "_run_id", "_step")

    def __init__(self, logs: RunLogs, run_id: str, step: str, attempt: int) -> None:
        self._logs, self._run_id, self._step, self._attempt = logs, run_id, step, attempt
        self._real: StepLog | None = None

    def _log(self) -> StepLog:
        if self._real is None:
            self._real = self._logs.step(self._run_id, self._step, self._attempt)
        return self._real

    def write(self, stream: str, data: bytes) -> None:
        self._log().write(stream, data)

    def line(self, text: str, *, level: str = "info") -> None:
        self._log().line(text, level=level)

    def mask(self, text: str) -> str:
        return self._logs.masker.mask(text)

    def close(self) -> None:
        if self._real is not None:
            self._real.close()

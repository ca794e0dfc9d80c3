"""The logs of runs: one file of JSON lines each, written behind the work, read by offset."""

from __future__ import annotations

import os
import re
import threading
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orjson import OPT_APPEND_NEWLINE, dumps

from nexaflow_cli.runtime import log_file
from nexaflow_cli.runtime.masking import Masker
from nexaflow_cli.runtime.step_log import StepLog

FLUSH_SECONDS = 0.1
"""The most that a crash of the daemon loses."""

_HIGH_WATER = 4 * 1024 * 1024  # bytes in memory at which a writer has to wait for the disk
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}", re.ASCII)

OnLine = Callable[[str, dict[str, Any]], None]


class RunLogs:
    """All logs of a daemon.

    An entry is `{n, at, step, attempt, stream, level, text}`. Its number `n` is the offset at
    which it ends in its file, so reading goes on after any entry without looking at those
    before it. Files are opened to append and closed again; a run that says nothing has none.

    Args:
        root: directory of the files, made on first use.
        masker: takes secrets out before anything is kept.
        step_bytes: most bytes that one attempt of a step may add, about; then its end follows.
        on_line: called with run id and entry as each is said, on the thread that says it.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        root: Path,
        *,
        masker: Masker | None = None,
        step_bytes: int = 10 * 1024 * 1024,
        on_line: OnLine | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.masker = masker if masker is not None else Masker()
        self.step_bytes = step_bytes
        self.on_line = on_line
        self.clock = clock
        self.trouble = ""
        """Why the last write failed; empty if it did not."""
        self._root = root
        self._runs: dict[str, RunLog] = {}
        self._dirty: dict[str, RunLog] = {}
        self._buffered = 0
        self._lock = threading.Lock()  # the buffers
        self._disk = threading.Lock()  # the files; taken before the other, never after it
        self._work = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def run(self, run_id: str) -> RunLog:
        """The log of a run, to write to.

        Raises:
            ValueError: the id could not be a file's name.
        """
        log = self._runs.get(run_id)
        if log is None:
            _check(run_id)
            log = self._runs[run_id] = RunLog(self, run_id)
        log.closed = False
        return log

    def step(self, run_id: str, step: str, attempt: int) -> StepLog:
        """The log of one attempt of a run's step; close it when the attempt ends."""
        return self.run(run_id).step(step, attempt)

    def end(self, run_id: str) -> None:
        """A run is over: what its steps left unsaid is said; one that said nothing has no log."""
        if log := self._runs.get(run_id):
            log.close()

    def path(self, run_id: str) -> Path:
        """The file of a run's log, whether it exists or not."""
        _check(run_id)
        # The shard comes from a hash, as ids made in the same hour begin alike.
        return self._root / f"{zlib.crc32(run_id.encode()) & 0xFF:02x}" / f"{run_id}.jsonl"

    def read(
        self, run_id: str, *, step: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Entries after number `after`, and the number to go on after, None at the end.

        Args:
            run_id: whose.
            step: only of this step and those inside of it (`notify` has `notify[3]`).
            after: number of the last entry already known; 0 for the beginning.
            limit: most entries to return; fewer may come although there are more.
        """
        path = self.path(run_id)
        log = self._runs.get(run_id)
        if log is not None:
            self._flush(run_id)
        return log_file.read(path, step, max(0, after), max(1, limit))

    def flush(self) -> None:
        """Write to disk what is still in memory."""
        with self._lock:
            dirty = list(self._dirty)
        for run_id in dirty:
            self._flush(run_id)

    def delete(self, run_id: str) -> None:
        """Remove the log of a run; none is no error."""
        path = self.path(run_id)
        with self._disk, self._lock:
            self._dirty.pop(run_id, None)
            if log := self._runs.pop(run_id, None):
                self._buffered -= len(log.take())
                log.size = -1
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Write what is left and end the writer's thread."""
        self._closing.set()
        self._work.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.flush()

    def append(self, log: RunLog, lines: bytes) -> int:
        """Have lines written soon and return where they begin; waits if too much waits already."""
        with self._lock:
            if log.size < 0:
                self._buffered += log.begin(self.path(log.run_id))
            start = log.size
            log.put(lines)
            self._buffered += len(lines)
            self._dirty[log.run_id] = log
            full = self._buffered > _HIGH_WATER
        if self._closing.is_set():
            full = True  # nobody writes behind any more
        elif self._thread is None:
            self._thread = threading.Thread(target=self._write_behind, name="logs", daemon=True)
            self._thread.start()
        self._work.set()
        if full:
            self.flush()
        return start

    def release(self, log: RunLog) -> None:
        """Forget a closed log as soon as nothing of it is in memory."""
        with self._lock:
            if log.size < 0:
                self._runs.pop(log.run_id, None)
            else:
                self._dirty[log.run_id] = log
        if log.size >= 0:
            self._work.set()

    def _write_behind(self) -> None:
        while not self._closing.is_set():
            self._work.wait()
            self._closing.wait(FLUSH_SECONDS)  # let more come: one write for many lines
            self._work.clear()
            self.flush()

    def _flush(self, run_id: str) -> None:
        with self._disk:
            with self._lock:
                log = self._dirty.pop(run_id, None)
                if log is None:
                    return
                data = log.take()
                self._buffered -= len(data)
            failed = bool(data) and not self._write(self.path(run_id), data)
            with self._lock:
                if failed:  # the numbers of what follows come from what is there now
                    log.size = -1
                if log.closed and run_id not in self._dirty:
                    self._runs.pop(run_id, None)

    def _write(self, path: Path, data: bytes) -> bool:
        try:
            log_file.append(path, data)
        except OSError as error:
            # A full disk must not stop the work; the health report names it.
            self.trouble = f"{path}: {error.strerror}"
            return False
        self.trouble = ""
        return True


def _check(run_id: str) -> None:
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(f"no id of a run: {run_id!r}")


class RunLog:
    """The log of one run, to write to; made by `RunLogs.run`."""

    __slots__ = ("_lines", "_logs", "_open", "closed", "run_id", "size")

    def __init__(self, logs: RunLogs, run_id: str) -> None:
        self.run_id = run_id
        self.closed = False
        self.size = -1
        """Bytes of the file with what is still to be written; -1 until that is known."""
        self._logs = logs
        self._lines: list[bytes] = []
        self._open: set[StepLog] = set()

    def step(self, step: str, attempt: int) -> StepLog:
        """The log of one attempt of a step; close it when the attempt ends."""
        logs, run_id = self._logs, self.run_id
        room = logs.step_bytes

        def emit(stream: str, level: str, texts: list[str], always: bool) -> int:
            nonlocal room
            at = datetime.fromtimestamp(logs.clock(), UTC).isoformat(timespec="milliseconds")
            entry = {
                "at": at.replace("+00:00", "Z"),
                "step": step,
                "attempt": attempt,
                "stream": stream,
                "level": level,
            }
            lines: list[bytes] = []
            for text in texts:
                line = dumps({**entry, "text": text}, None, OPT_APPEND_NEWLINE)
                if len(line) > room and not always:
                    break
                room -= len(line)
                lines.append(line)
            if lines:
                number = logs.append(self, b"".join(lines))
                if logs.on_line is not None:
                    for line, text in zip(lines, texts, strict=False):
                        number += len(line)
                        logs.on_line(run_id, {"n": number, **entry, "text": text})
            return len(lines)

        return StepLog(emit, logs.masker, self._open)

    def close(self) -> None:
        """Say that the run is over; what is not written yet will be."""
        for step in tuple(self._open):
            step.close()
        self.closed = True
        self._logs.release(self)

    def begin(self, path: Path) -> int:
        """Learn the size of the file; a line torn by a crash is ended, and readers skip it.

        Returns the bytes that this adds to what is to be written.
        """
        pending = sum(map(len, self._lines))
        self.size = pending
        try:
            with path.open("rb") as file:
                self.size += file.seek(0, os.SEEK_END)
                if self.size == pending:
                    return 0
                file.seek(-1, os.SEEK_END)
                if file.read(1) == b"\n":
                    return 0
        except OSError:
            return 0
        self._lines.insert(0, b"\n")
        self.size += 1
        return 1

    def put(self, lines: bytes) -> None:
        """Add lines to what is to be written."""
        self._lines.append(lines)
        self.size += len(lines)

    def take(self) -> bytes:
        """What is to be written; from now on the caller's."""
        lines, self._lines = self._lines, []
        return b"".join(lines)

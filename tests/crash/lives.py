"""A forge of daemons, and what their data directories say after they died."""

from __future__ import annotations

import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

KILLED = -signal.SIGKILL


class Forge:
    """Makes daemons that live, and die, as a job says (see `killer.py`)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("killer.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def begin(self, **job: Any) -> int:
        """Start the life of a daemon; its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job, default=str) + "\n")
        self._process.stdin.flush()
        return int(self._said()["pid"])

    def end(self) -> int:
        """Wait for the end of that life; its exit status, negative for a signal."""
        return int(self._said()["exit"])

    def run(self, **job: Any) -> int:
        self.begin(**job)
        return self.end()

    def _said(self) -> dict[str, int]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the forge has ended"
        said: dict[str, int] = json.loads(line)
        return said

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()


class Aftermath:
    """What is left in a data directory whose daemon has ended."""

    def __init__(self, data_dir: Path, effects: Path) -> None:
        self.data_dir = data_dir
        self.effects = effects
        db = sqlite3.connect(data_dir / "nexaflow.db")
        try:
            self.integrity: str = db.execute("PRAGMA integrity_check").fetchone()[0]
            self.runs: list[tuple[str, str, str]] = db.execute(
                "SELECT id, request_key, status FROM runs ORDER BY seq"
            ).fetchall()
            self.facts: list[tuple[str, str, dict[str, Any]]] = [
                (run, kind, json.loads(data))
                for run, kind, data in db.execute(
                    "SELECT r.id, j.kind, j.data FROM journal AS j JOIN runs AS r "
                    "ON r.seq = j.run ORDER BY j.seq"
                )
            ]
        finally:
            db.close()

    def effect_lines(self) -> list[tuple[str, str, int]]:
        """(run, step, attempt) of each time a step's script really ran."""
        if not self.effects.exists():
            return []
        lines = (line.split() for line in self.effects.read_text().splitlines())
        return [(run, step, int(attempt)) for run, step, attempt in lines]

    def check(self) -> None:
        """The promises about what ran, whatever happened on the way."""
        assert self.integrity == "ok"
        done = self.effect_lines()
        assert len(set(done)) == len(done), "an attempt ran twice"
        started = {(r, d["step"], d["attempt"]) for r, k, d in self.facts if k == "step.started"}
        assert set(done) <= started, "something ran that no durable fact allowed"
        succeeded: dict[tuple[str, str], int] = {}
        for run, kind, data in self.facts:
            if kind == "step.succeeded":
                assert (run, data["step"]) not in succeeded, "a step succeeded twice"
                succeeded[run, data["step"]] = data["attempt"]
        again = [line for line in done if line[2] > succeeded.get(line[:2], 10**9)]
        assert not again, "a committed step ran again"
        finished = [run for run, kind, _ in self.facts if kind == "run.finished"]
        assert len(set(finished)) == len(finished), "a run ended twice"


def children_of(data_dir: Path) -> list[int]:
    """Processes that a daemon of this data directory started and that are still there."""
    mark = f"NEXAFLOW_FILES={data_dir / 'files'}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def wait_for_end(pids: list[int], seconds: float) -> list[int]:
    """Wait until these processes have ended; those that have not, after so many seconds."""
    left = []
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            if not select.select([handle], [], [], seconds)[0]:
                left.append(pid)
        finally:
            os.close(handle)
    return left

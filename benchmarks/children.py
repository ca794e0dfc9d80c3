"""Child processes of a benchmark run: started, spoken to, measured, and surely ended."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"


class ChildError(RuntimeError):
    """A child process died, failed, or did not answer in time."""


def free_port() -> int:
    """A TCP port of the loopback interface that nobody holds now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(
    argv: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    grace: float = 10.0,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in its own group, its standard error in `log`; its group ends with the block."""
    with log.open("ab") as sink:
        child = subprocess.Popen(
            [str(part) for part in argv],
            stderr=sink,
            env=dict(env) if env is not None else None,
            cwd=ROOT,
            start_new_session=True,
            **({"stdin": subprocess.DEVNULL, "stdout": sink} | options),
        )
    try:
        yield child
    finally:
        if child.stdin:
            child.stdin.close()
        child.terminate()
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()


def wait_for_port(child: subprocess.Popen[bytes], port: int, log: Path, seconds: float) -> None:
    """Return once something listens on the loopback port; raise if the child dies first."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise ChildError(f"{child.args!r} ended with {child.returncode}: {tail(log)}")
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise ChildError(f"nothing listens on port {port} after {seconds:g} s: {tail(log)}")


def tail(log: Path, characters: int = 2000) -> str:
    """The last words of a log."""
    return log.read_text(errors="replace")[-characters:]


class Worker:
    """The parent's half of the conversation in `serving.py`."""

    def __init__(self, child: subprocess.Popen[bytes], log: Path) -> None:
        self._child = child
        self._log = log
        self._buffer = b""

    def call(self, op: str, *, timeout: float = 60.0, **arguments: Any) -> Any:
        """Ask for `op` and return its result; raises `ChildError` after `timeout` seconds."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"op": op, **arguments}).encode() + b"\n")
        self._child.stdin.flush()
        return self.receive(timeout)

    def receive(self, timeout: float) -> Any:
        """The next reply's result."""
        assert self._child.stdout is not None
        fd = self._child.stdout.fileno()
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise ChildError(f"no answer in {timeout:g} s: {tail(self._log)}")
            chunk = os.read(fd, 1 << 16)
            if not chunk:
                raise ChildError(f"{self._child.args!r} ended: {tail(self._log)}")
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        reply = json.loads(line)
        if "error" in reply:
            raise ChildError(reply["error"])
        return reply["ok"]


@contextmanager
def worker(
    python: Path,
    module: str,
    *arguments: str | Path,
    log: Path,
    env: Mapping[str, str] | None = None,
) -> Iterator[Worker]:
    """A module of this package as a child that answers requests, run by the given Python."""
    argv = [python, "-m", module, *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with process(argv, log, env=env, **pipes) as child:
        conversation = Worker(child, log)
        conversation.receive(30.0)
        yield conversation


def memory(pid: int) -> tuple[float, float]:
    """(RSS, PSS) in MB of 10^6 bytes of a process and all below it."""
    rss = pss = 0
    for member in [pid, *descendants(pid)]:
        try:
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in text.splitlines()[1:])
        rss += int(fields["Rss"].split()[0]) * 1024
        pss += int(fields["Pss"].split()[0]) * 1024
    return rss / 1e6, pss / 1e6


def descendants(pid: int) -> list[int]:
    """Process ids of children, their children, and so on."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, tasks.read_text().split()):
            found += [child, *descendants(child)]
    return found

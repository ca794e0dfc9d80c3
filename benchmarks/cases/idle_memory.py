"""Memory of a server that has started and has nothing to do, its children included."""

from __future__ import annotations

import time

from benchmarks.children import memory
from benchmarks.model import Context, Row, Target
from benchmarks.subjects.nexaflow import daemon
from benchmarks.subjects.peers import DURABLE, temporal_server, temporal_worker

TARGET = Target(90, at_least=False)


def run(context: Context) -> list[Row]:
    work = context.pick(3.0, 1.0)
    rest = context.pick(2.0, 0.5)
    rows = _nexaflow(context, work, rest)
    return rows + _temporal(context, work, rest) if context.peers else rows


def _nexaflow(context: Context, work: float, rest: float) -> list[Row]:
    with daemon(context.directory("daemon-idle")) as it:
        rows = _weigh("nexaflow serve, just started", it.pid, rest, TARGET)
        api = it.connect()
        stop = time.monotonic() + work
        while time.monotonic() < stop:
            for workflow in ("logged", "set-0"):
                api.call("POST", "runs", {"workflow": workflow})
        api.wait_until_idle("logged")
        return rows + _weigh("nexaflow serve, idle after runs", it.pid, rest, TARGET)


def _temporal(context: Context, work: float, rest: float) -> list[Row]:
    directory = context.directory("temporal-idle")
    with temporal_server(directory, "--db-filename", directory / "temporal.db", *DURABLE) as it:
        rows = _weigh("Temporal dev server, just started", it.pid, rest)
        with temporal_worker(it, directory) as worker:
            worker.call("throughput", seconds=work)
        return rows + _weigh("Temporal dev server, idle after runs", it.pid, rest)


def _weigh(name: str, pid: int, rest: float, target: Target | None = None) -> list[Row]:
    """Rows for both ways to count: pages shared with other processes whole, or in part.

    `rest` is how many seconds the server gets to put away what starting or working left behind.
    """
    time.sleep(rest)
    rss, pss = memory(pid)
    return [Row(f"{name}, RSS", rss, "MB", target=target), Row(f"{name}, PSS", pss, "MB")]

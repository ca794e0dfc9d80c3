"""Memory of a server that has started and has nothing to do, its children included."""

from __future__ import annotations

import time

from benchmarks.children import memory
from benchmarks.model import Context, Row
from benchmarks.subjects.peers import DURABLE, temporal_server, temporal_worker

SETTLE = 2.0
"""Seconds of rest before a server is weighed: what starting or working left behind has gone."""

WORK = 3.0
"""Seconds of runs between the two weighings."""


def run(context: Context) -> list[Row]:
    rows = []
    if context.peers:
        directory = context.directory("temporal-idle")
        with temporal_server(directory, "--db-filename", directory / "temporal.db", *DURABLE) as it:
            rows += weigh("Temporal dev server, just started", it.pid)
            with temporal_worker(it, directory) as worker:
                worker.call("throughput", seconds=WORK)
            rows += weigh("Temporal dev server, idle after runs", it.pid)
    return rows


def weigh(name: str, pid: int) -> list[Row]:
    """Rows for both ways to count: pages shared with other processes whole, or in part."""
    time.sleep(SETTLE)
    rss, pss = memory(pid)
    return [Row(f"{name}, RSS", rss, "MB"), Row(f"{name}, PSS", pss, "MB")]

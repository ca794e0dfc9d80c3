"""From a file written while the daemon is idle to the start of its run's first step.

The journal says when a step started, in whole milliseconds; the step itself is a shell that runs
`date`, so what it says comes later by the start of two processes and bounds the figure from above.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime

from benchmarks.children import ChildError
from benchmarks.model import Context, Row, Target
from benchmarks.sampling import median, percentile
from benchmarks.subjects.nexaflow import Api, Daemon, daemon

DISK, API = "written on disk", "written through the API"


def run(context: Context) -> list[Row]:
    subject: Daemon = context.started("daemon", daemon)
    api = subject.connect()
    folder = subject.data_dir / "files" / "in"
    folder.mkdir(parents=True, exist_ok=True)

    def on_disk(name: str) -> None:
        (folder / name).write_text("hello")

    def by_api(name: str) -> None:
        api.call("PUT", f"files/in/{name}", b"hello")

    ways: dict[str, Callable[[str], None]] = {DISK: on_disk, API: by_api}
    for way, write in ways.items():
        _one(api, f"first-{way.split()[-1]}.txt", write)
    written: dict[str, list[tuple[str, float]]] = {DISK: [], API: []}
    for number in range(context.pick(120, 25)):
        for way, write in ways.items():
            name = f"{number}-{way.split()[-1]}.txt"
            written[way].append((name, time.time()))
            write(name)
            # Not in step with anything that beats in the daemon, and long enough to be idle.
            time.sleep(random.uniform(0.04, 0.06))
    api.wait_until_idle("arrivals")
    runs = _runs_by_path(api)
    return [row for way in ways for row in _rows(way, api, runs, written[way])]


def _one(api: Api, name: str, write: Callable[[str], None]) -> None:
    """Have one file go all the way, so that nothing is done for the first time later."""
    write(name)
    deadline = time.monotonic() + 10
    while f"/in/{name}" not in _runs_by_path(api):
        if time.monotonic() > deadline:
            raise ChildError(f"/in/{name} started no run")
        time.sleep(0.02)
    api.wait_until_idle("arrivals")


def _runs_by_path(api: Api) -> dict[str, str]:
    listed = api.call("GET", "runs?workflow=arrivals&limit=1000")["items"]
    return {run["trigger"]["path"]: run["id"] for run in listed}


def _rows(way: str, api: Api, runs: dict[str, str], written: list[tuple[str, float]]) -> list[Row]:
    recorded, said = [], []
    for name, at in written:
        step = api.call("GET", f"runs/{runs[f'/in/{name}']}")["steps"][0]
        started = datetime.fromisoformat(step["started_at"]).timestamp()
        recorded.append((started - at) * 1e3)
        said.append((int(step["output"]) / 1e9 - at) * 1e3)
    return [
        Row(f"{way}, p50", median(recorded), "ms", target=Target(10, False), samples=recorded),
        Row(f"{way}, p99", percentile(recorded, 99), "ms", target=Target(50, False)),
        Row(f"{way}, until the step's process speaks, p50", median(said), "ms", samples=said),
        Row(f"{way}, until the step's process speaks, p99", percentile(said, 99), "ms"),
    ]

"""Daemons that kill themselves: a program the crash tests run, never imported by the product.

It reads jobs, one JSON object a line, and forks a process for each that lives as the daemon of a
data directory: it applies, starts runs, waits for their ends, and writes what became of them.
A job can have it SIGKILL itself right before or right after its N-th COMMIT, which is every point
at which the disk's idea of the world changes. Forking makes a start cost milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.runtime import driver
from nexaflow_cli.runtime.daemon import Daemon
from nexaflow_cli.store.writer import Writer


def arm(kill_at: int, when: str) -> None:
    """Have this process end with SIGKILL `before` or `after` its commit number `kill_at`."""
    durable, count = Writer._durable, 0

    def fatal(self: Writer) -> BaseException | None:
        nonlocal count
        count += 1
        if count == kill_at and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if count == kill_at:
            self._db.execute("COMMIT")
            os.kill(os.getpid(), signal.SIGKILL)
        return durable(self)

    Writer._durable = fatal  # type: ignore[method-assign]


async def live(job: dict[str, Any]) -> None:
    """One life of a daemon, to its end in good order."""
    settings = replace(
        DaemonSettings(data_dir=Path(job["data_dir"]), grace=1.0), **job.get("settings", {})
    )
    daemon = Daemon(settings, triggers=job.get("triggers", False))
    await daemon.start()
    acks = os.open(job["acks"], os.O_WRONLY | os.O_APPEND | os.O_CREAT) if "acks" in job else None
    if job.get("apply"):
        await daemon.workflows.apply([tuple(document) for document in job["apply"]])

    async def run(request: dict[str, Any]) -> dict[str, Any]:
        started = await daemon.runs.start(
            request["workflow"], request.get("inputs"), idempotency_key=request["key"]
        )
        if acks is not None:
            os.write(acks, f"{request['key']} {started['id']}\n".encode())
        async for _ in daemon.live.follow(started["id"]):
            pass
        return await daemon.runs.get(started["id"])

    ended = await asyncio.gather(*(run(request) for request in job.get("runs", ())))
    await daemon.stop()
    if "result" in job:
        Path(job["result"]).write_text(json.dumps(ended))


def child(job: dict[str, Any]) -> int:
    driver.PARK_AFTER = job.get("park_after", driver.PARK_AFTER)
    if job.get("kill_at"):
        arm(job["kill_at"], job["when"])
    try:
        asyncio.run(live(job))
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    """For each job: fork, say `pid`, wait, say `exit`: the status, negative for a signal."""
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(child(job))
        say({"pid": pid})
        _, status = os.waitpid(pid, 0)
        say({"exit": os.waitstatus_to_exitcode(status)})


def say(word: dict[str, int]) -> None:
    sys.stdout.write(json.dumps(word) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""NexaFlow in the process that also asks for runs, as DBOS is: `… nexaflow_app DATA_DIR`.

The parts are those of `nexaflow serve` without its HTTP server and without triggers. Either every
client waits for the end of its run in the live stream of committed facts, or nobody watches, as
with runs that files and schedules start, and the ends are counted in the database afterwards.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.loops import drive_tasks, rate, time_each_async
from benchmarks.serving import serve_async
from benchmarks.subjects import workflows
from nexaflow_cli.actions.base import Action, Call
from nexaflow_cli.actions.registry import BUILTIN
from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.runtime import garbage
from nexaflow_cli.runtime.daemon import Daemon

CLIENTS = 128


def _add(params: dict[str, Any], call: Call) -> dict[str, Any]:
    return {"v": params["v"] + 1}


ADD = Action(
    name="bench.add",
    summary="Add one, as the steps of the peers do.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["v"],
        "properties": {"v": {"description": "The number."}},
    },
    run=_add,
)
"""Not pure: its start is committed before it runs, its result before the next step starts."""

CALLS = {
    "committed": 'action: bench.add, with: {v: "${{PREVIOUS}}"}',
    "pure": 'action: set, with: {values: {v: "${{PREVIOUS+1}}"}}',
}


class Ends:
    """Tells who waits for a run that it has ended; an end may come before its waiter."""

    def __init__(self) -> None:
        self._early: dict[str, str] = {}
        self._waiting: dict[str, asyncio.Future[str]] = {}

    async def listen(self, daemon: Daemon) -> None:
        async for frame in daemon.live.follow():
            if frame["type"] != "end":
                continue
            waiter = self._waiting.pop(frame["run"], None)
            if waiter is None:
                self._early[frame["run"]] = frame["status"]
            elif not waiter.done():
                waiter.set_result(frame["status"])
        raise RuntimeError("the live stream was cut off")

    async def wait(self, run_id: str) -> None:
        status = self._early.pop(run_id, None)
        if status is None:
            waiter = self._waiting[run_id] = asyncio.get_running_loop().create_future()
            status = await waiter
        if status != "success":
            raise RuntimeError(f"run {run_id} ended: {status}")


@asynccontextmanager
async def watching(daemon: Daemon) -> AsyncIterator[Ends]:
    """The ends of all runs from now on."""
    ends = Ends()
    listener = asyncio.create_task(ends.listen(daemon))
    await asyncio.sleep(0)  # lets the listener subscribe before the first run
    try:
        yield ends
    finally:
        listener.cancel()
        await asyncio.wait([listener])


async def run_to_end(daemon: Daemon, ends: Ends, workflow: str) -> str:
    run_id: str = (await daemon.runs.start(workflow))["id"]
    await ends.wait(run_id)
    return run_id


async def unwatched(
    daemon: Daemon, workflow: str, abreast: int, seconds: float
) -> dict[str, float]:
    """Keep so many runs under way for `seconds`, wait for the last, count the ends."""
    before = (await daemon.workflows.stats(workflow))["success"]
    begin, cpu = time.perf_counter(), time.process_time()
    stop = begin + seconds
    while time.perf_counter() < stop:
        if (free := abreast - daemon.active_runs) > 0:
            await asyncio.gather(*(daemon.runs.start(workflow) for _ in range(free)))
        else:
            await asyncio.sleep(0.001)
    while daemon.active_runs:
        await asyncio.sleep(0.001)
    elapsed, cpu = time.perf_counter() - begin, time.process_time() - cpu
    ended = (await daemon.workflows.stats(workflow))["success"] - before
    return {**rate(ended, elapsed), "cpu_ms": cpu / ended * 1e3}


async def main() -> None:
    settings = DaemonSettings(data_dir=Path(sys.argv[1]))
    daemon = Daemon(settings, actions={**BUILTIN, ADD.name: ADD}, triggers=False)
    await daemon.start()
    garbage.settle()  # as `nexaflow serve` does
    await daemon.workflows.apply(
        [(kind, workflows.three_steps(kind, call)) for kind, call in CALLS.items()]
    )

    async def check(workflow: str) -> None:
        async with watching(daemon) as ends:
            run = await daemon.runs.get(await run_to_end(daemon, ends, workflow))
        if run["steps"][-1]["output"]["v"] != 3:
            raise RuntimeError(f"{workflow} gave {run['steps'][-1]}")

    async def throughput(seconds: float, workflow: str, clients: int = CLIENTS) -> dict[str, float]:
        """Runs that nobody watches; `clients` is how many are under way at a time."""
        await check(workflow)
        return await unwatched(daemon, workflow, clients, seconds)

    async def watched(seconds: float, workflow: str, clients: int = CLIENTS) -> dict[str, float]:
        await check(workflow)
        async with watching(daemon) as ends:
            return await drive_tasks(lambda: run_to_end(daemon, ends, workflow), clients, seconds)

    async def latency(seconds: float, workflow: str) -> list[float]:
        await check(workflow)
        async with watching(daemon) as ends:
            return await time_each_async(lambda: run_to_end(daemon, ends, workflow), seconds)

    async def apply(source: str) -> float:
        """Seconds that it took to make this definition the newest."""
        begin = time.perf_counter()
        await daemon.workflows.apply([("benchmark.yaml", source)])
        return time.perf_counter() - begin

    async def apply_dag(kind: str, steps: int) -> float:
        return await apply(workflows.dag(f"{kind}-{steps}", steps, CALLS[kind]))

    async def repeat(workflow: str, times: int) -> dict[str, float]:
        """So many runs of a workflow, one after the other."""
        async with watching(daemon) as ends:
            begin = time.perf_counter()
            for _ in range(times):
                await run_to_end(daemon, ends, workflow)
            return rate(times, time.perf_counter() - begin)

    handlers: dict[str, Callable[..., Awaitable[Any]]] = {
        "throughput": throughput,
        "watched": watched,
        "latency": latency,
        "apply": apply,
        "apply_dag": apply_dag,
        "repeat": repeat,
    }
    try:
        await serve_async(handlers)
    finally:
        await daemon.stop()


if __name__ == "__main__":
    asyncio.run(main())

"""NexaFlow in the process that also asks for runs, as DBOS is: `… nexaflow_app DATA_DIR`.

The parts are those of `nexaflow serve` without its HTTP server and without triggers. A client
learns of the end of its run from the live stream of committed facts.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.loops import drive_tasks, rate, time_each_async
from benchmarks.serving import serve_async
from benchmarks.subjects import workflows
from nexaflow_cli.actions.base import Action, Call
from nexaflow_cli.actions.registry import BUILTIN
from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.runtime.daemon import Daemon

CLIENTS = 128


def _add(params: dict[str, Any], call: Call) -> dict[str, Any]:
    return {"value": params["value"] + 1}


ADD = Action(
    name="bench.add",
    summary="Add one, as the steps of the peers do.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["value"],
        "properties": {"value": {"description": "The number."}},
    },
    run=_add,
)
"""Not pure: its start is committed before it runs, its result before the next step starts."""

DEFINITIONS = {
    "committed": workflows.three_steps(
        "committed", 'action: bench.add, with: {value: "${{ PREVIOUS }}"}'
    ),
    "pure": workflows.three_steps(
        "pure", 'action: set, with: {values: {value: "${{ PREVIOUS + 1 }}"}}'
    ),
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


async def main() -> None:
    settings = DaemonSettings(data_dir=Path(sys.argv[1]))
    daemon = Daemon(settings, actions={**BUILTIN, ADD.name: ADD}, triggers=False)
    await daemon.start()
    ends = Ends()
    listener = asyncio.create_task(ends.listen(daemon))
    await daemon.workflows.apply([(f"{n}.yaml", text) for n, text in DEFINITIONS.items()])

    async def run_once(workflow: str) -> str:
        run = await daemon.runs.start(workflow)
        run_id: str = run["id"]
        await ends.wait(run_id)
        return run_id

    async def check(workflow: str) -> None:
        run = await daemon.runs.get(await run_once(workflow))
        last = run["steps"][-1]["output"]["value"]
        if last != 3:
            raise RuntimeError(f"{workflow} gave {last}")

    async def throughput(seconds: float, workflow: str, clients: int = CLIENTS) -> dict[str, float]:
        await check(workflow)
        return await drive_tasks(lambda: run_once(workflow), clients, seconds)

    async def latency(seconds: float, workflow: str) -> list[float]:
        await check(workflow)
        return await time_each_async(lambda: run_once(workflow), seconds)

    async def apply(name: str, source: str) -> float:
        begin = time.perf_counter()
        await daemon.workflows.apply([(f"{name}.yaml", source)])
        return time.perf_counter() - begin

    async def repeat(workflow: str, times: int) -> dict[str, float]:
        """So many runs of a workflow, one after the other."""
        begin = time.perf_counter()
        for _ in range(times):
            await run_once(workflow)
        return rate(times, time.perf_counter() - begin)

    handlers: dict[str, Callable[..., Awaitable[Any]]] = {
        "throughput": throughput,
        "latency": latency,
        "apply": apply,
        "repeat": repeat,
    }
    try:
        await serve_async(handlers)
    finally:
        listener.cancel()
        await daemon.stop()


if __name__ == "__main__":
    asyncio.run(main())

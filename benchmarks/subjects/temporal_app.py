"""Temporal: a worker and the client that asks for runs, in one process beside the dev server.

Runs in the peers' virtual environment: `python -m benchmarks.subjects.temporal_app ADDRESS`.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from benchmarks.loops import drive_tasks, time_each_async
from benchmarks.serving import serve_async

QUEUE = "benchmark"
CLIENTS = 16
TIMEOUT = timedelta(seconds=60)


@activity.defn
async def add(value: int) -> int:
    return value + 1


@workflow.defn
class ThreeActivities:
    """Each result is in the server's database before the next activity is scheduled."""

    @workflow.run
    async def run(self, value: int) -> int:
        for _ in range(3):
            value = await workflow.execute_activity(add, value, start_to_close_timeout=TIMEOUT)
        return value


@workflow.defn
class ThreeLocalActivities:
    """Run in the worker; all three results reach the database with the end of the workflow."""

    @workflow.run
    async def run(self, value: int) -> int:
        for _ in range(3):
            value = await workflow.execute_local_activity(
                add, value, start_to_close_timeout=TIMEOUT
            )
        return value


async def main() -> None:
    client = await Client.connect(sys.argv[1])
    workflows = {"activities": ThreeActivities, "local": ThreeLocalActivities}

    async def run_once(kind: str) -> None:
        result = await client.execute_workflow(
            workflows[kind].run, 0, id=str(uuid.uuid4()), task_queue=QUEUE, request_eager_start=True
        )
        if result != 3:
            raise RuntimeError(f"the workflow gave {result}")

    async def throughput(
        seconds: float, kind: str = "activities", clients: int = CLIENTS
    ) -> dict[str, float]:
        return await drive_tasks(lambda: run_once(kind), clients, seconds)

    async def latency(seconds: float, kind: str = "activities") -> list[float]:
        return await time_each_async(lambda: run_once(kind), seconds)

    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=list(workflows.values()),
        activities=[add],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=200,
        max_concurrent_workflow_tasks=200,
    )
    async with worker:
        await serve_async({"throughput": throughput, "latency": latency})


if __name__ == "__main__":
    asyncio.run(main())

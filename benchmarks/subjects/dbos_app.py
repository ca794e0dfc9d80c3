"""DBOS on SQLite: a workflow of three steps in the process that also asks for it.

Runs in the peers' virtual environment: `python -m benchmarks.subjects.dbos_app FILE [wal]`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys

from dbos import DBOS, DBOSConfig

from benchmarks.loops import drive_tasks, time_each
from benchmarks.serving import serve_async

CLIENTS = 4
"""Where throughput peaks: SQLite takes one writer, and more clients only wait for it."""


@DBOS.step()
async def add_async(value: int) -> int:
    return value + 1


@DBOS.workflow()
async def three_async_steps(value: int) -> int:
    return await add_async(await add_async(await add_async(value)))


@DBOS.step()
def add(value: int) -> int:
    return value + 1


@DBOS.workflow()
def three_steps(value: int) -> int:
    return add(add(add(value)))


async def submit_and_wait() -> None:
    handle = await DBOS.start_workflow_async(three_async_steps, 0)
    if await handle.get_result() != 3:
        raise RuntimeError("the workflow gave a wrong result")


def call() -> None:
    if three_steps(0) != 3:
        raise RuntimeError("the workflow gave a wrong result")


async def throughput(seconds: float, clients: int = CLIENTS) -> dict[str, float]:
    return await drive_tasks(submit_and_wait, clients, seconds)


async def latency(seconds: float) -> list[float]:
    """The plain call of a synchronous workflow, its quickest way."""
    return await asyncio.to_thread(time_each, call, seconds)


async def main() -> None:
    path = sys.argv[1]
    if sys.argv[2:] == ["wal"]:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    config: DBOSConfig = {
        "name": "peer",
        "system_database_url": f"sqlite:///{path}",
        "log_level": "ERROR",
        "enable_otlp": False,
    }
    DBOS(config=config)
    DBOS.launch()
    await serve_async({"throughput": throughput, "latency": latency})
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(main())

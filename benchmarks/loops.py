"""Closed loops: clients that submit a run, wait for its end, and submit the next.

Standard library only: peers import it. Times in seconds.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any


def rate(runs: int, seconds: float) -> dict[str, float]:
    """A throughput sample as every subject reports it."""
    return {"runs": runs, "seconds": seconds, "rate": runs / seconds}


def drive_threads(run_once: Callable[[], Any], clients: int, seconds: float) -> dict[str, float]:
    """Run `clients` threads for `seconds`; no run starts after that, all are waited for."""
    counts = [0] * clients
    failures: list[BaseException] = []
    begin = time.perf_counter()
    stop = begin + seconds

    def client(slot: int) -> None:
        try:
            while time.perf_counter() < stop:
                run_once()
                counts[slot] += 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=client, args=(slot,)) for slot in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return rate(sum(counts), time.perf_counter() - begin)


async def drive_tasks(
    run_once: Callable[[], Awaitable[Any]], clients: int, seconds: float
) -> dict[str, float]:
    """As `drive_threads`, with tasks on the running loop."""
    begin = time.perf_counter()
    stop = begin + seconds

    async def client() -> int:
        count = 0
        while time.perf_counter() < stop:
            await run_once()
            count += 1
        return count

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client()) for _ in range(clients)]
    return rate(sum(task.result() for task in tasks), time.perf_counter() - begin)


def time_each(run_once: Callable[[], Any], seconds: float) -> list[float]:
    """Seconds that each of a row of runs took, one at a time."""
    samples: list[float] = []
    stop = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < stop:
        run_once()
        samples.append(time.perf_counter() - begin)
    return samples


async def time_each_async(run_once: Callable[[], Awaitable[Any]], seconds: float) -> list[float]:
    """As `time_each`, awaiting."""
    samples: list[float] = []
    stop = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < stop:
        await run_once()
        samples.append(time.perf_counter() - begin)
    return samples

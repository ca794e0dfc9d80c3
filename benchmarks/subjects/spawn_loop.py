"""The bare way to run a shell command: `posix_spawn`, wait, next."""

from __future__ import annotations

import os
import threading
import time

from benchmarks.loops import rate

COMMAND = ["sh", "-e", "-c", ":"]
"""The least a shell can be asked to do; NexaFlow's steps are given the same script."""


def spawn_one() -> None:
    """Start the command and wait for its end."""
    pid = os.posix_spawn("/bin/sh", COMMAND, os.environ)
    status = os.waitpid(pid, 0)[1]
    if status:
        raise RuntimeError(f"the shell ended with {os.waitstatus_to_exitcode(status)}")


def spawn_loop(seconds: float, abreast: int = 1) -> dict[str, float]:
    """Commands a second, each of `abreast` threads running one after the other."""
    counts = [0] * abreast
    begin = time.perf_counter()
    stop = begin + seconds

    def loop(slot: int) -> None:
        while time.perf_counter() < stop:
            spawn_one()
            counts[slot] += 1

    threads = [threading.Thread(target=loop, args=(slot,)) for slot in range(abreast)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return rate(sum(counts), time.perf_counter() - begin)

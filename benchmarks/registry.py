"""Every benchmark there is, in the order they run. A new one is a module and a line here."""

from __future__ import annotations

from benchmarks.cases import (
    cli_start,
    dag_cost,
    file_latency,
    idle_memory,
    latency,
    shell_steps,
    sqlite_limit,
    throughput,
)
from benchmarks.model import Benchmark

BENCHMARKS = (
    # Before the peers that are kept running: their pages and their idle work would count.
    Benchmark("memory", "idle memory of the servers", idle_memory.run),
    Benchmark("cli", "start of the command line", cli_start.run),
    Benchmark("files", "file written to first step, idle daemon", file_latency.run),
    Benchmark("sqlite", "raw SQLite, WAL and synchronous=FULL", sqlite_limit.run),
    Benchmark("throughput", "durable runs a second, three in-process steps each", throughput.run),
    Benchmark("dag", "cost of a step in DAGs of 10 to 10,000 steps", dag_cost.run),
    Benchmark("shell", "shell steps beside a bare spawn loop", shell_steps.run),
    Benchmark("latency", "one such run at a time, submit to end", latency.run),
)

"""Every benchmark there is, in the order they run. A new one is a module and a line here."""

from __future__ import annotations

from benchmarks.cases import cli_start, idle_memory, latency, sqlite_limit, throughput
from benchmarks.model import Benchmark

BENCHMARKS = (
    # Before the peers that are kept running: their pages and their idle work would count.
    Benchmark("memory", "idle memory of the servers", idle_memory.run),
    Benchmark("cli", "start of the command line", cli_start.run),
    Benchmark("sqlite", "raw SQLite, WAL and synchronous=FULL", sqlite_limit.run),
    Benchmark("throughput", "durable runs a second, three in-process steps each", throughput.run),
    Benchmark("latency", "one such run at a time, submit to end", latency.run),
)

"""The subjects that run three in-process steps, by the names they have in the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.children import Worker
from benchmarks.model import Context
from benchmarks.subjects import nexaflow, peers

Start = Callable[[Path], AbstractContextManager[Worker]]


@dataclass(frozen=True, slots=True)
class Subject:
    """A worker, and how it is asked: its `ops` name what answers a benchmark.

    Subjects of one `process` share one child. `quick` ones are measured in a quick run too.
    """

    name: str
    process: str
    start: Start
    arguments: dict[str, Any] = field(default_factory=dict)
    ops: Mapping[str, str] = field(
        default_factory=lambda: {"throughput": "throughput", "latency": "latency"}
    )
    quick: bool = True
    peer: bool = True

    def call(self, context: Context, benchmark: str, seconds: float) -> Any:
        """One sample of about `seconds`."""
        worker: Worker = context.started(self.process, self.start)
        return worker.call(self.ops[benchmark], seconds=seconds, **self.arguments)


PEERS = (
    Subject("DBOS, as shipped", "dbos", peers.dbos(wal=False)),
    Subject("DBOS, WAL", "dbos-wal", peers.dbos(wal=True)),
    Subject("Temporal, in a file", "temporal-file", peers.temporal(file=True), quick=False),
    Subject("Temporal, in a file, WAL", "temporal-wal", peers.temporal(file=True, wal=True)),
    Subject(
        "Temporal, WAL, local activities",
        "temporal-wal",
        peers.temporal(file=True, wal=True),
        {"kind": "local"},
    ),
    Subject("Temporal, in memory", "temporal-memory", peers.temporal(file=False), quick=False),
)


COMMITTED = "NexaFlow, committed steps"
PURE = "NexaFlow, pure steps"

THROUGHPUT_ONLY = {"throughput": "throughput"}

OURS = (
    Subject(COMMITTED, "nexaflow", nexaflow.engine, {"workflow": "committed"}, peer=False),
    Subject(PURE, "nexaflow", nexaflow.engine, {"workflow": "pure"}, peer=False),
    Subject(
        "NexaFlow, committed steps, each end awaited",
        "nexaflow",
        nexaflow.engine,
        {"workflow": "committed"},
        ops={"throughput": "watched"},
        peer=False,
    ),
    Subject(
        "nexaflow serve over HTTP, committed steps",
        "nexaflow-served",
        nexaflow.served,
        {"workflow": "logged"},
        ops=THROUGHPUT_ONLY,
        peer=False,
    ),
    Subject(
        "nexaflow serve over HTTP, pure steps",
        "nexaflow-served",
        nexaflow.served,
        {"workflow": "set-0"},
        ops=THROUGHPUT_ONLY,
        peer=False,
    ),
)


def subjects(context: Context, benchmark: str) -> list[Subject]:
    """Those that a benchmark measures in this run, started; NexaFlow's come first."""
    chosen = [
        subject
        for subject in OURS + PEERS
        if benchmark in subject.ops
        and (context.peers or not subject.peer)
        and (subject.quick or not context.quick)
    ]
    for subject in chosen:
        context.started(subject.process, subject.start)
    return chosen

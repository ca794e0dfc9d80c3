"""The subjects that run three in-process steps, by the names they have in the table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.children import Worker
from benchmarks.model import Context
from benchmarks.subjects import peers

Start = Callable[[Path], AbstractContextManager[Worker]]


@dataclass(frozen=True, slots=True)
class Subject:
    """A worker that answers `throughput` and `latency`, and what to ask it with.

    Subjects of one `process` share one child. `quick` ones are measured in a quick run too.
    """

    name: str
    process: str
    start: Start
    arguments: dict[str, Any] = field(default_factory=dict)
    quick: bool = True

    def call(self, context: Context, op: str, seconds: float) -> Any:
        """One sample of about `seconds`."""
        worker: Worker = context.started(self.process, self.start)
        return worker.call(op, seconds=seconds, **self.arguments)


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


def subjects(context: Context) -> list[Subject]:
    """Those this run measures, started."""
    chosen = list(PEERS) if context.peers else []
    chosen = [subject for subject in chosen if subject.quick or not context.quick]
    for subject in chosen:
        context.started(subject.process, subject.start)
    return chosen

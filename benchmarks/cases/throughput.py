"""Durable runs a second, three in-process steps each, beside the peers and raw SQLite."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.model import Context, Row
from benchmarks.sampling import interleave, median
from benchmarks.subjects.catalog import subjects
from benchmarks.subjects.raw_sqlite import raw_sqlite

LIMIT = "raw SQLite, 16 runs a commit"
STEPWISE_LIMIT = "raw SQLite, 16 runs abreast, 4 commits"


def run(context: Context) -> list[Row]:
    raw = context.started("raw-sqlite", raw_sqlite)
    seconds = context.pick(2.0, 0.7)
    takes: dict[str, Callable[[], dict[str, float]]] = {
        LIMIT: lambda: raw.runs(seconds / 2, 16),
        STEPWISE_LIMIT: lambda: raw.stepwise_runs(seconds / 2, 16),
    }
    for subject in subjects(context):
        subject.call(context, "throughput", 0.3)
        takes[subject.name] = lambda s=subject: s.call(context, "throughput", seconds)
    samples = interleave(takes, rounds=context.pick(4, 2), seconds=context.pick(75, 12))
    rates = {name: [sample["rate"] for sample in taken] for name, taken in samples.items()}
    return [Row(name, median(values), "runs/s", samples=values) for name, values in rates.items()]

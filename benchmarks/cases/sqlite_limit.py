"""What raw SQLite can do here: the limit that durable throughput is held against."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.model import Context, Row
from benchmarks.sampling import interleave, median
from benchmarks.subjects.raw_sqlite import raw_sqlite

BATCHES = (1, 16, 64)


def run(context: Context) -> list[Row]:
    raw = context.started("raw-sqlite", raw_sqlite)
    seconds = context.pick(0.5, 0.2)
    takes: dict[str, Callable[[], dict[str, float]]] = {
        "single inserts, each committed": lambda: raw.single_inserts(seconds)
    }
    for size in BATCHES:
        takes[f"three-step runs, {size} a commit"] = lambda size=size: raw.runs(seconds, size)
    for size in BATCHES:
        takes[f"three-step runs, {size} abreast, 4 commits"] = lambda size=size: raw.stepwise_runs(
            seconds, size
        )
    samples = interleave(takes, rounds=context.pick(3, 2), seconds=context.pick(30, 5))
    rows = []
    for what, taken in samples.items():
        rates = [sample["rate"] for sample in taken]
        unit = "commits/s" if "inserts" in what else "runs/s"
        rows.append(Row(what, median(rates), unit, samples=rates))
    return rows

"""Durable runs a second, three in-process steps each, beside the peers and raw SQLite."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.model import Context, Row, Target
from benchmarks.sampling import interleave, median, paired_ratio
from benchmarks.subjects.catalog import COMMITTED, OURS, PURE, subjects
from benchmarks.subjects.raw_sqlite import raw_sqlite

LIMIT = "raw SQLite, 16 runs a commit"
STEPWISE_LIMIT = "raw SQLite, 16 abreast, 4 commits"


def run(context: Context) -> list[Row]:
    raw = context.started("raw-sqlite", raw_sqlite)
    seconds = context.pick(1.6, 0.4)
    takes: dict[str, Callable[[], dict[str, float]]] = {
        LIMIT: lambda: raw.runs(seconds / 2, 16),
        STEPWISE_LIMIT: lambda: raw.stepwise_runs(seconds / 2, 16),
    }
    for subject in subjects(context, "throughput"):
        subject.call(context, "throughput", context.pick(0.3, 0.1))
        takes[subject.name] = lambda s=subject: s.call(context, "throughput", seconds)
    samples = interleave(takes, rounds=context.pick(3, 2), seconds=context.pick(60, 6))
    rates = {name: [sample["rate"] for sample in taken] for name, taken in samples.items()}

    def row(name: str, against: str = "", target: Target | None = None) -> Row:
        ours = rates[name]
        if not against:
            return Row(name, median(ours), "runs/s", target=target, samples=ours)
        other = rates[against]
        ratio = paired_ratio(ours, other)
        return Row(name, median(ours), "runs/s", against, median(other), ratio, target)

    own = {subject.name for subject in OURS}
    rows = [row(name) for name in rates if name not in own]
    for name in (COMMITTED, PURE):
        rows.append(row(name, target=Target(2500, at_least=True)))
        rows.append(row(name, LIMIT, Target(0.25, at_least=True, of_ratio=True)))
        rows.append(row(name, STEPWISE_LIMIT))
        # Does not depend on what else runs, so it tells one change of the code from another.
        cpu = [sample["cpu_ms"] for sample in samples[name]]
        rows.append(Row(f"{name}, CPU of one run", median(cpu), "ms", samples=cpu))
    rows += [row(name) for name in rates if name in own and name not in (COMMITTED, PURE)]
    others = [name for name in rates if name not in own and name not in (LIMIT, STEPWISE_LIMIT)]
    return rows + [row(COMMITTED, other) for other in others]

"""What one step costs in DAGs of growing size; it must not grow with the size of its run.

The workflows are layers of ten steps, each needing two of the layer before. A sample is about as
many steps for each size: many runs of a small one, or one run of a large one.
"""

from __future__ import annotations

from benchmarks.model import Context, Row, Target
from benchmarks.sampling import interleave, median, paired_ratio
from benchmarks.subjects import nexaflow

PURE, COMMITTED = "pure", "committed"
TARGET = Target(1.3, at_least=False, of_ratio=True)


def run(context: Context) -> list[Row]:
    worker = context.started("nexaflow", nexaflow.engine)
    largest = context.pick(10_000, 1_000)
    sizes = [size for size in (10, 100, 1_000, 10_000) if size <= largest]
    dags = [(PURE, size) for size in sizes]
    dags += context.pick([(COMMITTED, size) for size in (10, 100, largest)], [])
    applied = {
        (kind, size): worker.call("apply_dag", kind=kind, steps=size, timeout=120.0)
        for kind, size in dags
    }

    def microseconds(kind: str, size: int, steps: int = largest) -> float:
        times = max(1, steps // size)
        sample = worker.call("repeat", workflow=f"{kind}-{size}", times=times, timeout=120.0)
        cost: float = sample["seconds"] / (times * size) * 1e6
        return cost

    for kind, size in dags:
        if size <= 100:
            microseconds(kind, size, steps=300)
    costs = interleave(
        {dag: (lambda dag=dag: microseconds(*dag)) for dag in dags},
        rounds=context.pick(3, 2),
        seconds=context.pick(10, 4),
    )

    def row(dag: tuple[str, int], against: tuple[str, int] | None = None) -> Row:
        kind, size = dag
        what, value = f"one {kind} step of {size:,}", median(costs[dag])
        if against is None:
            return Row(what, value, "µs", samples=costs[dag])
        other = f"one {kind} step of {against[1]:,}"
        ratio = paired_ratio(costs[dag], costs[against])
        target = TARGET if size == 10_000 else None
        return Row(what, value, "µs", other, median(costs[against]), ratio, target)

    rows = [row(dag) for dag in dags]
    for kind in context.pick((PURE, COMMITTED), (PURE,)):
        rows += [row((kind, largest), (kind, size)) for size in (10, 100)]
    rows.append(Row(f"apply {largest:,} steps", applied[PURE, largest], "s"))
    return rows

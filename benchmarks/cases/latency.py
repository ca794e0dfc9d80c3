"""One run of three in-process steps at a time: from the request to the end of the run."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.model import Context, Row, Target
from benchmarks.sampling import interleave, median, paired_ratio, percentile
from benchmarks.subjects.catalog import COMMITTED, PEERS, PURE, subjects

TARGET = Target(3.0, at_least=False)


def run(context: Context) -> list[Row]:
    seconds = context.pick(1.5, 0.5)
    takes = {
        subject.name: (lambda s=subject: s.call(context, "latency", seconds))
        for subject in subjects(context, "latency")
    }
    rounds: dict[str, list[Sequence[float]]] = interleave(
        takes, rounds=context.pick(3, 2), seconds=context.pick(30, 6)
    )
    rows = []
    for name, taken in rounds.items():
        each = [sample * 1e3 for samples in taken for sample in samples]
        target = TARGET if name in (COMMITTED, PURE) else None
        rows.append(Row(f"{name}, median", median(each), "ms", target=target, samples=each))
        rows.append(Row(f"{name}, p99", percentile(each, 99), "ms"))
    medians = {name: [median(samples) * 1e3 for samples in taken] for name, taken in rounds.items()}
    ours = medians[COMMITTED]
    for peer in PEERS:
        if peer.name in medians:
            theirs = medians[peer.name]
            ratio = paired_ratio(ours, theirs)
            rows.append(Row(COMMITTED, median(ours), "ms", peer.name, median(theirs), ratio))
    return rows

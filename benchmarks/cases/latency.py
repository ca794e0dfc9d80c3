"""One run of three in-process steps at a time: from the request to the end of the run."""

from __future__ import annotations

from benchmarks.model import Context, Row
from benchmarks.sampling import interleave, median, percentile
from benchmarks.subjects.catalog import subjects


def run(context: Context) -> list[Row]:
    seconds = context.pick(2.0, 0.5)
    takes = {
        subject.name: (lambda s=subject: s.call(context, "latency", seconds))
        for subject in subjects(context)
    }
    rows = []
    for name, taken in interleave(
        takes, rounds=context.pick(3, 2), seconds=context.pick(45, 8)
    ).items():
        each = [sample * 1e3 for samples in taken for sample in samples]
        rows.append(Row(f"{name}, median", median(each), "ms", samples=each))
        rows.append(Row(f"{name}, p99", percentile(each, 99), "ms"))
    return rows

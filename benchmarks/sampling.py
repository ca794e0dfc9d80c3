"""Samples taken in turns, and what is said of them: medians, percentiles, paired ratios."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K")


def interleave(
    takes: Mapping[K, Callable[[], T]], *, rounds: int, seconds: float
) -> dict[K, list[T]]:
    """Take one sample of each in turn, A B C A B C, so that all share the machine's moods.

    Stops after a whole round once `seconds` have passed; there is always one round.
    """
    samples: dict[K, list[T]] = {name: [] for name in takes}
    deadline = time.monotonic() + seconds
    for _ in range(rounds):
        for name, take in takes.items():
            samples[name].append(take())
        if time.monotonic() > deadline:
            break
    return samples


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest sample that at least `percent` of the samples do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def paired_ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """Median of the ratios within each round: what a slow moment did to both cancels out."""
    return median([value / other for value, other in zip(values, others, strict=True)])

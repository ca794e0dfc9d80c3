"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

_MAX_NAME = 64
_MAX_CANDIDATES = 2000


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest to `name` by edit distance, None if none is close.

    Swapping two neighbours is one edit; up to a third of the name may differ.
    """
    if not name or len(name) > _MAX_NAME:
        return None
    wanted = name.lower()
    best: str | None = None
    best_distance = max(1, (len(name) + 1) // 3) + 1
    for count, candidate in enumerate(candidates):
        if count >= _MAX_CANDIDATES:
            break
        if abs(len(candidate) - len(name)) >= best_distance:
            continue
        distance = _distance(wanted, candidate.lower(), best_distance)
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """A hint for a person: the nearest candidate, or the few that there are, or nothing."""
    known = list(dict.fromkeys(candidates))
    if close := nearest(name, known):
        return f"did you mean `{close}`?"
    if 0 < len(known) <= 12:
        return "known: " + ", ".join(sorted(known))
    return ""


def _distance(a: str, b: str, limit: int) -> int:
    """Optimal string alignment distance; any number from `limit` up means too far."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) >= limit:
            return limit
        before, last = last, row
    return last[-1]

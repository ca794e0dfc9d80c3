"""PURE: when a hinted file is worth a look. Nobody reads a file that is still being written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nexaflow_cli.files.hints import MAX_PATHS, Hints, Left
from nexaflow_cli.files.ledger import Seen
from nexaflow_cli.files.paths import parent

SETTLE_SECONDS = 1.0
PAIR_SECONDS = 0.05
"""How long one half of a rename waits for the other; the kernel reports them back to back."""
FULL_SCAN_GAP = 2.0


@dataclass(frozen=True, slots=True)
class Look:
    """What to look at now: files, folders one level deep, and folders with all below."""

    paths: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.paths or self.folders or self.trees)


class Settle:
    """Holds hints back until a look at them makes sense.

    Args:
        settle_seconds: how long a file that nobody closed must be quiet.
        pair_seconds: how long a name that was renamed away waits for the name it got.
        full_gap: seconds between two scans of everything, if that is asked for again and again.
        max_paths: beyond so many files being written, further ones are watched by their folder.

    All times are seconds on one clock of the caller's, which must not jump.
    """

    def __init__(
        self,
        settle_seconds: float = SETTLE_SECONDS,
        *,
        pair_seconds: float = PAIR_SECONDS,
        full_gap: float = FULL_SCAN_GAP,
        max_paths: int = MAX_PATHS,
    ) -> None:
        self.settle_seconds = settle_seconds
        self._pair_seconds = pair_seconds
        self._full_gap = full_gap
        self._max_paths = max_paths
        self._ready: dict[str, None] = {}
        self._ready_folders: dict[str, None] = {}
        self._ready_trees: dict[str, None] = {}
        # In the order of their times, oldest first, because each new time goes to the end.
        self._quiet_since: dict[str, float] = {}
        self._folder_quiet_since: dict[str, float] = {}
        self._left_at: dict[str, tuple[float, Left]] = {}
        self._full_at: float | None = None
        self._last_full: float | None = None

    def add(self, hints: Hints, now: float) -> None:
        """Take in what a watcher hinted."""
        for path, closed in hints.paths.items():
            if closed:
                self._quiet_since.pop(path, None)
                self._ready[path] = None
            else:
                self._ready.pop(path, None)
                self._wait(path, now)
        for path, left in hints.leaving.items():
            self._left_at.pop(path, None)
            self._left_at[path] = (now, left)
        if hints.arrived:
            paired = [
                path for path, (_, left) in self._left_at.items() if left.cookie in hints.arrived
            ]
            for path in paired:
                self._release(path)
        self._ready_folders.update(dict.fromkeys(hints.folders))
        for tree in hints.trees:
            if tree != "/":
                self._ready_trees[tree] = None
            elif self._full_at is None:
                last = self._last_full
                self._full_at = now if last is None else max(now, last + self._full_gap)

    def defer(self, paths: Iterable[str], now: float) -> None:
        """Take back files that a look found too young to be trusted."""
        for path in paths:
            if path not in self._ready:
                self._wait(path, now)

    def due(self, now: float) -> Look:
        """All that is to be looked at by now; it is the caller's from here on."""
        for path in [p for p, (at, _) in self._left_at.items() if at + self._pair_seconds <= now]:
            self._release(path)
        for path in _expired(self._quiet_since, self.settle_seconds, now):
            self._ready[path] = None
        for folder in _expired(self._folder_quiet_since, self.settle_seconds, now):
            self._ready_folders[folder] = None
        trees = tuple(self._ready_trees)
        folders = tuple(self._ready_folders)
        if self._full_at is not None and self._full_at <= now:
            trees, folders = ("/",), ()
            self._full_at, self._last_full = None, now
        look = Look(tuple(self._ready), folders, trees)
        self._ready, self._ready_folders, self._ready_trees = {}, {}, {}
        return look

    def next_due(self) -> float | None:
        """When `due` will next have something, or None if only a new hint can bring it."""
        if self._ready or self._ready_folders or self._ready_trees:
            return float("-inf")
        times = [
            since + self.settle_seconds
            for waiting in (self._quiet_since, self._folder_quiet_since)
            for since in [next(iter(waiting.values()), None)]
            if since is not None
        ]
        if (first := next(iter(self._left_at.values()), None)) is not None:
            times.append(first[0] + self._pair_seconds)
        if self._full_at is not None:
            times.append(self._full_at)
        return min(times, default=None)

    def _wait(self, path: str, now: float) -> None:
        if self._quiet_since.pop(path, None) is None and len(self._quiet_since) >= self._max_paths:
            folder = parent(path)
            self._folder_quiet_since.pop(folder, None)
            self._folder_quiet_since[folder] = now
        else:
            self._quiet_since[path] = now

    def _release(self, path: str) -> None:
        _, left = self._left_at.pop(path)
        if left.is_folder:
            self._ready_trees[path] = None
        elif path not in self._quiet_since:
            self._ready[path] = None


def is_young(seen: Seen, now: float, settle_seconds: float = SETTLE_SECONDS) -> bool:
    """Whether a file changed so lately that somebody may still be writing it.

    Args:
        seen: one look at it.
        now: seconds since the epoch, on the clock that stamps files.
    """
    # A server's clock may be a little ahead of ours; a time far ahead was set by hand.
    return abs(now - seen.mtime_ns / 1e9) < settle_seconds


def _expired(waiting: dict[str, float], seconds: float, now: float) -> list[str]:
    over = []
    for name, since in waiting.items():
        # The same sum as in next_due: a difference may be rounded to the other side.
        if since + seconds > now:
            break
        over.append(name)
    for name in over:
        del waiting[name]
    return over

"""One look at the disk against the record: the changes that are certain, and those that wait."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Protocol

from nexaflow_cli.files.ledger import INODE_MASK, Change, Known, Seen, bounded_ns, changes
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.paths import is_below
from nexaflow_cli.files.scan import Skipped, scan
from nexaflow_cli.files.settle import SETTLE_SECONDS, Look, is_young


class Record(Protocol):
    """The ledger as it was last committed."""

    def known(self, paths: Iterable[str]) -> Mapping[str, Known]:
        """What is on record of these files; one that is not on record is left out."""

    def known_in(self, folder: str, *, recursive: bool) -> Mapping[str, Known]:
        """What is on record of the files in a folder, one level deep or with all below."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a look brought. `young` files are to be looked at again when they are quiet."""

    changes: list[Change]
    young: list[str]
    skipped: Skipped


def observe(
    mounts: Mounts,
    record: Record,
    look: Look,
    *,
    now: float,
    settle_seconds: float = SETTLE_SECONDS,
) -> Observation:
    """Look, and compare with the record. Blocks on the disk.

    Args:
        now: seconds since the epoch. A file that was found by listing, not by the word that its
            writer closed it, counts as being written if it changed within `settle_seconds`.
    """
    skipped = Skipped()
    known: dict[str, Known] = {}
    listed: dict[str, Seen] = {}
    vanished: dict[str, None] = {}
    for folder, recursive in _areas(look):
        listed.update(scan(mounts, folder, recursive=recursive, skipped=skipped))
        there = record.known_in(folder, recursive=recursive)
        known.update(there)
        vanished.update(dict.fromkeys(there.keys() - listed.keys()))
    missing = [
        path
        for path in vanished
        if not any(is_below(path, folder) for folder in skipped.unreadable)
    ]
    seen: dict[str, Seen | None] = {}
    for path, found in _looks(mounts, missing, skipped).items():
        # A listing may miss a name that another file is renamed to meanwhile (tmpfs does).
        if found is None:
            seen[path] = None
        else:
            listed[path] = found
    named = [path for path in look.paths if path not in listed and path not in vanished]
    known.update(record.known(named))
    seen.update(_looks(mounts, named, skipped))
    gone = {known[path].seen for path, found in seen.items() if found is None and path in known}
    closed = frozenset(look.paths)
    young: list[str] = []
    for path, look_at in listed.items():
        before = known.get(path)
        changed = before is None or before.seen != look_at
        # What moved here is as whole as it was where it came from.
        waits = changed and path not in closed and look_at not in gone
        if waits and is_young(look_at, now, settle_seconds):
            young.append(path)
        else:
            seen[path] = look_at
    return Observation(changes(known, seen), young, skipped)


def _areas(look: Look) -> list[tuple[str, bool]]:
    """Folders to list, each once: the wider look covers the narrower."""
    trees: list[str] = []
    for tree in sorted(look.trees):
        if not any(is_below(tree, wider) for wider in trees):
            trees.append(tree)
    folders = [f for f in look.folders if not any(is_below(f, tree) for tree in trees)]
    return [(tree, True) for tree in trees] + [(folder, False) for folder in sorted(folders)]


def _looks(mounts: Mounts, paths: Iterable[str], skipped: Skipped) -> dict[str, Seen | None]:
    """One look at each path, None unless a regular file is there; what cannot be told is not."""
    found: dict[str, Seen | None] = {}
    # A folder that is a symlink, or lies below one, holds nothing of the space.
    straight: dict[str, bool] = {}
    for path in paths:
        mount = mounts.of(path)
        place = mount.place(path)
        try:
            status = os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            if mounts.unavailable(mount):
                skipped.unreadable.append(path)
            else:
                found[path] = None
            continue
        except OSError:
            skipped.unreadable.append(path)
            continue
        folder = str(Path(place).parent)
        if folder not in straight:
            straight[folder] = os.path.realpath(folder) == folder
        if S_ISREG(status.st_mode) and straight[folder]:
            moment = bounded_ns(status.st_mtime_ns)
            found[path] = Seen(status.st_ino & INODE_MASK, status.st_size, moment)
        else:
            found[path] = None
    return found

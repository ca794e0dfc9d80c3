"""PURE: the difference between what was known of some files and what is seen of them now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["created", "updated", "deleted", "moved"]

INODE_MASK = (1 << 63) - 1
"""Some file systems use all 64 bits of an inode number; a database column has 63 and a sign."""

LAST_NS = (1 << 63) - 1
"""The last moment that such a column holds, in 2262; files may claim to be of a later one."""


def bounded_ns(moment: int) -> int:
    """A file's time, in ns since the epoch, as the record keeps it: far away times are all one."""
    return max(-LAST_NS, min(LAST_NS, moment))


class Seen(NamedTuple):
    """One look at a file. Equal looks are the same version of it; `size` in bytes."""

    inode: int
    size: int
    mtime_ns: int


class Known(NamedTuple):
    """What is on record of a file. `digest` names the content, where someone has computed it."""

    inode: int
    size: int
    mtime_ns: int
    digest: str | None = None

    @property
    def seen(self) -> Seen:
        """The look that this record was made from."""
        return Seen(self.inode, self.size, self.mtime_ns)


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one file; `seen` is None if it is gone.

    `touched` marks an update that changed nothing but the time: only the content itself can
    tell whether it is a new version.
    """

    kind: Kind
    path: str
    seen: Seen | None
    previous_path: str | None = None
    touched: bool = False


def changes(known: Mapping[str, Known], seen: Mapping[str, Seen | None]) -> list[Change]:
    """What must have happened for the known files to look as they do, ordered by path.

    Args:
        known: the record of every file in question.
        seen: one look at each; None where there is no file. A known path that is not a key
            was not looked at, and nothing is said of it.

    A file that is gone and a new one that looks exactly like it (inode, size, time) are one
    move. A path whose file was replaced is one update. Nothing is said of what is as it was.
    """
    created: list[str] = []
    gone: dict[Seen, list[str]] = {}
    found: list[Change] = []
    for path in sorted(seen):
        now, before = seen[path], known.get(path)
        if now is None:
            if before is not None:
                gone.setdefault(before.seen, []).append(path)
        elif before is None:
            created.append(path)
        elif before.seen != now:
            touched = before.inode == now.inode and before.size == now.size
            found.append(Change("updated", path, now, touched=touched))
    for path in created:
        now = seen[path]
        if now is not None and (sources := gone.get(now)):
            found.append(Change("moved", path, now, previous_path=sources.pop(0)))
        else:
            found.append(Change("created", path, now))
    found += [Change("deleted", path, None) for paths in gone.values() for path in paths]
    found.sort(key=lambda change: change.path)
    return found


def applied(known: Mapping[str, Known], made: Iterable[Change]) -> dict[str, Known]:
    """The record after changes; a digest outlives a move and nothing else."""
    after = dict(known)
    for change in made:
        digest = None
        if change.kind == "moved" and change.previous_path is not None:
            digest = after.pop(change.previous_path).digest
        if change.seen is None:
            del after[change.path]
        else:
            after[change.path] = Known(*change.seen, digest)
    return after

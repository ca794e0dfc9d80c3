"""Virtual prefixes over real directories, and the promise that no path leads out of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from nexaflow_cli.errors import InvalidError, NotAllowedError
from nexaflow_cli.files.paths import is_below, join, normalise, parent, shown, why_not


@dataclass(frozen=True, slots=True)
class Mount:
    """One real directory and the virtual folder it is seen as; `root` has no symlink in it."""

    prefix: str
    root: str

    def place(self, path: str) -> str:
        """The real path of a normalised virtual path of this mount, as text, unchecked."""
        rest = path if self.prefix == "/" else path[len(self.prefix) :]
        return self.root + rest.rstrip("/")


class Mounts:
    """The map between virtual and real paths.

    Args:
        roots: real directory for each virtual prefix; `/` must be among them. They need not
            exist yet, and must not lie inside one another: a file has one virtual path.
        mounted: prefixes whose directories are known to be mount points of the system, from an
            earlier `mounted()`; others are found to be so when they first are.

    Raises:
        InvalidError: `/` is missing, two directories overlap, or one is the system's root.
    """

    def __init__(self, roots: Mapping[str, Path], mounted: Iterable[str] = ()) -> None:
        found: dict[str, Mount] = {}
        for prefix, directory in roots.items():
            clean = normalise(prefix)
            if clean in found:
                raise InvalidError(f"{shown(clean)} is mounted twice", hint="keep one of the two")
            found[clean] = Mount(clean, os.path.realpath(directory))
            if found[clean].root == "/":
                raise InvalidError(
                    f"the whole machine cannot be mounted at {shown(clean)}",
                    hint="mount the directories that hold your files",
                )
        if "/" not in found:
            raise InvalidError("nothing is mounted at /", hint="mount a directory at / first")
        _refuse_overlap(found.values())
        # Longest prefix first, so that the first match is the right one.
        self._mounts = sorted(found.values(), key=lambda mount: -len(mount.prefix))
        self._prefixes = frozenset(found)
        self._by_root = sorted(found.values(), key=lambda mount: -len(mount.root))
        self._mounted = set(mounted)
        for mount in self._mounts:
            self.unavailable(mount)

    def __iter__(self) -> Iterator[Mount]:
        return iter(self._mounts)

    def is_prefix(self, path: str) -> bool:
        """Whether a mount hangs at exactly this normalised path."""
        return path in self._prefixes

    def unavailable(self, mount: Mount) -> str:
        """Why nothing can be said about the files of a mount now; empty if something can.

        An unmounted disk leaves an empty directory behind: that its files are not there says
        nothing about them.
        """
        if not Path(mount.root).is_dir():
            return f"the directory {mount.root} of {mount.prefix} is not there"
        if os.path.ismount(mount.root):
            self._mounted.add(mount.prefix)
        elif mount.prefix in self._mounted:
            return f"nothing is mounted on {mount.root} of {mount.prefix} any more"
        return ""

    def mounted(self) -> frozenset[str]:
        """Prefixes whose directories were seen to be mount points; to be kept over a restart."""
        return frozenset(self._mounted)

    def of(self, path: str) -> Mount:
        """The mount that a normalised path belongs to."""
        for mount in self._mounts:
            if is_below(path, mount.prefix):
                return mount
        raise AssertionError("the root mount holds every path")

    def within(self, folder: str) -> list[tuple[Mount, str]]:
        """Each mount with a part in a normalised folder, and the folder where that part begins."""
        parts = [(self.of(folder), folder)]
        parts += [
            (mount, mount.prefix)
            for mount in self._mounts
            if mount.prefix != folder and is_below(mount.prefix, folder)
        ]
        return parts

    def local(self, path: str) -> Path:
        """The real place of a path, symlinks followed; nothing need exist there.

        Raises:
            InvalidError: the path itself is wrong.
            NotAllowedError: a symlink on the way leads out of the mount.
        """
        clean = normalise(path)
        mount = self.of(clean)
        return Path(self._checked(clean, mount, os.path.realpath(mount.place(clean))))

    def entry(self, path: str) -> Path:
        """The real place of the directory entry itself: a symlink there is not followed.

        For what acts on the name (rename, unlink), not on the content.

        Raises:
            InvalidError: the path itself is wrong, or is a mount's own folder.
            NotAllowedError: a folder on the way leads out of the mount.
        """
        clean = normalise(path)
        if self.is_prefix(clean):
            raise InvalidError(f"{shown(clean)} is a folder", hint="name a file in it")
        mount = self.of(clean)
        place = mount.place(clean)
        folder = self._checked(clean, mount, os.path.realpath(Path(place).parent))
        return Path(folder, Path(place).name)

    def virtual(self, local: str | os.PathLike[str]) -> str | None:
        """The virtual path of a real one as a watcher reports it, or None if it has none.

        Reserved and undecodable names have none, nor has what a mount hides. The text is taken
        as it is: roots are without symlinks, and watchers do not follow any below them.
        """
        place = os.fspath(local)
        for mount in self._by_root:
            if not is_below(place, mount.root):
                continue
            path = mount.prefix
            for name in place[len(mount.root) :].split("/"):
                if not name:
                    continue
                if why_not(name):
                    return None
                path = join(path, name)
            return path if self.of(path) is mount else None
        return None

    def _checked(self, path: str, mount: Mount, real: str) -> str:
        if is_below(real, mount.root):
            return real
        raise NotAllowedError(
            f"{shown(path)} leads through a symlink to a place outside the file space",
            hint=f"mount that directory, or replace the symlink below {shown(parent(path))}",
        )


def _refuse_overlap(mounts: Iterable[Mount]) -> None:
    ordered = sorted(mounts, key=lambda mount: mount.root)
    for first, second in combinations(ordered, 2):
        if is_below(second.root, first.root):
            raise InvalidError(
                f"the directory of mount {second.prefix} ({second.root}) lies inside that of "
                f"mount {first.prefix} ({first.root})",
                hint="mount directories that do not hold one another",
            )

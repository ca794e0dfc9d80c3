"""Every file of a folder with its look: what notifications missed is found here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from nexaflow_cli.files.ledger import INODE_MASK, Seen
from nexaflow_cli.files.mounts import Mount, Mounts
from nexaflow_cli.files.paths import is_temp, why_not


@dataclass(slots=True)
class Skipped:
    """What a scan could not tell about.

    `unreadable` are virtual folders whose content is unknown, a whole mount among them if its
    directory is not there: files on record below them must not be taken for deleted. `unnamed`
    are real paths, as text safe to print, whose names the file space does not keep. `leftovers`
    are real paths of reserved files: writes in progress, or what a crash left of them.
    """

    unreadable: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)


def scan(
    mounts: Mounts,
    folder: str = "/",
    *,
    recursive: bool = True,
    across: bool = True,
    skipped: Skipped | None = None,
) -> Iterator[tuple[str, Seen]]:
    """Each regular file in a normalised folder, and below it unless told otherwise.

    Args:
        recursive: also what is below; otherwise the one level.
        across: also the mounts that hang below the folder.
        skipped: takes what cannot be told; nothing is raised.

    Symlinks are not files of the space and are not followed. A folder that does not exist
    has no files.
    """
    notes = skipped if skipped is not None else Skipped()
    for mount, start in mounts.within(folder):
        # One level of a folder has no part in the mounts that hang further down.
        if start == folder or (recursive and across):
            yield from _scan_part(mounts, mount, start, recursive, notes)


def _scan_part(
    mounts: Mounts, mount: Mount, start: str, recursive: bool, notes: Skipped
) -> Iterator[tuple[str, Seen]]:
    if mounts.unavailable(mount):
        notes.unreadable.append(start)
        return
    place = mount.place(start)
    if os.path.realpath(place) != place:
        return
    waiting = [(place, start)]
    while waiting:
        directory, folder = waiting.pop()
        prefix = "/" if folder == "/" else folder + "/"
        try:
            entries = os.scandir(directory)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            notes.unreadable.append(folder)
            continue
        with entries:
            try:
                for entry in entries:
                    name = entry.name
                    if name[0] == "." and is_temp(name):
                        notes.leftovers.append(entry.path)
                        continue
                    if not name.isprintable() and why_not(name):
                        notes.unnamed.append(ascii(entry.path))
                        continue
                    if entry.is_file(follow_symlinks=False):
                        try:
                            found = entry.stat(follow_symlinks=False)
                        except FileNotFoundError:
                            continue
                        yield (
                            prefix + name,
                            Seen(found.st_ino & INODE_MASK, found.st_size, found.st_mtime_ns),
                        )
                    elif recursive and entry.is_dir(follow_symlinks=False):
                        below = prefix + name
                        if not mounts.is_prefix(below):
                            waiting.append((entry.path, below))
            except OSError:
                notes.unreadable.append(folder)

"""Every file of a folder with its look: what notifications missed is found here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from nexaflow_cli.files.ledger import INODE_MASK, LAST_NS, Seen, bounded_ns
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.paths import is_temp, why_not

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


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
    waiting = _starts(mounts, folder, recursive and across, notes)
    seen = tuple.__new__  # the constructor of a named tuple takes a third of the whole time
    while waiting:
        directory, current = waiting.pop()
        prefix = "/" if current == "/" else current + "/"
        try:
            fd = os.open(directory, _OPEN)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            notes.unreadable.append(current)
            continue
        try:
            # Through the open directory the system need not walk the whole path for each file.
            with os.scandir(fd) as entries:
                for entry in entries:
                    name = entry.name
                    if name[0] == "." and is_temp(name):
                        notes.leftovers.append(f"{directory}/{name}")
                    elif not name.isprintable() and why_not(name):
                        notes.unnamed.append(ascii(f"{directory}/{name}"))
                    elif entry.is_file(follow_symlinks=False):
                        try:
                            found = entry.stat(follow_symlinks=False)
                        except FileNotFoundError:
                            continue
                        moment = found.st_mtime_ns
                        if not -LAST_NS <= moment <= LAST_NS:
                            moment = bounded_ns(moment)
                        look = (found.st_ino & INODE_MASK, found.st_size, moment)
                        yield prefix + name, seen(Seen, look)
                    elif recursive and entry.is_dir(follow_symlinks=False):
                        below = prefix + name
                        if not mounts.is_prefix(below):
                            waiting.append((f"{directory}/{name}", below))
        except OSError:
            notes.unreadable.append(current)
        finally:
            os.close(fd)


def _starts(mounts: Mounts, folder: str, across: bool, notes: Skipped) -> list[tuple[str, str]]:
    """Real and virtual folders to begin with: of the folder, and of the mounts below it."""
    starts = []
    for mount, start in mounts.within(folder):
        # One level of a folder has no part in the mounts that hang further down.
        if start != folder and not across:
            continue
        if mounts.unavailable(mount):
            notes.unreadable.append(start)
            continue
        place = mount.place(start)
        if os.path.realpath(place) == place:
            starts.append((place, start))
    return starts

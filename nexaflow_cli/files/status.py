"""What is told of one file."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from nexaflow_cli.errors import InvalidError
from nexaflow_cli.files.ledger import INODE_MASK, Seen, bounded_ns
from nexaflow_cli.files.paths import shown
from nexaflow_cli.files.problems import is_folder


@dataclass(frozen=True, slots=True)
class FileStat:
    """One file as it is now; `modified` in seconds since the epoch, `size` in bytes."""

    path: str
    size: int
    modified: float
    etag: str
    inode: int
    modified_ns: int

    @property
    def seen(self) -> Seen:
        """This look, as the ledger compares it."""
        return Seen(self.inode, self.size, self.modified_ns)


def from_seen(path: str, seen: Seen) -> FileStat:
    """What one look tells of a file."""
    etag = f'"{seen.inode:x}-{seen.size:x}-{seen.mtime_ns:x}"'
    return FileStat(path, seen.size, seen.mtime_ns / 1e9, etag, seen.inode, seen.mtime_ns)


def from_system(path: str, status: os.stat_result) -> FileStat:
    """What the system's answer tells of a file.

    Raises:
        InvalidError: it is a folder, or a pipe or a device.
    """
    if stat.S_ISDIR(status.st_mode):
        raise is_folder(path)
    if not stat.S_ISREG(status.st_mode):
        raise InvalidError(
            f"{shown(path)} is not an ordinary file",
            hint="symlinks, pipes and devices are not part of the file space",
        )
    inode = status.st_ino & INODE_MASK
    return from_seen(path, Seen(inode, status.st_size, bounded_ns(status.st_mtime_ns)))

"""Content that appears under its name whole or not at all, and stays there after a power cut."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Self

from nexaflow_cli.files.paths import temp_name

_FICLONE = 0x40049409
"""FICLONE of linux/fs.h, which Python's fcntl does not name."""


class AtomicFile:
    """A file that is written aside, in the same directory, and renamed over its name at the end.

    Args:
        target: a real path, without symlinks; its directories are made as needed.

    As a context manager it commits when the block ends, and leaves nothing behind if it raises.

    Raises:
        OSError: from any method, as the system says.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        make_folders(target.parent)
        self._temp = target.parent / temp_name()
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._temp, flags, 0o666)
        try:
            # A file that is replaced keeps who may read it.
            mode = os.lstat(target).st_mode
            if stat.S_ISREG(mode):
                os.fchmod(self._fd, stat.S_IMODE(mode))
            elif stat.S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        except FileNotFoundError:
            pass
        except BaseException:
            self.abort()
            raise

    @property
    def descriptor(self) -> int:
        """The open file, for what the kernel can copy into it."""
        return self._fd

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes at the end."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def commit(self) -> os.stat_result:
        """Put the content on disk and under its name; returns the status of the file."""
        try:
            os.fsync(self._fd)
            self._temp.rename(self._target)
            status = os.fstat(self._fd)
        except BaseException:
            self.abort()
            raise
        os.close(self._fd)
        self._fd = -1
        sync_folder(self._target.parent)
        return status

    def abort(self) -> None:
        """Throw the content away; nothing happened. A second call does nothing."""
        if self._fd < 0:
            return
        os.close(self._fd)
        self._fd = -1
        self._temp.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.abort()
        elif self._fd >= 0:
            self.commit()


def make_folders(folder: Path) -> None:
    """Make a directory and those above it that are missing, so that they survive a power cut."""
    missing: list[Path] = []
    current = folder
    while not current.is_dir():
        missing.append(current)
        current = current.parent
    for directory in reversed(missing):
        # Somebody else may make the same one at the same time.
        directory.mkdir(exist_ok=True)
        sync_folder(directory.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed, made or removed in a directory survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def copy_content(source: int, target: AtomicFile) -> None:
    """Copy a whole open file: shared blocks where the file system can, in the kernel elsewhere."""
    try:
        fcntl.ioctl(target.descriptor, _FICLONE, source)
        return
    except OSError:
        pass  # not every file system can share blocks, and none across two
    try:
        while os.copy_file_range(source, target.descriptor, 1 << 26):
            pass
    except OSError:
        pass  # what is left, if anything, is read and written below
    while data := os.read(source, 1 << 20):
        target.write(data)

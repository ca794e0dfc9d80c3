"""The file space: ordinary files under virtual paths, read and changed as a whole."""

from __future__ import annotations

import errno
import heapq
import os
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from nexaflow_cli.errors import InvalidError, TooLargeError, UnavailableError
from nexaflow_cli.files.ledger import Seen
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.paths import join, normalise, shown
from nexaflow_cli.files.problems import explained, is_folder
from nexaflow_cli.files.scan import Skipped, scan
from nexaflow_cli.files.status import FileStat, from_seen, from_system
from nexaflow_cli.files.writing import AtomicFile, copy_content, make_folders, sync_folder
from nexaflow_cli.spec.patterns import compile_pattern

_MAGIC = frozenset("*?[{\\")


class FileSpace:
    """All there is to do with files. Every method blocks on the disk.

    A change is on disk when the method returns. Errors of every method:
        InvalidError: the path is wrong, or names a folder.
        NexaflowFileNotFoundError: there is no such file.
        NotAllowedError: a symlink leads out of the space, or the system forbids it.
        ConflictError: a file is where a folder is needed.
        UnavailableError: the disk is full or failing.
    """

    def __init__(self, mounts: Mounts) -> None:
        self.mounts = mounts

    def local(self, path: str) -> Path:
        """The real place of a path; nothing need exist there."""
        return self.mounts.local(path)

    def stat(self, path: str) -> FileStat:
        """The status of one file."""
        clean = normalise(path)
        with explained(clean, "read", is_write=False):
            return from_system(clean, self._place(clean).stat())

    def exists(self, path: str) -> bool:
        """Whether there is a file at a path; a folder is none."""
        clean = normalise(path)
        with explained(clean, "read"):
            try:
                return stat.S_ISREG(self._place(clean).stat().st_mode)
            except (FileNotFoundError, NotADirectoryError):
                return False

    def open_read(self, path: str) -> tuple[BinaryIO, FileStat]:
        """The file, open for reading, and its status at that moment. The caller closes it."""
        clean = normalise(path)
        place = self._place(clean)
        with explained(clean, "read", is_write=False):
            # Without O_NONBLOCK the daemon would wait for the other end of a named pipe.
            fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                status = from_system(clean, os.fstat(fd))
                return os.fdopen(fd, "rb"), status
            except BaseException:
                os.close(fd)
                raise

    def read(self, path: str, limit: int | None = None) -> bytes:
        """The whole content.

        Raises:
            TooLargeError: it is longer than `limit` bytes.
        """
        file, status = self.open_read(path)
        with file, explained(status.path, "read"):
            if limit is None:
                return file.read()
            # One more than allowed: the file may have grown since its size was asked for.
            content = file.read(limit + 1) if status.size <= limit else b""
        if status.size > limit or len(content) > limit:
            raise TooLargeError(
                f"{shown(status.path)} is larger than {limit:,} bytes",
                hint="read the file by its local path, or raise the limit",
            )
        return content

    def write(self, path: str, data: bytes | Iterable[bytes]) -> FileStat:
        """Replace the whole content, at once for whoever reads it; folders are made as needed.

        Args:
            data: the content, or an iterator of its pieces; if that raises, nothing changes.
        """
        with self.open_write(path) as writer:
            for piece in (data,) if isinstance(data, bytes) else data:
                writer.write(piece)
            return writer.commit()

    def open_write(self, path: str) -> Writer:
        """A writer for content that comes piece by piece."""
        clean = _file_path(path)
        return Writer(clean, self._place(clean))

    def append(self, path: str, data: bytes) -> FileStat:
        """Add to the end, in one write; the file is made if it is not there."""
        clean = _file_path(path)
        place = self._place(clean)
        with explained(clean, "append to"):
            make_folders(place.parent)
            is_new = not place.exists()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            fd = os.open(place, flags | os.O_NONBLOCK, 0o666)
            try:
                from_system(clean, os.fstat(fd))
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
                os.fsync(fd)
                status = os.fstat(fd)
            finally:
                os.close(fd)
            if is_new:
                sync_folder(place.parent)
        return from_system(clean, status)

    def copy(self, source: str, target: str) -> FileStat:
        """Copy a file; a target that ends in `/` is a folder to copy it into."""
        origin = normalise(source)
        goal = _target(origin, target)
        file, _ = self.open_read(origin)
        with file, explained(goal, "write"), AtomicFile(self._place(goal)) as writer:
            copy_content(file.fileno(), writer)
            os.fchmod(writer.descriptor, stat.S_IMODE(os.fstat(file.fileno()).st_mode))
            return from_system(goal, writer.commit())

    def move(self, source: str, target: str) -> FileStat:
        """Rename a file, over another if there is one; a target that ends in `/` is a folder.

        Between two file systems it is a copy, then a delete of the source.
        """
        origin = normalise(source)
        goal = _target(origin, target)
        old, new = self._entry(origin), self._entry(goal)
        with explained(origin, "move", is_write=False):
            from_system(origin, os.lstat(old))
        with explained(goal, "move to"):
            make_folders(new.parent)
            if new.is_dir():
                raise is_folder(goal)
            try:
                old.rename(new)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self.copy(origin, goal)
                old.unlink()
            sync_folder(new.parent)
            if old.parent != new.parent:
                sync_folder(old.parent)
            return from_system(goal, os.lstat(new))

    def delete(self, path: str) -> None:
        """Remove a file; a symlink is removed itself, its target is not."""
        clean = normalise(path)
        place = self._entry(clean)
        with explained(clean, "delete", is_write=False):
            if stat.S_ISDIR(os.lstat(place).st_mode):
                raise is_folder(clean)
            place.unlink()
            sync_folder(place.parent)

    def list(self, pattern: str, *, after: str = "", limit: int | None = None) -> list[FileStat]:
        """The files that match a glob, ordered by path.

        Args:
            after: only paths that come later than this one.
            limit: at most so many.

        Raises:
            InvalidError: the pattern is malformed.
        """
        found = (pair for pair in self._matching(pattern) if pair[0] > after)
        chosen = sorted(found) if limit is None else heapq.nsmallest(limit, found)
        return [from_seen(path, seen) for path, seen in chosen]

    def sweep(self, older_than: float = 3600.0) -> int:
        """Remove what crashed writers left behind, untouched for so many seconds; how many."""
        skipped = Skipped()
        for _ in scan(self.mounts, skipped=skipped):
            pass
        removed = 0
        for leftover in skipped.leftovers:
            try:
                if time.time() - os.lstat(leftover).st_mtime >= older_than:
                    Path(leftover).unlink()
                    removed += 1
            except OSError:
                continue  # gone meanwhile, or not ours to remove
        return removed

    def _matching(self, text: str) -> Iterator[tuple[str, Seen]]:
        try:
            pattern = compile_pattern(text)
        except ValueError as error:
            raise InvalidError(
                f"the pattern {shown(text)} cannot be read: {error}",
                hint="for example /workspace/**/*.txt",
            ) from error
        if text.startswith("/") and not _MAGIC.intersection(text):
            if self.exists(text):
                found = self.stat(text)
                yield found.path, found.seen
            return
        # In a pattern without `**`, alternatives or a further slash, one level is all there is.
        rest = text[len(pattern.prefix) :] if text.startswith(pattern.prefix) else "**"
        deep = "**" in rest or "/" in rest
        for path, seen in scan(self.mounts, normalise(pattern.prefix), recursive=deep):
            if pattern.match(path):
                yield path, seen

    def _place(self, path: str) -> Path:
        self._check(path)
        return self.mounts.local(path)

    def _entry(self, path: str) -> Path:
        self._check(path)
        return self.mounts.entry(path)

    def _check(self, path: str) -> None:
        if reason := self.mounts.unavailable(self.mounts.of(path)):
            raise UnavailableError(
                f"{shown(path)} cannot be reached: {reason}", hint="nexaflow doctor"
            )


class Writer:
    """Takes the content of one file piece by piece; nothing is seen of it before `commit`."""

    def __init__(self, path: str, place: Path) -> None:
        self._path = path
        with explained(path, "write"):
            self._file = AtomicFile(place)

    def write(self, data: bytes) -> None:
        """Add bytes at the end."""
        with explained(self._path, "write"):
            self._file.write(data)

    def commit(self) -> FileStat:
        """Make it the content of the file."""
        with explained(self._path, "write"):
            return from_system(self._path, self._file.commit())

    def abort(self) -> None:
        """Throw it away; does nothing after a commit."""
        self._file.abort()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()


def _file_path(path: str) -> str:
    clean = normalise(path)
    if path.endswith("/"):
        raise InvalidError(f"{shown(path)} names a folder", hint=f"name a file in {shown(clean)}")
    return clean


def _target(source: str, target: str) -> str:
    clean = normalise(target)
    if target.endswith("/"):
        clean = join(clean, source.rpartition("/")[2])
    if clean == source:
        raise InvalidError(
            f"{shown(source)} is both source and target", hint="choose another target"
        )
    return clean

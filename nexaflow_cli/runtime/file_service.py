"""The file space as clients and steps use it: changes on disk, and the events they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from nexaflow_cli.actions.base import FileInfo
from nexaflow_cli.errors import TooLargeError
from nexaflow_cli.files.paths import join, normalise
from nexaflow_cli.files.space import FileSpace
from nexaflow_cli.files.status import FileStat
from nexaflow_cli.runtime.file_ledger import FileLedger
from nexaflow_cli.runtime.intake import Cause
from nexaflow_cli.store.runs import RunRow

T = TypeVar("T")


class FileService:
    """Every change answers once it is on disk and its events, with their runs, are durable.

    `for_run` gives the same file space to the steps of a run: what they change has the run
    as its cause. Paths are virtual; errors are those of `FileSpace`.
    """

    def __init__(self, space: FileSpace, ledger: FileLedger, run: RunRow | None = None) -> None:
        self._space = space
        self._ledger = ledger
        self._run = run

    def for_run(self, run: RunRow) -> FileService:
        return FileService(self._space, self._ledger, run)

    async def read(self, path: str, *, limit: int | None = None) -> bytes:
        return await asyncio.to_thread(self._space.read, path, limit)

    async def open_read(self, path: str) -> tuple[BinaryIO, FileStat]:
        """The file, open for reading, and what is known of it; the caller closes it."""
        return await asyncio.to_thread(self._space.open_read, path)

    async def stat(self, path: str) -> FileInfo:
        return _info(await asyncio.to_thread(self._space.stat, path))

    async def exists(self, path: str) -> bool:
        return await asyncio.to_thread(self._space.exists, path)

    def local_path(self, path: str) -> Path:
        return self._space.local(path)

    async def write(self, path: str, data: bytes) -> FileInfo:
        return await self._change([path], lambda: self._space.write(path, data))

    async def write_stream(
        self, path: str, chunks: AsyncIterator[bytes], *, limit: int
    ) -> FileInfo:
        """Replace a file by what comes in pieces; over `limit` bytes nothing is changed.

        Raises:
            TooLargeError: there is more.
        """
        writer = await asyncio.to_thread(self._space.open_write, path)
        size = 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise TooLargeError(
                        f"{path} is larger than {limit:,} bytes, the most one request may bring",
                        hint="put the file into its folder on the daemon's machine instead",
                    )
                if chunk:
                    await asyncio.to_thread(writer.write, chunk)
        except BaseException:
            await asyncio.to_thread(writer.abort)
            raise
        return await self._change([path], writer.commit)

    async def append(self, path: str, data: bytes) -> FileInfo:
        return await self._change([path], lambda: self._space.append(path, data))

    async def copy(self, source: str, target: str) -> FileInfo:
        goal = _goal(source, target)
        return await self._change([goal], lambda: self._space.copy(source, target))

    async def move(self, source: str, target: str) -> FileInfo:
        paths = [normalise(source), _goal(source, target)]
        return await self._change(paths, lambda: self._space.move(source, target))

    async def delete(self, path: str) -> None:
        clean = normalise(path)
        await self._changed([clean], lambda: self._space.delete(clean))

    def _cause(self) -> Cause | None:
        return None if self._run is None else Cause.of(self._run)

    async def _change(self, paths: Sequence[str], change: Callable[[], FileStat]) -> FileInfo:
        return _info(await self._changed([normalise(path) for path in paths], change))

    async def _changed(self, paths: list[str], change: Callable[[], T]) -> T:
        self._ledger.expect(paths, self._cause())
        # Who asked may be stopped meanwhile; the thread is not, and its events keep their cause.
        task = asyncio.ensure_future(self._change_and_look(paths, change))
        self._ledger.see_through(task)
        return await asyncio.shield(task)

    async def _change_and_look(self, paths: list[str], change: Callable[[], T]) -> T:
        try:
            done = await asyncio.to_thread(change)
        except BaseException:
            self._ledger.release(paths)
            raise
        await self._ledger.look(paths)
        return done

    async def list(
        self, pattern: str, *, after: str = "", limit: int | None = None
    ) -> list[FileInfo]:
        found = await asyncio.to_thread(self._space.list, pattern, after=after, limit=limit)
        return [_info(status) for status in found]


def _goal(source: str, target: str) -> str:
    clean = normalise(target)
    if target.endswith("/"):
        return join(clean, normalise(source).rpartition("/")[2])
    return clean


def _info(status: FileStat) -> FileInfo:
    return FileInfo(status.path, status.size, status.modified, status.etag)

"""The disk against the ledger: the difference makes the events. Watchers and writers only hint."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nexaflow_cli.errors import UnavailableError
from nexaflow_cli.files.ledger import Change, Known
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.observe import observe
from nexaflow_cli.files.settle import Look, Settle
from nexaflow_cli.files.watch import Watcher
from nexaflow_cli.runtime.admission import Admitted
from nexaflow_cli.runtime.ids import IdMaker
from nexaflow_cli.runtime.intake import Cause, Intake
from nexaflow_cli.runtime.times import iso
from nexaflow_cli.store import events
from nexaflow_cli.store.store import Store

logger = logging.getLogger(__name__)

_CHUNK = 200
"""Changes in one transaction: its statements run on the loop, others wait so long."""

_AGAIN = 1.0

_PATIENCE = 5.0
"""Seconds that a stop waits for changes under way; a disk that hangs must not hold it up."""
_CLOCKS_APART = 0.1  # seconds by which a file's time may be behind the clock's
_MOST_UNNAMED = 1000


class FileLedger:
    """One task looks, one look after the other; who asks meanwhile shares the next."""

    def __init__(
        self,
        store: Store,
        mounts: Mounts,
        intake: Intake,
        ids: IdMaker,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._mounts = mounts
        self._intake = intake
        self._ids = ids
        self._now = now
        self._loop = asyncio.get_running_loop()
        self.watcher = Watcher(mounts, lambda: self._loop.call_soon_threadsafe(self._wake))
        self._settle = Settle()
        self._watches = False
        self._work = asyncio.Event()
        self._asked: list[tuple[list[str], asyncio.Future[None]]] = []
        self._missed: list[Look] = []
        self._expected: Counter[str] = Counter()
        self._causes: dict[str, Cause] = {}
        self._changing: set[asyncio.Task[Any]] = set()
        self._task: asyncio.Task[None] | None = None
        self._scanned = asyncio.Event()
        self._off = False
        self._began = now()
        self._unnamed: set[str] = set()
        self._stopped = False

    def switch_off(self) -> None:
        """Take no notice of any change, where nothing can be triggered by one."""
        self._off = True

    async def start(self, *, watch: bool = True) -> None:
        """Take questions; and watch, and look at everything once: it changed meanwhile.

        Args:
            watch: False to look only where somebody asks.
        """
        self._watches = watch
        if watch:
            await asyncio.to_thread(self.watcher.start)
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """Look no more; what was not recorded is found by the next start."""
        if self._changing:
            await asyncio.wait(self._changing, timeout=_PATIENCE)
        self._stopped = True
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        self._answer(self._asked, _stopping())
        if self._watches:
            await asyncio.to_thread(self.watcher.stop)

    def expect(self, paths: Iterable[str], cause: Cause | None) -> None:
        """These paths are about to be changed together; what is found of them is `cause`'s doing.

        Hints about them wait meanwhile: seen halfway, a move is a deletion and a creation. The
        caller ends this with `look`, or with `release` if it changed nothing.
        """
        for path in paths:
            self._expected[path] += 1
            if cause is not None:
                self._causes[path] = cause

    def release(self, paths: Iterable[str]) -> None:
        """No more is expected of these paths."""
        for path in paths:
            self._expected[path] -= 1
            if not self._expected[path]:
                del self._expected[path]
                self._causes.pop(path, None)

    def see_through(self, change: asyncio.Task[Any]) -> None:
        """Have `stop` wait for the end of a change that is expected."""
        self._changing.add(change)
        change.add_done_callback(self._changing.discard)

    async def look(self, paths: list[str]) -> None:
        """Have expected files looked at; returns once what was found is durable."""
        try:
            if self._off:
                return
            if self._stopped:
                raise _stopping()
            future: asyncio.Future[None] = self._loop.create_future()
            self._asked.append((paths, future))
            self._work.set()
            await future
        finally:
            self.release(paths)

    async def scanned(self) -> None:
        """Wait until the first look at everything is done."""
        await self._scanned.wait()

    def _wake(self) -> None:
        self._work.set()

    async def _run(self) -> None:
        first = Look(trees=("/",))
        while self._watches:
            try:
                await self._look(first)
                break
            except Exception:
                logger.exception("the files cannot be scanned, trying again")
                await asyncio.sleep(_AGAIN)
        self._scanned.set()
        while True:
            await self._wait()
            asked, self._asked = self._asked, []
            monotonic = time.monotonic()
            self._settle.add(self.watcher.take(), monotonic)
            due = self._settle.due(monotonic)
            early = [path for path in due.paths if path in self._expected]
            self._settle.defer(early, monotonic)
            paths = dict.fromkeys(path for path in due.paths if path not in self._expected)
            for more, _ in asked:
                paths.update(dict.fromkeys(more))
            missed, self._missed = self._missed, []
            look = Look(
                tuple(paths),
                (*due.folders, *(folder for m in missed for folder in m.folders)),
                (*due.trees, *(tree for m in missed for tree in m.trees)),
            )
            try:
                if look:
                    await self._look(look)
                self._answer(asked, None)
            except asyncio.CancelledError:
                self._answer(asked, _stopping())
                raise
            except Exception as error:
                self._answer(asked, error)
                logger.exception("files could not be taken up, trying again")
                # Nothing was recorded, so looking again finds the same.
                self._settle.defer(look.paths, monotonic)
                if look.folders or look.trees:
                    self._loop.call_later(_AGAIN, self._look_again, look)

    def _look_again(self, look: Look) -> None:
        self._missed.append(look)
        self._work.set()

    async def _wait(self) -> None:
        """Until somebody asks or hints, or something held back is due."""
        due = self._settle.next_due()
        timeout = None if due is None else max(0.0, due - time.monotonic())
        try:
            await asyncio.wait_for(self._work.wait(), timeout)
        except TimeoutError:
            pass
        self._work.clear()

    async def _look(self, look: Look) -> None:
        record = _Record(self._store)
        thread = asyncio.ensure_future(
            asyncio.to_thread(lambda: observe(self._mounts, record, look, now=self._now()))
        )
        try:
            found = await asyncio.shield(thread)
        except asyncio.CancelledError:
            await asyncio.wait([thread])  # it reads from a connection that is about to be closed
            raise
        self._settle.defer(found.young, time.monotonic())
        if found.skipped.leftovers:
            await asyncio.to_thread(self._remove_leftovers, found.skipped.leftovers)
        self._tell_unnamed(found.skipped.unnamed)
        for start in range(0, len(found.changes), _CHUNK):
            part = found.changes[start : start + _CHUNK]
            await self._intake.transact(partial(self._take, part))

    def _remove_leftovers(self, places: list[str]) -> None:
        """Remove what writers of earlier daemons did not finish; those of this one are younger."""
        for place in places:
            try:
                if os.lstat(place).st_mtime < self._began - _CLOCKS_APART:
                    Path(place).unlink()
            except OSError as error:
                logger.debug("%s stays: %s", place, error.strerror)

    def _tell_unnamed(self, names: list[str]) -> None:
        """Files that can start nothing are named once: nobody would know why."""
        new = [name for name in dict.fromkeys(names) if name not in self._unnamed]
        if new and len(self._unnamed) < _MOST_UNNAMED:
            self._unnamed.update(new[:_MOST_UNNAMED])
            more = f" and {len(new) - 1} more" if len(new) > 1 else ""
            logger.warning(
                "%s%s: a name with control characters, or that is not UTF-8, is no file of the "
                "file space, and starts nothing",
                new[0],
                more,
            )

    def _answer(
        self, asked: list[tuple[list[str], asyncio.Future[None]]], error: Exception | None
    ) -> None:
        for _, future in asked:
            if not future.done():
                if error is None:
                    future.set_result(None)
                else:
                    future.set_exception(error)

    def _take(self, changes: list[Change], db: sqlite3.Connection, made: list[Admitted]) -> None:
        """Record changes and their events, within a transaction."""
        now = self._now()
        for change in changes:
            if change.previous_path is not None:
                events.drop_file(db, change.previous_path)
            if change.seen is None:
                events.drop_file(db, change.path)
            else:
                events.put_file(db, change.path, *change.seen)
            cause = self._causes.get(change.path)
            made += self._intake.admit(db, self._event(change, now), now, cause)

    def _event(self, change: Change, now: float) -> dict[str, Any]:
        event: dict[str, Any] = {
            "id": self._ids.make(now),
            "type": f"file.{change.kind}",
            "path": change.path,
            "name": change.path.rpartition("/")[2],
            "time": iso(now),
            "size": None if change.seen is None else change.seen.size,
            "local_path": self._mounts.of(change.path).place(change.path),
            "data": {},
        }
        if change.previous_path is not None:
            event["previous_path"] = change.previous_path
        return event


def _stopping() -> UnavailableError:
    return UnavailableError("the daemon is stopping", hint="try again once it has restarted")


class _Record:
    """The ledger, read in a thread (the `Record` of `observe`)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def known(self, paths: Iterable[str]) -> Mapping[str, Known]:
        rows = events.known_files(self._store.thread_reader(), paths)
        return {path: Known(*row) for path, row in rows.items()}

    def known_in(self, folder: str, *, recursive: bool) -> Mapping[str, Known]:
        prefix = folder if folder.endswith("/") else folder + "/"
        rows = events.files_below(self._store.thread_reader(), prefix)
        return {
            path: Known(inode, size, mtime_ns)
            for path, inode, size, mtime_ns in rows
            if recursive or "/" not in path[len(prefix) :]
        }

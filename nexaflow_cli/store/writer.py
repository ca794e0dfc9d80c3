"""Group commit: what is pending goes into one transaction, and is told once it is durable."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from nexaflow_cli.errors import NexaflowError, UnavailableError
from nexaflow_cli.store.wal import WriteAheadLog

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]
Done = Callable[[Any, BaseException | None], None]

MAX_GROUP = 512

PATIENCE = 5.0
"""Seconds that what is pending waits for another process to let go of the database."""

_TRY_AGAIN = 0.02

_QUICK = 0.001
"""Seconds that a commit may take to be made on the loop."""

_SMALL_GROUP = 64
_UNKNOWN = 1.0


class Tail:
    """Rows of one group that can go in together at its end: one statement for all of them."""

    def __init__(self) -> None:
        self._added: list[tuple[str, Sequence[tuple[Any, ...]]]] = []

    def add(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Have `sql` executed with each of these rows before the commit."""
        self._added.append((sql, rows))

    def mark(self) -> int:
        return len(self._added)

    def cut(self, mark: int) -> None:
        """Forget what was added since `mark`: its work is undone."""
        del self._added[mark:]

    def write(self, db: sqlite3.Connection) -> None:
        by_sql: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for sql, rows in self._added:
            by_sql[sql] += rows
        self._added.clear()
        for sql, rows in by_sql.items():
            db.executemany(sql, rows)


class Writer:
    """The single writer. Lives on one event loop; only COMMIT may run in a thread.

    Statements before the commit only touch memory, so they run on the loop, where they may
    read and change what the loop owns. The thread waits for the disk meanwhile; where the disk
    is quicker than going to the thread and back, the loop waits itself.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        # Statements run on the loop: waiting for somebody's lock is done without holding it up.
        db.execute("PRAGMA busy_timeout = 0")
        self._busy_since: float | None = None
        self._path = Path(db.execute("PRAGMA database_list").fetchone()[2])
        self._file = _identity(self._path)
        self._log = WriteAheadLog(db, self._path)
        self._seconds = _UNKNOWN
        self._pending: deque[tuple[Work, Done, bool]] = deque()
        self._committing = False
        self._scheduled = False
        self._loop = asyncio.get_running_loop()
        self._commits: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._commit_loop, name="commit", daemon=True)
        self._thread.start()
        self.tail = Tail()
        self.groups = 0
        self.closed = False

    def submit(self, work: Work, done: Done, *, atomic: bool = True) -> None:
        """Have `work(db)` done in the next transaction, then `done(result, error)` called.

        Args:
            work: executes statements; what it returns goes to `done`.
            done: called on the loop, once the transaction is durable or has failed.
            atomic: undo this work alone if it raises; without it the work must not raise.
        """
        if self.closed:
            raise UnavailableError("the daemon is stopping", hint="try again once it has restarted")
        self._pending.append((work, done, atomic))
        self._idle.clear()
        self._pump_soon()

    async def run(
        self,
        work: Callable[[sqlite3.Connection], T],
        settled: Callable[[BaseException | None], object] | None = None,
        *,
        atomic: bool = True,
    ) -> T:
        """Do `work(db)` and wait until it is durable.

        Args:
            settled: called on the loop with None or the error as soon as that is known, even if
                whoever waits was cancelled meanwhile: the work is done or undone regardless.
            atomic: as for `submit`.

        Raises:
            UnavailableError: it could not be made durable; nothing of it remains.
        """
        future: asyncio.Future[T] = self._loop.create_future()

        def done(result: T, error: BaseException | None) -> None:
            if settled is not None:
                settled(error)
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        self.submit(work, done, atomic=atomic)
        return await future

    def _pump(self) -> None:
        self._scheduled = False
        if self._committing or not self._pending:
            return
        group: list[tuple[Done, Any, BaseException | None]] = []
        db = self._db
        try:
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._not_begun(error)
            return
        self._busy_since = None
        try:
            while self._pending and len(group) < MAX_GROUP:
                work, done, atomic = self._pending.popleft()
                # In the group before it runs, so that it is told if the transaction fails.
                group.append((done, None, None))
                group[-1] = (done, *self._attempt(work)) if atomic else (done, work(db), None)
            self.tail.write(db)
        except Exception as error:
            self._rollback()
            self._tell(group, _unavailable(error))
            self._next()
            return
        self._committing = True
        if (
            len(group) <= _SMALL_GROUP
            and self._seconds < _QUICK
            and not self._log.is_long(self.groups)
        ):
            self._loop.call_soon(self._committed, group, self._durable())
        else:
            self._commits.put(lambda: self._commit(group))

    def _pump_soon(self, delay: float = 0.0) -> None:
        if not self._committing and not self._scheduled:
            self._scheduled = True
            if delay:
                self._loop.call_later(delay, self._pump)
            else:
                self._loop.call_soon(self._pump)

    def _not_begun(self, error: sqlite3.Error) -> None:
        """No transaction could begin: wait for who holds the lock, or tell all who wait."""
        now = self._loop.time()
        if _is_busy(error):
            if self._busy_since is None:
                self._busy_since = now
            if now - self._busy_since < PATIENCE:
                self._pump_soon(_TRY_AGAIN)
                return
            self._busy_since = None
        group: list[tuple[Done, Any, BaseException | None]] = [
            (done, None, None) for _, done, _ in self._pending
        ]
        self._pending.clear()
        self._tell(group, _unavailable(error))
        self._next()

    def _attempt(self, work: Work) -> tuple[Any, BaseException | None]:
        self._db.execute("SAVEPOINT work")
        mark = self.tail.mark()
        try:
            result = work(self._db)
        except Exception as error:
            self.tail.cut(mark)
            if self._db.in_transaction:
                self._db.execute("ROLLBACK TO work")
                self._db.execute("RELEASE work")
            else:
                raise
            return None, error if isinstance(error, NexaflowError) else _unavailable(error)
        self._db.execute("RELEASE work")
        return result, None

    def _commit_loop(self) -> None:
        while (commit := self._commits.get()) is not None:
            commit()

    def _commit(self, group: list[tuple[Done, Any, BaseException | None]]) -> None:
        failure = self._durable()
        if failure is None and self._log.is_long(self.groups):
            self._log.fold(self.groups)
        self._loop.call_soon_threadsafe(self._committed, group, failure)

    def _durable(self) -> BaseException | None:
        """Commit; the error if that failed. It takes as long as the disk does."""
        began = time.perf_counter()
        try:
            # Else SQLite goes on writing to a file that nobody will find again.
            if _identity(self._path) != self._file:
                raise UnavailableError(
                    f"nothing can be saved: {self._path} was deleted or replaced",
                    hint="put it back if you can, and restart the daemon",
                )
            self._db.execute("COMMIT")
        except Exception as error:
            return error
        taken = time.perf_counter() - began
        # A slow one counts at once, quick ones have to come in numbers.
        self._seconds = max(taken, self._seconds * 0.8 + taken * 0.2)
        return None

    def _committed(
        self, group: list[tuple[Done, Any, BaseException | None]], failure: BaseException | None
    ) -> None:
        self._committing = False
        self.groups += 1
        if failure is not None:
            self._rollback()
            self._tell(group, _unavailable(failure))
        else:
            # The next group is made up of what these calls ask for, and of what came meanwhile.
            self._tell(group, None)
            self._pump()
        self._next()

    def _tell(
        self, group: list[tuple[Done, Any, BaseException | None]], failure: BaseException | None
    ) -> None:
        for done, result, error in group:
            try:
                done(result, failure or error)
            except Exception as problem:
                self._loop.call_exception_handler(
                    {"message": "a callback of the writer failed", "exception": problem}
                )

    def _next(self) -> None:
        """Go on with what is pending, in a turn of its own: failures must not pile up calls."""
        if self._pending:
            self._pump_soon()
        elif not self._committing:
            self._idle.set()

    def _rollback(self) -> None:
        self.tail.cut(0)
        if self._db.in_transaction:
            try:
                self._db.execute("ROLLBACK")
            except sqlite3.Error:
                # SQLite has rolled back by itself, as it does where the disk is full.
                pass

    async def close(self) -> None:
        """Wait for what is pending, then take no more."""
        while not self._idle.is_set() or self._committing:
            await self._idle.wait()
            await asyncio.sleep(0)
        self.closed = True
        self._commits.put(None)
        await asyncio.to_thread(self._thread.join)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_busy(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_BUSY


def _unavailable(error: BaseException) -> BaseException:
    if isinstance(error, NexaflowError):
        return error
    if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
        problem = UnavailableError(
            "nothing can be saved: the disk of the data directory is full",
            hint="free some space; the daemon goes on by itself",
        )
    elif _is_busy(error):
        problem = UnavailableError(
            "the database is locked by another program",
            hint="end the program that has nexaflow.db open for writing, and try again",
        )
    elif isinstance(error, sqlite3.Error):
        problem = UnavailableError(f"the database could not save this: {error}")
    else:
        return error
    problem.__cause__ = error
    return problem

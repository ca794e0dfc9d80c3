"""One open data directory: its writer, its readers and the numbers it hands out."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from nexaflow_cli.store import runs
from nexaflow_cli.store.database import Readers, open_reader, open_writer
from nexaflow_cli.store.writer import Writer

T = TypeVar("T")


class Store:
    """Open on a running event loop; the caller holds the lock of the data directory.

    `reader` is for small indexed reads on the loop; `read` takes larger ones to a thread. Both
    see what is committed. Numbers are handed out here because only this process writes.
    """

    def __init__(self, path: Path) -> None:
        self._db = open_writer(path)
        self.reader: sqlite3.Connection = open_reader(path)
        self._readers = Readers(path)
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="read")
        self.writer = Writer(self._db)
        self._run, fact, self._event, self.last_run_id = runs.last_numbers(self._db)
        self.fact_numbers = itertools.count(fact + 1)

    def next_run(self) -> int:
        self._run += 1
        return self._run

    def next_event(self) -> int:
        self._event += 1
        return self._event

    def thread_reader(self) -> sqlite3.Connection:
        """A connection of the calling thread's own, that only reads."""
        return self._readers.get()

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Do a query in a thread, on a connection that only reads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: query(self._readers.get()))

    async def close(self) -> None:
        """Commit what is pending, then leave the database as one file."""
        await self.writer.close()
        self._pool.shutdown()
        self._readers.close()
        self.reader.close()
        self._db.close()

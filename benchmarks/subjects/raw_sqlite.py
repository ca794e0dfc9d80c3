"""What the journal's own database could do at best: the same rows with nothing around them.

WAL and `synchronous=FULL`, so that every commit is on disk when it returns, as NexaFlow's is.
The table has no index beside its key; the rows are ready-made bytes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.loops import rate

FACTS = (
    ("run.started", b'{"trigger":{"type":"manual"},"inputs":{"value":0}}'),
    ("step.started", b'{"step":"one","attempt":1}'),
    ("step.succeeded", b'{"step":"one","attempt":1,"output":1}'),
    ("step.started", b'{"step":"two","attempt":1}'),
    ("step.succeeded", b'{"step":"two","attempt":1,"output":2}'),
    ("step.started", b'{"step":"three","attempt":1}'),
    ("step.succeeded", b'{"step":"three","attempt":1,"output":3}'),
    ("run.finished", b'{"status":"success","output":3}'),
)
"""The eight facts of a run of three steps."""

COMMITS = (FACTS[0:2], FACTS[2:4], FACTS[4:6], FACTS[6:8])
"""The same eight, cut where a step may not start before the one before it is committed."""

INSERT = "INSERT INTO journal (run, kind, at, data) VALUES (?, ?, ?, ?)"


class RawSqlite:
    """One connection to one journal table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._run = 0

    def single_inserts(self, seconds: float) -> dict[str, float]:
        """Rows a second, each its own commit."""

        def insert() -> int:
            self._connection.execute(INSERT, (1, *self._row(*FACTS[0])))
            return 1

        return _timed(insert, seconds)

    def runs(self, seconds: float, batch: int) -> dict[str, float]:
        """Runs a second, all eight rows of `batch` runs in each commit."""
        return _timed(lambda: self._write(FACTS, batch), seconds)

    def stepwise_runs(self, seconds: float, batch: int) -> dict[str, float]:
        """Runs a second, `batch` abreast, in the four commits that three steps in a row need."""

        def abreast() -> int:
            first = self._run
            for facts in COMMITS:
                self._run = first
                self._write(facts, batch)
            return batch

        return _timed(abreast, seconds)

    def _write(self, facts: tuple[tuple[str, bytes], ...], batch: int) -> int:
        first, self._run = self._run, self._run + batch
        rows = [
            (run, *self._row(kind, data))
            for run in range(first, first + batch)
            for kind, data in facts
        ]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(INSERT, rows)
        self._connection.execute("COMMIT")
        return batch

    @staticmethod
    def _row(kind: str, data: bytes) -> tuple[str, float, bytes]:
        return kind, time.time(), data


def _timed(take: Callable[[], int], seconds: float) -> dict[str, float]:
    count = 0
    begin = time.perf_counter()
    stop = begin + seconds
    while time.perf_counter() < stop:
        count += take()
    return rate(count, time.perf_counter() - begin)


@contextmanager
def raw_sqlite(directory: Path) -> Iterator[RawSqlite]:
    """A fresh journal in the directory."""
    connection = sqlite3.connect(directory / "journal.db", isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "CREATE TABLE journal (seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, "
            "kind TEXT NOT NULL, at REAL NOT NULL, data BLOB NOT NULL)"
        )
        yield RawSqlite(connection)
    finally:
        connection.close()

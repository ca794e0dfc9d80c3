"""The write-ahead log, folded into the database by the connection that writes it, off the loop."""

from __future__ import annotations

import sqlite3
from pathlib import Path

MAX_WAL = 32 * 1024 * 1024
"""Bytes of the log beyond which readers are waited for to fold it up."""

_STEP = MAX_WAL // 16
_PATIENCE_MS = 200

_FOLD_PAGES = 2000
_PAGES_A_COMMIT, _ROWS_A_PAGE = 8, 4  # about what the log grows by


class WriteAheadLog:
    """Says when the log is long, and folds it.

    SQLite would fold within some COMMIT, on whichever thread makes it; that takes as long as many
    commits, so it is turned off, and `fold` called where nobody else is held up.
    """

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        self._db = db
        self._path = Path(f"{path}-wal")
        self._limit = MAX_WAL
        self._rows = self._commits = 0

    def is_long(self, commits: int) -> bool:
        """Whether it is time to fold; `commits` counts those made so far."""
        rows = self._db.total_changes - self._rows
        pages = (commits - self._commits) * _PAGES_A_COMMIT + rows // _ROWS_A_PAGE
        return pages > _FOLD_PAGES or self._size() >= self._limit

    def fold(self, commits: int) -> None:
        """Fold what can be. Readers that overlap without a gap are waited for if it is too long:
        SQLite never begins it anew while one reads.
        """
        self._rows, self._commits = self._db.total_changes, commits
        size = self._size()
        try:
            if size < self._limit:
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                return
            self._db.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
            busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._db.execute("PRAGMA busy_timeout = 0")
        except sqlite3.Error:
            busy = 1  # what was committed is; the log is folded up another time
        self._limit = size + _STEP if busy else MAX_WAL

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

"""Opening the database: pragmas, migrations, and connections that only read."""

from __future__ import annotations

import re
import sqlite3
import threading
from importlib import resources
from pathlib import Path

from nexaflow_cli.errors import ConflictError, UnavailableError

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of each migration, in order; numbers are 1, 2, 3, …"""
    entries = resources.files("nexaflow_cli.store.migrations").iterdir()
    return sorted(
        (int(match[1]), entry.read_text())
        for entry in entries
        if (match := _NAME.fullmatch(entry.name))
    )


def open_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes, its schema brought up to date.

    `synchronous=FULL` makes each commit durable before it is acknowledged.

    Raises:
        ConflictError: a newer version of NexaFlow has written this database.
        UnavailableError: it cannot be opened or brought up to date; it is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    db: sqlite3.Connection | None = None
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
        path.chmod(0o600)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -16000")
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute("PRAGMA journal_size_limit = 67108864")
        migrate(db)
    except BaseException as error:
        if db is not None:
            db.close()
        if isinstance(error, sqlite3.Error):
            raise _cannot_open(path, error) from error
        raise
    return db


def _cannot_open(path: Path, error: sqlite3.Error) -> UnavailableError:
    hints = {
        sqlite3.SQLITE_NOTADB: "restore a backup, or name another directory with --data-dir",
        sqlite3.SQLITE_CORRUPT: "restore a backup, or name another directory with --data-dir",
        sqlite3.SQLITE_BUSY: "end the program that has it open, and try again",
        sqlite3.SQLITE_FULL: "free some space on its disk, and try again",
    }
    hint = hints.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "see that it can be written")
    return UnavailableError(f"the database {path} cannot be used: {error}", hint=hint)


def migrate(db: sqlite3.Connection) -> None:
    """Apply the migrations that the database has not had, each in one transaction.

    Raises:
        ConflictError: the database is newer than this program.
    """
    known = migrations()
    at: int = db.execute("PRAGMA user_version").fetchone()[0]
    if at > len(known):
        raise ConflictError(
            f"the database was written by a newer NexaFlow (its schema is {at}, "
            f"this program knows {len(known)})",
            hint="run the newer version, or restore a backup made by this one",
        )
    for number, sql in known[at:]:
        db.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write and never checkpoints."""
    db = sqlite3.connect(
        f"file:{_quoted(path)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    db.execute("PRAGMA query_only = 1")
    db.execute("PRAGMA cache_size = -4000")
    return db


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path))


class Readers:
    """One reading connection a thread, opened on first use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def get(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = open_reader(self._path)
            with self._lock:
                self._all.append(db)
        return db

    def close(self) -> None:
        with self._lock:
            for db in self._all:
                db.close()
            self._all.clear()

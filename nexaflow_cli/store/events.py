"""Events, the file ledger and the tick ledger: what the outside world did."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

_INSERT = "INSERT INTO events (seq, id, type, path, time, data, cause) VALUES (?, ?, ?, ?, ?, ?, ?)"


def insert(
    db: sqlite3.Connection, seq: int, event: dict[str, Any], at: float, cause: dict[str, Any] | None
) -> None:
    """Record an event as expressions will see it; `event` has `id`, `type` and maybe `path`."""
    db.execute(
        _INSERT,
        (
            seq,
            event["id"],
            event["type"],
            event.get("path"),
            at,
            orjson.dumps(event).decode(),
            None if cause is None else orjson.dumps(cause).decode(),
        ),
    )


def admit(db: sqlite3.Connection, event: int, run: int) -> None:
    db.execute("INSERT INTO admissions (event, run) VALUES (?, ?)", (event, run))


def page(
    db: sqlite3.Connection,
    *,
    type: str | None = None,
    path: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[tuple[int, dict[str, Any]]]:
    """(seq, event) from the newest on, each with its cause and the ids of the runs it made."""
    where, values = ["1"], list[Any]()
    for column, value in (("type = ?", type), ("path = ?", path), ("seq < ?", before)):
        if value is not None:
            where.append(column)
            values.append(value)
    sql = f"""
    SELECT seq, data, cause,
      (SELECT json_group_array(r.id) FROM admissions AS a JOIN runs AS r ON r.seq = a.run
       WHERE a.event = e.seq)
    FROM events AS e WHERE {" AND ".join(where)} ORDER BY seq DESC LIMIT ?
    """
    found = []
    for seq, data, cause, runs in db.execute(sql, (*values, limit)):
        event = orjson.loads(data)
        event["cause"] = None if cause is None else orjson.loads(cause)
        event["runs"] = orjson.loads(runs)
        found.append((seq, event))
    return found


def known_files(db: sqlite3.Connection, paths: Iterable[str]) -> dict[str, tuple[int, int, int]]:
    """(inode, size, mtime_ns) of each of the paths that the ledger knows."""
    found = {}
    for path in paths:
        sql = "SELECT inode, size, mtime_ns FROM files WHERE path = ?"
        if row := db.execute(sql, (path,)).fetchone():
            found[path] = row
    return found


def files_below(db: sqlite3.Connection, prefix: str) -> Iterator[tuple[str, int, int, int]]:
    """Every file that the ledger knows under a directory, `prefix` ending in a slash."""
    end = prefix[:-1] + chr(ord("/") + 1)
    sql = "SELECT path, inode, size, mtime_ns FROM files WHERE path >= ? AND path < ?"
    yield from db.execute(sql, (prefix, end))


def put_file(db: sqlite3.Connection, path: str, inode: int, size: int, mtime_ns: int) -> None:
    db.execute(
        "INSERT OR REPLACE INTO files (path, inode, size, mtime_ns) VALUES (?, ?, ?, ?)",
        (path, inode, size, mtime_ns),
    )


def drop_file(db: sqlite3.Connection, path: str) -> None:
    db.execute("DELETE FROM files WHERE path = ?", (path,))


def record_tick(
    db: sqlite3.Connection,
    workflow: str,
    trigger: int,
    due: float,
    outcome: str,
    reason: str,
    run: str | None,
) -> bool:
    """Put a tick on record; False: it is on record already, and nothing was changed."""
    sql = """
    INSERT INTO ticks (workflow, trigger, due, outcome, reason, run) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING
    """
    return db.execute(sql, (workflow, trigger, due, outcome, reason, run)).rowcount == 1


def tick_is_known(db: sqlite3.Connection, workflow: str, trigger: int, due: float) -> bool:
    sql = "SELECT 1 FROM ticks WHERE workflow = ? AND trigger = ? AND due = ?"
    return db.execute(sql, (workflow, trigger, due)).fetchone() is not None

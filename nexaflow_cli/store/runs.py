"""Runs and their journal: rows in, rows out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from nexaflow_cli.store.writer import Tail

OPEN = "('queued', 'running', 'waiting', 'paused')"

_COLUMNS = (
    "seq, id, workflow, version, status, trigger, event, inputs, path, lane, created_at, "
    "started_at, finished_at, wake_at, output, error"
)
_INSERT = """
INSERT INTO runs (seq, id, workflow, version, status, trigger, event, inputs, path, lane,
                  request_key, created_at, started_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_APPEND = "INSERT INTO journal (seq, run, kind, data) VALUES (?, ?, ?, ?)"
_FINISH = """
UPDATE runs SET status = ?, finished_at = ?, output = ?, error = ?, wake_at = NULL WHERE seq = ?
"""
_COUNT = """
INSERT INTO totals (workflow, status, runs, duration_ms) VALUES (?, ?, 1, ?)
ON CONFLICT (workflow, status)
DO UPDATE SET runs = runs + 1, duration_ms = duration_ms + excluded.duration_ms
"""
_STATUS = "UPDATE runs SET status = ?, wake_at = ? WHERE seq = ? AND finished_at IS NULL"
_START = "UPDATE runs SET status = 'running', started_at = ?, wake_at = NULL WHERE seq = ?"
_NEXT_QUEUED = f"""
SELECT {_COLUMNS} FROM runs AS r
WHERE status = 'queued' AND seq > ?
  AND (lane IS NULL OR NOT EXISTS (
    SELECT 1 FROM runs AS b
    WHERE b.lane = r.lane AND b.finished_at IS NULL AND b.seq < r.seq))
ORDER BY seq LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One row of `runs`; JSON columns are decoded, times are seconds since the epoch."""

    seq: int
    id: str
    workflow: str
    version: int
    status: str
    trigger: dict[str, Any]
    event: dict[str, Any] | None
    inputs: dict[str, Any]
    path: str | None
    lane: str | None
    created_at: float
    started_at: float | None
    finished_at: float | None
    wake_at: float | None
    output: Any
    error: dict[str, Any] | None


def _row(row: Sequence[Any]) -> RunRow:
    values = list(row)
    for index in (5, 6, 7, 14, 15):
        if values[index] is not None:
            values[index] = orjson.loads(values[index])
    return RunRow(*values)


def insert(db: sqlite3.Connection, run: RunRow, request_key: str | None = None) -> None:
    event = None if run.event is None else orjson.dumps(run.event).decode()
    db.execute(
        _INSERT,
        (
            run.seq,
            run.id,
            run.workflow,
            run.version,
            run.status,
            orjson.dumps(run.trigger).decode(),
            event,
            orjson.dumps(run.inputs).decode(),
            run.path,
            run.lane,
            request_key,
            run.created_at,
            run.started_at,
        ),
    )


def append(tail: Tail, rows: Sequence[tuple[int, int, str, bytes]]) -> None:
    """Append (seq, run, kind, data) rows to the journal."""
    tail.add(_APPEND, rows)


def set_status(db: sqlite3.Connection, seq: int, status: str, wake_at: float | None = None) -> None:
    db.execute(_STATUS, (status, wake_at, seq))


def set_started(db: sqlite3.Connection, seq: int, at: float) -> None:
    db.execute(_START, (at, seq))


def finish(
    tail: Tail,
    run: RunRow,
    status: str,
    at: float,
    output: Any,
    error: dict[str, Any] | None,
) -> None:
    """Record the end of a run, and count it."""
    end = (
        status,
        at,
        None if output is None else orjson.dumps(output).decode(),
        None if error is None else orjson.dumps(error).decode(),
        run.seq,
    )
    tail.add(_FINISH, [end])
    tail.add(_COUNT, [(run.workflow, status, max(0.0, at - (run.started_at or at)) * 1000)])


def last_numbers(db: sqlite3.Connection) -> tuple[int, int, int, str]:
    """The highest runs.seq, journal.seq and events.seq, and the highest run or event id."""
    runs = db.execute("SELECT coalesce(max(seq), 0) FROM runs").fetchone()[0]
    facts = db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()[0]
    events = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
    ids = "SELECT max(id) FROM runs UNION ALL SELECT max(id) FROM events"
    last_id = max(row[0] or "" for row in db.execute(ids))
    return runs, facts, events, last_id


def by_id(db: sqlite3.Connection, run_id: str) -> RunRow | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM runs WHERE id = ?", (run_id,)).fetchone()
    return None if row is None else _row(row)


def is_over(db: sqlite3.Connection, run_id: str) -> bool:
    """Whether a run has ended, or is not known at all."""
    row = db.execute("SELECT finished_at FROM runs WHERE id = ?", (run_id,)).fetchone()
    return row is None or row[0] is not None


def by_request(db: sqlite3.Connection, workflow: str, key: str) -> RunRow | None:
    sql = f"SELECT {_COLUMNS} FROM runs WHERE workflow = ? AND request_key = ?"
    row = db.execute(sql, (workflow, key)).fetchone()
    return None if row is None else _row(row)


def journal(db: sqlite3.Connection, seq: int, after: int = 0) -> list[tuple[int, str, bytes]]:
    """(seq, kind, data) of a run's facts, in order."""
    return db.execute(
        "SELECT seq, kind, data FROM journal WHERE run = ? AND seq > ? ORDER BY seq", (seq, after)
    ).fetchall()


def next_queued(db: sqlite3.Connection, after: int, limit: int) -> list[RunRow]:
    """Queued runs whose lane is free, oldest first."""
    return [_row(row) for row in db.execute(_NEXT_QUEUED, (after, limit))]


def first_in_lanes(db: sqlite3.Connection, lanes: Iterable[str]) -> list[RunRow]:
    """The queued runs whose turn it is in these lanes, oldest first."""
    sql = f"SELECT {_COLUMNS} FROM runs WHERE lane = ? AND finished_at IS NULL ORDER BY seq LIMIT 1"
    found = [_row(row) for lane in lanes for row in db.execute(sql, (lane,))]
    return sorted((run for run in found if run.status == "queued"), key=lambda run: run.seq)


def with_status(db: sqlite3.Connection, status: str) -> list[RunRow]:
    sql = f"SELECT {_COLUMNS} FROM runs WHERE status = ? ORDER BY seq"
    return [_row(row) for row in db.execute(sql, (status,))]


def due(db: sqlite3.Connection, now: float, limit: int) -> list[RunRow]:
    """Parked runs whose time has come."""
    sql = f"SELECT {_COLUMNS} FROM runs WHERE wake_at <= ? ORDER BY wake_at LIMIT ?"
    return [_row(row) for row in db.execute(sql, (now, limit))]


def next_wake(db: sqlite3.Connection) -> float | None:
    wake: float | None = db.execute(
        "SELECT min(wake_at) FROM runs WHERE wake_at IS NOT NULL"
    ).fetchone()[0]
    return wake


def lane_is_busy(db: sqlite3.Connection, lane: str) -> bool:
    sql = "SELECT 1 FROM runs WHERE lane = ? AND finished_at IS NULL LIMIT 1"
    return db.execute(sql, (lane,)).fetchone() is not None


def page(
    db: sqlite3.Connection,
    *,
    workflow: str | None = None,
    status: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[RunRow]:
    """Runs from the newest on; `before` is the seq where the last page ended."""
    where, values = ["1"], list[Any]()
    for column, value in (("workflow = ?", workflow), ("status = ?", status), ("seq < ?", before)):
        if value is not None:
            where.append(column)
            values.append(value)
    sql = f"SELECT {_COLUMNS} FROM runs WHERE {' AND '.join(where)} ORDER BY seq DESC LIMIT ?"
    return [_row(row) for row in db.execute(sql, (*values, limit))]


def totals(db: sqlite3.Connection, workflow: str) -> dict[str, tuple[int, float]]:
    """Ended runs by status: how many, and their duration in all, in ms."""
    sql = "SELECT status, runs, duration_ms FROM totals WHERE workflow = ?"
    return {status: (runs, ms) for status, runs, ms in db.execute(sql, (workflow,))}


def open_counts(db: sqlite3.Connection, workflow: str) -> dict[str, int]:
    sql = f"""
    SELECT status, count(*) FROM runs INDEXED BY runs_by_workflow_status
    WHERE status IN {OPEN} AND workflow = ? GROUP BY status
    """
    return dict(db.execute(sql, (workflow,)).fetchall())


def failed_facts(
    db: sqlite3.Connection, workflow: str, before: int | None, limit: int
) -> list[tuple[int, str, bytes]]:
    """(journal seq, run id, data) of the failed attempts of a workflow's runs, newest first."""
    sql = """
    SELECT j.seq, r.id, j.data FROM runs AS r JOIN journal AS j ON j.run = r.seq
    WHERE r.workflow = ? AND j.kind = 'step.failed' AND (? IS NULL OR j.seq < ?)
      AND r.seq IN (SELECT seq FROM runs WHERE workflow = ? ORDER BY seq DESC LIMIT 10000)
    ORDER BY j.seq DESC LIMIT ?
    """
    return db.execute(sql, (workflow, before, before, workflow, limit)).fetchall()

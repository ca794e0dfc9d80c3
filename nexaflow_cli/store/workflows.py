"""Workflows and their immutable versions."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_COLUMNS = (
    "w.name, w.status, w.version, w.created_at, w.updated_at, "
    "v.digest, v.source, v.filename, v.author"
)
_FROM = """
FROM workflows AS w JOIN versions AS v ON v.workflow = w.name AND v.version = w.version
WHERE w.deleted_at IS NULL
"""
_PUT = """
INSERT INTO workflows (name, status, version, created_at, updated_at) VALUES (?, 'active', ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at,
  status = CASE WHEN deleted_at IS NULL THEN status ELSE 'active' END,
  created_at = CASE WHEN deleted_at IS NULL THEN created_at ELSE excluded.created_at END,
  deleted_at = NULL
"""
_PUT_VERSION = """
INSERT INTO versions (workflow, version, digest, source, filename, author, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """A workflow with its newest version; times are seconds since the epoch."""

    name: str
    status: str
    version: int
    created_at: float
    updated_at: float
    digest: str
    source: str
    filename: str
    author: str


def every(db: sqlite3.Connection) -> list[WorkflowRow]:
    return [WorkflowRow(*row) for row in db.execute(f"SELECT {_COLUMNS} {_FROM} ORDER BY w.name")]


def get(db: sqlite3.Connection, name: str) -> WorkflowRow | None:
    row = db.execute(f"SELECT {_COLUMNS} {_FROM} AND w.name = ?", (name,)).fetchone()
    return None if row is None else WorkflowRow(*row)


def source_of(db: sqlite3.Connection, name: str, version: int) -> tuple[str, str] | None:
    """(source, filename) of one version, of a deleted workflow too."""
    sql = "SELECT source, filename FROM versions WHERE workflow = ? AND version = ?"
    row: tuple[str, str] | None = db.execute(sql, (name, version)).fetchone()
    return row


def put(
    db: sqlite3.Connection,
    name: str,
    digest: str,
    source: str,
    filename: str,
    author: str,
    now: float,
) -> tuple[int, str]:
    """Make this the newest version, if it differs in meaning.

    Returns:
        The version it has, and what changed: `created`, `updated` or `unchanged`. A workflow that
        was deleted and comes back goes on with its numbering.
    """
    row = get(db, name)
    if row is not None and row.digest == digest:
        return row.version, "unchanged"
    sql = "SELECT coalesce(max(version), 0) FROM versions WHERE workflow = ?"
    version = db.execute(sql, (name,)).fetchone()[0] + 1
    db.execute(_PUT_VERSION, (name, version, digest, source, filename, author, now))
    db.execute(_PUT, (name, version, now, now))
    return version, "created" if row is None else "updated"


def set_status(db: sqlite3.Connection, name: str, status: str, now: float) -> None:
    db.execute(
        "UPDATE workflows SET status = ?, updated_at = ? WHERE name = ?", (status, now, name)
    )


def delete(db: sqlite3.Connection, name: str, now: float) -> None:
    """Take the workflow out of use; its versions, runs and history stay."""
    db.execute("UPDATE workflows SET deleted_at = ? WHERE name = ?", (now, name))


def known(db: sqlite3.Connection, name: str) -> bool:
    """Whether the name is or was a workflow: its history can be asked for."""
    return db.execute("SELECT 1 FROM workflows WHERE name = ?", (name,)).fetchone() is not None

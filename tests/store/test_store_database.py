"""The database file: its schema, its migrations, and what readers may do to it."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nexaflow_cli.errors import ConflictError, NexaflowError
from nexaflow_cli.store import database
from nexaflow_cli.store.database import migrate, migrations, open_reader, open_writer
from nexaflow_cli.store.store import Store
from nexaflow_cli.store.wal import MAX_WAL


def schema(db: sqlite3.Connection) -> list[str]:
    return sorted(sql for (sql,) in db.execute("SELECT sql FROM sqlite_schema") if sql)


def test_migrations_are_numbered_without_gaps() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_a_fresh_database_is_the_sum_of_the_migrations(tmp_path: Path) -> None:
    fresh = open_writer(tmp_path / "nexaflow.db")
    summed = sqlite3.connect(":memory:", isolation_level=None)
    for _, sql in migrations():
        summed.executescript(sql)
    assert schema(fresh) == schema(summed)
    assert fresh.execute("PRAGMA user_version").fetchone() == (len(migrations()),)
    fresh.close()
    summed.close()


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "nexaflow.db"
    open_writer(path).close()
    before = path.read_bytes()
    open_writer(path).close()
    assert path.read_bytes() == before


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    db = open_writer(tmp_path / "nexaflow.db")
    db.execute("CREATE TABLE t (x)")
    assert {oct(p.stat().st_mode & 0o777) for p in tmp_path.iterdir()} == {"0o600"}
    db.close()


def test_commits_are_durable_before_they_are_told(tmp_path: Path) -> None:
    db = open_writer(tmp_path / "nexaflow.db")
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_a_newer_database_is_refused_in_words_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "nexaflow.db"
    db = open_writer(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(ConflictError, match="newer NexaFlow") as caught:
        open_writer(path)
    assert "run the newer version" in caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all, only text" * 200, b"x" * 100])
def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "nexaflow.db"
    path.write_bytes(content)
    with pytest.raises(NexaflowError, match=r"nexaflow\.db") as caught:
        open_writer(path)
    assert caught.value.hint
    assert path.read_bytes() == content


MORE = [
    "CREATE TABLE first (x); INSERT INTO first VALUES (1);",
    "CREATE TABLE second (x); INSERT INTO second SELECT x FROM first; DROP TABLE first;",
]


def test_a_migration_that_fails_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nexaflow.db"
    known = migrations()
    bad = [*known, (len(known) + 1, MORE[0]), (len(known) + 2, MORE[1] + "SELECT nonsense;")]
    monkeypatch.setattr(database, "migrations", lambda: bad)
    with pytest.raises(NexaflowError):
        open_writer(path)
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (len(known) + 1,)
    assert db.execute("SELECT x FROM first").fetchall() == [(1,)]
    db.close()
    good = [*known, *((len(known) + 1 + i, sql) for i, sql in enumerate(MORE))]
    monkeypatch.setattr(database, "migrations", lambda: good)
    db = open_writer(path)
    assert db.execute("SELECT x FROM second").fetchall() == [(1,)]
    db.close()


KILLED_IN_MIGRATION = """
import os, signal, sqlite3, sys
from pathlib import Path
from nexaflow_cli.store import database
known = database.migrations()
more = sys.argv[3:]
database.migrations = lambda: [*known, *((len(known) + 1 + i, s) for i, s in enumerate(more))]
db = sqlite3.connect(sys.argv[1], isolation_level=None)
count = 0
def statement(sql):
    global count
    count += 1
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
db.set_trace_callback(statement)
database.migrate(db)
"""


def test_a_migration_killed_anywhere_is_done_or_not_done(tmp_path: Path) -> None:
    """At each statement of two migrations: the database is at one of three states, and whole."""
    known = len(migrations())
    seen = set()
    for kill_at in range(1, 40):
        path = tmp_path / f"{kill_at}.db"
        open_writer(path).close()
        done = subprocess.run(
            [sys.executable, "-c", KILLED_IN_MIGRATION, str(path), str(kill_at), *MORE],
            check=False,
            timeout=60,
        )
        db = sqlite3.connect(path)
        at = db.execute("PRAGMA user_version").fetchone()[0] - known
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}
        assert ("first" in tables, "second" in tables) == (at == 1, at == 2)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
        seen.add(at)
        if done.returncode != -signal.SIGKILL:
            assert done.returncode == 0
            break
    assert seen == {0, 1, 2}


# Readers.


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "nexaflow.db")
    reader = open_reader(tmp_path / "nexaflow.db")
    for statement in ("CREATE TABLE t (x)", "DELETE FROM runs", "PRAGMA user_version = 5"):
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute(statement)
    reader.close()
    writer.close()


def test_a_reader_never_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "a #?% name" / "nexaflow.db"
    writer = open_writer(path)
    reader = open_reader(path)
    writer.execute("CREATE TABLE t (x)")
    before = path.read_bytes()
    for _ in range(100):
        writer.execute("INSERT INTO t VALUES (1)")
        reader.execute("SELECT count(*) FROM t").fetchone()
    with pytest.raises(sqlite3.OperationalError):
        reader.execute("PRAGMA wal_checkpoint").fetchone()
    reader.close()
    assert path.read_bytes() == before
    writer.close()


def test_the_wal_stays_bounded_while_others_read(tmp_path: Path) -> None:
    """Readers that come and go without a pause must not let the log grow with what is written."""
    path = tmp_path / "nexaflow.db"

    async def main() -> int:
        store = Store(path)
        stop = threading.Event()

        def read() -> None:
            db = store.thread_reader()
            while not stop.is_set():
                db.execute("SELECT count(*), sum(length(value)) FROM settings").fetchone()

        readers = [asyncio.to_thread(read) for _ in range(2)]
        tasks = [asyncio.create_task(reader) for reader in readers]
        largest = 0
        sql = "INSERT OR REPLACE INTO settings VALUES (?, ?)"
        for group in range(400):
            await store.writer.run(
                lambda db, group=group: db.executemany(
                    sql, [(f"{(group * 7 + i) % 300}", "x" * 4000) for i in range(50)]
                )
            )
            largest = max(largest, Path(f"{path}-wal").stat().st_size)
        stop.set()
        await asyncio.gather(*tasks)
        await store.close()
        return largest

    largest = asyncio.run(main())
    # Three times as much was written.
    assert largest < MAX_WAL + 8 * 1024 * 1024


def test_a_store_starts_and_stops_again_and_again(tmp_path: Path) -> None:
    """Each start finds what the last left, hands out numbers beyond it, and leaves one file."""
    path = tmp_path / "nexaflow.db"

    async def life(number: int) -> None:
        store = Store(path)
        assert store.next_event() == number + 1
        await asyncio.gather(
            *(store.read(lambda db: db.execute("SELECT 1").fetchone()) for _ in range(8)),
            store.writer.run(
                lambda db: db.execute(
                    "INSERT INTO events (seq, id, type, time, data) VALUES (?, ?, '', 0, '{}')",
                    (number + 1, f"{number:012}"),
                )
            ),
        )
        await store.close()
        assert [p.name for p in tmp_path.iterdir()] == ["nexaflow.db"]

    threads = threading.active_count()
    for number in range(30):
        asyncio.run(life(number))
    assert threading.active_count() == threads


def test_ids_go_on_after_the_newest_of_runs_and_events(tmp_path: Path) -> None:
    async def main() -> str:
        store = Store(tmp_path / "nexaflow.db")
        await store.writer.run(
            lambda db: db.execute(
                "INSERT INTO events (seq, id, type, time, data) VALUES (1, 'zzz', '', 0, '{}')"
            )
        )
        await store.close()
        store = Store(tmp_path / "nexaflow.db")
        last = store.last_run_id
        await store.close()
        return last

    assert asyncio.run(main()) == "zzz"


def test_migrate_is_what_a_new_database_gets() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db)
    migrate(db)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()

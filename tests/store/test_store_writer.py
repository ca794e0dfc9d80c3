"""The writer: groups become durable together, failures are told to all they concern, no others."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from nexaflow_cli.errors import InvalidError, NexaflowError, UnavailableError
from nexaflow_cli.store import writer as writer_module
from nexaflow_cli.store.database import open_reader, open_writer
from nexaflow_cli.store.writer import Writer

Body = Callable[[Writer, sqlite3.Connection], Awaitable[Any]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nexaflow.db"


def with_writer(path: Path, body: Body) -> Any:
    async def main() -> Any:
        db, reader = open_writer(path), None
        db.execute("CREATE TABLE IF NOT EXISTS t (x PRIMARY KEY, y)")
        reader = open_reader(path)
        writer = Writer(db)
        try:
            return await body(writer, reader)
        finally:
            await writer.close()
            reader.close()
            db.close()

    return asyncio.run(main())


def put(x: Any, y: Any = None) -> Callable[[sqlite3.Connection], Any]:
    def work(db: sqlite3.Connection) -> Any:
        db.execute("INSERT INTO t VALUES (?, ?)", (x, y))
        return x

    return work


def rows(db: sqlite3.Connection) -> set[Any]:
    return {x for (x,) in db.execute("SELECT x FROM t")}


async def outcomes(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    return await asyncio.gather(*work, return_exceptions=True)


class Wall:
    """A commit that waits until the test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate, self.reached = threading.Event(), threading.Event()
        commit = Writer._commit

        def held(writer: Writer, group: Any) -> None:
            self.reached.set()
            assert self.gate.wait(30)
            commit(writer, group)

        monkeypatch.setattr(Writer, "_commit", held)


def test_what_is_told_is_durable(path: Path) -> None:
    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        assert await writer.run(put(1)) == 1
        assert rows(reader) == {1}

    with_writer(path, body)


def test_what_is_pending_shares_one_transaction(path: Path) -> None:
    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        await asyncio.gather(*(writer.run(put(x)) for x in range(300)))
        assert writer.groups == 1
        assert len(rows(reader)) == 300

    with_writer(path, body)


def test_a_group_has_a_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MAX_GROUP", 10)

    async def body(writer: Writer, _: sqlite3.Connection) -> None:
        await asyncio.gather(*(writer.run(put(x)) for x in range(95)))
        assert writer.groups == 10

    with_writer(path, body)


def test_nothing_is_told_before_its_commit_and_what_comes_meanwhile_is_the_next_group(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = Wall(monkeypatch)

    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        first = asyncio.create_task(writer.run(put(1)))
        await asyncio.to_thread(wall.reached.wait, 30)
        later = [asyncio.create_task(writer.run(put(x))) for x in (2, 3)]
        await asyncio.sleep(0)
        assert not first.done()
        assert rows(reader) == set()
        wall.gate.set()
        await asyncio.gather(first, *later)
        assert writer.groups == 2

    with_writer(path, body)


def test_callbacks_come_in_the_order_of_their_work_and_may_ask_for_more(path: Path) -> None:
    told: list[Any] = []

    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        def done(result: Any, _: BaseException | None) -> None:
            told.append(result)
            if result < 3:
                writer.submit(put(result + 10), done)

        for x in range(5):
            writer.submit(put(x), done, atomic=x % 2 == 0)

    with_writer(path, body)
    assert told == [0, 1, 2, 3, 4, 10, 11, 12]


def test_a_callback_that_fails_harms_nobody_else(path: Path) -> None:
    problems: list[Any] = []

    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, c: problems.append(c))

        def bad(_: Any, __: BaseException | None) -> None:
            raise RuntimeError("mine")

        writer.submit(put(1), bad)
        await writer.run(put(2))
        assert rows(reader) == {1, 2}

    with_writer(path, body)
    assert [str(p["exception"]) for p in problems] == ["mine"]


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (InvalidError("no"), InvalidError),
        (sqlite3.IntegrityError("x"), UnavailableError),
        (KeyError("k"), KeyError),
    ],
)
def test_atomic_work_is_undone_alone(
    path: Path, error: Exception, becomes: type[Exception]
) -> None:
    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        def half(db: sqlite3.Connection) -> None:
            put("half")(db)
            writer.tail.add("INSERT INTO t VALUES (?, ?)", [("tail", 0)])
            raise error

        good, bad, also = await outcomes(writer.run(put(1)), writer.run(half), writer.run(put(2)))
        assert (good, also) == (1, 2)
        assert type(bad) is becomes
        assert rows(reader) == {1, 2}
        assert writer.groups == 1

    with_writer(path, body)


def test_work_that_breaks_the_transaction_is_told_with_all_the_others(path: Path) -> None:
    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        def breaks(db: sqlite3.Connection) -> None:
            db.execute("ROLLBACK")  # as SQLite itself does on some errors
            raise sqlite3.OperationalError("disk I/O error")

        found = await outcomes(writer.run(put(1)), writer.run(breaks), writer.run(put(2)))
        assert [type(x) for x in found[:2]] == [UnavailableError, UnavailableError]
        assert await writer.run(put(3)) == 3
        assert rows(reader) == {2, 3}

    with_writer(path, body)


def test_rows_at_the_tail_are_part_of_their_group(path: Path) -> None:
    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        sql = "INSERT INTO t VALUES (?, ?)"
        await writer.run(lambda db: writer.tail.add(sql, [(1, 1)]))
        assert rows(reader) == {1}
        (error,) = await outcomes(writer.run(lambda db: writer.tail.add(sql, [(1, 1)])))
        assert isinstance(error, UnavailableError)
        await writer.run(lambda db: writer.tail.add(sql, [(2, 2)]))
        assert rows(reader) == {1, 2}

    with_writer(path, body)


# Real failures of the disk.


def test_a_full_disk_tells_everybody_and_loses_nothing_else(path: Path) -> None:
    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        await writer.run(put("before"))
        pages = reader.execute("PRAGMA page_count").fetchone()[0]
        writer._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        found = await outcomes(*(writer.run(put(x, "x" * 3000)) for x in range(20)))
        assert any(isinstance(x, UnavailableError) for x in found)
        kept = {x for x in found if isinstance(x, int)}
        assert rows(reader) == kept | {"before"}
        full = next(x for x in found if isinstance(x, UnavailableError))
        assert "full" in full.message
        assert "free some space" in full.hint
        # Space came back: the daemon goes on by itself.
        writer._db.execute("PRAGMA max_page_count = 1000000")
        await writer.run(put("after"))
        assert rows(reader) == kept | {"before", "after"}

    with_writer(path, body)


def test_a_failing_commit_tells_everybody(path: Path) -> None:
    """A deferred constraint fails in COMMIT itself, as a full disk can."""

    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        writer._db.execute("PRAGMA foreign_keys = 1")
        writer._db.execute("CREATE TABLE child (x REFERENCES t (x) DEFERRABLE INITIALLY DEFERRED)")

        def orphan(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO child VALUES (99)")

        settled: list[Any] = []
        found = await outcomes(
            writer.run(put(1), settled.append), writer.run(orphan, settled.append)
        )
        assert [type(x) for x in found] == [UnavailableError, UnavailableError]
        assert [type(x) for x in settled] == [UnavailableError, UnavailableError]
        assert rows(reader) == set()
        assert await writer.run(put(1)) == 1
        assert rows(reader) == {1}

    with_writer(path, body)


def test_a_lock_of_another_program_is_waited_for_without_holding_up_the_loop(path: Path) -> None:
    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        task = asyncio.create_task(writer.run(put(1)))
        loop = asyncio.get_running_loop()
        turns, begun = 0, loop.time()
        while loop.time() - begun < 0.1:
            turns += 1
            await asyncio.sleep(0)
        assert turns > 100, "the loop stood still"
        assert not task.done()
        other.execute("COMMIT")
        other.close()
        assert await task == 1

    with_writer(path, body)


def test_a_lock_that_stays_is_told_in_words(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "PATIENCE", 0.05)

    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        found = await outcomes(*(writer.run(put(x)) for x in range(3)))
        assert [type(x) for x in found] == [UnavailableError] * 3
        assert "locked by another program" in found[0].message
        other.execute("ROLLBACK")
        other.close()
        await writer.run(put(3))
        assert rows(reader) == {3}

    with_writer(path, body)


def test_a_transaction_that_cannot_begin_is_told_once_and_not_tried_for_ever(path: Path) -> None:
    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        writer._db.execute("BEGIN")  # the next BEGIN is an error, at once and every time
        found = await outcomes(*(writer.run(put(x)) for x in range(3)))
        assert [type(x) for x in found] == [UnavailableError] * 3
        writer._db.execute("ROLLBACK")
        await writer.run(put(3))
        assert rows(reader) == {3}

    with_writer(path, body)


# The end.


def test_who_stops_waiting_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that goes away in the middle of a commit has its work done, and others are told."""
    wall = Wall(monkeypatch)
    settled: list[Any] = []

    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        task = asyncio.create_task(writer.run(put(1), settled.append))
        await asyncio.to_thread(wall.reached.wait, 30)
        task.cancel()
        await asyncio.wait([task])
        assert settled == []
        wall.gate.set()
        await writer.run(put(2))
        assert settled == [None]
        assert rows(reader) == {1, 2}

    with_writer(path, body)


def test_close_waits_for_what_is_pending_and_what_that_asks_for(path: Path) -> None:
    told: list[Any] = []

    async def main() -> None:
        db = open_writer(path)
        db.execute("CREATE TABLE t (x PRIMARY KEY, y)")
        writer = Writer(db)

        def done(result: Any, _: BaseException | None) -> None:
            told.append(result)
            if result < 5:
                writer.submit(put(result + 1), done)

        writer.submit(put(0), done)
        await writer.close()
        assert told == [0, 1, 2, 3, 4, 5]
        with pytest.raises(UnavailableError, match="stopping"):
            writer.submit(put(9), done)
        with pytest.raises(NexaflowError):
            await writer.run(put(9))
        db.close()

    asyncio.run(main())


def test_an_idle_writer_closes_at_once(path: Path) -> None:
    async def main() -> None:
        db = open_writer(path)
        await Writer(db).close()
        db.close()

    asyncio.run(main())


def test_nothing_is_acknowledged_that_went_into_a_deleted_file(path: Path) -> None:
    async def body(writer: Writer, reader: sqlite3.Connection) -> None:
        assert await writer.run(put(1)) == 1
        away = path.with_name("away")
        path.rename(away)
        with pytest.raises(UnavailableError, match="was deleted or replaced"):
            await writer.run(put(2))
        path.write_bytes(b"")
        with pytest.raises(UnavailableError, match="was deleted or replaced"):
            await writer.run(put(3))
        away.replace(path)
        assert await writer.run(put(4)) == 4
        assert rows(reader) == {1, 4}

    with_writer(path, body)

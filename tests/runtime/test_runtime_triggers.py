"""What starts runs by itself: files through the API and on disk, and schedules."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from running import daemon_at, ended, run, until

from nexaflow_cli.runtime import intake, offline
from nexaflow_cli.runtime.daemon import Daemon

SEEN = """
name: seen
triggers:
  - {event: file.created, pattern: "/in/**"}
  - {event: file.updated, pattern: "/in/**"}
  - {event: file.deleted, pattern: "/in/**"}
  - {event: file.moved, pattern: "/in/**"}
steps:
  - id: a
    action: set
    with: {values: {text: "${{ event.type }} ${{ event.path }}"}}
output: ${{ steps.a.output.text }}
"""


async def outputs(daemon: Daemon, workflow: str, count: int) -> list[Any]:
    """The outputs of a workflow's first `count` runs, in the order they were made."""

    async def there() -> bool:
        return len((await daemon.runs.list(workflow, limit=1000))["items"]) >= count

    await until(there)
    rows = (await daemon.runs.list(workflow, limit=1000))["items"]
    return [(await ended(daemon, row["id"]))["output"] for row in reversed(rows)]


def test_changes_through_the_api_start_runs_before_they_are_answered(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, SEEN, triggers=True) as daemon:
            await daemon.files.write("/in/a.txt", b"1")
            assert len((await daemon.runs.list("seen"))["items"]) == 1
            await daemon.files.write("/in/a.txt", b"22")
            await daemon.files.append("/in/a.txt", b"333")
            await daemon.files.move("/in/a.txt", "/in/b.txt")
            await daemon.files.delete("/in/b.txt")
            await daemon.files.write("/out/c.txt", b"elsewhere")
            assert await outputs(daemon, "seen", 5) == [
                "file.created /in/a.txt",
                "file.updated /in/a.txt",
                "file.updated /in/a.txt",
                "file.moved /in/b.txt",
                "file.deleted /in/b.txt",
            ]
            events = (await daemon.events.list())["items"]
            assert len(events) == 6
            assert [len(event["runs"]) for event in events] == [0, 1, 1, 1, 1, 1]

    asyncio.run(main())


def test_a_move_through_the_api_is_one_event_whatever_the_watcher_hints(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, SEEN, triggers=True) as daemon:
            for number in range(30):
                await daemon.files.write(f"/in/a{number}", b"1")
                await daemon.files.append(f"/in/a{number}", b"2")
                await daemon.files.move(f"/in/a{number}", f"/in/b{number}")
            kinds = {event["type"] for event in (await daemon.events.list(limit=200))["items"]}
            assert kinds == {"file.created", "file.updated", "file.moved"}

    asyncio.run(main())


def test_a_change_that_fails_leaves_no_cause_behind(tmp_path: Path) -> None:
    """What somebody else does to that path later is not the failed step's doing."""
    source = """
name: fails
steps: [{id: a, continue_on_error: true, action: file.delete, with: {path: /in/a.txt}}]
"""

    async def main() -> None:
        async with daemon_at(tmp_path, SEEN, source, triggers=True) as daemon:
            await run(daemon, "fails")
            await daemon.files.write("/in/a.txt", b"1")
            (event,) = (await daemon.events.list())["items"]
            assert event["cause"] is None

    asyncio.run(main())


def test_changes_on_disk_start_runs(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, SEEN, triggers=True) as daemon:
            folder = tmp_path / "files" / "in"
            folder.mkdir()
            (folder / "a.txt").write_text("1")
            assert await outputs(daemon, "seen", 1) == ["file.created /in/a.txt"]
            (folder / "a.txt").write_text("22")
            assert (await outputs(daemon, "seen", 2))[1:] == ["file.updated /in/a.txt"]
            (folder / "a.txt").rename(folder / "b.txt")
            assert (await outputs(daemon, "seen", 3))[2:] == ["file.moved /in/b.txt"]
            (folder / "b.txt").unlink()
            assert (await outputs(daemon, "seen", 4))[3:] == ["file.deleted /in/b.txt"]

    asyncio.run(main())


def test_what_changed_while_nobody_watched_is_found_once(tmp_path: Path) -> None:
    folder = tmp_path / "files" / "in"

    async def main() -> None:
        async with daemon_at(tmp_path, SEEN, triggers=True) as daemon:
            for name in ("kept", "changed", "gone"):
                await daemon.files.write(f"/in/{name}", b"1")
            await outputs(daemon, "seen", 3)
        (folder / "changed").write_text("22")
        (folder / "gone").unlink()
        (folder / "new").write_text("1")
        for _ in range(2):
            async with daemon_at(tmp_path, triggers=True) as daemon:
                found = (await outputs(daemon, "seen", 6))[3:]
                assert sorted(found) == [
                    "file.created /in/new",
                    "file.deleted /in/gone",
                    "file.updated /in/changed",
                ]

    asyncio.run(main())


def test_what_writers_left_behind_at_a_crash_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "files" / "in"
    folder.mkdir(parents=True)
    left = folder / ".nexaflow-0123456789abcdef.tmp"
    left.write_text("half")
    os.utime(left, (1, 1))
    fresh = folder / ".nexaflow-fedcba9876543210.tmp"
    fresh.write_text("half")
    os.utime(fresh, (2**32, 2**32))

    async def main() -> None:
        async with daemon_at(tmp_path, triggers=True):
            assert not left.exists()
            assert fresh.exists()

    asyncio.run(main())


def test_a_file_whose_name_cannot_be_kept_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "files" / "in"
    folder.mkdir(parents=True)
    (folder / "new\nline").write_text("1")

    async def main() -> None:
        async with daemon_at(tmp_path, SEEN, triggers=True) as daemon:
            await daemon.files.write("/in/b", b"1")
            (folder / "c").write_text("1")
            await outputs(daemon, "seen", 2)

    asyncio.run(main())
    told = [record.getMessage() for record in caplog.records if "starts nothing" in record.message]
    assert len(told) == 1
    assert "new\\nline" in told[0]


def test_a_workflows_own_writes_do_not_start_it_again(tmp_path: Path) -> None:
    source = """
name: summary
triggers: [{event: file.created, pattern: "/in/*.txt"}]
steps:
  - id: a
    action: file.write
    with: {path: "/in/${{ event.name }}_summary.txt", content: short}
"""

    async def main() -> None:
        async with daemon_at(tmp_path, source, SEEN, triggers=True) as daemon:
            await daemon.files.write("/in/a.txt", b"1")
            await outputs(daemon, "summary", 1)
            await outputs(daemon, "seen", 2)  # others see what it wrote
            assert len((await daemon.runs.list("summary"))["items"]) == 1
            newest = (await daemon.events.list())["items"][0]
            assert newest["path"] == "/in/a.txt_summary.txt"
            assert newest["cause"]["workflow"] == "summary"

    asyncio.run(main())


def test_a_chain_that_feeds_itself_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(intake, "MAX_CHAIN", 5)
    source = """
name: loop
triggers: [{event: file.created, pattern: "/loop/*", recursive: true}]
steps: [{id: a, action: file.write, with: {path: "${{ event.path }}x", content: more}}]
"""

    async def main() -> None:
        async with daemon_at(tmp_path, source, triggers=True) as daemon:
            await daemon.files.write("/loop/a", b"1")
            await outputs(daemon, "loop", 5)
            await until_quiet(daemon)
            assert len((await daemon.runs.list("loop"))["items"]) == 5
            assert "events that cause each other" in caplog.text

    asyncio.run(main())


async def until_quiet(daemon: Daemon) -> None:
    while daemon.active_runs:
        await asyncio.sleep(0)


def test_a_workflow_that_an_event_cannot_start_stops_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It needs an input that no event brings."""
    needy = """
name: needy
triggers: [{event: file.created, pattern: "/in/**"}]
inputs: {n: {type: integer}}
steps: [{id: a, action: set, with: {values: {n: 1}}}]
"""

    async def main() -> None:
        async with daemon_at(tmp_path, SEEN, triggers=True) as daemon:
            try:
                await daemon.workflows.apply([("needy.yaml", needy)])
            except Exception as error:
                assert "input" in str(error)
                return
            await daemon.files.write("/in/a.txt", b"1")
            assert await outputs(daemon, "seen", 1) == ["file.created /in/a.txt"]
            assert "'n' is missing" in caplog.text

    asyncio.run(main())


def test_a_paused_workflow_starts_nothing_by_itself(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, SEEN, triggers=True) as daemon:
            await daemon.workflows.pause("seen")
            await daemon.files.write("/in/a.txt", b"1")
            await daemon.workflows.resume("seen")
            await daemon.files.write("/in/b.txt", b"1")
            assert await outputs(daemon, "seen", 1) == ["file.created /in/b.txt"]

    asyncio.run(main())


def test_file_steps_work_where_nothing_is_watched(tmp_path: Path) -> None:
    source = """
name: files
steps:
  - {id: a, action: file.write, with: {path: /x/a.txt, content: hello}}
  - {id: b, action: file.read, with: {path: /x/a.txt}}
  - {id: c, action: file.delete, with: {path: /x/a.txt}}
"""

    async def main() -> None:
        async with daemon_at(tmp_path, source) as daemon:
            shape = await run(daemon, "files")
            assert shape["status"] == "success", shape["error"]

    asyncio.run(main())
    ran = offline.run_file(source, "files.yaml", {}, lambda _: None)
    assert ran["status"] == "success"


def test_a_stop_lets_a_file_step_end(tmp_path: Path) -> None:
    """The ledger is there until the last step that may need it has ended."""
    source = """
name: files
steps:
  - id: a
    for_each: ${{ range(20) | list }}
    max_parallel: 20
    action: file.write
    with: {path: "/x/${{ item }}", content: hello}
"""

    async def main() -> None:
        async with daemon_at(tmp_path, source, triggers=True, grace=10.0) as daemon:
            made = await daemon.runs.start("files")
            for _ in range(5):
                await asyncio.sleep(0)
            begun = asyncio.get_running_loop().time()
            await daemon.stop()
            assert asyncio.get_running_loop().time() - begun < 5
        async with daemon_at(tmp_path, triggers=True) as daemon:
            shape = await ended(daemon, made["id"])
            assert shape["status"] == "success"
            assert {step["attempt"] for step in shape["steps"] if step["key"] != "a"} == {1}

    asyncio.run(main())


# Schedules.

TICKS = """
name: ticks
triggers: [{every: 1s}]
steps: [{id: a, action: set, with: {values: {at: "${{ event.time }}"}}}]
output: ${{ steps.a.output.at }}
"""


@contextmanager
def _ticks_of(path: Path) -> Iterator[list[Any]]:
    import sqlite3

    db = sqlite3.connect(path / "nexaflow.db")
    try:
        yield db.execute("SELECT workflow, due, outcome, run FROM ticks ORDER BY due").fetchall()
    finally:
        db.close()


def test_a_tick_is_put_on_record_and_runs_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, TICKS, triggers=True) as daemon:
            (first, *_) = await outputs(daemon, "ticks", 1)
            rows = (await daemon.runs.list("ticks"))["items"]
            assert rows[-1]["trigger"]["due"] == first
        # A tick that the clock tells again after a restart is known.
        async with daemon_at(tmp_path, triggers=True) as daemon:
            (again, *_) = await outputs(daemon, "ticks", 2)
            assert again == first

    asyncio.run(main())
    with _ticks_of(tmp_path) as ticks:
        assert len({tick[1] for tick in ticks}) == len(ticks) >= 1
        assert {tick[2] for tick in ticks} == {"ran"}
        assert len({tick[3] for tick in ticks}) == len(ticks)


def test_a_tick_of_a_paused_workflow_is_on_record_as_skipped(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, TICKS, triggers=True) as daemon:
            await daemon.workflows.pause("ticks")

            async def recorded() -> bool:
                sql = "SELECT count(*) FROM ticks WHERE outcome = 'skipped'"
                return bool(daemon._store.reader.execute(sql).fetchone()[0])

            await until(recorded)
            assert (await daemon.runs.list("ticks"))["items"] == []

    asyncio.run(main())

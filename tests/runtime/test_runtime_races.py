"""Two things at once: applies, refusals, lanes, a stop, and a change whose caller goes away."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from running import Gate, daemon_at, has_status, run, until

from nexaflow_cli.errors import InvalidError
from nexaflow_cli.files.space import FileSpace
from nexaflow_cli.files.status import FileStat
from nexaflow_cli.store import runs

NUMBERED = """
name: numbered
steps: [{id: a, action: set, with: {values: {n: %d}}}]
output: ${{ steps.a.output.n }}
"""
PER_FILE = """
name: per-file
triggers: [{event: file.created, pattern: /in/**}, {event: file.updated, pattern: /in/**}]
steps: [{id: a, action: set, with: {values: {n: 1}}}]
"""


def test_of_two_applies_at_once_each_version_keeps_its_own_definition(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, NUMBERED % 0) as daemon:
            for n in range(1, 20, 2):
                await asyncio.gather(
                    daemon.workflows.apply([("a.yaml", NUMBERED % n)]),
                    daemon.workflows.apply([("b.yaml", NUMBERED % (n + 1))]),
                )
                source = (await daemon.workflows.get("numbered"))["source"]
                output = (await run(daemon, "numbered"))["output"]
                assert f"n: {output}}}" in source

    asyncio.run(main())


def test_a_run_that_cannot_go_on_is_counted_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, NUMBERED % 0):
            pass
        with sqlite3.connect(tmp_path / "nexaflow.db") as db:
            db.execute(
                "INSERT INTO runs (seq, id, workflow, version, status, trigger, inputs, created_at)"
                " VALUES (1, 'a', 'numbered', 9, 'queued', '{\"type\":\"manual\"}', '{}', 1.0)"
            )
        async with daemon_at(tmp_path) as daemon:
            for _ in range(5):  # as the ends of other runs do, before the refusal is durable
                daemon._dispatch.queued()
                await asyncio.sleep(0)
            await has_status(daemon, "a", "failed")
            await daemon.health()  # a commit after any other that was under way
            assert (await daemon.workflows.stats("numbered"))["failed"] == 1

    asyncio.run(main())


def test_a_journal_that_is_odd_in_any_way_does_not_keep_a_daemon_from_starting(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        gate = Gate()
        source = "name: held\nsteps: [{id: a, action: gate}]"
        async with daemon_at(tmp_path, source, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("held")
            await gate.began("a")
        with sqlite3.connect(tmp_path / "nexaflow.db") as db:
            odd = '{"at": 1.0, "step": {}, "attempt": 1}'
            db.execute("UPDATE journal SET data = ? WHERE kind = 'step.started'", (odd,))
        async with daemon_at(tmp_path, actions={"gate": gate}) as daemon:

            async def failed() -> bool:
                rows = (await daemon.runs.list(status="failed"))["items"]
                return [row["id"] for row in rows] == [made["id"]]

            await until(failed)

    asyncio.run(main())


def test_the_end_of_a_run_looks_at_its_own_lane_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With thousands that wait for one path, each end must not look at all of them."""
    asked: list[int] = []
    whole = runs.next_queued

    def counted(db: sqlite3.Connection, after: int, limit: int) -> Any:
        asked.append(limit)
        return whole(db, after, limit)

    async def main() -> None:
        async with daemon_at(tmp_path, PER_FILE):
            pass
        with sqlite3.connect(tmp_path / "nexaflow.db") as db:
            db.executemany(
                "INSERT INTO runs (seq, id, workflow, version, status, trigger, inputs, lane,"
                " created_at) VALUES (?, ?, 'per-file', 1, 'queued', '{}', '{}', 'x', 1.0)",
                [(n, f"{n:012}") for n in range(1, 61)],
            )
        monkeypatch.setattr(runs, "next_queued", counted)
        async with daemon_at(tmp_path) as daemon:
            await has_status(daemon, f"{60:012}", "success")
            assert len(asked) <= 3
            rows = (await daemon.runs.list(limit=60))["items"]
            began = [row["started_at"] for row in reversed(rows)]
            assert began == sorted(began)

    asyncio.run(main())


def test_no_attempt_begins_once_the_stop_has(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        source = "name: held\nsteps: [{id: a, action: gate}]"
        async with daemon_at(tmp_path, source, actions={"gate": gate}) as daemon:
            starting = asyncio.create_task(daemon.runs.start("held"))
            while not daemon._dispatch.active:
                await asyncio.sleep(0)  # until its first facts are on their way, and no further
        made = await starting
        assert gate.under_way == []
        async with daemon_at(tmp_path, actions={"gate": gate}) as daemon:
            await gate.began("a")  # it is interrupted, and tried again
            gate.open("*")
            await has_status(daemon, made["id"], "success")

    asyncio.run(main())


def test_what_a_cancelled_step_still_writes_is_its_own_doing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
name: own
triggers: [{event: file.created, pattern: /**}]
steps: [{id: a, action: file.write, with: {path: /x, content: hi}}]
"""
    write, let_go = FileSpace.write, threading.Event()

    async def main() -> None:
        loop, began = asyncio.get_running_loop(), asyncio.Event()

        def slow(space: FileSpace, path: str, data: bytes) -> FileStat:
            loop.call_soon_threadsafe(began.set)
            let_go.wait(10)
            return write(space, path, data)

        monkeypatch.setattr(FileSpace, "write", slow)
        async with daemon_at(tmp_path, source, triggers=True) as daemon:
            made = await daemon.runs.start("own")
            await began.wait()
            await daemon.runs.cancel(made["id"])
            let_go.set()
            while not (found := (await daemon.events.list(path="/x"))["items"]):
                await asyncio.sleep(0)
            assert [event["cause"]["run"] for event in found] == [made["id"]]
            assert found[0]["runs"] == []

    asyncio.run(main())


def test_inputs_too_deep_to_be_kept_are_refused(tmp_path: Path) -> None:
    source = "name: any\ninputs: {value: {}}\nsteps: [{id: a, action: set, with: {values: {n: 1}}}]"
    deep: Any = 1
    for _ in range(300):
        deep = [deep]

    async def main() -> None:
        async with daemon_at(tmp_path, source) as daemon:
            with pytest.raises(InvalidError, match="nested deeper"):
                await daemon.runs.start("any", {"value": deep})

    asyncio.run(main())

"""Cancel, pause and resume in every state, and what becomes of them across restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Gate, daemon_at, ended, has_status, saw, step, steps, until

from nexaflow_cli.errors import ConflictError
from nexaflow_cli.runtime import driver

GATED = """
name: gated
steps:
  - {id: a, action: gate, with: {name: a}}
  - {id: b, action: gate, with: {name: b}}
on_cancel: [{id: undo, action: set, with: {values: {why: "${{ run.error.message }}"}}}]
finally: [{id: clean, action: set, with: {values: {n: 1}}}]
"""
ONCE = """
name: once
steps:
  - {id: a, action: gate, on_interrupt: fail, with: {name: a}}
"""
WAITS = """
name: waits
inputs: {for: {type: string, default: 1h}}
steps:
  - {id: a, action: wait, with: {duration: "${{ inputs.for }}"}}
  - {id: b, action: gate}
"""
RETRIES = """
name: retries
steps:
  - id: a
    run: '[ "$NEXAFLOW_ATTEMPT" = 2 ]'
    retry: {max_attempts: 2, backoff_seconds: 0.3}
"""


@pytest.fixture(autouse=True)
def park_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(driver, "PARK_AFTER", 0.0)
    yield


def test_cancel_of_a_running_run_stops_its_step_and_runs_the_handlers(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("gated", by="ann")
            await gate.began("a")
            await daemon.runs.cancel(made["id"], "enough", by="ann")
            shape = await ended(daemon, made["id"])
            assert shape["status"] == "cancelled"
            assert shape["error"]["message"] == "enough"
            assert gate.stopped == ["a"]
            expected = {"a": "cancelled", "b": "pending", "undo": "success", "clean": "success"}
            assert steps(shape) | expected == steps(shape)
            with pytest.raises(ConflictError, match="ended already: cancelled"):
                await daemon.runs.cancel(made["id"])

    asyncio.run(main())


def test_cancel_kills_a_child_process_and_all_below_it(tmp_path: Path) -> None:
    source = """
name: shell
steps: [{id: a, run: "echo up; sleep 600 & sleep 600"}]
"""

    async def main() -> None:
        async with daemon_at(tmp_path, source) as daemon:
            made = await daemon.runs.start("shell")
            async for frame in daemon.live.follow(made["id"], logs=True):
                if frame["type"] == "log":
                    break
            await daemon.runs.cancel(made["id"])
            shape = await ended(daemon, made["id"])
            assert steps(shape) == {"a": "cancelled"}
            assert shape["duration_ms"] < 5_000

    asyncio.run(main())


def test_cancel_of_a_queued_run_ends_it_where_it_stands(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        settings = {"max_active_runs": 1}
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}, **settings) as daemon:
            first = await daemon.runs.start("gated")
            second = await daemon.runs.start("gated")
            third = await daemon.runs.start("gated")
            assert second["status"] == "queued"
            shape = await daemon.runs.cancel(second["id"])
            assert shape["status"] == "cancelled"
            gate.open("*")
            assert (await ended(daemon, first["id"]))["status"] == "success"
            assert (await ended(daemon, third["id"]))["status"] == "success"
            assert gate.calls == ["a", "b", "a", "b"]

    asyncio.run(main())


def test_pause_lets_what_runs_end_and_starts_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("gated")
            await gate.began("a")
            assert (await daemon.runs.pause(made["id"]))["status"] == "paused"
            gate.open("a")

            async def a_is_done() -> bool:
                return steps(await daemon.runs.get(made["id"]))["a"] == "success"

            await until(a_is_done)
            assert gate.calls == ["a"]
            assert (await daemon.runs.pause(made["id"]))["status"] == "paused"
            assert (await daemon.runs.resume(made["id"]))["status"] == "running"
            gate.open("b")
            assert (await ended(daemon, made["id"]))["status"] == "success"

    asyncio.run(main())


def test_pausing_twice_holds_no_place(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        settings = {"max_active_runs": 1}
        async with daemon_at(tmp_path, WAITS, GATED, actions={"gate": gate}, **settings) as daemon:
            made = await daemon.runs.start("waits")
            await has_status(daemon, made["id"], "waiting")
            await daemon.runs.pause(made["id"])
            await daemon.runs.pause(made["id"])
            with pytest.raises(ConflictError, match="not paused"):
                other = await daemon.runs.start("gated")
                await gate.began("a")
                await daemon.runs.resume(other["id"])
            gate.open("*")
            assert (await ended(daemon, other["id"]))["status"] == "success"

    asyncio.run(main())


@pytest.mark.parametrize("paused_before", [False, True])
def test_cancel_of_a_parked_run(paused_before: bool, tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, WAITS, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("waits")
            await has_status(daemon, made["id"], "waiting")
            assert daemon.active_runs == 0
            if paused_before:
                await daemon.runs.pause(made["id"])
            await daemon.runs.cancel(made["id"])
            shape = await ended(daemon, made["id"])
            assert (shape["status"], steps(shape)["a"]) == ("cancelled", "cancelled")
            assert gate.calls == []

    asyncio.run(main())


def test_a_run_touched_while_it_is_parked_keeps_its_status_true(tmp_path: Path) -> None:
    """Its parking is still being written when somebody opens it again."""

    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, WAITS, actions={"gate": gate}) as daemon:
            for _ in range(20):
                made = await daemon.runs.start("waits", {"for": "1h"})
                while daemon.active_runs:
                    await asyncio.sleep(0)
                with pytest.raises(ConflictError):
                    await daemon.runs.resume(made["id"])
                while daemon.active_runs:
                    await asyncio.sleep(0)
                await daemon.health()  # a write, behind all that were asked for before
                shape = await daemon.runs.get(made["id"])
                assert (shape["status"], shape["wake_at"] is not None) == ("waiting", True)

    asyncio.run(main())


def test_a_queued_run_that_is_paused_lets_others_pass_and_queues_again(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        settings = {"max_active_runs": 1}
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}, **settings) as daemon:
            made = [await daemon.runs.start("gated") for _ in range(3)]
            assert (await daemon.runs.pause(made[1]["id"]))["status"] == "paused"
            gate.open("*")
            for index in (0, 2):
                assert (await ended(daemon, made[index]["id"]))["status"] == "success"
            assert (await daemon.runs.get(made[1]["id"]))["status"] == "paused"
            await daemon.runs.resume(made[1]["id"])
            assert (await ended(daemon, made[1]["id"]))["status"] == "success"

    asyncio.run(main())


# Across restarts.


def test_a_wait_goes_on_across_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, WAITS, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("waits", {"for": "400ms"})
            long = await daemon.runs.start("waits")
            await has_status(daemon, long["id"], "waiting")
            await saw(daemon, made["id"], "step.suspended")
        gate.open("*")
        async with daemon_at(tmp_path, actions={"gate": gate}) as daemon:
            shape = await ended(daemon, made["id"])
            assert shape["status"] == "success"
            assert step(shape, "a")["attempt"] == 1
            assert step(shape, "a")["finished_at"] >= step(shape, "a")["output"]["until"]
            assert (await daemon.runs.get(long["id"]))["status"] == "waiting"

    asyncio.run(main())


@pytest.mark.parametrize("restart", [False, True])
def test_a_retry_comes_in_its_time(restart: bool, tmp_path: Path) -> None:
    async def main() -> None:
        async with daemon_at(tmp_path, RETRIES) as daemon:
            made = await daemon.runs.start("retries")
            await saw(daemon, made["id"], "step.failed")
            if not restart:
                assert (await ended(daemon, made["id"]))["status"] == "success"
        async with daemon_at(tmp_path) as daemon:
            shape = await ended(daemon, made["id"])
            assert shape["status"] == "success"
            first, second = step(shape, "a")["attempts"]
            assert second["started_at"] >= first["retry_at"]

    asyncio.run(main())


def test_an_interrupted_attempt_is_repeated_after_a_stop(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("gated")
            await gate.began("a")
        assert gate.stopped == ["a"]
        gate.open("*")
        async with daemon_at(tmp_path, actions={"gate": gate}) as daemon:
            shape = await ended(daemon, made["id"])
            assert shape["status"] == "success"
            assert [a["status"] for a in step(shape, "a")["attempts"]] == ["interrupted", "success"]
            assert gate.calls == ["a", "a", "b"]

    asyncio.run(main())


def test_an_at_most_once_attempt_is_not_repeated_after_a_stop(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, ONCE, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("once")
            await gate.began("a")
        gate.open("*")
        async with daemon_at(tmp_path, actions={"gate": gate}) as daemon:
            shape = await ended(daemon, made["id"])
            assert (shape["status"], shape["error"]["type"]) == ("failed", "interrupted")
            assert gate.calls == ["a"]

    asyncio.run(main())


def test_what_ends_within_the_grace_is_kept(tmp_path: Path) -> None:
    """A stop gives attempts their grace: what ends in it is not repeated, nothing new begins."""

    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}, grace=10.0) as daemon:
            made = await daemon.runs.start("gated")
            await gate.began("a")
            stop = asyncio.create_task(daemon.stop())
            await asyncio.sleep(0)
            gate.open("a")
            await stop
        assert gate.calls == ["a"]
        gate.open("*")
        async with daemon_at(tmp_path, actions={"gate": gate}) as daemon:
            assert (await ended(daemon, made["id"]))["status"] == "success"
            assert gate.calls == ["a", "b"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("source", "status"), [(GATED, "success"), (ONCE, "failed")], ids=["again", "once"]
)
def test_a_run_paused_in_the_middle_of_a_step_survives_a_restart(
    source: str, status: str, tmp_path: Path
) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, source, actions={"gate": gate}) as daemon:
            (workflow,) = (await daemon.workflows.list())["items"]
            made = await daemon.runs.start(workflow["name"])
            await gate.began("a")
            await daemon.runs.pause(made["id"])
        gate.open("*")
        async with daemon_at(tmp_path, actions={"gate": gate}) as daemon:
            if status == "success":
                assert (await daemon.runs.get(made["id"]))["status"] == "paused"
                await daemon.runs.resume(made["id"])
            shape = await ended(daemon, made["id"])
            assert shape["status"] == status

    asyncio.run(main())


def test_queued_and_paused_runs_survive_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        settings = {"max_active_runs": 1}
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}, **settings) as daemon:
            made = [await daemon.runs.start("gated") for _ in range(4)]
            await daemon.runs.pause(made[2]["id"])
        gate.open("*")
        async with daemon_at(tmp_path, actions={"gate": gate}, **settings) as daemon:
            for index in (0, 1, 3):
                assert (await ended(daemon, made[index]["id"]))["status"] == "success"
            assert (await daemon.runs.get(made[2]["id"]))["status"] == "paused"
            assert gate.most_at_once == 1

    asyncio.run(main())


def test_a_run_stays_on_the_version_it_began_with(tmp_path: Path) -> None:
    second = GATED.replace("{id: b, action: gate, with: {name: b}}", "{id: c, action: gate}")

    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("gated")
            await gate.began("a")
            applied = await daemon.workflows.apply([("w.yaml", second)])
            assert applied["changes"] == [{"name": "gated", "version": 2, "change": "updated"}]
        gate.open("*")
        async with daemon_at(tmp_path, actions={"gate": gate}) as daemon:
            shape = await ended(daemon, made["id"])
            assert (shape["version"], steps(shape)["b"]) == (1, "success")
            newest = await daemon.runs.start("gated")
            assert "c" in steps(await ended(daemon, newest["id"]))
            await daemon.workflows.delete("gated")
            assert len((await daemon.workflows.history("gated"))["items"]) == 2
            applied = await daemon.workflows.apply([("w.yaml", GATED)])
            assert applied["changes"] == [{"name": "gated", "version": 3, "change": "created"}]

    asyncio.run(main())


def test_a_damaged_journal_ends_its_run_and_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}) as daemon:
            bad, good = [await daemon.runs.start("gated") for _ in range(2)]
            await daemon._store.writer.run(
                lambda db: db.execute(
                    "UPDATE journal SET kind = 'step.from_the_future' WHERE kind = 'step.started' "
                    "AND run = (SELECT seq FROM runs WHERE id = ?)",
                    (bad["id"],),
                )
            )
        gate.open("*")
        async with daemon_at(tmp_path, actions={"gate": gate}) as daemon:
            assert (await ended(daemon, good["id"]))["status"] == "success"
            await has_status(daemon, bad["id"], "failed")

    asyncio.run(main())

"""Who runs when: the bound on active runs, the queue's order, and one at a time for each path."""

from __future__ import annotations

import asyncio
from pathlib import Path

from running import Gate, daemon_at, ended

from nexaflow_cli.runtime.daemon import Daemon

GATED = """
name: gated
inputs: {n: {type: integer}}
steps: [{id: a, action: gate, with: {name: "${{ inputs.n }}"}}]
"""
PER_FILE = """
name: per-file
triggers:
  - event: file.created
    pattern: /in/**
  - event: file.updated
    pattern: /in/**
steps:
  - id: a
    action: gate
    with: {name: "${{ event.path }} ${{ event.size }}"}
"""


def test_no_more_runs_than_allowed_are_active_and_the_queue_keeps_its_order(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        gate = Gate()
        settings = {"max_active_runs": 5}
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}, **settings) as daemon:
            made = [await daemon.runs.start("gated", {"n": n}) for n in range(40)]
            await gate.began(*(str(n) for n in range(5)))
            assert [m["status"] for m in made] == ["running"] * 5 + ["queued"] * 35
            assert (await daemon.workflows.stats("gated"))["queued"] == 35
            for n in range(40):
                gate.open(str(n))
            for one in made:
                assert (await ended(daemon, one["id"]))["status"] == "success"
            assert gate.most_at_once == 5
            assert gate.calls == [str(n) for n in range(40)]

    asyncio.run(main())


def test_a_burst_larger_than_the_bound_drains(tmp_path: Path) -> None:
    source = "name: quick\nsteps: [{id: a, action: set, with: {values: {n: 1}}}]"

    async def main() -> None:
        async with daemon_at(tmp_path, source, max_active_runs=3) as daemon:
            made = await asyncio.gather(*(daemon.runs.start("quick") for _ in range(300)))
            await asyncio.gather(*(ended(daemon, one["id"]) for one in made))
            stats = await daemon.workflows.stats("quick")
            assert (stats["success"], stats["running"], stats["queued"]) == (300, 0, 0)

    asyncio.run(main())


def test_no_more_tasks_than_allowed_run_at_once(tmp_path: Path) -> None:
    source = """
name: wide
steps:
  - id: a
    for_each: ${{ range(20) | list }}
    max_parallel: 20
    action: gate
    with: {name: x}
"""

    async def main() -> None:
        gate = Gate()
        settings = {"max_processes": 4}
        async with daemon_at(tmp_path, source, actions={"gate": gate}, **settings) as daemon:
            made = await daemon.runs.start("wide")
            await gate.until(lambda: len(gate.under_way) == 4)
            gate.open("*")
            assert (await ended(daemon, made["id"]))["status"] == "success"
            assert (len(gate.calls), gate.most_at_once) == (20, 4)

    asyncio.run(main())


async def _runs_of_events(daemon: Daemon, count: int) -> None:
    for row in (await daemon.runs.list(limit=count))["items"]:
        assert (await ended(daemon, row["id"]))["status"] == "success"


def test_events_on_one_path_are_taken_in_order_one_at_a_time(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        acts = {"gate": gate}
        async with daemon_at(tmp_path, PER_FILE, actions=acts, triggers=True) as daemon:
            for size in range(1, 5):
                await daemon.files.write("/in/a", b"x" * size)
                await daemon.files.write("/in/b", b"x" * size)
            await gate.began("/in/a 1", "/in/b 1")
            assert sorted(gate.under_way) == ["/in/a 1", "/in/b 1"]
            gate.open("/in/b 1", "/in/b 2")
            await gate.began("/in/b 3")
            assert sorted(gate.under_way) == ["/in/a 1", "/in/b 3"]
            gate.open("*")
            await _runs_of_events(daemon, 8)
            for path in "ab":
                mine = [call for call in gate.calls if call.startswith(f"/in/{path}")]
                assert mine == [f"/in/{path} {size}" for size in range(1, 5)]

    asyncio.run(main())


def test_the_order_of_a_path_survives_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        acts = {"gate": gate}
        async with daemon_at(tmp_path, PER_FILE, actions=acts, triggers=True) as daemon:
            for size in range(1, 4):
                await daemon.files.write("/in/a", b"x" * size)
            await gate.began("/in/a 1")
        gate.open("*")
        async with daemon_at(tmp_path, actions=acts, triggers=True) as daemon:
            await _runs_of_events(daemon, 3)
            assert gate.calls == ["/in/a 1", *(f"/in/a {size}" for size in range(1, 4))]
            assert gate.most_at_once == 1

    asyncio.run(main())

"""Live streams: what was, then what is, without a gap and without a repeat."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from running import Gate, daemon_at, ended

from nexaflow_cli.errors import NotFoundError
from nexaflow_cli.runtime import hub

GATED = """
name: gated
steps:
  - {id: a, action: gate}
  - {id: b, run: "echo one; echo two >&2"}
  - {id: c, action: set, with: {values: {n: 1}}}
"""


def test_a_stream_can_be_taken_up_again_at_any_number(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        gate.open("*")
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("gated")
            whole = [frame async for frame in daemon.live.follow(made["id"])]
            assert whole[0]["kind"] == "run.started"
            assert whole[-1] == {"type": "end", "run": made["id"], "status": "success"}
            numbers = [frame["seq"] for frame in whole[:-1]]
            assert numbers == sorted(set(numbers))
            for seq in [0, *numbers]:
                rest = [frame async for frame in daemon.live.follow(made["id"], after=seq)]
                assert rest == [f for f in whole if f["type"] == "end" or f["seq"] > seq]

    asyncio.run(main())


def test_who_joins_in_the_middle_sees_each_fact_once(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("gated")

            async def watch() -> list[dict[str, Any]]:
                return [frame async for frame in daemon.live.follow(made["id"])]

            watchers = []
            for _ in range(10):
                watchers.append(asyncio.create_task(watch()))
                await asyncio.sleep(0)
            gate.open("*")
            for _ in range(10):
                watchers.append(asyncio.create_task(watch()))
                await asyncio.sleep(0)
            first, *others = await asyncio.gather(*watchers)
            assert all(other == first for other in others)

    asyncio.run(main())


def test_lines_come_with_the_facts(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("gated")
            gate.open("*")
            frames = [frame async for frame in daemon.live.follow(made["id"], logs=True)]
            lines = {(f["stream"], f["text"]) for f in frames if f["type"] == "log"}
            assert lines == {("stdout", "one"), ("stderr", "two")}
            logs = await daemon.runs.logs(made["id"])
            assert {(f["stream"], f["text"]) for f in logs["items"]} == lines
            assert logs["done"] is True

    asyncio.run(main())


def test_a_stream_of_all_runs_has_every_fact_of_each(tmp_path: Path) -> None:
    """Numbers across runs do not come in order: none may be dropped for that."""
    source = "name: quick\nsteps: [{id: a, action: gate}, {id: b, action: gate}]"

    async def main() -> None:
        gate = Gate()
        gate.open("*")
        async with daemon_at(tmp_path, source, actions={"gate": gate}) as daemon:
            seen: dict[str, list[str]] = {}

            async def watch() -> None:
                async for frame in daemon.live.follow():
                    if frame["type"] == "fact":
                        seen.setdefault(frame["run"], []).append(frame["kind"])
                    elif len(seen) == 100 and all(x[-1] == "run.finished" for x in seen.values()):
                        return

            task = asyncio.create_task(watch())
            await asyncio.sleep(0)
            made = await asyncio.gather(*(daemon.runs.start("quick") for _ in range(100)))
            for one in made:
                await ended(daemon, one["id"])
            await task
            steps = ["step.started", "step.succeeded"] * 2
            assert set(map(tuple, seen.values())) == {("run.started", *steps, "run.finished")}

    asyncio.run(main())


def test_one_who_cannot_keep_up_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "BACKLOG", 5)
    source = """
name: many
steps: [{id: a, for_each: "${{ range(50) | list }}", action: set, with: {values: {n: 1}}}]
"""

    async def main() -> None:
        async with daemon_at(tmp_path, source) as daemon:
            slow = daemon.live.follow()
            first = asyncio.create_task(anext(slow))
            await asyncio.sleep(0)
            made = await daemon.runs.start("many")
            await ended(daemon, made["id"])
            got = [await first, *[frame async for frame in slow]]
            assert len(got) <= 6
            after = max(frame["seq"] for frame in got)
            rest = [frame async for frame in daemon.live.follow(made["id"], after=after)]
            assert rest[-1]["type"] == "end"

    asyncio.run(main())


def test_the_end_of_the_daemon_ends_all_streams(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, GATED, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("gated")
            await gate.began("a")

            async def watch(run: str | None) -> None:
                async for _ in daemon.live.follow(run):
                    pass

            tasks = [asyncio.create_task(watch(run)) for run in (made["id"], None)]
            await asyncio.sleep(0)
            await daemon.stop()
            await asyncio.gather(*tasks)
            with pytest.raises(NotFoundError):
                async with daemon_at(tmp_path) as other:
                    await anext(other.live.follow("nope"))

    asyncio.run(main())

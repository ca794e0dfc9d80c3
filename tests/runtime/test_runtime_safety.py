"""What must not happen: a secret that shows, an endless output, a failure that loses work."""

from __future__ import annotations

import asyncio
import json
import os
import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import Gate, daemon_at, ended, has_status, run, step, steps, until

from nexaflow_cli.actions.base import Call
from nexaflow_cli.errors import UnavailableError
from nexaflow_cli.runtime import dispatch, driver
from nexaflow_cli.runtime.daemon import Daemon

SECRET = "s3cr3t-Value/with\"quotes'and-ümlaut"
LEAKY = """
name: leaky
steps:
  - id: printed
    run: |
      echo "out $TOKEN"; echo "err $TOKEN" >&2; printf '%s' "$TOKEN" | cut -c1-9
      echo "value=$TOKEN" >> "$NEXAFLOW_OUTPUT"
      echo "result $TOKEN"
    env: {TOKEN: "${{ secrets.HOOK }}"}
    output: text
  - id: as_json
    run: |
      python3 -c 'import json, os; print(json.dumps({"a": [os.environ["TOKEN"]]}))'
    env: {TOKEN: "${{ secrets.HOOK }}"}
    output: json
  - {id: computed, action: set, with: {values: {v: "x${{ secrets.HOOK }}y"}}}
  - {id: said, action: log, with: {message: "it is ${{ secrets.HOOK }}"}}
  - {id: fails, continue_on_error: true, action: fail, with: {message: "no ${{ secrets.HOOK }}"}}
  - id: wrong
    continue_on_error: true
    run: echo "$TOKEN" >&2; exit 3
    env: {TOKEN: "${{ secrets.HOOK }}"}
  - {id: raises, continue_on_error: true, action: raises, with: {text: "${{ secrets.HOOK }}"}}
  - {id: bad, continue_on_error: true, action: wait, with: {duration: "${{ secrets.HOOK }}"}}
output: ${{ steps.printed.output }}
"""


async def _raises(params: dict[str, Any], call: Call) -> None:
    raise RuntimeError(f"bad thing: {params['text']}")


def test_a_secret_is_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data_dir = tmp_path / "data"
    environ = {"NEXAFLOW_SECRET_HOOK": SECRET, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    shown: list[Any] = []

    async def main() -> None:
        nonlocal shown
        acts = {"raises": _raises}
        async with daemon_at(data_dir, LEAKY, actions=acts, environ=environ) as daemon:
            made = await daemon.runs.start("leaky")
            shown += [frame async for frame in daemon.live.follow(made["id"], logs=True)]
            shape = await daemon.runs.get(made["id"])
            assert shape["status"] == "success", shape["error"]
            assert "***" in shape["output"]
            shown.append(shape)
            shown.append(await daemon.runs.logs(made["id"]))
            shown.append(await daemon.workflows.errors("leaky"))
            shown.append(await daemon.workflows.history("leaky"))
            _nowhere_in(data_dir)

    asyncio.run(main())
    _nowhere_in(data_dir)
    told = json.dumps(shown, ensure_ascii=False)
    assert "***" in told
    for form in (SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1]):
        assert form not in told
        assert form not in caplog.text


def _nowhere_in(folder: Path) -> None:
    forms = {SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1]}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 2
    for path in files:
        data = path.read_bytes()
        assert not [form for form in forms if form.encode() in data], path


def test_a_secret_that_names_a_value_is_nowhere(tmp_path: Path) -> None:
    named = """
name: named
steps:
  - {id: a, env: {S: "${{ secrets.HOOK }}"}, run: 'echo "$S=1" >> "$NEXAFLOW_OUTPUT"'}
"""
    environ = {"NEXAFLOW_SECRET_HOOK": "Zq7_s3cr3t", "PATH": "/usr/bin:/bin"}

    async def main() -> None:
        async with daemon_at(tmp_path / "data", named, environ=environ) as daemon:
            shape = await run(daemon, "named")
            assert step(shape, "a")["status"] == "success"
            assert "Zq7_s3cr3t" not in json.dumps(shape)

    asyncio.run(main())
    for file in (tmp_path / "data").rglob("*"):
        assert file.is_dir() or b"Zq7_s3cr3t" not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("script", "status", "problem"),
    [
        ("seq 1000", "failed", "write it to a file"),
        ("seq 100", "success", None),
    ],
)
def test_an_output_has_a_bound(
    script: str, status: str, problem: str | None, tmp_path: Path
) -> None:
    source = f'name: big\nsteps: [{{id: a, run: "{script}", output: text}}]'.replace("\\0", "\\\\0")

    async def main() -> None:
        async with daemon_at(tmp_path, source, output_bytes=1000) as daemon:
            shape = await run(daemon, "big")
            assert shape["status"] == status
            if problem is not None:
                assert problem in shape["error"]["message"]
                assert len(json.dumps(shape)) < 3000

    asyncio.run(main())


def test_an_action_that_fails_in_an_odd_way_ends_its_step(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "nexaflow_cli.runtime.executor")  # half a character is no text
    odd: dict[str, Any] = {
        "surrogate": "\udc80 broken",
        "huge": 2**80,
        "object": object(),
        "keys": {1: 2},
        "nan": float("nan"),
    }

    async def raises(params: dict[str, Any], call: Call) -> None:
        raise RuntimeError(odd[params["what"]])

    async def returns(params: dict[str, Any], call: Call) -> Any:
        return odd[params["what"]]

    source = """
name: odd
steps:
  - {id: a, continue_on_error: true, action: raises, with: {what: surrogate}}
  - {id: b, continue_on_error: true, action: returns, with: {what: surrogate}}
  - {id: c, continue_on_error: true, action: returns, with: {what: huge}}
  - {id: d, continue_on_error: true, action: returns, with: {what: object}}
  - {id: e, continue_on_error: true, action: returns, with: {what: keys}}
  - {id: f, continue_on_error: true, action: returns, with: {what: nan}}
"""

    async def main() -> None:
        acts = {"raises": raises, "returns": returns}
        async with daemon_at(tmp_path, source, actions=acts) as daemon:
            shape = await run(daemon, "odd")
            found = steps(shape)
            assert found.pop("f") in {"success", "failed"}
            assert set(found.values()) == {"failed"}
            assert "broken" in step(shape, "a")["error"]["message"]

    asyncio.run(main())


# A database that fails in the middle.

WORK = """
name: work
steps:
  - {id: a, action: gate, with: {name: a}}
  - {id: b, action: gate, with: {name: b}}
"""


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(driver, "_SAVE_AGAIN", 0.02)
    monkeypatch.setattr(dispatch, "_AGAIN", 0.02)
    yield


def _fill_disk(daemon: Daemon) -> None:
    db = daemon._store.writer._db
    pages = daemon._store.reader.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")


def _free_disk(daemon: Daemon) -> None:
    daemon._store.writer._db.execute("PRAGMA max_page_count = 1000000000")


def test_a_full_disk_in_the_middle_of_runs_loses_and_repeats_nothing(
    tmp_path: Path, soon: None
) -> None:
    filler = {"filler": "x" * 300}

    async def big(params: dict[str, Any], call: Call) -> Any:
        calls.append((call.run_id, call.step))
        return filler

    calls: list[tuple[str, str]] = []
    source = """
name: fat
steps:
  - {id: a, action: gate, with: {name: "${{ run.id }}"}}
  - {id: b, action: big}
  - {id: c, action: big}
  - {id: d, action: big}
"""

    async def main() -> None:
        gate = Gate()
        acts = {"gate": gate, "big": big}
        async with daemon_at(tmp_path, source, actions=acts) as daemon:
            made = [await daemon.runs.start("fat") for _ in range(30)]
            await gate.began(*(one["id"] for one in made))
            _fill_disk(daemon)
            gate.open("*")
            refused: UnavailableError | None = None
            while refused is None:
                try:
                    made.append(await daemon.runs.start("fat"))
                except UnavailableError as error:
                    refused = error
            assert "full" in refused.message
            health = await daemon.health()
            if health["status"] == "degraded":
                assert "full" in health["checks"]["database"]
            assert len((await daemon.runs.list())["items"]) == len(made)  # reads go on
            _free_disk(daemon)
            for one in made:
                assert (await ended(daemon, one["id"]))["status"] == "success"
            assert len(calls) == len(set(calls)) == 3 * len(made)
            assert len(gate.calls) == len(made)
            assert len((await daemon.runs.list())["items"]) == len(made)
            assert (await daemon.health())["status"] == "ok"

    asyncio.run(main())


def test_who_acts_on_a_run_while_the_disk_is_full_is_answered_in_the_end(
    tmp_path: Path, soon: None
) -> None:
    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, WORK, actions={"gate": gate}) as daemon:
            made = await daemon.runs.start("work")
            await gate.began("a")
            db = daemon._store.writer._db
            db.execute("PRAGMA query_only = 1")  # every write fails
            task = asyncio.create_task(daemon.runs.cancel(made["id"], "stop"))
            with pytest.raises(UnavailableError):
                await daemon.runs.start("work")
            assert not task.done()
            assert gate.stopped == []  # nothing happens before its fact is durable
            db.execute("PRAGMA query_only = 0")
            await task
            assert (await ended(daemon, made["id"]))["status"] == "cancelled"

    asyncio.run(main())


def test_a_stop_ends_what_steps_left_in_sessions_of_its_own(tmp_path: Path) -> None:
    daemonises = f"""
name: daemonises
steps: [{{id: a, run: "setsid sleep 300 >/dev/null 2>&1 & echo $! > {tmp_path}/pid"}}]
"""

    async def main() -> int:
        async with daemon_at(tmp_path / "data", daemonises) as daemon:
            await run(daemon, "daemonises")
            return os.pidfd_open(int((tmp_path / "pid").read_text()))

    handle = asyncio.run(main())
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        assert poll.poll(5000)
    finally:
        os.close(handle)


def test_scratch_that_a_crash_left_of_ended_runs_is_removed(tmp_path: Path) -> None:
    shells = 'name: shells\nsteps: [{id: a, run: "true"}]'

    async def main() -> None:
        async with daemon_at(tmp_path, shells) as daemon:
            ended_run = (await run(daemon, "shells"))["id"]
        scratch = tmp_path / "work" / ended_run
        scratch.mkdir(exist_ok=True)
        async with daemon_at(tmp_path):
            await until(lambda: asyncio.to_thread(lambda: not scratch.exists()))

    asyncio.run(main())


def test_a_start_whose_caller_goes_away_still_comes_to_its_end(tmp_path: Path) -> None:
    async def main() -> None:
        gate = Gate()
        gate.open("*")
        async with daemon_at(tmp_path, WORK, actions={"gate": gate}, max_active_runs=1) as daemon:
            for turns in range(6):
                task = asyncio.create_task(daemon.runs.start("work"))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
            last = await daemon.runs.start("work")
            await ended(daemon, last["id"])
            for row in (await daemon.runs.list())["items"]:
                await has_status(daemon, row["id"], "success")

    asyncio.run(main())


def test_what_waits_on_a_run_that_cannot_start_is_told(tmp_path: Path, soon: None) -> None:
    """A run's first transaction fails: whoever acted on it meanwhile gets an answer."""

    async def main() -> None:
        gate = Gate()
        async with daemon_at(tmp_path, WORK, actions={"gate": gate}) as daemon:
            db = daemon._store.writer._db
            db.execute("PRAGMA query_only = 1")
            start = asyncio.create_task(daemon.runs.start("work"))
            while not daemon._dispatch.active and not start.done():
                await asyncio.sleep(0)
            waiting = [
                asyncio.create_task(daemon.runs.cancel(run_id))
                for run_id in daemon._dispatch.active
            ]
            found = await asyncio.gather(start, *waiting, return_exceptions=True)
            assert all(isinstance(one, UnavailableError) for one in found)
            db.execute("PRAGMA query_only = 0")
            assert (await daemon.runs.list())["items"] == []
            assert daemon.active_runs == 0

    asyncio.run(main())

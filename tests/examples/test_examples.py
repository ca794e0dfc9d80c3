"""Every example is applied and run against real input, in a real daemon."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from nexaflow_cli.actions.registry import signatures
from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.runtime.daemon import Daemon
from nexaflow_cli.spec.load import load_text

EXAMPLES = Path(__file__).parents[2] / "examples" / "workflows"
FILES = sorted(EXAMPLES.glob("*.yaml"))


def test_there_are_at_least_eight():
    assert len(FILES) >= 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_is_valid_commented_and_named_after_its_file(path: Path):
    text = path.read_text()
    (document,) = load_text(text, path.name, signatures())
    assert document.diagnostics == []
    assert document.name == path.stem
    assert text.startswith("# ")


def in_daemon(tmp_path: Path, scenario: Callable[[Daemon], Awaitable[None]]) -> None:
    async def main() -> None:
        daemon = Daemon(
            DaemonSettings(data_dir=tmp_path / "data"), environ={"PATH": "/usr/bin:/bin"}
        )
        await daemon.start()
        try:
            await daemon.workflows.apply([(path.name, path.read_text()) for path in FILES])
            await scenario(daemon)
        finally:
            await daemon.stop()

    asyncio.run(asyncio.wait_for(main(), 60))


async def ended(daemon: Daemon, run_id: str) -> dict[str, Any]:
    async for _ in daemon.live.follow(run_id):
        pass
    return await daemon.runs.get(run_id)


async def run(daemon: Daemon, workflow: str, **inputs: Any) -> dict[str, Any]:
    return await ended(daemon, (await daemon.runs.start(workflow, inputs))["id"])


async def triggered(daemon: Daemon, path: str, kind: str = "file.created") -> dict[str, Any]:
    """The end of the run that the newest event of this kind on this path started."""
    event = (await daemon.events.list(type=kind, path=path))["items"][0]
    return await ended(daemon, event["runs"][0])


def step(of: dict[str, Any], key: str) -> dict[str, Any]:
    return next(row for row in of["steps"] if row["key"] == key)


def test_hello_takes_a_name_as_data_and_never_as_a_command(tmp_path: Path):
    async def scenario(daemon: Daemon) -> None:
        done = await run(daemon, "hello", name="Ada; echo $(id)")
        assert done["output"] == "Hello, Ada; echo $(id)!"

    in_daemon(tmp_path, scenario)


@pytest.mark.parametrize(("words", "branch"), [(3, "short"), (60, "long")])
def test_document_intake_files_by_size_and_tells_every_reader(
    tmp_path: Path, words: int, branch: str
):
    async def scenario(daemon: Daemon) -> None:
        await daemon.files.write("/workspace/inbox/note.md", b"word " * words)
        done = await triggered(daemon, "/workspace/inbox/note.md")
        assert done["status"] == "success"
        assert done["output"]["words"] == words
        assert step(done, f"file_{branch}")["status"] == "success"
        assert await daemon.files.exists(f"/workspace/{branch}/note.md")
        for reader in ("ada", "grace"):
            mail = await daemon.files.read(f"/workspace/mail/{reader}.txt")
            assert mail == f"note.md: {words} words\n".encode()

    in_daemon(tmp_path, scenario)


def test_release_tolerates_spelling_and_publishes(tmp_path: Path):
    async def scenario(daemon: Daemon) -> None:
        done = await run(daemon, "release", version="1.4.0")
        assert done["status"] == "success"
        assert step(done, "spelling")["error"]["exit_code"] == 3
        latest = json.loads(await daemon.files.read("/workspace/releases/latest.json"))
        assert latest == {"version": "1.4.0", "bytes": 14, "spelling": "failed"}
        phases = {row["key"]: row.get("phase") for row in done["steps"] if row.get("phase")}
        assert phases == {"tell": "on_success", "tidy": "finally"}

    in_daemon(tmp_path, scenario)


def test_site_check_asks_the_others_when_one_is_down(tmp_path: Path):
    class Up(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Up)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        up = f"http://127.0.0.1:{server.server_address[1]}/"

        async def scenario(daemon: Daemon) -> None:
            # Its own ticks, five minutes apart, must not come in between.
            await daemon.workflows.pause("site-check")
            good = await run(daemon, "site-check", sites=[up, up])
            assert good["status"] == "success"
            bad = await run(daemon, "site-check", sites=["http://127.0.0.1:1/", up])
            assert bad["status"] == "failed"
            assert bad["error"]["message"] == "1 of 2 sites do not answer"
            assert step(bad, "ask[0]")["attempt"] == 3
            assert step(bad, "ask[1]")["output"]["status"] == 200
            log = await daemon.files.read("/workspace/site-check.log")
            assert log == b"1 of 2 sites do not answer\n"

        in_daemon(tmp_path, scenario)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_nightly_export_gathers_every_note(tmp_path: Path):
    async def scenario(daemon: Daemon) -> None:
        await daemon.files.write("/workspace/notes/a.md", b"# First\ntext")
        await daemon.files.write("/workspace/notes/deep/b.md", b'# "Second"')
        done = await run(daemon, "nightly-export")
        assert done["output"] == {"notes": 2, "report": "/workspace/reports/notes.json"}
        report = json.loads(await daemon.files.read("/workspace/reports/notes.json"))
        assert [row["title"] for row in report] == ["First", "Second"]

    in_daemon(tmp_path, scenario)


def test_mirror_follows_every_kind_of_change(tmp_path: Path):
    async def scenario(daemon: Daemon) -> None:
        files = daemon.files
        await files.write("/workspace/shared/a.txt", b"one")
        await triggered(daemon, "/workspace/shared/a.txt")
        assert await files.read("/workspace/mirror/a.txt") == b"one"
        await files.write("/workspace/shared/a.txt", b"two, and longer")
        await triggered(daemon, "/workspace/shared/a.txt", "file.updated")
        assert await files.read("/workspace/mirror/a.txt") == b"two, and longer"
        await files.move("/workspace/shared/a.txt", "/workspace/shared/b.txt")
        await triggered(daemon, "/workspace/shared/b.txt", "file.moved")
        assert [f.path for f in await files.list("/workspace/mirror/*")] == [
            "/workspace/mirror/b.txt"
        ]
        await files.delete("/workspace/shared/b.txt")
        await triggered(daemon, "/workspace/shared/b.txt", "file.deleted")
        assert await files.list("/workspace/mirror/*") == []

    in_daemon(tmp_path, scenario)


@pytest.mark.parametrize(("busy_for", "status", "attempts"), [(0, "success", 1), (2, "success", 3)])
def test_flaky_service_is_tried_until_it_answers(
    tmp_path: Path, busy_for: int, status: str, attempts: int
):
    async def scenario(daemon: Daemon) -> None:
        done = await run(daemon, "flaky-service", busy_for=busy_for)
        assert (done["status"], step(done, "call")["attempt"]) == (status, attempts)
        assert done["output"] == f"answer after {attempts} attempts"

    in_daemon(tmp_path, scenario)


def test_cool_down_waits_and_looks(tmp_path: Path):
    async def scenario(daemon: Daemon) -> None:
        done = await run(daemon, "cool-down", pause="1s")
        assert done["status"] == "success"
        assert int(done["output"]["seconds"]) >= 1
        assert step(done, "settle")["duration_ms"] >= 1000

    in_daemon(tmp_path, scenario)


def test_tidy_up_archives_drafts_or_says_why_it_did_not(tmp_path: Path):
    async def scenario(daemon: Daemon) -> None:
        idle = await run(daemon, "tidy-up")
        assert step(idle, "archive")["reason"] == "its condition is false"
        await daemon.files.write("/workspace/drafts/x.txt", b"x")
        done = await run(daemon, "tidy-up")
        assert done["output"] == ["x.txt"]
        assert await daemon.files.exists("/workspace/archive/x.txt")
        assert not await daemon.files.exists("/workspace/drafts/x.txt")

    in_daemon(tmp_path, scenario)

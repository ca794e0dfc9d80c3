"""Processes end with their step: all of their group, without a zombie, without a descriptor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from nexaflow_cli.actions import process
from nexaflow_cli.actions.process import run_process

ENV = {"PATH": os.environ["PATH"]}


class Heard:
    """Takes output, and lets a test wait for words in it."""

    def __init__(self) -> None:
        self.data = b""
        self.size = 0
        self.news = asyncio.Event()

    def __call__(self, data: bytes) -> None:
        self.size += len(data)
        self.data = (self.data + data)[-65536:]
        self.news.set()

    async def wait_for(self, words: bytes) -> bytes:
        while words not in self.data:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 20)
        return self.data


def sh(
    script: str, out: Callable[[bytes], object], *, grace: float = 5.0, children: Any = None
) -> Coroutine[Any, Any, int]:
    return run_process(
        ["/bin/sh", "-c", script],
        env=ENV,
        cwd=Path("/"),
        stdout=out,
        stderr=out,
        grace=grace,
        children=children,
    )


def exists(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def descriptors() -> list[str]:
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(link.readlink()))
        except FileNotFoundError:
            pass  # the descriptor that looked
    return sorted(found)


async def gone(pid: int) -> None:
    """Wait until a process that is not a child of ours has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), 20)
    finally:
        loop.remove_reader(handle)
        os.close(handle)


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", -15)]
)
def test_status_is_that_of_the_leader(script: str, status: int) -> None:
    assert asyncio.run(sh(script, bytearray().extend)) == status


def test_all_output_arrives_in_order() -> None:
    seen = bytearray()
    asyncio.run(sh("seq 1 50000", seen.extend))
    assert seen == b"".join(b"%d\n" % n for n in range(1, 50001))


def test_standard_input_is_empty() -> None:
    seen = bytearray()
    assert asyncio.run(sh("cat; echo done", seen.extend)) == 0
    assert seen == b"done\n"


def test_child_has_no_descriptor_of_ours() -> None:
    ours, other = os.pipe()
    os.set_inheritable(ours, True)  # as a careless library would leave it
    try:
        seen = bytearray()
        asyncio.run(sh("ls /proc/self/fd", seen.extend))
    finally:
        os.close(ours)
        os.close(other)
    assert seen.split() == [b"0", b"1", b"2", b"3"]  # 3 is the directory that ls reads


def test_child_handles_signals_as_programs_do() -> None:
    seen = bytearray()
    asyncio.run(sh("grep -E 'SigBlk|SigIgn' /proc/self/status", seen.extend))
    # Beyond 31 are the C library's own, which a child may get blocked from whoever began it all.
    ordinary = (1 << 31) - 1
    assert {int(line.split()[1], 16) & ordinary for line in seen.splitlines()} == {0}


@pytest.mark.parametrize("redirect", ["", ">/dev/null 2>&1"])
def test_background_children_end_with_the_leader(redirect: str) -> None:
    async def main() -> None:
        heard = Heard()
        assert await sh(f"sleep 1000 {redirect} & echo $!", heard) == 0
        await gone(int(heard.data))

    asyncio.run(asyncio.wait_for(main(), 20))


def test_last_words_of_a_background_child_are_heard(tmp_path: Path) -> None:
    seen = bytearray()
    script = "mkfifo $0; (read x < $0; echo later) & exec 3> $0; echo go >&3"
    argv = ["/bin/sh", "-c", script, str(tmp_path / "fifo")]
    asyncio.run(run_process(argv, env=ENV, cwd=Path("/"), stdout=seen.extend, stderr=seen.extend))
    assert seen == b"later\n"


def test_cancelling_asks_first() -> None:
    async def main() -> None:
        heard = Heard()
        script = "trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
        task = asyncio.create_task(sh(script, heard, grace=20))
        await heard.wait_for(b"ready")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert b"cleaned\n" in heard.data

    asyncio.run(main())


def test_a_child_of_a_cancelled_shell_has_the_grace_too() -> None:
    async def main() -> None:
        heard = Heard()
        script = (
            "(trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done); exit 0"
        )
        task = asyncio.create_task(sh(script, heard, grace=20))
        await heard.wait_for(b"ready")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert b"cleaned\n" in heard.data

    asyncio.run(main())


@pytest.mark.parametrize("cancels", [1, 2])
def test_cancelling_kills_what_will_not_go(cancels: int) -> None:
    async def main() -> None:
        heard = Heard()
        script = "trap '' TERM; echo $$; echo ready; while :; do sleep 1; done"
        # Twice means at once, however long the grace.
        task = asyncio.create_task(sh(script, heard, grace=0.1 if cancels == 1 else 1000))
        pid = int((await heard.wait_for(b"ready")).split()[0])
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not exists(pid)
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # it was reaped

    asyncio.run(asyncio.wait_for(main(), 20))


def test_a_stopped_process_can_be_cancelled() -> None:
    async def main() -> None:
        heard = Heard()
        task = asyncio.create_task(sh("echo $$; echo ready; sleep 1000", heard, grace=20))
        pid = int((await heard.wait_for(b"ready")).split()[0])
        os.kill(pid, signal.SIGSTOP)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(main(), 20))


@pytest.mark.parametrize("missing_pidfd", [False, True])
def test_nothing_is_left_open(missing_pidfd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing_pidfd:
        monkeypatch.delattr(process.os, "pidfd_open")

    async def main() -> None:
        before = descriptors()
        await asyncio.gather(*(sh("echo $$; exit 1", bytearray().extend) for _ in range(20)))
        with pytest.raises(FileNotFoundError):
            await run_process(
                ["no-such-program"], env=ENV, cwd=Path("/"), stdout=print, stderr=print
            )
        assert descriptors() == before

    asyncio.run(main())
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # no child at all, not even a zombie


def test_a_gigabyte_is_read_and_let_go() -> None:
    """Memory stays what it was, and another process is served meanwhile."""

    async def main() -> None:
        heard = Heard()
        loud = asyncio.create_task(sh("head -c 300000000 /dev/zero", heard))
        assert await sh("exit 3", bytearray().extend) == 3
        assert await loud == 0
        assert heard.size == 300_000_000

    asyncio.run(main())


@pytest.mark.parametrize("script", ["echo x; sleep 1000", "echo x"])
def test_a_sink_that_fails_ends_the_process(script: str) -> None:
    def broken(data: bytes) -> None:
        raise RuntimeError("no room")

    async def main() -> None:
        before = descriptors()
        with pytest.raises(RuntimeError, match="no room"):
            await sh(script, broken)
        assert descriptors() == before

    asyncio.run(asyncio.wait_for(main(), 20))


def test_groups_are_told_of_while_they_live() -> None:
    told: list[tuple[str, int]] = []

    class Children:
        def add(self, pgid: int) -> None:
            told.append(("add", pgid))

        def discard(self, pgid: int) -> None:
            told.append(("discard", pgid))

    seen = bytearray()
    asyncio.run(sh("echo $$", seen.extend, children=Children()))
    assert told == [("add", int(seen)), ("discard", int(seen))]


def test_environment_and_directory_are_as_given(tmp_path: Path) -> None:
    seen = bytearray()
    code = "import os; print(os.getcwd(), os.environ['NAME'], os.getpgid(0) == os.getpid())"
    asyncio.run(
        run_process(
            [sys.executable, "-c", code],
            env={"NAME": "äöü; $(x)"},
            cwd=tmp_path,
            stdout=seen.extend,
            stderr=seen.extend,
        )
    )
    assert seen.decode() == f"{tmp_path} äöü; $(x) True\n"

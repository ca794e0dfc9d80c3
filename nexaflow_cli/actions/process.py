"""Child processes on the event loop: each in its own process group, always reaped, never left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nexaflow_cli.actions.base import Children

Sink = Callable[[bytes], object]

LINGER = 0.25
"""Seconds that background children have, after their leader ended, to say their last words."""

_CHUNK = 65536  # the capacity of a pipe: one read takes all there is
_LAST_WORDS = 1024 * 1024


async def run_process(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdout: Sink,
    stderr: Sink,
    grace: float = 5.0,
    children: Children | None = None,
) -> int:
    """Run a program to its end and return its exit status, negative for a signal.

    The program leads a process group of its own and reads `/dev/null`. When it ends, whatever
    it left in that group is killed. Cancelling the caller's task sends SIGTERM to the group and
    SIGKILL `grace` seconds later, or at once if it is cancelled again; the cancellation is
    answered when the group is gone.

    Args:
        argv: program and arguments; no shell looks at them.
        env: the whole environment of the program.
        cwd: directory it starts in.
        stdout: called with each piece of output, on the loop's thread; if it raises, the group is
            killed and the error raised here.
        stderr: the same for standard error.
        grace: seconds between SIGTERM and SIGKILL.
        children: told of the process group while it lives.

    Raises:
        OSError: the program could not be started; `filename` says which file is at fault.
        ValueError: a NUL character in `argv` or `env`, or `=` in a variable's name.
    """
    child = _Child(asyncio.get_running_loop(), children)
    child.start(argv, env, cwd, stdout, stderr)
    try:
        return await asyncio.shield(child.ended)
    except asyncio.CancelledError:
        child.stop(grace)
        while not child.ended.done():
            try:
                await asyncio.shield(child.ended)
            except asyncio.CancelledError:
                child.kill()
        raise


class _Child:
    """One process group, from its start until its leader is reaped and its pipes are closed."""

    __slots__ = (
        "_children",
        "_error",
        "_exited",
        "_loop",
        "_pidfd",
        "_popen",
        "_sinks",
        "_stopping",
        "_timer",
        "ended",
    )

    _popen: subprocess.Popen[bytes]

    def __init__(self, loop: asyncio.AbstractEventLoop, children: Children | None) -> None:
        self._loop = loop
        self._children = children
        self._sinks: dict[int, Sink] = {}
        self._pidfd = -1
        self._timer: asyncio.TimerHandle | None = None
        self._exited = False
        self._stopping = False
        self._error: Exception | None = None
        self.ended: asyncio.Future[int] = loop.create_future()

    def start(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        stdout: Sink,
        stderr: Sink,
    ) -> None:
        out, out_end = os.pipe()
        try:
            err, err_end = os.pipe()
        except OSError:
            os.close(out)
            os.close(out_end)
            raise
        try:
            # Popen starts with vfork, as posix_spawn does, and unlike it can change directory.
            self._popen = subprocess.Popen(  # noqa: S603 - argv comes from the workflow's author
                argv,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out_end,
                stderr=err_end,
                process_group=0,
            )
        except BaseException:
            os.close(out)
            os.close(err)
            raise
        finally:
            os.close(out_end)
            os.close(err_end)
        if self._children is not None:
            self._children.add(self._popen.pid)
        self._sinks = {out: stdout, err: stderr}
        for fd in self._sinks:
            os.set_blocking(fd, False)
            self._loop.add_reader(fd, self._readable, fd)
        self._watch()

    def _watch(self) -> None:
        """Have `_leader_exited` called at the leader's end, which must not reap it."""
        try:
            self._pidfd = os.pidfd_open(self._popen.pid)
        except (AttributeError, OSError):  # not Linux, an old kernel, or no descriptor left
            threading.Thread(target=self._watch_blocking, daemon=True).start()
        else:
            self._loop.add_reader(self._pidfd, self._leader_exited)

    def _watch_blocking(self) -> None:
        os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOWAIT)
        try:
            self._loop.call_soon_threadsafe(self._leader_exited)
        except RuntimeError:
            pass  # the loop is closed: nobody waits any more

    def _readable(self, fd: int) -> None:
        """Pass on one piece; one a turn, so that a loud child does not starve the others."""
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._deliver(fd, data)
            return
        self._close_pipe(fd)
        if self._exited and not self._sinks:
            self._finish()

    def _deliver(self, fd: int, data: bytes) -> None:
        try:
            self._sinks[fd](data)
        except Exception as error:
            # Whatever went wrong with its output, the process must still be reaped.
            self._error = self._error or error
            self._sinks[fd] = len  # from here on it is only read away
            if not self._exited:
                self._signal(signal.SIGKILL)

    def _leader_exited(self) -> None:
        """Take what is in the pipes; if others still hold them, give those a moment."""
        self._exited = True
        self._close_pidfd()
        for fd in tuple(self._sinks):
            self._drain(fd)
        if not self._sinks:
            self._finish()
        elif not self._stopping:
            self._timer = self._loop.call_later(LINGER, self._finish)

    def _drain(self, fd: int) -> None:
        left = _LAST_WORDS
        while left > 0:
            try:
                data = os.read(fd, _CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._close_pipe(fd)
                return
            left -= len(data)
            self._deliver(fd, data)

    def stop(self, grace: float) -> None:
        """Ask the group to end, and make it end `grace` seconds later."""
        if self._exited:
            self._finish()
        elif not self._stopping:
            self._stopping = True
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)  # a stopped process could not hear it
            self._timer = self._loop.call_later(grace, self.kill)

    def kill(self) -> None:
        """Kill the group; the leader's end does the rest."""
        if self._exited:
            self._finish()
        elif not self.ended.done():
            self._signal(signal.SIGKILL)

    def _finish(self) -> None:
        """Kill what is left of the group, then reap: until that, no one else can get its number."""
        if self.ended.done():
            return
        self._signal(signal.SIGKILL)
        if self._timer is not None:
            self._timer.cancel()
        for fd in tuple(self._sinks):
            self._drain(fd)
            if fd in self._sinks:
                self._close_pipe(fd)
        if self._children is not None:
            self._children.discard(self._popen.pid)
        status = self._popen.wait()
        if self._error is None:
            self.ended.set_result(status)
        else:
            self.ended.set_exception(self._error)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._popen.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left; macOS says so with EPERM for a group of zombies

    def _close_pipe(self, fd: int) -> None:
        self._loop.remove_reader(fd)
        del self._sinks[fd]
        os.close(fd)

    def _close_pidfd(self) -> None:
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

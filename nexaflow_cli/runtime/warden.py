"""No child outlives its daemon, however that ends: a watcher beside it, and a sweep at its start.

Every process that a daemon starts carries the daemon's token in its environment, and so does
what those start. The watcher is a shell that waits for the end of a pipe whose other end only the
daemon holds; when the kernel closes that, the watcher becomes a Python that kills whoever carries
the token. It holds no more than a shell's megabyte meanwhile. This file is also that program, so
it imports nothing but the standard library.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterable
from pathlib import Path

OWNER_VARIABLE = "NEXAFLOW_OWNER"
"""Environment variable that holds the token of the daemon a process belongs to."""

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL for processes that their daemon has left behind."""

_PROC = Path("/proc")
_LAST_RESORT = 10.0  # seconds of SIGKILL after which one that multiplies faster is given up on

_NUMBER = struct.Struct("i")
_GROUPS = 4096  # process groups that can be known at a time

# Ends with the word `quit` from a daemon that has cleaned up itself; without it, at the pipe's end,
# becomes this file.
_WAIT = """
trap '' HUP INT QUIT TERM
read -r word && exit 0
exec "$0" -I -S "$1" "$2"
"""


def new_token() -> str:
    """A token for one life of a daemon."""
    return os.urandom(16).hex()


class Warden:
    """The watcher of this process. Made by `start_warden`; must be told of a graceful stop.

    It can be told of process groups too (`add`, `discard`, as `Call.children` has them): these
    find a program that wipes its environment, and all of them on systems without /proc. They
    are in memory that both share, so telling costs no system call.
    """

    def __init__(self, process: subprocess.Popen[bytes], groups: mmap.mmap) -> None:
        self._process = process
        self._groups = groups
        self._slots: dict[int, int] = {}
        self._free = list(range(_GROUPS))

    @property
    def pid(self) -> int:
        """The watcher's own process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still watches."""
        return self._process.poll() is None

    def add(self, pgid: int) -> None:
        """A process group has begun."""
        if self._free and pgid not in self._slots:
            slot = self._slots[pgid] = self._free.pop()
            _NUMBER.pack_into(self._groups, slot * _NUMBER.size, pgid)

    def discard(self, pgid: int) -> None:
        """A process group is gone, and its number is free for others."""
        slot = self._slots.pop(pgid, None)
        if slot is not None:
            _NUMBER.pack_into(self._groups, slot * _NUMBER.size, 0)
            self._free.append(slot)

    def close(self) -> None:
        """End the watcher; the caller has ended its children."""
        if not self._groups.closed:
            self._process.communicate(b"quit\n")  # no matter if it is gone already
            self._groups.close()
            self._free.clear()
            self._slots.clear()


def start_warden(token: str) -> Warden:
    """Start the watcher of this process.

    Args:
        token: what this process puts into `NEXAFLOW_OWNER` of every process it starts.

    Raises:
        OSError: it could not be started.
    """
    # Not OWNER_VARIABLE, or it would find itself; nor that of a daemon above this one.
    env = {"NEXAFLOW_WARDEN": token, "PATH": os.defpath}
    if libraries := os.environ.get("LD_LIBRARY_PATH"):
        env["LD_LIBRARY_PATH"] = libraries  # the interpreter may need it to start
    with tempfile.TemporaryFile() as file:
        file.truncate(_GROUPS * _NUMBER.size)
        groups = mmap.mmap(file.fileno(), 0)
        process = subprocess.Popen(  # noqa: S603 - nothing here comes from outside
            ["/bin/sh", "-c", _WAIT, sys.executable, __file__, str(file.fileno())],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            pass_fds=[file.fileno()],
            start_new_session=True,  # what is sent to the daemon's terminal or group is not for it
        )
    return Warden(process, groups)


def sweep(*tokens: str, groups: Iterable[int] = (), grace: float = GRACE) -> int:
    """Kill every process of this user that carries one of the tokens; returns how many it were.

    SIGTERM first, SIGKILL after `grace` seconds, until none is found. The caller is spared. With
    a process that leads a group goes its group, so that wiping the environment does not help.

    Args:
        tokens: of daemons that are gone, as `start_warden` had them.
        groups: process groups known to be theirs.
        grace: seconds between the two signals.
    """
    marks = frozenset(f"{OWNER_VARIABLE}={token}".encode() for token in tokens if token)
    known = frozenset(groups)
    if not marks and not known:
        return 0
    if not _sees_environments():
        return _end_groups(known, grace)
    seen: set[int] = set()
    deadline = time.monotonic() + grace
    last_resort = False
    while time.monotonic() < deadline + _LAST_RESORT:
        found = _owned(marks, known)
        try:
            if not found:
                break
            for pid, handle in found.items():
                if last_resort or pid not in seen:
                    _send(handle, signal.SIGKILL if last_resort else signal.SIGTERM)
                    _send(handle, signal.SIGCONT)
                seen.add(pid)
            left = deadline - time.monotonic()
            _wait_for_end(found.values(), 0.5 if last_resort else left)
        finally:
            for handle in found.values():
                os.close(handle)
        last_resort = time.monotonic() >= deadline
    return len(seen)


def _sees_environments() -> bool:
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


def _owned(marks: frozenset[bytes], groups: frozenset[int]) -> dict[int, int]:
    """Processes with a mark in their environment or in a group that is theirs: pid to handle.

    The handle is opened before anything is looked at: it stands for the process that was looked
    at, even if that ends and another gets its number.
    """
    owned: dict[int, int] = {}
    others: dict[int, int] = {}
    group_of: dict[int, int] = {}
    user, own = os.geteuid(), {os.getpid(), os.getppid()}
    for entry in os.scandir(_PROC):
        if not entry.name.isdigit() or (pid := int(entry.name)) in own:
            continue
        try:
            if user != 0 and entry.stat().st_uid != user:
                continue
            handle = os.pidfd_open(pid)
        except OSError:
            continue  # it has ended
        group_of[pid] = _group(pid)
        (owned if _carries(pid, marks) else others)[pid] = handle
    theirs = groups.union(pid for pid in owned if group_of[pid] == pid)
    for pid, handle in others.items():
        if group_of[pid] in theirs and not _ended(handle):
            owned[pid] = handle
        else:
            os.close(handle)
    return owned


def _ended(handle: int) -> bool:
    """Whether it only waits to be reaped, which nobody may ever do."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(0))


def _carries(pid: int, marks: frozenset[bytes]) -> bool:
    try:
        return not marks.isdisjoint((_PROC / str(pid) / "environ").read_bytes().split(b"\0"))
    except OSError:
        return False  # not ours to look at, so not ours


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return -1


def _send(handle: int, number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(handle, number)
    except OSError:
        pass  # it has ended by itself


def _wait_for_end(handles: Collection[int], seconds: float) -> None:
    """Until all of these processes have ended, at most for so long."""
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    left, end = len(handles), time.monotonic() + seconds
    while left and (remaining := end - time.monotonic()) > 0:
        for handle, _ in poll.poll(remaining * 1000):
            poll.unregister(handle)
            left -= 1


def _end_groups(groups: Collection[int], grace: float) -> int:
    """Kill process groups by their numbers alone; returns how many there were."""
    alive = [group for group in groups if _send_to_group(group, signal.SIGTERM)]
    if alive:
        time.sleep(grace)
        for group in alive:
            _send_to_group(group, signal.SIGKILL)
    return len(alive)


def _send_to_group(group: int, number: signal.Signals) -> bool:
    try:
        os.killpg(group, number)
    except OSError:
        return False
    return True


def main() -> None:
    """What the watcher becomes when its daemon is gone."""
    token = os.environ.pop("NEXAFLOW_WARDEN", "")
    table = os.pread(int(sys.argv[1]), _GROUPS * _NUMBER.size, 0)
    sweep(token, groups={group for (group,) in _NUMBER.iter_unpack(table) if group > 1})


if __name__ == "__main__":
    main()

"""Notices that something changed in the file space and says where to look; decides nothing."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from watchdog.observers.inotify_c import InotifyConstants as In
from watchdog.observers.inotify_c import InotifyEvent

from nexaflow_cli.files.hints import MAX_PATHS, Hints, HintSet
from nexaflow_cli.files.inotify import Inotify
from nexaflow_cli.files.mounts import Mount, Mounts
from nexaflow_cli.files.paths import is_temp, join, why_not
from nexaflow_cli.files.polling import POLL_SECONDS, Poller
from nexaflow_cli.files.remote import remote_kind
from nexaflow_cli.files.watchtable import WatchTable

Mode = Literal["inotify", "polling"]
RETRY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class MountWatch:
    """How one mount is watched, and why, if it is not as it should be."""

    mount: str
    mode: Mode
    reason: str = ""


class Watcher:
    """Watches every mount with inotify, or by polling where that cannot be.

    Args:
        mounts: the map of the file space.
        wake: called from a thread of the watcher when there is something to `take` again;
            `lambda: loop.call_soon_threadsafe(…)` brings it to an event loop.
        use_inotify: False polls everything.
        poll_seconds: pause between two rounds of polling, where they are short.
        max_paths: how many single files are hinted at once, before their folders are.
    """

    def __init__(
        self,
        mounts: Mounts,
        wake: Callable[[], object],
        *,
        use_inotify: bool = True,
        poll_seconds: float = POLL_SECONDS,
        max_paths: int = MAX_PATHS,
    ) -> None:
        self._mounts = mounts
        self._hints = HintSet(wake, max_paths=max_paths)
        self._poller = Poller(
            mounts, self._hints, seconds=poll_seconds, each_round=self._retry_if_due
        )
        self._use_inotify = use_inotify
        self._inotify: Inotify | None = None
        self._table = WatchTable()
        # Both the reading thread and the poller's attempts to get back to inotify add watches.
        self._lock = threading.RLock()
        self._reasons: dict[str, str] = {}
        self._next_retry = 0.0
        self._stopped = False

    def start(self) -> None:
        """Watch; what changes after this returns will be hinted at."""
        reason = "" if self._use_inotify else "polling was asked for"
        if self._use_inotify:
            reason = self._open()
        self._next_retry = time.monotonic() + RETRY_SECONDS
        for mount in self._mounts:
            self._settle_for(mount, reason or self._watch_mount(mount))

    def stop(self) -> None:
        """End all threads; returns when they have."""
        self._stopped = True
        self._poller.stop()
        reader = self._inotify
        if reader is not None:
            reader.stop()
            reader.join()

    def take(self) -> Hints:
        """What was noticed since the last time."""
        return self._hints.take()

    @property
    def mode(self) -> Mode:
        """`polling` if any mount is polled."""
        return "polling" if self._reasons else "inotify"

    @property
    def reason(self) -> str:
        """Why it is not inotify alone; empty if it is."""
        return "; ".join(dict.fromkeys(self._reasons.values()))

    @property
    def watches(self) -> int:
        """How many folders are watched by inotify."""
        return len(self._table)

    def mounts(self) -> list[MountWatch]:
        """How each mount is watched, for a health report."""
        reasons = dict(self._reasons)
        return [
            MountWatch(mount.prefix, "polling", reasons[mount.prefix])
            if mount.prefix in reasons
            else MountWatch(mount.prefix, "inotify")
            for mount in self._mounts
        ]

    def _open(self) -> str:
        try:
            self._inotify = Inotify(self._deliver, self._failed)
        except OSError as error:
            return _told(error, "")
        self._inotify.start()
        return ""

    def _settle_for(self, mount: Mount, reason: str) -> None:
        if reason:
            self._reasons[mount.prefix] = reason
            self._poller.add(mount.prefix)
        elif self._reasons.pop(mount.prefix, None) is not None:
            self._poller.remove(mount.prefix)
            self._hints.tree(mount.prefix)

    def _failed(self, reason: str) -> None:
        with self._lock:
            self._inotify = None
            self._table = WatchTable()
            for mount in self._mounts:
                self._settle_for(mount, reason)

    def _retry_if_due(self) -> None:
        if not self._use_inotify or self._stopped or time.monotonic() < self._next_retry:
            return
        self._next_retry = time.monotonic() + RETRY_SECONDS
        with self._lock:
            reason = "" if self._inotify is not None else self._open()
            for mount in self._mounts:
                if mount.prefix in self._reasons:
                    self._settle_for(mount, reason or self._watch_mount(mount))

    def _watch_mount(self, mount: Mount) -> str:
        if reason := self._mounts.unavailable(mount):
            return reason
        if kind := remote_kind(mount.root):
            return f"{mount.root} is on {kind}, where changes made elsewhere are not reported"
        reason, _ = self._watch_tree(mount.prefix)
        return reason

    def _watch_tree(self, folder: str) -> tuple[str, bool]:
        """Watch a folder and all below it; why that is incomplete, and whether it held anything.

        A folder is watched before it is listed: what is made later reports itself.
        """
        held = False
        mount = self._mounts.of(folder)
        with self._lock:
            inotify = self._inotify
            if inotify is None:
                return "inotify is not in use", True
            waiting = [(mount.place(folder), folder)]
            while waiting:
                directory, current = waiting.pop()
                try:
                    self._table.put(inotify.watch(directory), current)
                    with os.scandir(directory) as entries:
                        for entry in entries:
                            held = True
                            if entry.is_dir(follow_symlinks=False) and not _hidden(entry.name):
                                below = join(current, entry.name)
                                if not self._mounts.is_prefix(below):
                                    waiting.append((entry.path, below))
                except OSError as error:
                    # A folder that went away, or that nobody here may read, has no files for us.
                    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP):
                        continue
                    return _told(error, mount.root), True
        return "", held

    def _deliver(self, events: list[InotifyEvent]) -> None:
        for event in events:
            mask = event.mask
            if mask & In.IN_Q_OVERFLOW:
                self._overflowed()
                continue
            folder = self._table.folder(event.wd)
            if folder is None:
                continue
            if mask & (In.IN_IGNORED | In.IN_DELETE_SELF | In.IN_MOVE_SELF | In.IN_UNMOUNT):
                self._itself(event.wd, mask, folder)
                continue
            name = os.fsdecode(event.name)
            if not name or _hidden(name):
                continue
            path = join(folder, name)
            if mask & In.IN_ISDIR:
                self._folder_event(mask, event.cookie, path)
            elif mask & In.IN_CLOSE_WRITE:
                self._hints.file(path, closed=True)
            elif mask & (In.IN_CREATE | In.IN_MODIFY):
                self._hints.file(path, closed=False)
            elif mask & In.IN_MOVED_FROM:
                self._hints.left(path, event.cookie)
            elif mask & In.IN_MOVED_TO:
                self._hints.arrived(path, event.cookie)
            elif mask & In.IN_DELETE:
                self._hints.file(path, closed=True)
            elif mask & In.IN_ATTRIB:
                self._hints.touched(path)

    def _folder_event(self, mask: int, cookie: int, path: str) -> None:
        if self._mounts.is_prefix(path):
            return
        if mask & In.IN_MOVED_FROM:
            self._unwatch_tree(path)
            self._hints.left(path, cookie, is_folder=True)
        elif mask & In.IN_MOVED_TO:
            self._watch_new(path)
            self._hints.arrived(path, cookie, is_folder=True)
        elif mask & In.IN_CREATE:
            # Files may have been written before the watch was there.
            if self._watch_new(path):
                self._hints.tree(path)
        elif mask & In.IN_DELETE and path not in self._table:
            # One that was watched told of every file that was in it.
            self._hints.tree(path)

    def _watch_new(self, path: str) -> bool:
        reason, held = self._watch_tree(path)
        if reason:
            self._settle_for(self._mounts.of(path), reason)
        return held

    def _unwatch_tree(self, path: str) -> None:
        with self._lock:
            numbers = self._table.drop_tree(path)
            if self._inotify is not None:
                for number in numbers:
                    self._inotify.unwatch(number)

    def _itself(self, number: int, mask: int, folder: str) -> None:
        """The watched folder itself went away; its parent tells, unless it is a mount's own."""
        if mask & In.IN_IGNORED:
            with self._lock:
                self._table.drop(number)
        if self._mounts.is_prefix(folder) and not self._stopped:
            mount = self._mounts.of(folder)
            self._unwatch_tree(folder)
            self._settle_for(mount, f"the directory {mount.root} was removed or unmounted")
            self._hints.tree(folder)

    def _overflowed(self) -> None:
        for mount in self._mounts:
            if mount.prefix not in self._reasons:
                self._settle_for(mount, self._watch_mount(mount))
        self._hints.tree("/")


def _hidden(name: str) -> bool:
    """Whether what has this name is not part of the file space."""
    if name.startswith(".nexaflow-"):
        return is_temp(name)
    return not name.isprintable() and bool(why_not(name))


def _told(error: OSError, directory: str) -> str:
    if error.errno == errno.ENOSPC:
        return f"the limit of inotify watches is reached in {directory}: raise {_SYSCTL}watches"
    if error.errno == errno.EMFILE:
        return f"the limit of inotify instances is reached: raise {_SYSCTL}instances"
    return f"inotify cannot be used: {error.strerror or error}"


_SYSCTL = "fs.inotify.max_user_"

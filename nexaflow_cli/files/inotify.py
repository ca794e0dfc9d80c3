"""watchdog's inotify descriptor, read in batches and without its queues.

watchdog's observers hold a rename back for half a second and everything behind it, keep an
overflow of the kernel's queue to themselves, and pass over a watch that could not be had. All
three matter here, so the reading end is used directly.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable

from watchdog.observers.inotify_c import (
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
    inotify_add_watch,
    inotify_rm_watch,
)

WATCHED = Mask(
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_MODIFY
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
    | InotifyConstants.IN_DONT_FOLLOW
    | InotifyConstants.IN_EXCL_UNLINK
)

_PATIENCE = 16
_REST = 0.005


class Inotify(InotifyFD):
    """One inotify descriptor and the thread that reads it.

    Args:
        deliver: called in that thread with each batch of events, in order.
        failed: called in that thread, with the reason, if nothing more will be read.

    Raises:
        OSError: the system gives no further inotify instance to this user.
    """

    def __init__(
        self,
        deliver: Callable[[list[InotifyEvent]], None],
        failed: Callable[[str], None],
    ) -> None:
        super().__init__()
        # A child process must not keep the daemon's watches open.
        os.set_inheritable(self._inotify_fd, False)
        self._deliver = deliver
        self._failed = failed

    def run(self) -> None:
        """Read until stopped."""
        busy = 0
        while self.should_keep_running():
            try:
                events = self.read_events()
                if events:
                    self._deliver(events)
            except Exception as error:  # whatever it was, files must still be noticed
                if self.should_keep_running():
                    self._failed(f"reading inotify failed: {error}")
                    self.close()
                return
            # Whoever writes a file in small pieces for long would keep this thread busy for it.
            only_writes = all(event.mask == InotifyConstants.IN_MODIFY for event in events)
            busy = busy + 1 if only_writes else 0
            if busy > _PATIENCE:
                self.stopped_event.wait(_REST)

    def watch(self, directory: str) -> int:
        """Watch a real directory, not what is below it; returns the number events carry.

        Raises:
            OSError: `ENOSPC` if the limit of watches is reached, or what the system says.
        """
        with self._lock:
            if self._closed:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            descriptor = inotify_add_watch(self._inotify_fd, os.fsencode(directory), WATCHED)
            if descriptor == -1:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code), directory)
        return descriptor

    def unwatch(self, descriptor: int) -> None:
        """Stop watching; a watch that is gone by itself is no error."""
        with self._lock:
            if not self._closed:
                inotify_rm_watch(self._inotify_fd, WatchDescriptor(descriptor))

"""Noticing changes without the kernel's help: list everything, again and again.

watchdog's polling keeps a full snapshot of every file and its own idea of what changed. The
ledger is that snapshot already, so one number a folder is enough to say where to look.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from nexaflow_cli.files.hints import HintSet
from nexaflow_cli.files.mounts import Mounts
from nexaflow_cli.files.paths import parent
from nexaflow_cli.files.scan import scan

POLL_SECONDS = 2.0
_SHARE = 10
"""A round may take at most this part of the time: on a big tree the rounds get rarer."""
_MASK = (1 << 64) - 1


class Poller:
    """A thread that hints at the folders whose files changed since its last round.

    Args:
        mounts: the map of the file space.
        hints: where to put what was noticed.
        seconds: pause between rounds, as long as one is short.
        each_round: called before every round, in the thread.
    """

    def __init__(
        self,
        mounts: Mounts,
        hints: HintSet,
        *,
        seconds: float = POLL_SECONDS,
        each_round: Callable[[], None] = lambda: None,
    ) -> None:
        self._mounts = mounts
        self._hints = hints
        self._seconds = seconds
        self._each_round = each_round
        self._lock = threading.Lock()
        self._prints: dict[str, dict[str, int] | None] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, prefix: str) -> None:
        """Poll a mount from now on; its first round hints at all of it."""
        with self._lock:
            self._prints.setdefault(prefix, None)
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="poller", daemon=True)
                self._thread.start()

    def remove(self, prefix: str) -> None:
        """Stop polling a mount."""
        with self._lock:
            self._prints.pop(prefix, None)

    def stop(self) -> None:
        """End the thread; returns when it has."""
        self._stopping.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def round(self) -> None:
        """Compare every polled mount with its last round."""
        with self._lock:
            prefixes = list(self._prints)
        for prefix in prefixes:
            now = self._look(prefix)
            with self._lock:
                if prefix not in self._prints:
                    continue
                before, self._prints[prefix] = self._prints[prefix], now
            if before is None:
                self._hints.tree(prefix)
                continue
            for folder in before.keys() | now.keys():
                if before.get(folder) != now.get(folder):
                    self._hints.folder(folder)

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            began = time.perf_counter()
            self._each_round()
            self.round()
            pause = max(self._seconds, _SHARE * (time.perf_counter() - began))

    def _look(self, prefix: str) -> dict[str, int]:
        prints: dict[str, int] = {}
        for path, seen in scan(self._mounts, prefix, across=False):
            folder = parent(path)
            prints[folder] = (prints.get(folder, 0) + hash((path, seen))) & _MASK
        return prints

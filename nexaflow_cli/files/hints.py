"""What watchers say should be looked at: merged as it comes, bounded however much comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from nexaflow_cli.files.paths import parent

MAX_PATHS = 20_000
MAX_FOLDERS = 1_000


class Left(NamedTuple):
    """A name that was renamed away, by the number that both halves of the rename carry."""

    cookie: int
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class Hints:
    """Where to look; none of it says what will be found.

    `paths` maps a file to whether whoever wrote it is done with it. `leaving` are names that
    were renamed away, and `arrived` the numbers of renames whose other half has come: to wait
    a moment for it shows the rename as one change. `folders` are to be listed one level deep,
    `trees` with all that is below them; what is on record there and not found any more is gone.
    `/` among the trees means: scan everything.
    """

    paths: Mapping[str, bool] = field(default_factory=dict)
    leaving: Mapping[str, Left] = field(default_factory=dict)
    arrived: frozenset[int] = frozenset()
    folders: frozenset[str] = frozenset()
    trees: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.paths or self.leaving or self.folders or self.trees)


class HintSet:
    """Collects hints from any thread until they are taken.

    Args:
        wake: called when the first hint comes after a `take`, from the thread that hints.
        max_paths: beyond so many files, further ones are hinted by their folder.
        max_folders: beyond so many folders, everything is.
    """

    def __init__(
        self,
        wake: Callable[[], object],
        *,
        max_paths: int = MAX_PATHS,
        max_folders: int = MAX_FOLDERS,
    ) -> None:
        self._wake = wake
        self._max_paths = max_paths
        self._max_folders = max_folders
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._paths: dict[str, bool] = {}
        self._leaving: dict[str, Left] = {}
        self._arrived: set[int] = set()
        self._folders: set[str] = set()
        self._trees: set[str] = set()
        self._woken = False

    def file(self, path: str, *, closed: bool) -> None:
        """Hint at a file that is being written, or that its writer closed; the last word counts."""
        with self._lock:
            if path in self._paths or self._has_room(path):
                self._paths[path] = closed
            first = self._first()
        if first:
            self._wake()

    def touched(self, path: str) -> None:
        """Hint at a file whose attributes changed, which does not mean that it is being written."""
        with self._lock:
            if path not in self._paths and self._has_room(path):
                self._paths[path] = False
            first = self._first()
        if first:
            self._wake()

    def left(self, path: str, cookie: int, *, is_folder: bool = False) -> None:
        """Hint at a name that was renamed away."""
        with self._lock:
            self._paths.pop(path, None)
            if self._has_room(path):
                self._leaving[path] = Left(cookie, is_folder)
            elif is_folder:
                self._add_tree(path)
            first = self._first()
        if first:
            self._wake()

    def arrived(self, path: str, cookie: int, *, is_folder: bool = False) -> None:
        """Hint at a name that something was renamed to; a file is whole then."""
        with self._lock:
            if len(self._arrived) < self._max_paths:
                self._arrived.add(cookie)
        if is_folder:
            self.tree(path)
        else:
            self.file(path, closed=True)

    def folder(self, path: str) -> None:
        """Hint at the files directly in a folder."""
        with self._lock:
            self._add_folder(path)
            first = self._first()
        if first:
            self._wake()

    def tree(self, path: str) -> None:
        """Hint at everything below a folder; `/` is everything there is."""
        with self._lock:
            self._add_tree(path)
            first = self._first()
        if first:
            self._wake()

    def take(self) -> Hints:
        """All that has been hinted since the last time."""
        with self._lock:
            taken = Hints(
                self._paths,
                self._leaving,
                frozenset(self._arrived),
                frozenset(self._folders),
                frozenset(self._trees),
            )
            self._clear()
        return taken

    def _first(self) -> bool:
        first, self._woken = not self._woken, True
        return first

    def _has_room(self, path: str) -> bool:
        folder = parent(path)
        if folder in self._folders:
            return False
        if len(self._paths) + len(self._leaving) < self._max_paths:
            return True
        self._add_folder(folder)
        return False

    def _add_folder(self, path: str) -> None:
        if self._covered(path):
            return
        if len(self._folders) + len(self._trees) >= self._max_folders:
            self._add_tree("/")
        else:
            self._folders.add(path)

    def _add_tree(self, path: str) -> None:
        if self._covered(path):
            return
        if path == "/" or len(self._folders) + len(self._trees) >= self._max_folders:
            # The files named one by one stay: that they are closed is worth knowing.
            self._trees, self._folders = {"/"}, set()
        else:
            self._trees.add(path)

    def _covered(self, path: str) -> bool:
        if not self._trees:
            return False
        while path not in self._trees:
            if path == "/":
                return False
            path = parent(path)
        return True

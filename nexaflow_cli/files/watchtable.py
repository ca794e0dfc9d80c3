"""Which watch stands for which folder."""

from __future__ import annotations

from nexaflow_cli.files.paths import parent


class WatchTable:
    """Watch numbers and virtual folders, one of the one for one of the other."""

    def __init__(self) -> None:
        self._folders: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        self._children: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._folders)

    def __contains__(self, folder: str) -> bool:
        return folder in self._numbers

    def put(self, number: int, folder: str) -> None:
        """Record a watch. The system keeps a number through renames, so either may be known."""
        if self._folders.get(number) == folder:
            return
        self.drop(number)
        if (stale := self._numbers.get(folder)) is not None:
            self.drop(stale)
        self._folders[number] = folder
        self._numbers[folder] = number
        if folder != "/":
            self._children.setdefault(parent(folder), set()).add(folder)

    def folder(self, number: int) -> str | None:
        """The folder of a watch."""
        return self._folders.get(number)

    def drop(self, number: int) -> None:
        """Forget one watch, not those of the folders below."""
        folder = self._folders.pop(number, None)
        if folder is None:
            return
        del self._numbers[folder]
        above = parent(folder)
        siblings = self._children.get(above)
        if siblings is not None:
            siblings.discard(folder)
            if not siblings:
                del self._children[above]

    def drop_tree(self, folder: str) -> list[int]:
        """Forget the watches of a folder and of all below it; returns their numbers."""
        numbers: list[int] = []
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            waiting.extend(self._children.get(current, ()))
            if (number := self._numbers.get(current)) is not None:
                numbers.append(number)
        for number in numbers:
            self.drop(number)
        return numbers

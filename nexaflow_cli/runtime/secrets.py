"""Secrets: named values that expressions may use and that no output may show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

PREFIX = "NEXAFLOW_SECRET_"


class Secrets(Mapping[str, str]):
    """The secrets of this process, from `NEXAFLOW_SECRET_<NAME>` in its environment."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = {
            name.removeprefix(PREFIX): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and name != PREFIX and value
        }

    def __getitem__(self, name: str) -> str:
        return self._values[name.upper()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

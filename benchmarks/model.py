"""What a benchmark is, what it is given, and the rows it answers with."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to reach: the row's value, or its ratio, at least or at most `limit`."""

    limit: float
    at_least: bool
    of_ratio: bool = False

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.limit:,g}{' of it' if self.of_ratio else ''}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ratio` is value divided by the limit's or peer's value."""

    what: str
    value: float
    unit: str
    against: str = ""
    against_value: float | None = None
    ratio: float | None = None
    target: Target | None = None
    samples: Sequence[float] = ()

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        figure = self.ratio if self.target.of_ratio else self.value
        if figure is None:
            return None
        return figure >= self.target.limit if self.target.at_least else figure <= self.target.limit


@dataclass(slots=True)
class Context:
    """What one run of the benchmarks shares: options, scratch space, started subjects."""

    quick: bool
    peers: bool
    scratch: Path
    stack: ExitStack
    _started: dict[str, Any] = field(default_factory=dict)

    def pick(self, full: T, quick: T) -> T:
        """`quick` in a quick run, else `full`."""
        return quick if self.quick else full

    def started(self, name: str, start: Callable[[Path], AbstractContextManager[T]]) -> T:
        """The subject of that name, started once in its own directory, ended with the run."""
        if name not in self._started:
            begin = time.monotonic()
            self._started[name] = self.stack.enter_context(start(self.directory(name)))
            self.say(f"started {name} in {time.monotonic() - begin:.1f} s")
        started: T = self._started[name]
        return started

    def directory(self, name: str) -> Path:
        """A new, empty directory on the disk that all subjects share."""
        path = self.scratch / f"{len(list(self.scratch.iterdir())):02}-{name}"
        path.mkdir()
        return path

    def say(self, text: str) -> None:
        """One line of progress on standard error."""
        print(f"  {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One entry of the registry."""

    name: str
    summary: str
    run: Callable[[Context], list[Row]]

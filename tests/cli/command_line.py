"""What a command line did, as tests look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Outcome:
    """The exit code and what was written to the two streams."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]

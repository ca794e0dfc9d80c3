"""From the start of a command to its end, beside a Python that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.children import ChildError
from benchmarks.environment import TEMPORAL
from benchmarks.model import Context, Row
from benchmarks.sampling import interleave, median

BARE = "python -c pass"


def run(context: Context) -> list[Row]:
    commands: dict[str, Sequence[str | Path]] = {BARE: [sys.executable, "-c", "pass"]}
    if context.peers:
        commands["temporal --version"] = [TEMPORAL, "--version"]
    takes = {
        what: (lambda argv=argv: milliseconds(argv, dict(os.environ)))
        for what, argv in commands.items()
    }
    samples = interleave(takes, rounds=context.pick(15, 5), seconds=context.pick(20, 4))
    return [Row(what, median(taken), "ms", samples=taken) for what, taken in samples.items()]


def milliseconds(argv: Sequence[str | Path], env: dict[str, str]) -> float:
    """Wall time of one command; raises `ChildError` if it fails."""
    begin = time.perf_counter()
    done = subprocess.run(argv, env=env, capture_output=True, text=True)
    elapsed = time.perf_counter() - begin
    if done.returncode:
        raise ChildError(f"{argv} ended with {done.returncode}: {done.stderr[-500:]}")
    return elapsed * 1e3

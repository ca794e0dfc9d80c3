"""From the start of a command to its end, beside a Python that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.children import ChildError
from benchmarks.environment import TEMPORAL
from benchmarks.model import Context, Row, Target
from benchmarks.sampling import interleave, median, paired_ratio
from benchmarks.subjects.nexaflow import COMMAND, daemon
from benchmarks.subjects.peers import temporal_server

BARE = "python -c pass"
VERSION, LIST = "nexaflow --version", "nexaflow workflows list"
TARGETS = {VERSION: Target(80, at_least=False), LIST: Target(250, at_least=False)}


def run(context: Context) -> list[Row]:
    env: dict[str, str] = {**os.environ, **context.started("daemon", daemon).env}
    commands: dict[str, Sequence[str | Path]] = {
        BARE: [sys.executable, "-c", "pass"],
        VERSION: [COMMAND, "--version"],
        LIST: [COMMAND, "workflows", "list"],
    }
    if not context.peers or context.quick:
        return _measure(context, commands, env)
    with temporal_server(context.directory("temporal-cli")) as server:
        commands["temporal --version"] = [TEMPORAL, "--version"]
        commands["temporal workflow list"] = [
            TEMPORAL,
            "workflow",
            "list",
            "--address",
            server.address,
        ]
        return _measure(context, commands, env)


def _measure(
    context: Context, commands: Mapping[str, Sequence[str | Path]], env: dict[str, str]
) -> list[Row]:
    taken = interleave(
        {what: (lambda argv=argv: milliseconds(argv, env)) for what, argv in commands.items()},
        rounds=context.pick(15, 5),
        seconds=context.pick(15, 4),
    )
    rows = []
    for what, samples in taken.items():
        if what in TARGETS:
            ratio, bare = paired_ratio(samples, taken[BARE]), median(taken[BARE])
            target = TARGETS[what]
            rows.append(Row(what, median(samples), "ms", BARE, bare, ratio, target, samples))
        else:
            rows.append(Row(what, median(samples), "ms", samples=samples))
    return rows


def milliseconds(argv: Sequence[str | Path], env: dict[str, str]) -> float:
    """Wall time of one command; raises `ChildError` if it fails."""
    begin = time.perf_counter()
    done = subprocess.run(argv, env=env, capture_output=True, text=True)
    elapsed = time.perf_counter() - begin
    if done.returncode:
        raise ChildError(f"{argv} ended with {done.returncode}: {done.stderr[-500:]}")
    return elapsed * 1e3

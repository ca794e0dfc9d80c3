"""The peers' virtual environment, and the facts of the machine that go with every result."""

from __future__ import annotations

import hashlib
import os
import platform
import sqlite3
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-peers.txt"
VENV = HERE / ".venv"
PEER_PYTHON = VENV / "bin" / "python"
TEMPORAL = VENV / "bin" / "temporal"

BUSY = 15.0
"""Percent of all cores from which on values, unlike ratios, say little."""


def set_up_peers() -> None:
    """Install the peers, once for each state of the requirements.

    Raises:
        RuntimeError: pip could not install them; says what pip said.
    """
    stamp = VENV / "requirements.sha256"
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"  installing peers into {VENV} (once)", file=sys.stderr, flush=True)
    venv.create(VENV, with_pip=True, symlinks=True, clear=True)
    command = [str(PEER_PYTHON), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pip could not install the peers: {done.stderr.strip()[-2000:]}")
    stamp.write_text(digest)


def busy_percent(seconds: float = 1.0) -> float:
    """How much of all cores is in use, by whomever, over the next `seconds`."""

    def ticks() -> tuple[int, int]:
        fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]

    total, idle = ticks()
    time.sleep(seconds)
    total_after, idle_after = ticks()
    return round(100 * (1 - (idle_after - idle) / max(1, total_after - total)), 1)


def facts() -> dict[str, Any]:
    """What a reader needs to judge a figure: cores, versions, what else ran."""
    busy = busy_percent()
    if busy > BUSY:
        print(
            f"  others use {busy:.0f}% of this machine: trust the ratios, not the values",
            file=sys.stderr,
        )
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "busy_percent_before": busy,
        "load_average_before": os.getloadavg(),
        "peers": REQUIREMENTS.read_text().split("\n")[1:-1],
    }

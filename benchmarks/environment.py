"""The peers' virtual environment, and the facts of the machine that go with every result."""

from __future__ import annotations

import hashlib
import os
import platform
import sqlite3
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-peers.txt"
VENV = HERE / ".venv"
PEER_PYTHON = VENV / "bin" / "python"
TEMPORAL = VENV / "bin" / "temporal"


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


def facts() -> dict[str, Any]:
    """What a reader needs to judge a figure: cores, versions, what else ran."""
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_average_before": os.getloadavg(),
        "peers": REQUIREMENTS.read_text().split("\n")[1:-1],
    }

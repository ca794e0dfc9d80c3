"""A daemon process of the same user: started detached, found again, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nexaflow_cli import config
from nexaflow_cli.client.http import HttpClient
from nexaflow_cli.client.problems import ForeignError
from nexaflow_cli.errors import (
    ConflictError,
    NexaflowError,
    NotAllowedError,
    UnavailableError,
    UnreachableError,
    UsageError,
)

# Seconds that a start may take: opening a database after a crash included.
_START = 30.0
_STEP = 0.05


def settings_for(
    url: str, host: str | None, port: int | None, data_dir: Path
) -> config.DaemonSettings:
    """The settings of a daemon that answers at `url`, where host and port say nothing else.

    Raises:
        UsageError: the address is on another machine.
    """
    parts = urlsplit(url)
    if host is None and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise UsageError(
            f"{url} is not an address of this machine",
            hint="unset NEXAFLOW_URL, or say --host and --port",
        )
    return config.DaemonSettings(
        data_dir=data_dir,
        host=host or parts.hostname or config.DEFAULT_HOST,
        port=port or (config.DEFAULT_PORT if host else parts.port or 80),
    )


def address(settings: config.DaemonSettings) -> str:
    """Where a daemon with these settings is reached from this machine."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def log_path(data_dir: Path) -> Path:
    """The log of a daemon that was started in the background."""
    return data_dir / "daemon.log"


def credential(url: str) -> dict[str, Any] | None:
    """What the daemon at `url` left for its own user; None if there is nothing."""
    return _read(config.credential_path(url))


def of_directory(data_dir: Path) -> dict[str, Any] | None:
    """What the daemon that owns `data_dir` left; None if there is nothing."""
    wanted = data_dir.resolve()
    for path in sorted((config.state_dir() / "daemons").glob("*.json")):
        left = _read(path)
        if left and Path(str(left.get("data_dir"))).resolve() == wanted:
            return left
    return None


def is_ours(pid: int) -> bool:
    """Whether the process is there and is a NexaFlow daemon, not one that got its number."""
    if pid <= 1:
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        listed = subprocess.run(  # noqa: S603 - a fixed program and a number
            ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, check=False
        )
        words = listed.stdout.split()
    except OSError:
        return False
    return any(b"nexaflow" in word for word in words) and b"serve" in words


def running(settings: config.DaemonSettings) -> dict[str, Any] | None:
    """The daemon that answers at the address of the settings, if it has the same data.

    Raises:
        ConflictError: something else answers there.
    """
    url = address(settings)
    try:
        with HttpClient(config.Connection(url, None), timeout=2.0, attempts=1) as client:
            client.get("/health")
    except (NexaflowError, ValueError) as error:
        if isinstance(error, UnreachableError) and not isinstance(error, ForeignError):
            return None
        raise ConflictError(
            f"something else than a NexaFlow daemon answers at {url}",
            hint="choose another port with --port",
        ) from error
    left = credential(url)
    if left is None or Path(str(left["data_dir"])).resolve() != settings.data_dir.resolve():
        raise ConflictError(
            f"a daemon with other data runs at {url} already",
            hint="choose another port with --port",
        )
    return _told(url, int(left["pid"]), settings.data_dir)


def start(settings: config.DaemonSettings) -> dict[str, Any]:
    """Start a daemon that outlives this process, and wait until it answers.

    Raises:
        NexaflowError: it ended, for the reason it gave, or did not answer in time.
    """
    url = address(settings)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise NotAllowedError(
            f"cannot use {settings.data_dir} as a data directory: {error.strerror}",
            hint="name another one with --data-dir",
        ) from error
    path = log_path(settings.data_dir)
    before = path.stat().st_size if path.exists() else 0
    with path.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - this very program
            command(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=settings.data_dir,
        )
    deadline = time.monotonic() + _START
    with HttpClient(config.Connection(url, None), timeout=2.0, attempts=1) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.get("/health")
                left = credential(url)
                if left and int(left["pid"]) == process.pid:
                    # It outlives this process, and nobody here waits for its end.
                    process.returncode = 0
                    return _told(url, process.pid, settings.data_dir)
            except (NexaflowError, ValueError):
                pass
            time.sleep(_STEP)
    code = process.poll()
    if code is None:
        process.terminate()
    raise _failure(path, before, code)


def command(settings: config.DaemonSettings) -> list[str]:
    """The command line of a daemon with these settings."""
    return [
        sys.executable,
        "-m",
        "nexaflow_cli",
        "serve",
        "--host",
        settings.host,
        "--port",
        str(settings.port),
        "--data-dir",
        str(settings.data_dir),
    ]


def stop(left: dict[str, Any], timeout: float) -> None:
    """Ask a daemon to end, and wait until its process is gone.

    Args:
        left: what it left for its user.
        timeout: seconds to wait.

    Raises:
        UnavailableError: it is still there.
    """
    pid = int(left["pid"])
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while is_ours(pid):
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"the daemon (pid {pid}) has not ended after {timeout:g} seconds",
                hint=f"look into {log_path(Path(left['data_dir']))}",
            )
        time.sleep(_STEP)


def tail(path: Path, lines: int, *, follow: bool) -> Iterator[str]:
    """The last lines of a file, and with `follow` those that come, for ever."""
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from deque(file, maxlen=lines)
        while follow:
            line = file.readline()
            if line:
                yield line
            else:
                time.sleep(0.2)


def _told(url: str, pid: int, data_dir: Path) -> dict[str, Any]:
    return {
        "url": url,
        "pid": pid,
        "data_dir": str(data_dir),
        "log": str(log_path(data_dir)),
    }


def _read(path: Path) -> dict[str, Any] | None:
    try:
        left = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return left if isinstance(left, dict) and {"pid", "url", "data_dir"} <= left.keys() else None


def _failure(path: Path, before: int, code: int | None) -> NexaflowError:
    """Why a daemon did not come up, from what it wrote into its log since `before`."""
    with path.open("rb") as log:
        log.seek(before)
        said = log.read().decode("utf-8", "replace").strip().splitlines()
    where = f"the whole log is in {path}"
    if code is None:
        return UnavailableError(f"the daemon did not answer in {_START:g} seconds", hint=where)
    errors = [line for line in said if line.startswith("error: ")]
    if not errors:
        last = said[-1] if said else "it said nothing"
        return UnavailableError(f"the daemon ended with exit code {code}: {last}", hint=where)
    hints = [line for line in said if line.startswith("hint: ")]
    kinds = (UsageError, NotAllowedError, ConflictError)
    kind = next((kind for kind in kinds if kind.exit_code == code), UnavailableError)
    hint = hints[-1].removeprefix("hint: ") if hints else where
    return kind(errors[-1].removeprefix("error: "), hint=hint)

"""Settings: a flag, then the environment, then the current context, then the default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080
DEFAULT_URL = f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """What one daemon runs with; sizes in bytes, times in seconds."""

    data_dir: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    max_active_runs: int = 256
    max_processes: int = 256
    grace: float = 5.0
    log_bytes: int = 10 * 1024 * 1024
    output_bytes: int = 1024 * 1024
    body_bytes: int = 256 * 1024 * 1024

    @property
    def database(self) -> Path:
        return self.data_dir / "nexaflow.db"

    @property
    def files_dir(self) -> Path:
        return self.data_dir / "files"

    @property
    def logs_dir(self) -> Path:
        return self.data_dir / "logs"

    @property
    def work_dir(self) -> Path:
        return self.data_dir / "work"

    @property
    def tmp_dir(self) -> Path:
        return self.data_dir / "tmp"


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a client finds a daemon, and the key it shows there."""

    url: str
    api_key: str | None


def data_dir(flag: Path | None = None, env: Mapping[str, str] = os.environ) -> Path:
    """The data directory: the flag, `NEXAFLOW_DATA_DIR`, or the user's own."""
    if flag is not None:
        return flag.expanduser().absolute()
    if named := env.get("NEXAFLOW_DATA_DIR"):
        return Path(named).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("nexaflow", appauthor=False)


def state_dir(env: Mapping[str, str] = os.environ) -> Path:
    """Where a daemon leaves, for its own user, the word of how to reach it."""
    if named := env.get("NEXAFLOW_STATE_DIR"):
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path

    return user_state_path("nexaflow", appauthor=False)


def credential_path(url: str, env: Mapping[str, str] = os.environ) -> Path:
    """The file in which the daemon at `url` leaves its local credential, mode 0600."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    host = parts.hostname or DEFAULT_HOST
    if host in {"localhost", "::1", "0.0.0.0", "::"}:  # noqa: S104 - a name to look up, no bind
        host = DEFAULT_HOST
    return state_dir(env) / "daemons" / f"{host.replace(':', '_')}-{parts.port or 80}.json"


def connection(
    url: str | None = None, api_key: str | None = None, env: Mapping[str, str] = os.environ
) -> Connection:
    """Resolve the daemon to talk to; a local credential is used for loopback addresses only."""
    address = (url or env.get("NEXAFLOW_URL") or DEFAULT_URL).rstrip("/")
    key = api_key or env.get("NEXAFLOW_API_KEY") or _local_key(address, env)
    return Connection(address, key)


def _local_key(url: str, env: Mapping[str, str]) -> str | None:
    from urllib.parse import urlsplit

    if (urlsplit(url).hostname or "") not in {"127.0.0.1", "localhost", "::1"}:
        return None
    path = credential_path(url, env)
    try:
        info = path.stat()
        if info.st_uid != os.getuid() or info.st_mode & 0o077:
            return None
        import json

        key = json.loads(path.read_text())["api_key"]
    except (OSError, ValueError, KeyError):
        return None
    return key if isinstance(key, str) else None

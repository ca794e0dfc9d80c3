"""NexaFlow from the runner's side: how it is started, and a plain client of its API."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.children import (
    LOOPBACK,
    ChildError,
    Worker,
    free_port,
    process,
    tail,
    wait_for_port,
    worker,
)
from benchmarks.subjects import workflows

COMMAND = Path(sys.executable).with_name("nexaflow")


def engine(directory: Path) -> AbstractContextManager[Worker]:
    """The daemon's parts and their clients in one child process, without HTTP and triggers."""
    return worker(
        Path(sys.executable),
        "benchmarks.subjects.nexaflow_app",
        directory / "data",
        log=directory / "log",
    )


@dataclass(frozen=True, slots=True)
class Daemon:
    """A running `nexaflow serve`."""

    pid: int
    port: int
    api_key: str
    data_dir: Path
    env: Mapping[str, str]

    def connect(self) -> Api:
        """A connection of its own to the daemon."""
        return Api(self.port, self.api_key)


class Api:
    """One kept-alive connection; JSON in and out."""

    def __init__(self, port: int, api_key: str) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request; raises `ChildError` for anything but success."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        self._connection.request(method, f"/api/v2/{path}", data, self._headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 300:
            raise ChildError(f"{method} {path}: {response.status} {content[:500]!r}")
        return json.loads(content) if content else None

    def wait_until_idle(self, workflow: str, seconds: float = 30.0) -> dict[str, Any]:
        """The workflow's stats, once none of its runs is under way."""
        deadline = time.monotonic() + seconds
        while True:
            stats: dict[str, Any] = self.call("GET", f"workflows/{workflow}/stats")
            if not stats["running"] and not stats["queued"]:
                return stats
            if time.monotonic() > deadline:
                raise ChildError(f"runs of {workflow} do not end: {stats}")
            time.sleep(0.002)


@contextmanager
def daemon(directory: Path) -> Iterator[Daemon]:
    """`nexaflow serve` on a free loopback port with a fresh data directory and twenty workflows."""
    port = free_port()
    log, state, data_dir = directory / "log", directory / "state", directory / "data"
    env = {name: value for name, value in os.environ.items() if not name.startswith("NEXAFLOW_")}
    env |= {
        "NEXAFLOW_STATE_DIR": str(state),
        "NEXAFLOW_URL": f"http://{LOOPBACK}:{port}",
        "NO_COLOR": "1",
    }
    argv = [COMMAND, "serve", "--port", str(port), "--data-dir", data_dir]
    with process(argv, log, env=env) as child:
        wait_for_port(child, port, log, 30.0)
        running = Daemon(child.pid, port, _local_key(state, port, log), data_dir, env)
        running.connect().call("POST", "workflows/apply", {"documents": workflows.served()})
        yield running


@contextmanager
def served(directory: Path) -> Iterator[Worker]:
    """A daemon, and clients in another process that speak HTTP to it."""
    with (
        daemon(directory) as running,
        worker(
            Path(sys.executable),
            "benchmarks.subjects.nexaflow_client",
            str(running.port),
            running.api_key,
            log=directory / "client.log",
        ) as clients,
    ):
        yield clients


def _local_key(state: Path, port: int, log: Path) -> str:
    """The key the daemon leaves for its own user, a moment after it listens."""
    path = state / "daemons" / f"{LOOPBACK}-{port}.json"
    deadline = time.monotonic() + 10
    while not path.exists():
        if time.monotonic() > deadline:
            raise ChildError(f"the daemon left no key: {tail(log)}")
        time.sleep(0.01)
    key: str = json.loads(path.read_text())["api_key"]
    return key

"""`serve` as a process of its own: address, key file, signals, refusals."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from served import SPEAK
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nexaflow_cli.config import Connection, connection, credential_path
from nexaflow_cli.errors import ConflictError, UsageError
from nexaflow_cli.server.credential import Credential
from nexaflow_cli.server.listener import bind

PROGRAM = """
import sys
from pathlib import Path
from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.errors import NexaflowError
from nexaflow_cli.server.serve import serve
try:
    sys.exit(serve(DaemonSettings(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), grace=5.0)))
except NexaflowError as error:
    print(error.message, "|", error.hint, file=sys.stderr)
    sys.exit(error.exit_code)
"""


class Process:
    """A serving process, once it has said where."""

    def __init__(self, data_dir: Path, env: dict[str, str], host: str = "127.0.0.1") -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(data_dir), host, "0"],
            env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.popen.stderr is not None
        self.said: list[str] = []
        for line in self.popen.stderr:
            self.said.append(line.rstrip("\n"))
            if line.startswith("listening on"):
                break
        found = re.fullmatch(r"listening on (http://\S+:(\d+)) \(data: (.+)\)", self.said[-1])
        assert found, self.said
        self.url, self.port, self.data = found[1], int(found[2]), found[3]

    def end(self, number: signal.Signals) -> int:
        self.popen.send_signal(number)
        assert self.popen.stderr is not None
        self.said += self.popen.stderr.read().splitlines()
        return self.popen.wait(20)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    own = {k: v for k, v in os.environ.items() if not k.startswith("NEXAFLOW_")}
    return {**own, "NEXAFLOW_STATE_DIR": str(tmp_path / "state")}


@pytest.fixture
def process(tmp_path: Path, env: dict[str, str]) -> Iterator[Process]:
    started = Process(tmp_path / "data", env)
    yield started
    if started.popen.poll() is None:
        started.end(signal.SIGKILL)
    if started.popen.stderr is not None:
        started.popen.stderr.close()


def reached(process: Process, env: dict[str, str]) -> Connection:
    return connection(process.url, env=env)


def test_the_same_user_gets_in_with_no_key_to_copy(process: Process, env: dict[str, str]) -> None:
    path = credential_path(process.url, env)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    left = json.loads(path.read_text())
    assert left.keys() == {"url", "api_key", "pid", "data_dir", "version"}
    assert (left["pid"], left["data_dir"]) == (process.popen.pid, process.data)
    found = reached(process, env)
    assert found.api_key is not None
    assert found.api_key.startswith("nxk_")
    headers = {"Authorization": f"Bearer {found.api_key}"}
    assert httpx.get(f"{process.url}/api/v2/runs", headers=headers).status_code == 200
    assert httpx.get(f"{process.url}/api/v2/runs").status_code == 401


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(
    process: Process, env: dict[str, str], number: signal.Signals
) -> None:
    assert process.end(number) == 0
    assert not credential_path(process.url, env).exists()
    assert process.said[-1].endswith("stopped")
    assert not list(Path(process.data).glob("*-wal"))


def test_open_sockets_are_told_and_do_not_hold_it_up(process: Process, env: dict[str, str]) -> None:
    key = {"Authorization": f"Bearer {reached(process, env).api_key}"}
    with connect(f"ws://127.0.0.1:{process.port}/api/v2/live", additional_headers=key) as watcher:
        assert process.end(signal.SIGTERM) == 0
        with pytest.raises(ConnectionClosed):
            watcher.recv(timeout=10)
        assert watcher.close_code == 1012


def test_a_second_signal_ends_it_at_once(process: Process, env: dict[str, str]) -> None:
    ask = httpx.Client(
        base_url=process.url, headers={"Authorization": f"Bearer {reached(process, env).api_key}"}
    )
    slow = SPEAK.replace("echo", "trap '' TERM; echo started; sleep 60; echo")
    body = {"documents": [{"filename": "a", "source": slow}]}
    assert ask.post("/api/v2/workflows/apply", json=body).status_code == 200
    run = ask.post("/api/v2/runs", json={"workflow": "speak"}).json()["id"]
    while not ask.get(f"/api/v2/runs/{run}/logs").json()["items"]:
        pass  # until the step, which will not go by itself, has begun
    ask.close()
    process.popen.send_signal(signal.SIGTERM)
    assert process.popen.stderr is not None
    while "stopping" not in process.popen.stderr.readline():
        pass
    assert process.end(signal.SIGTERM) == 128 + signal.SIGTERM
    assert not credential_path(process.url, env).exists()


def test_what_was_acknowledged_is_there_after_a_restart(
    process: Process, env: dict[str, str]
) -> None:
    ask: dict[str, Any] = {"headers": {"Authorization": f"Bearer {reached(process, env).api_key}"}}
    body = {"documents": [{"filename": "a", "source": SPEAK}]}
    assert httpx.post(f"{process.url}/api/v2/workflows/apply", json=body, **ask).status_code == 200
    process.end(signal.SIGKILL)
    assert credential_path(process.url, env).exists()
    again = Process(Path(process.data), env)
    ask = {"headers": {"Authorization": f"Bearer {reached(again, env).api_key}"}}
    assert httpx.get(f"{again.url}/api/v2/workflows/speak", **ask).status_code == 200
    assert again.end(signal.SIGTERM) == 0
    assert again.popen.stderr is not None
    again.popen.stderr.close()


def refused(env: dict[str, str], data_dir: Path, host: str, port: int) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(data_dir), host, str(port)],
        env=env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_taken_port_is_told_before_anything_begins(
    process: Process, env: dict[str, str], tmp_path: Path
) -> None:
    code, said = refused(env, tmp_path / "other", "127.0.0.1", process.port)
    assert code == 6
    assert f"127.0.0.1:{process.port} is taken" in said
    assert "--port" in said
    assert not (tmp_path / "other").exists()


def test_a_data_directory_in_use_is_told_with_its_owner(
    process: Process, env: dict[str, str]
) -> None:
    code, said = refused(env, Path(process.data), "127.0.0.1", 0)
    assert code == 6
    assert str(process.popen.pid) in said
    assert reached(process, env).api_key


def test_off_loopback_it_says_who_has_a_key(tmp_path: Path, env: dict[str, str]) -> None:
    started = Process(tmp_path / "data", env, host="0.0.0.0")
    try:
        assert any("open to the network" in line for line in started.said)
        assert started.url == f"http://127.0.0.1:{started.port}"
        assert httpx.get(f"{started.url}/api/v2/runs").status_code == 401
        other = {"Host": "flow.example:80"}
        assert httpx.get(f"{started.url}/health", headers=other).status_code == 200
    finally:
        assert started.end(signal.SIGTERM) == 0
        assert started.popen.stderr is not None
        started.popen.stderr.close()


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid", "a b", "x" * 300])
def test_an_address_that_this_machine_has_not(host: str) -> None:
    with pytest.raises(UsageError, match="cannot listen on"):
        bind(host, 0)


def test_an_address_is_shared_with_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(ConflictError, match=f"127.0.0.1:{port} is taken"):
            bind("127.0.0.1", port)


def test_a_credential_of_another_daemon_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXAFLOW_STATE_DIR", str(tmp_path))
    first, second = (Credential("http://127.0.0.1:1", f"nxk_{i}", tmp_path) for i in (1, 2))
    first.write()
    second.write()
    first.remove()
    assert second.path.exists()
    second.remove()
    second.remove()
    assert not second.path.exists()
    assert not list(second.path.parent.iterdir())

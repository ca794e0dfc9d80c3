"""The command line as a test drives it, and a daemon's REST interface under a test's control."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Cli, Outcome

from nexaflow_cli.cli.app import command
from nexaflow_cli.cli.boundary import run

sys.path.insert(0, str(Path(__file__).parents[1] / "client"))
from scripted_server import Script, scripted


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run a command line in this process; no daemon of the user's own is ever found."""
    monkeypatch.setenv("NEXAFLOW_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("NEXAFLOW_API_KEY", raising=False)
    monkeypatch.setenv("NEXAFLOW_URL", "http://127.0.0.1:1")

    def call(*words: str) -> Outcome:
        capfd.readouterr()
        code = run(command(), list(words))
        sys.stderr.flush()
        return Outcome(code, *capfd.readouterr())

    return call


@pytest.fixture
def server(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A scripted daemon, with NEXAFLOW_URL pointing at it."""
    with scripted() as script:
        monkeypatch.setenv("NEXAFLOW_URL", script.url)
        yield script

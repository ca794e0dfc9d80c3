"""What `nexaflow demo` shows: real commands against a real daemon in a scratch directory."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from nexaflow_cli import config
from nexaflow_cli.cli import apply, background, files, follow, runs, state, workflows
from nexaflow_cli.cli.console import out
from nexaflow_cli.errors import NotFoundError, UnavailableError

_SHORT = "Buy milk, water the plants, and call Ada about the release.\n"
_LONG = " ".join(["Every run leaves a history that explains it."] * 12) + "\n"
# Seconds that a dropped file may take until its run is there.
_PATIENCE = 15.0


def examples() -> Path:
    """Where the example workflows are: in the wheel, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_data" / "examples"
    found = packaged if packaged.is_dir() else package.parent / "examples" / "workflows"
    if not any(found.glob("*.yaml")):
        raise NotFoundError("the example workflows did not come with this installation")
    return found


class Demonstration:
    """A daemon of its own, and the things shown with it.

    Args:
        keep: leave the daemon running and its files in place at the end.
    """

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._scratch = Path(tempfile.mkdtemp(prefix="nexaflow-demo-"))
        self._left: dict[str, Any] | None = None

    def __enter__(self) -> Demonstration:
        # The user's own daemons and their keys are not touched.
        os.environ["NEXAFLOW_STATE_DIR"] = str(self._scratch / "state")
        os.environ.pop("NEXAFLOW_API_KEY", None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._keep and error is None:
            return
        if self._left is not None:
            background.stop(self._left, 30.0)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def play(self) -> None:
        """Show it all."""
        self._start()
        self._apply()
        self._drop_files()
        self._retry()
        self._graph()
        self._history()
        self._end()

    def _start(self) -> None:
        settings = config.DaemonSettings(data_dir=self._scratch / "data", port=_free_port())
        self._say("A daemon of its own: one process, one directory, nothing else.")
        self._command(f"daemon start --port {settings.port} --data-dir {settings.data_dir}")
        self._left = background.start(settings)
        state.options.url = self._left["url"]
        out.line(f"daemon started: {self._left['url']} (pid {self._left['pid']})")

    def _apply(self) -> None:
        self._say("Workflows are YAML files, checked before they are applied.")
        self._command("apply examples/workflows/")
        apply.apply([str(examples())])
        self._command("workflows list")
        workflows.list_()

    def _drop_files(self) -> None:
        inbox = self._scratch / "data" / "files" / "workspace" / "inbox"
        self._say("Two real files land in a watched folder. Nobody starts anything by hand.")
        inbox.mkdir(parents=True, exist_ok=True)
        for name, text in (("note.txt", _SHORT), ("report.txt", _LONG)):
            out.line(out.paint(f"$ cp {name} {inbox}/", "strong"))
            (inbox / name).write_text(text)
        for run in self._runs("document-intake", 2):
            self._command(f"runs watch {run['id']}")
            follow.watch(run["id"], logs=True)
        self._command("ls /workspace")
        files.ls("/workspace")

    def _retry(self) -> None:
        self._say("A service is busy at first: the step is tried again, with growing pauses.")
        self._run("flaky-service", {"busy_for": 2})

    def _graph(self) -> None:
        self._say("Steps as a graph, side by side; one fails, and is allowed to.")
        run = self._run("release", {"version": "1.4.0"})
        self._command(f"runs get {run}")
        runs.get(run)

    def _history(self) -> None:
        self._say("Everything that happened is in the history.")
        self._command("workflows history document-intake")
        workflows.history("document-intake")
        self._command("runs list")
        runs.list_()

    def _end(self) -> None:
        self._say("That was it. What to try next:")
        for command, why in (
            ("nexaflow init", "write a first workflow of your own"),
            ("nexaflow run workflows/hello.yaml", "run it here, without a daemon"),
            ("nexaflow daemon start", "start a daemon that stays"),
            ("nexaflow apply workflows/", "give it your workflows"),
            ("nexaflow --help", "see everything else"),
        ):
            out.line(f"  {command.ljust(36)}{out.paint(why, 'muted')}")
        if self._keep:
            assert self._left is not None
            out.line()
            out.line("The daemon of this demo goes on. To talk to it, and to end it:")
            out.line(f"  export NEXAFLOW_STATE_DIR={self._scratch / 'state'}")
            out.line(f"  export NEXAFLOW_URL={self._left['url']}")
            out.line(f"  nexaflow daemon stop && rm -r {self._scratch}")

    def _run(self, workflow: str, inputs: dict[str, Any]) -> str:
        given = " ".join(f"-i {key}={value}" for key, value in inputs.items())
        self._command(f"run {workflow} {given} --follow")
        with state.client() as client:
            run = str(client.post("runs", {"workflow": workflow, "inputs": inputs})["id"])
        follow.watch(run, logs=True)
        return run

    def _runs(self, workflow: str, count: int) -> list[Any]:
        """The runs of a workflow, oldest first, as soon as there are `count` of them."""
        deadline = time.monotonic() + _PATIENCE
        with state.client() as client:
            while time.monotonic() < deadline:
                found = list(client.pages("runs", workflow=workflow, limit=count))
                if len(found) >= count:
                    return found[::-1]
                time.sleep(0.05)
        raise UnavailableError(
            f"the files started no run of {workflow} in {_PATIENCE:g} seconds",
            hint="nexaflow demo --keep leaves the daemon for a closer look",
        )

    def _say(self, text: str) -> None:
        out.line()
        out.line(out.paint(f"# {text}", "busy"))
        out.flush()

    def _command(self, words: str) -> None:
        out.line(out.paint(f"$ nexaflow {words}", "strong"))
        out.flush()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((config.DEFAULT_HOST, 0))
        port: int = free.getsockname()[1]
        return port

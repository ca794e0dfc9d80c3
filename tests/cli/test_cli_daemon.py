"""The command line against a real daemon: one process for all tests, on a port of its own."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Outcome

from nexaflow_cli.__main__ import main

WORKFLOWS = """\
name: sort
description: Sort documents.
triggers:
  - event: file.created
    pattern: /in/*.txt
inputs:
  region: {type: string, enum: [eu, us], default: eu}
  count: {type: integer, default: 1}
  people: {type: array, items: {type: string}, default: [ann, bob]}
steps:
  - id: look
    run: |
      echo "in $REGION"
      echo "careful" >&2
    env: {REGION: "${{ inputs.region }}"}
    output: text
  - id: route
    switch:
      - if: ${{ inputs.count > 1 }}
        steps: [{id: many, action: log, with: {message: many}}]
      - else: true
        steps: [{id: few, action: log, with: {message: few}}]
  - id: tell
    for_each: ${{ inputs.people }}
    as: person
    action: log
    with: {message: "dear ${{ person }}"}
output: {count: "${{ inputs.count }}", said: "${{ steps.look.output }}"}
---
name: broken
steps:
  - id: fine
    run: echo fine
  - id: bad
    run: echo "no way" >&2; exit 3
    retry: {max_attempts: 2, backoff_seconds: 0.05}
  - id: after
    run: echo never
---
name: patient
steps:
  - id: hold
    action: wait
    with: {duration: 10m}
"""

Nexaflow = Callable[..., Outcome]


class Daemon:
    """A daemon of its own, handled by nothing but the command line."""

    def __init__(self, root: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.root = root
        self.data = root / "data"
        self.env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
            "NEXAFLOW_STATE_DIR": str(root / "state"),
            "NEXAFLOW_DATA_DIR": str(self.data),
            "NEXAFLOW_URL": self.url,
        }

    def __call__(self, *words: str, input: str = "", **env: str) -> Outcome:
        """Run a command line in this process: all of it but the start of the interpreter."""
        streams = {
            name: io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
            for name in ("stdout", "stderr")
        }
        streams["stdin"] = io.TextIOWrapper(io.BytesIO(input.encode()), "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("NEXAFLOW_")]:
                patch.delenv(name)
            for name, value in (self.env | env).items():
                patch.setenv(name, value)
            patch.chdir(self.root)
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            patch.setattr(sys, "argv", ["nexaflow", *words])
            code = main()
        said = [streams[name].buffer.getvalue().decode() for name in ("stdout", "stderr")]  # type: ignore[attr-defined]
        return Outcome(code, *said)

    def json(self, *words: str) -> Any:
        shown = self(*words, "-o", "json")
        assert shown.code == 0, shown.err
        return json.loads(shown.out)


@pytest.fixture(scope="session")
def nexaflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("daemon"))
    started = daemon("daemon", "start")
    assert started.code == 0, started.err
    (daemon.root / "flows").mkdir()
    (daemon.root / "flows" / "all.yaml").write_text(WORKFLOWS)
    applied = daemon("apply", "flows/")
    assert applied.code == 0, applied.err
    yield daemon
    assert daemon("daemon", "stop").code == 0


def test_the_daemon_is_there(nexaflow: Daemon) -> None:
    status = nexaflow.json("daemon", "status")
    assert status["status"] == "ok"
    assert status["url"] == nexaflow.url
    assert Path(status["data_dir"]) == nexaflow.data
    shown = nexaflow("daemon", "status").out.splitlines()
    assert shown[0] == f"daemon   {nexaflow.url}"
    assert nexaflow.json("version")["daemon"] == status["version"]
    assert nexaflow("daemon", "logs", "-n", "5").out


def test_starting_it_again_finds_it(nexaflow: Daemon) -> None:
    pid = nexaflow.json("daemon", "status")["pid"]
    shown = nexaflow("daemon", "start")
    assert (shown.code, shown.out) == (0, f"daemon already running: {nexaflow.url} (pid {pid})\n")


def test_its_port_is_taken_for_other_data(nexaflow: Daemon) -> None:
    shown = nexaflow("daemon", "start", "--data-dir", "elsewhere")
    assert shown.code == 6
    assert "a daemon with other data runs at" in shown.err


def test_its_data_is_locked_for_another_daemon(nexaflow: Daemon) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shown = nexaflow("serve", "--port", port)
    assert shown.code == 6
    assert shown.err.count("\n") <= 2
    assert str(nexaflow.data) in shown.err
    started = nexaflow("daemon", "start", "--port", port)
    assert (started.code, started.out) == (6, "")
    assert started.err == shown.err


def test_a_wrong_key_and_no_key_are_refused(nexaflow: Daemon) -> None:
    assert nexaflow("workflows", "list", "--api-key", "nxk_wrong").code == 4
    shown = nexaflow("workflows", "list", NEXAFLOW_STATE_DIR="/no/such")
    assert (shown.code, shown.out) == (4, "")
    assert shown.err.startswith("error: ")
    assert "\nhint: " in shown.err


def test_applying_tells_each_change(nexaflow: Daemon) -> None:
    text = "name: {0}\nsteps: [{{id: a, run: echo {1}}}]\n"
    file = nexaflow.root / "one.yaml"
    for version, (words, change) in enumerate([("1", "created"), ("2", "updated")], start=1):
        file.write_text(text.format("changing", words))
        planned = nexaflow("plan", "one.yaml", "--exit-code")
        assert planned.code == 1
        assert planned.err == f"1 would be {change}\n"
        assert planned.out.endswith(f" would be {change}\n")
        assert nexaflow.json("apply", "one.yaml") == [
            {"name": "changing", "version": version, "change": change}
        ]
    shown = nexaflow("apply", "one.yaml")
    assert (shown.out, shown.err) == ("= changing v2 unchanged\n", "1 unchanged\n")
    assert nexaflow("plan", "one.yaml", "--exit-code").code == 0
    file.write_text(text.format("changing", "3"))
    assert (
        "-steps: [{id: a, run: echo 2}]\n+steps: [{id: a, run: echo 3}]"
        in nexaflow("plan", "one.yaml", "--diff").out
    )
    assert nexaflow("workflows", "delete", "changing").out == "- changing deleted\n"
    assert nexaflow("workflows", "delete", "changing").code == 5


def test_pruning_deletes_what_no_file_defines(nexaflow: Daemon) -> None:
    (nexaflow.root / "extra.yaml").write_text("name: extra\nsteps: [{id: a, run: echo}]\n")
    assert nexaflow("apply", "extra.yaml").code == 0
    rows = nexaflow.json("plan", "flows/", "--prune")
    assert {"name": "extra", "change": "deleted"}.items() <= next(
        row for row in rows if row["name"] == "extra"
    ).items()
    assert "extra" in nexaflow("workflows", "list", "-o", "name").out.split()
    nexaflow("apply", "flows/", "--prune")
    assert "extra" not in nexaflow("workflows", "list", "-o", "name").out.split()


def test_an_invalid_file_changes_nothing_and_is_shown_in_place(nexaflow: Daemon) -> None:
    (nexaflow.root / "bad.yaml").write_text(
        "name: bad\nsteps:\n  - id: a\n    run: x\n    timout: 3\n"
    )
    shown = nexaflow("apply", "bad.yaml", "flows/")
    assert (shown.code, shown.out) == (1, "")
    assert "bad.yaml:5:5: error[unknown-key]" in shown.err
    assert "    5 |     timout: 3\n      |     ^^^^^^\n" in shown.err
    assert "bad" not in nexaflow("workflows", "list", "-o", "name").out.split()


def test_a_run_is_followed_to_its_end(nexaflow: Daemon) -> None:
    shown = nexaflow(
        "run", "sort", "-i", "region=us", "-i", "count=2", "-i", "people=cy", "--follow"
    )
    assert (shown.code, shown.err) == (0, "")
    told = [line.partition(" ")[2] for line in shown.out.splitlines()]
    for line in (
        "run started",
        "● look started",
        "  look | in us",
        "  many | many",
        "  tell[0] | dear cy",
    ):
        assert line in told
    assert (
        told.index("● look started") < told.index("  look | in us") < told.index("● route: case 1")
    )
    assert 'output: {"count": 2, "said": "in us"}' in shown.out


def test_a_run_that_is_waited_for_answers_with_the_run(nexaflow: Daemon) -> None:
    shown = nexaflow("run", "broken", "--wait", "-o", "json")
    run = json.loads(shown.out)
    assert (shown.code, run["status"], run["error"]["step"]) == (1, "failed", "bad")
    told = nexaflow("runs", "get", run["id"])
    assert told.code == 0
    assert "✗ bad" in told.out
    assert "– after  skipped" in told.out
    assert "error  step bad: exit code 3: no way\n  | no way\n" in told.out
    assert nexaflow("runs", "watch", run["id"]).code == 1
    (last, *_) = nexaflow.json("workflows", "errors", "broken")
    assert (last["run"], last["step"], last["attempt"]) == (run["id"], "bad", 2)


def test_inputs_are_checked_before_a_run_is_made(nexaflow: Daemon) -> None:
    before = nexaflow.json("runs", "list", "--workflow", "sort")
    for words, code in ((["-i", "regio=eu"], 2), (["-i", "count=x"], 2), (["-i", "region=xx"], 1)):
        shown = nexaflow("run", "sort", *words)
        assert (shown.code, shown.out) == (code, "")
    assert nexaflow.json("runs", "list", "--workflow", "sort") == before


def test_an_unknown_name_is_not_found(nexaflow: Daemon) -> None:
    for words in (
        ["run", "nope"],
        ["workflows", "get", "nope"],
        ["runs", "get", "nope"],
        ["runs", "get", "nope/steps"],
        ["workflows", "get", "nope?limit=1"],
        ["cat", "/nope"],
    ):
        shown = nexaflow(*words)
        assert (shown.code, shown.out) == (5, "")
        assert "nope" in shown.err.splitlines()[0]


def test_a_run_is_paused_resumed_and_cancelled(nexaflow: Daemon) -> None:
    started = nexaflow("run", "patient", "-o", "name")
    run = started.out.strip()
    assert nexaflow("runs", "pause", run).code == 0
    assert nexaflow("runs", "resume", run).code == 0
    assert nexaflow("runs", "resume", run).code == 6
    cancelled = nexaflow("runs", "cancel", run, "--reason", "enough")
    assert cancelled.code == 0
    assert nexaflow("runs", "watch", run).code == 1
    assert nexaflow("runs", "cancel", run).code == 6
    assert nexaflow.json("runs", "get", run)["status"] == "cancelled"


def test_ctrl_c_leaves_the_run_going(nexaflow: Daemon) -> None:
    run = nexaflow("run", "patient", "-o", "name").out.strip()
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from nexaflow_cli.__main__ import main; sys.exit(main())"
    )
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code, "runs", "watch", run],
        env=nexaflow.env,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as watching:
        assert watching.stdout is not None
        assert b"run started" in watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=30)
    assert watching.returncode == 130
    assert f"nexaflow runs watch {run}".encode() in said
    assert nexaflow.json("runs", "get", run)["status"] in {"running", "waiting"}
    assert nexaflow("runs", "cancel", run).code == 0


def test_files_go_in_and_out_and_start_runs(nexaflow: Daemon) -> None:
    assert nexaflow("write", "/in/ü name.txt", "--input", "-", input="one\n").code == 0
    assert nexaflow("append", "/in/ü name.txt", "two").code == 0
    assert nexaflow("cat", "/in/ü name.txt").out == "one\ntwo\n"
    assert nexaflow("cp", "/in/ü name.txt", "/out/a.bin").code == 0
    assert nexaflow("mv", "/out/a.bin", "/out/b.bin").code == 0
    assert nexaflow("ls", "/out", "-o", "name").out == "/out/b.bin\n"
    assert nexaflow("ls", "/out/b.bin", "-o", "name").out == "/out/b.bin\n"
    assert nexaflow("ls", "/*/*.txt", "-o", "name").out == "/in/ü name.txt\n"
    assert nexaflow("rm", "/out/b.bin").code == 0
    assert nexaflow("ls", "/out").err == "no files there\n"
    (event,) = nexaflow.json("events", "list", "--type", "file.created", "--path", "/in/ü name.txt")
    (run,) = event["runs"]
    assert nexaflow("runs", "watch", run).code == 0
    (row,) = [row for row in nexaflow.json("workflows", "history", "sort") if row["id"] == run]
    assert (row["file"], row["status"]) == ("/in/ü name.txt", "success")
    assert {"timestamp", "duration"} <= row.keys()
    assert "/in/ü name.txt" in nexaflow("workflows", "history", "sort", "--limit", "20").out


def test_bytes_are_kept_as_they_are(nexaflow: Daemon, tmp_path: Path) -> None:
    data = os.urandom(700_000)
    (tmp_path / "data").write_bytes(data)
    assert nexaflow("write", "/raw.bin", "--input", str(tmp_path / "data")).code == 0
    done = subprocess.run(
        [sys.executable, "-m", "nexaflow_cli", "cat", "/raw.bin"],
        env=nexaflow.env,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
    )
    assert done.stdout == data


def test_logs_are_read_whole_by_step_and_live(nexaflow: Daemon) -> None:
    run = nexaflow("run", "sort", "--wait", "-o", "name").out.strip()
    assert "look | in eu\n" in nexaflow("runs", "logs", run).out
    assert sorted(nexaflow("runs", "logs", run, "--step", "look").out.split("\n")) == [
        "",
        "careful",
        "in eu",
    ]
    assert sorted(nexaflow("runs", "logs", run, "-f").out) == sorted(
        nexaflow("runs", "logs", run).out
    )
    unknown = nexaflow("runs", "logs", run, "--step", "loko")
    assert (unknown.code, unknown.out) == (5, "")
    assert "has no step 'loko'" in unknown.err
    rows = [
        json.loads(line)
        for line in nexaflow("runs", "logs", run, "-f", "-o", "json").out.splitlines()
    ]
    assert rows == nexaflow.json("runs", "logs", run)


def test_stats_and_details(nexaflow: Daemon) -> None:
    assert nexaflow("run", "sort", "--wait").code == 0
    stats = nexaflow.json("workflows", "stats", "sort")
    assert stats["success"] >= 1
    assert nexaflow("workflows", "stats", "sort").out.startswith("workflow      sort\n")
    shown = nexaflow("workflows", "get", "sort").out
    assert "triggers     file.created /in/*.txt\n" in shown
    assert "\ninputs\n  -i region=<string> (eu, us), default eu\n" in shown
    assert nexaflow("workflows", "get", "sort", "--source").out.startswith("name: sort\n")


def test_a_workflow_is_paused_and_resumed(nexaflow: Daemon) -> None:
    assert nexaflow("workflows", "pause", "sort").out == "sort paused\n"
    assert nexaflow.json("workflows", "get", "sort")["status"] == "paused"
    assert nexaflow("workflows", "resume", "sort").out == "sort active\n"


def test_completion_offers_real_names(nexaflow: Daemon) -> None:
    run = nexaflow("run", "sort", "--wait", "-o", "name").out.strip()
    nexaflow("write", "/in/offered.txt", "x")

    def offered(*words: str) -> list[str]:
        lines = nexaflow("__complete", *words).out.splitlines()
        return [line.partition("\t")[0] for line in lines]

    assert offered("workflows", "get", "so") == ["sort"]
    assert offered("run", "pat") == ["patient"]
    assert run in offered("runs", "get", "")
    assert offered("cat", "/in/off") == ["/in/offered.txt"]
    assert offered("cat", "/i") == ["/in/"]
    assert offered("--url", "http://127.0.0.1:1", "workflows", "get", "") == []


def test_a_broken_connection_is_picked_up_again(tmp_path: Path) -> None:
    """The daemon is stopped and started while a run is watched: the run is seen to its end."""
    daemon = Daemon(tmp_path)
    assert daemon("daemon", "start").code == 0
    (tmp_path / "two.yaml").write_text(
        "name: two\nsteps:\n"
        "  - {id: first, action: wait, with: {duration: 2s}}\n"
        "  - {id: second, run: echo after}\n"
    )
    assert daemon("apply", "two.yaml").code == 0
    run = daemon("run", "two", "-o", "name").out.strip()
    with subprocess.Popen(
        [sys.executable, "-m", "nexaflow_cli", "runs", "watch", run],
        env=daemon.env,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        assert b"run started" in watching.stdout.readline()
        assert daemon("daemon", "stop").code == 0
        assert b"connection lost" in watching.stderr.readline()
        assert daemon("daemon", "start").code == 0
        said, _ = watching.communicate(timeout=60)
    assert daemon("daemon", "stop").code == 0
    assert watching.returncode == 0
    assert said.count(b"second started") == 1
    assert said.count(b"second | after") == 1


def test_a_daemon_that_went_away_is_not_stopped_in_its_place(tmp_path: Path) -> None:
    """The number of a process that is no daemon is left in the credential: it stays alive."""
    daemon = Daemon(tmp_path)
    folder = tmp_path / "state" / "daemons"
    folder.mkdir(parents=True)
    left = {"url": daemon.url, "api_key": "k", "pid": os.getpid(), "data_dir": str(daemon.data)}
    name = daemon.url.removeprefix("http://").replace(":", "-")
    (folder / f"{name}.json").write_text(json.dumps(left))
    assert daemon("daemon", "stop").code == 3
    assert daemon("daemon", "stop", "--data-dir", str(daemon.data)).code == 3
    assert threading.current_thread().is_alive()


def test_the_demo_shows_everything_and_leaves_nothing(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path)
    (tmp_path / "tmp").mkdir()
    shown = daemon("demo", TMPDIR=str(tmp_path / "tmp"))
    assert shown.code == 0, shown.err
    for words in (
        "+ document-intake v1 created",
        "✓ words success",
        "● call started (attempt 3)",
        "/workspace/short/note.txt",
        "/workspace/long/report.txt",
        "nexaflow init",
    ):
        assert words in shown.out
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "state").exists()

"""Lists and single things, in every format, on every kind of stream."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from typing import Any

import pytest
import yaml
from command_line import Cli
from scripted_server import Answer, Script

WORKFLOWS = [
    {
        "name": "invoices",
        "version": 3,
        "status": "active",
        "description": "Sort [red]invoices[/red]",
        "trigger": "file.created /workspace/inbox/**/*.{pdf,txt}, 30 2 * * 1-5 Europe/Berlin",
        "last_run": {"id": "r1", "status": "failed", "started_at": "2020-01-01T00:00:00.000Z"},
        "updated_at": "2020-01-01T00:00:00.000Z",
    },
    {
        "name": "日報",
        "version": 1,
        "status": "paused",
        "trigger": "manual \x1b[31m",
        "last_run": None,
    },
]


def page(*items: Any) -> Answer:
    return Answer(body={"items": list(items), "next": None})


def test_a_table_has_aligned_columns_and_no_lines(cli: Cli, server: Script) -> None:
    server.say(page(*WORKFLOWS))
    shown = cli("workflows", "list")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines() == [
        "NAME      STATUS  TRIGGER                                            LAST RUN",
        "invoices  active  file.created /workspace/inbox/**/*.{pdf,txt} (+1)  failed 2020-01-01",
        "日報      paused  manual \\x1b[31m                                    -",
    ]


def test_wide_shows_more_and_exact_times(cli: Cli, server: Script) -> None:
    server.say(page(*WORKFLOWS))
    head, first, _ = cli("workflows", "list", "-o", "wide").out.splitlines()
    assert head.split()[-3:] == ["VERSION", "UPDATED", "DESCRIPTION"]
    assert "30 2 * * 1-5 Europe/Berlin" in first
    assert "2020-01-01T00:00:00.000Z" in first
    assert "Sort [red]invoices[/red]" in first


def test_json_is_the_array_as_it_came(cli: Cli, server: Script) -> None:
    server.say(page(*WORKFLOWS))
    shown = cli("workflows", "list", "-o", "json")
    assert json.loads(shown.out) == WORKFLOWS
    assert "\x1b" not in shown.out


def test_yaml_is_the_same(cli: Cli, server: Script) -> None:
    server.say(page(*WORKFLOWS))
    assert yaml.safe_load(cli("workflows", "list", "-o", "yaml").out) == WORKFLOWS


def test_name_is_a_name_a_line(cli: Cli, server: Script) -> None:
    server.say(page(*WORKFLOWS))
    assert cli("workflows", "list", "-o", "name").out == "invoices\n日報\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["workflows", "list"], "no workflows yet; apply some with: nexaflow apply FILE\n"),
        (["runs", "list"], "no runs yet; start one with: nexaflow run WORKFLOW\n"),
        (["runs", "list", "--status", "failed"], "no such runs\n"),
        (["events", "list"], "no events yet\n"),
        (["events", "list", "--type", "order.paid"], "no such events\n"),
    ],
)
def test_nothing_to_list_is_said_beside_the_data(
    cli: Cli, server: Script, words: list[str], said: str
) -> None:
    server.say(page())
    shown = cli(*words)
    assert (shown.code, shown.out, shown.err) == (0, "", said)
    assert json.loads(cli(*words, "-o", "json").out) == []


def test_the_cause_of_an_event_is_a_run(cli: Cli, server: Script) -> None:
    event = {"id": "e1", "type": "file.created", "path": "/a", "runs": []}
    server.say(page({**event, "cause": {"run": "r7", "workflow": "sort", "chain": ["sort"]}}))
    assert "r7 (sort)" in cli("events", "list", "-o", "wide").out


RUN = {
    "id": "r1",
    "workflow": "sort",
    "version": 2,
    "status": "failed",
    "trigger": {"type": "event", "event": "file.created", "path": "/in/a.txt"},
    "created_at": "2020-01-01T00:00:00.000Z",
    "started_at": "2020-01-01T00:00:00.000Z",
    "finished_at": "2020-01-01T00:00:05.000Z",
    "duration_ms": 5000,
    "inputs": {"region": "eu"},
    "output": None,
    "error": {"type": "exit", "message": "exit code 3", "step": "b"},
    "steps": [
        {"key": "a", "parent": None, "status": "success", "attempt": 1, "duration_ms": 12},
        {"key": "each", "parent": None, "status": "success", "attempt": 1, "duration_ms": 40},
        {"key": "each[0]", "parent": "each", "status": "success", "attempt": 2, "duration_ms": 20},
        {"key": "each[0].in", "parent": "each[0]", "status": "skipped", "reason": "no need"},
        {
            "key": "b",
            "parent": None,
            "status": "failed",
            "attempt": 3,
            "duration_ms": 4000,
            "error": {"type": "exit", "message": "exit code 3"},
        },
        {"key": "c", "parent": None, "status": "pending", "attempt": 0, "duration_ms": None},
    ],
}
LINES = [
    {"n": 1, "at": "x", "step": "b", "attempt": 2, "stream": "stdout", "text": "before"},
    {
        "n": 2,
        "at": "x",
        "step": "b",
        "attempt": 3,
        "stream": "stderr",
        "text": "\x1b[31mboom\x1b[0m",
    },
]


def test_a_failed_run_is_told_with_its_steps_and_its_last_lines(cli: Cli, server: Script) -> None:
    server.say(Answer(body=RUN), page(*LINES))
    shown = cli("runs", "get", "r1")
    assert (shown.code, shown.err) == (0, "")
    assert [line for line in shown.out.splitlines() if not line.startswith("started")] == [
        "run       r1",
        "workflow  sort v2",
        "status    ✗ failed after 5.0s",
        "trigger   event file.created /in/a.txt",
        'inputs    {"region": "eu"}',
        "",
        "STEP      STATUS   TIME  TRIES  NOTE",
        "✓ a       success  12ms",
        "✓ each    success  40ms",
        "  ✓ [0]   success  20ms      2",
        "    – in  skipped               no need",
        "✗ b       failed   4.0s      3  exit code 3",
        "– c       skipped               not reached",
        "",
        "error  step b: exit code 3",
        "  | boom",
        "logs   nexaflow runs logs r1",
    ]


def test_a_long_for_each_shows_what_matters(cli: Cli, server: Script) -> None:
    items = [
        {"key": f"each[{n}]", "parent": "each", "status": "success", "attempt": 1, "duration_ms": 1}
        for n in range(1000)
    ]
    items[700]["status"] = "failed"
    each = {"key": "each", "parent": None, "status": "failed", "attempt": 1, "duration_ms": 9}
    server.say(Answer(body={**RUN, "status": "running", "error": None, "steps": [each, *items]}))
    shown = cli("runs", "get", "r1").out
    assert "✗ [700]" in shown
    assert "… 999 more, all with -o wide" in shown
    assert len(cli("runs", "get", "r1", "-o", "wide").out.splitlines()) > 1000


def test_logs_are_prefixed_and_cleaned(cli: Cli, server: Script) -> None:
    server.say(page(*LINES))
    assert cli("runs", "logs", "r1").out == "b | before\nb | boom\n"
    assert cli("runs", "logs", "r1", "--step", "b").out == "before\nboom\n"
    assert json.loads(cli("runs", "logs", "r1", "-o", "json").out) == LINES


def in_terminal(columns: int, *words: str, **env: str) -> str:
    """What a terminal of so many columns is sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {**os.environ, "TERM": "xterm-256color", **env}
    for name in {"NO_COLOR", "COLUMNS"} - env.keys():
        environ.pop(name, None)
    program = [sys.executable, "-m", "nexaflow_cli", *words]
    with subprocess.Popen(program, stdin=theirs, stdout=theirs, stderr=theirs, env=environ) as run:
        os.close(theirs)
        sent = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
            if not piece:
                break
            sent += piece
        os.close(ours)
        run.wait()
    return sent.decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    return re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", text)


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_table_keeps_to_the_terminal(server: Script, columns: int) -> None:
    server.say(page(*WORKFLOWS))
    lines = plain(in_terminal(columns, "workflows", "list")).splitlines()
    assert max(map(len, lines)) <= columns
    assert lines[1].startswith("invoices  active  file")


def test_a_terminal_gets_colour_for_meaning(server: Script) -> None:
    server.say(page(*WORKFLOWS))
    sent = in_terminal(80, "workflows", "list")
    assert "\x1b[32mactive\x1b[0m" in sent
    assert "\x1b[31mfailed 2020-01-01\x1b[0m" in sent


@pytest.mark.parametrize(
    ("words", "env"),
    [
        ([], {"NO_COLOR": "1"}),
        ([], {"TERM": "dumb"}),
        (["--no-color"], {}),
    ],
)
def test_colour_can_be_declined(server: Script, words: list[str], env: dict[str, str]) -> None:
    server.say(page(*WORKFLOWS))
    assert "\x1b" not in in_terminal(80, "workflows", "list", *words, **env)


def test_a_stream_without_unicode_gets_ascii(server: Script) -> None:
    server.say(Answer(body={**RUN, "error": None}))
    done = subprocess.run(
        [sys.executable, "-m", "nexaflow_cli", "runs", "get", "r1"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert b"x b       failed" in done.stdout
    assert b"?" not in done.stdout

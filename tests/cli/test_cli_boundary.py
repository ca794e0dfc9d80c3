"""Errors become one sentence, a hint and an exit code."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest
from command_line import Cli
from scripted_server import Answer, Script

from nexaflow_cli import __version__, errors
from nexaflow_cli.cli import generate

PYTHON = [sys.executable, "-m", "nexaflow_cli"]


def problem(status: int, code: str, detail: str = "why", hint: str = "") -> Answer:
    body = {"status": status, "title": "x", "detail": detail, "code": code, "hint": hint}
    return Answer(status, body, type="application/problem+json")


@pytest.mark.parametrize(
    ("words", "code", "error", "hint"),
    [
        (
            ["workflws"],
            2,
            "no such command 'workflws'; did you mean 'workflows'?",
            "nexaflow --help",
        ),
        (["workflows", "nope"], 2, "no such command 'nope'", "nexaflow workflows --help"),
        (["runs", "get"], 2, "missing argument 'RUN'", "nexaflow runs get --help"),
        (["version", "--nope"], 2, "no such option: --nope", "nexaflow version --help"),
        (["version", "a"], 2, "got unexpected extra argument(s) (a)", "nexaflow version --help"),
        (["runs", "list", "-n", "x"], 2, "'x' is not a whole number", "nexaflow runs list --help"),
        (["runs", "list", "-n", "0"], 2, "0 is less than 1", "nexaflow runs list --help"),
        (
            ["version", "-o", "jsn"],
            2,
            "'jsn' is not one of table, wide, json, yaml, name; did you mean 'json'?",
            "--help",
        ),
        (
            ["workflows", "list"],
            3,
            "no daemon answers at http://127.0.0.1:1",
            "nexaflow daemon start",
        ),
        (
            ["daemon", "status"],
            3,
            "no daemon answers at http://127.0.0.1:1",
            "nexaflow daemon start",
        ),
        (["daemon", "stop"], 3, "no daemon of yours runs at http://127.0.0.1:1", "nexaflow daemon"),
        (["validate", "/no/such"], 5, "there is no file or directory /no/such", ""),
        (["run", "/no/such.yaml"], 5, "there is no file or directory /no/such.yaml", ""),
        (
            ["actions", "show", "shel"],
            5,
            "there is no action 'shel'",
            "nexaflow actions show shell",
        ),
        (["write", "/a"], 2, "say what to write", "--input -"),
        (["--url", "nowhere", "runs", "list"], 2, "'nowhere' is not the address", "http://"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    cli: Cli, words: list[str], code: int, error: str, hint: str
) -> None:
    shown = cli(*words)
    assert (shown.code, shown.out) == (code, "")
    first, *rest = shown.err.splitlines()
    assert first.startswith("error: ")
    assert error in first
    if hint:
        assert rest[0].startswith("hint: ")
        assert hint in rest[0]
    assert len(rest) <= 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (problem(401, "unauthenticated"), 4),
        (problem(403, "not-allowed"), 4),
        (problem(404, "not-found"), 5),
        (problem(409, "conflict"), 6),
        (problem(400, "usage"), 2),
        (problem(422, "invalid"), 1),
        (problem(500, "error"), 1),
    ],
)
def test_a_refusal_of_the_daemon_has_its_exit_code(
    cli: Cli, server: Script, answer: Answer, code: int
) -> None:
    server.say(answer)
    shown = cli("workflows", "pause", "a")
    assert (shown.code, shown.out) == (code, "")
    assert shown.err.startswith("error: why\n")


def test_words_of_the_daemon_cannot_steer_the_terminal(cli: Cli, server: Script) -> None:
    server.say(problem(404, "not-found", "no \x1b[2Jfile\r\nerror: fake", "try\x07this"))
    shown = cli("runs", "get", "r")
    assert shown.err == "error: no \\x1b[2Jfile error: fake\nhint: try\\x07this\n"


def test_a_noun_without_a_verb_is_a_mistake_and_shows_its_verbs(cli: Cli) -> None:
    shown = cli("workflows")
    assert (shown.code, shown.out) == (2, "")
    assert "Usage: nexaflow workflows" in shown.err


def test_the_bare_name_shows_help(cli: Cli) -> None:
    shown = cli()
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("Usage: nexaflow ")


@pytest.mark.parametrize(
    "words",
    [
        ["--url", "{url}", "workflows", "list"],
        ["workflows", "--url", "{url}", "list"],
        ["workflows", "list", "--url={url}"],
    ],
)
def test_global_options_stand_before_or_after_the_command(
    cli: Cli, server: Script, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("NEXAFLOW_URL", "http://127.0.0.1:1")
    server.say(Answer(body={"items": [], "next": None}))
    assert cli(*[word.format(url=server.url) for word in words], "--api-key", "nxk_x").code == 0
    assert server.asked[0].headers["Authorization"] == "Bearer nxk_x"


def test_a_bug_is_told_without_a_traceback_and_with_one_on_request(
    cli: Cli, server: Script
) -> None:
    server.say(Answer(body=["not", "what", "was", "agreed"]))
    shown = cli("workflows", "list")
    assert shown.code == 1
    assert shown.err.startswith("error: this should not have happened: ")
    assert "Traceback" not in shown.err
    assert "Traceback" in cli("workflows", "list", "--debug").err


def test_an_error_of_ours_has_a_traceback_only_with_debug(cli: Cli) -> None:
    assert "Traceback" not in cli("validate", "/no/such").err
    assert "Traceback" in cli("--debug", "validate", "/no/such").err


def test_version_is_quick_and_exact() -> None:
    done = subprocess.run([*PYTHON, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"nexaflow {__version__}\n"
    code = """
import sys
sys.argv = ["nexaflow", "--version"]
from nexaflow_cli.__main__ import main
main()
print(len(sys.modules))
"""
    plain = subprocess.run(
        [sys.executable, "-c", "import sys; print(len(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ours.stdout.split()[-1]) - int(plain.stdout) <= 5


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (
            ["workflows", "list"],
            {
                "rich",
                "pydantic",
                "websockets",
                "asyncio",
                "yaml",
                "tenacity",
                "jinja2",
                "jsonschema",
                "click",
                "pygments",
            },
        ),
        (["actions", "list"], {"rich", "pydantic", "httpx", "websockets", "jinja2", "yaml"}),
        (["--help"], {"rich", "pydantic", "httpx", "yaml"}),
    ],
)
def test_a_command_imports_what_it_needs(
    server: Script, words: list[str], absent: set[str]
) -> None:
    server.say(Answer(body={"items": [], "next": None}))
    code = f"""
import sys
sys.argv = ["nexaflow", *{words!r}]
from nexaflow_cli.__main__ import main
code = main()
assert code == 0, code
loaded = {absent!r} & sys.modules.keys()
assert not loaded, loaded
"""
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_closed_pipe_is_no_error(server: Script) -> None:
    rows = [
        {"name": f"workflow-{number}", "status": "active", "version": 1} for number in range(5000)
    ]
    server.say(Answer(body={"items": rows, "next": None}))
    with subprocess.Popen(
        [*PYTHON, "workflows", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


# A job in the background of a shell is started with the signal ignored; a terminal's is not.
LISTENING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from nexaflow_cli.__main__ import main
sys.exit(main())
"""


def test_ctrl_c_is_130() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        program = [sys.executable, "-c", LISTENING, "workflows", "list", "--url", url]
        with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            asking, _ = deaf.accept()
            with asking:
                assert asking.recv(1)
                process.send_signal(signal.SIGINT)
                said = process.communicate(timeout=60)
    assert (process.returncode, *said) == (130, b"", b"\n")


def test_every_exit_code_of_an_error_is_documented() -> None:
    kinds = [errors.NexaflowError]
    while kinds:
        kind = kinds.pop()
        assert f"| {kind.exit_code} |" in generate.reference()
        kinds += [below for below in kind.__subclasses__() if below.__module__ == errors.__name__]

"""`shell`: scripts, what they hand back, and why they failed, in a sentence."""

from __future__ import annotations

import os
from typing import Any

import pytest
from actions_bench import SECRET, Bench

from nexaflow_cli.actions.base import ActionError, Limits, Result


def failed(bench: Bench, params: dict[str, Any], **env: str) -> ActionError:
    with pytest.raises(ActionError) as caught:
        bench.run("shell", params, **env)
    return caught.value


@pytest.mark.parametrize(
    ("form", "script", "output"),
    [
        ("text", "echo hello", "hello"),
        ("text", "printf 'a\\nb\\n\\n'", "a\nb"),
        ("text", "true", ""),
        ("text", "printf 'a\\377'", "a\ufffd"),
        ("lines", "printf 'a\\r\\nb\\n'", ["a", "b"]),
        ("lines", "printf 'a\\n\\nb'", ["a", "", "b"]),
        ("lines", "true", []),
        ("json", """echo '{"n": [1, 2.5, null]}'""", {"n": [1, 2.5, None]}),
        ("json", "echo 7", 7),
        (None, "echo ignored", None),
    ],
)
def test_output_is_read_as_declared(
    bench: Bench, form: str | None, script: str, output: Any
) -> None:
    params = {"script": script} | ({"output": form} if form else {})
    assert bench.run("shell", params) == Result(output, {})


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ("true", "stdout is empty"),
        ("echo '{'", "stdout is not JSON: unexpected end of data: line 2 column 1"),
        ("echo NaN", "stdout is not JSON"),
        ("yes '[' | head -n 3000 | tr -d '\\n'", "stdout is not JSON"),
        (
            "yes '[' | head -n 203 | tr -d '\\n'; yes ']' | head -n 203",
            "stdout is not JSON: it is nested deeper than 200 levels",
        ),
    ],
)
def test_what_is_not_json_says_so(bench: Bench, script: str, cause: str) -> None:
    error = failed(bench, {"script": script, "output": "json"})
    assert error.message.startswith(cause)
    assert error.type == "output"


def test_too_much_output_fails_and_says_what_to_do(bench: Bench) -> None:
    bench.limits = Limits(output=1024)
    error = failed(bench, {"script": "head -c 1025 /dev/zero", "output": "text"})
    assert error.message == (
        "stdout is more than 1 KiB, the most a step's output may be; "
        "write it to a file and hand on its path"
    )
    assert error.retryable is False
    assert bench.run("shell", {"script": "head -c 1024 /dev/zero", "output": "text"}).output


def test_streams_reach_the_log_as_they_are(bench: Bench) -> None:
    bench.run("shell", {"script": "echo out; echo err >&2"})
    assert (bench.said.stdout, bench.said.stderr) == (b"out\n", b"err\n")


@pytest.mark.parametrize(
    ("script", "message", "code"),
    [
        ("exit 3", "exit code 3", 3),
        (
            "echo first >&2; echo 'curl: (6) no host' >&2; exit 3",
            "exit code 3: curl: (6) no host",
            3,
        ),
        ("printf 'why\\n\\n  \\n' >&2; exit 1", "exit code 1: why", 1),
        ("printf '\\033[31mred\\033[0m' >&2; exit 1", "exit code 1: [31mred [0m", 1),
        ("false; echo not reached", "exit code 1", 1),
        ("kill -9 $$", "killed by SIGKILL", 137),
        (
            "sh -c 'kill -SEGV $$' || exit 139",
            "exit code 139 (a command was killed by SIGSEGV)",
            139,
        ),
        ("nosuchcommand", "exit code 127: /bin/sh: 1: nosuchcommand: not found", 127),
    ],
)
def test_failure_names_its_cause(bench: Bench, script: str, message: str, code: int) -> None:
    error = failed(bench, {"script": script})
    assert error.message.startswith(message)
    assert (error.type, error.process_exit_code) == ("exit", code)
    assert error.retryable


def test_a_failure_keeps_the_output(bench: Bench) -> None:
    error = failed(bench, {"script": "echo '[1]'; exit 75", "output": "json"})
    assert (error.output, error.process_exit_code) == ([1], 75)


def test_secrets_are_masked_in_output_values_and_messages(bench: Bench) -> None:
    env = {"TOKEN": SECRET}
    script = 'echo "[\\"$TOKEN\\"]"; echo "got=$TOKEN" >> "$NEXAFLOW_OUTPUT"'
    result = bench.run("shell", {"script": script, "output": "json"}, **env)
    assert result == Result(["***"], {"got": "***"})
    error = failed(bench, {"script": 'echo "bad $TOKEN" >&2; exit 1'}, **env)
    assert error.message == "exit code 1: bad ***"


@pytest.mark.parametrize(
    ("shell", "script", "output"),
    [
        ("sh", "echo $0", "/bin/sh"),
        ("bash", "[[ a == a* ]] && echo ${BASH_VERSION:+bash}", "bash"),
        ("python", "import sys; print(sys.version_info.major)", "3"),
        (["sh", "-c", 'echo "$0"; eval "$1"', "named"], "echo x", "named\nx"),
    ],
)
def test_shell_chooses_what_runs_it(bench: Bench, shell: Any, script: str, output: str) -> None:
    params = {"script": script, "shell": shell, "output": "text"}
    assert bench.run("shell", params).output == output


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_scripts_stop_at_the_first_failure(bench: Bench, shell: str) -> None:
    failed(bench, {"script": "false\ntouch made", "shell": shell})
    assert list(bench.scratch.iterdir()) == []


def test_bash_fails_with_any_part_of_a_pipe(bench: Bench) -> None:
    assert failed(bench, {"script": "(exit 4) | cat", "shell": "bash"}).process_exit_code == 4


def test_values_are_never_text_of_the_command(bench: Bench) -> None:
    evil = "'; touch made; $(touch made) `touch made` \"\n&& touch made #"
    result = bench.run("shell", {"script": 'printf %s "$FILE"', "output": "text"}, FILE=evil)
    assert result.output == evil
    assert list(bench.scratch.iterdir()) == []


def test_dir_is_a_directory_of_the_file_space(bench: Bench) -> None:
    (bench.files.root / "in; touch made").mkdir()
    params = {"script": "pwd", "dir": "/in; touch made", "output": "text"}
    assert bench.run("shell", params).output == str(bench.files.root / "in; touch made")
    assert bench.run("shell", {"script": "pwd", "output": "text"}).output == str(bench.scratch)


@pytest.mark.parametrize(
    ("path", "message", "type"),
    [
        ("/nowhere", "`dir` /nowhere is no directory of the file space", "not-found"),
        ("/../x", "/../x leaves the file space", "invalid"),
    ],
)
def test_a_wrong_dir_is_named(bench: Bench, path: str, message: str, type: str) -> None:
    error = failed(bench, {"script": "true", "dir": path})
    assert (error.message, error.type) == (message, type)


@pytest.mark.parametrize(
    ("params", "env", "message", "type"),
    [
        (
            {"shell": ["no-such-program"]},
            {},
            "command not found: no-such-program is not on the daemon's PATH",
            "start",
        ),
        (
            {"shell": ["/etc/passwd"]},
            {},
            "not executable: /etc/passwd may not be run by the daemon's user",
            "start",
        ),
        ({}, {"A=B": "x"}, "'A=B' is no name for an environment variable", "invalid"),
        ({}, {"A": "x\0"}, "the environment variable A holds a NUL character", "invalid"),
        (
            {},
            {"A": "x" * 200_000},
            "the environment variable A (200,000 bytes) is too long",
            "invalid",
        ),
        ({"script": "x" * 200_000}, {}, "the script is too long to pass to a process", "invalid"),
        ({"script": "a\0b"}, {}, "the script cannot be passed to /bin/sh", "invalid"),
        ({"shell": "fish"}, {}, "`shell` must be one of sh, bash, python", "invalid"),
        ({"shell": []}, {}, "`shell` as a list needs a program", "invalid"),
        ({"output": "xml"}, {}, "`output` must be one of text, json, lines", "invalid"),
    ],
)
def test_what_cannot_start_says_why(
    bench: Bench, params: dict[str, Any], env: dict[str, str], message: str, type: str
) -> None:
    error = failed(bench, {"script": "true", **params}, **env)
    assert error.message.startswith(message)
    assert error.type == type


def test_values_come_from_the_output_file(bench: Bench) -> None:
    script = """
        echo "size=12" >> "$NEXAFLOW_OUTPUT"
        echo "text<<END" >> "$NEXAFLOW_OUTPUT"
        printf 'one\\ntwo = 2\\nEND\\n' >> "$NEXAFLOW_OUTPUT"
    """
    values = {"size": "12", "text": "one\ntwo = 2"}
    assert bench.run("shell", {"script": script}) == Result(values, values)
    result = bench.run("shell", {"script": f"{script}\necho hi", "output": "text"})
    assert result == Result("hi", values)
    assert list(bench.scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ('echo nonsense > "$NEXAFLOW_OUTPUT"', "line 1 is not key=value: 'nonsense'"),
        ('mkfifo "$NEXAFLOW_OUTPUT"', "it is no ordinary file"),
        ('mkdir "$NEXAFLOW_OUTPUT"', "it is no ordinary file"),
        ('ln -s /etc/passwd "$NEXAFLOW_OUTPUT"', "Too many levels of symbolic links"),
        ('head -c 2000 /dev/zero > "$NEXAFLOW_OUTPUT"', "it holds more than 1 KiB"),
    ],
)
def test_a_strange_output_file_fails_the_step(bench: Bench, script: str, cause: str) -> None:
    bench.limits = Limits(output=1024)
    error = failed(bench, {"script": script})
    assert error.message == f"cannot take the values of $NEXAFLOW_OUTPUT: {cause}"


def test_no_step_can_hide_from_the_warden(bench: Bench) -> None:
    bench.child_env["NEXAFLOW_OWNER"] = "token"
    script = 'echo "$NEXAFLOW_OWNER"'
    result = bench.run("shell", {"script": script, "output": "text"}, NEXAFLOW_OWNER="other")
    assert result.output == "token"


def test_the_environment_is_what_was_declared(bench: Bench) -> None:
    assert "HOME" in os.environ
    result = bench.run("shell", {"script": "env", "shell": ["sh", "-c"], "output": "lines"}, A="1")
    names = {line.partition("=")[0] for line in result.output}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "A", "NEXAFLOW_OUTPUT"}

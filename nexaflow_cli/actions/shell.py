"""`shell`: a script in a child process; values reach it by environment, never as text."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nexaflow_cli.actions.base import (
    OWNER_VARIABLE,
    Action,
    ActionError,
    Call,
    Result,
    failure,
)
from nexaflow_cli.actions.exits import failed, not_started
from nexaflow_cli.actions.outputs import FORMS, Capture, Tail, parse, read_values
from nexaflow_cli.actions.params import choice, invalid, text
from nexaflow_cli.errors import NexaflowError

SHELLS: Mapping[str, Sequence[str]] = {
    "sh": ("/bin/sh", "-e", "-c"),
    "bash": ("bash", "-eo", "pipefail", "-c"),
    "python": ("python3", "-c"),
}


async def _run(params: dict[str, Any], call: Call) -> Result:
    from nexaflow_cli.actions.process import run_process

    argv = [*_interpreter(params), text(params, "script")]
    form = choice(params, "output", FORMS) if params.get("output") is not None else None
    scratch = call.work_dir()
    cwd = _directory(params, call) or scratch
    # Named, not made: a step that writes no values costs no file.
    handed = scratch / f".output-{os.urandom(8).hex()}"
    env = {**call.child_env, **call.env, "NEXAFLOW_OUTPUT": str(handed)}
    if OWNER_VARIABLE in call.child_env:
        env[OWNER_VARIABLE] = call.child_env[OWNER_VARIABLE]
    log, capture, tail = call.log, Capture(call.limits.output), Tail()

    def stdout(data: bytes) -> None:
        log.write("stdout", data)
        if form is not None:
            capture.write(data)

    def stderr(data: bytes) -> None:
        log.write("stderr", data)
        tail.write(data)

    try:
        try:
            status = await run_process(
                argv,
                env=env,
                cwd=cwd,
                stdout=stdout,
                stderr=stderr,
                grace=call.limits.grace,
                children=call.children,
            )
        except (OSError, ValueError) as error:
            where = params.get("dir") or "the run's work directory"
            raise not_started(error, argv, env, cwd, where) from error
        if status != 0:
            raise failed(status, tail.last_line(log.mask), _best_effort(form, capture, call))
        values = {
            name: log.mask(value) for name, value in read_values(handed, call.limits.output).items()
        }
    finally:
        with suppress(OSError):
            handed.unlink()
    if form is None:
        return Result(values or None, values)
    return Result(_masked(parse(capture.value(), form), call), values)


def _interpreter(params: Mapping[str, Any]) -> Sequence[str]:
    shell = params.get("shell", "sh")
    if isinstance(shell, list):
        if not shell or not all(isinstance(part, str) and part for part in shell):
            raise invalid("`shell` as a list needs a program and its arguments, each of them text")
        return shell
    return SHELLS[choice(params, "shell", tuple(SHELLS), "sh")]


def _directory(params: Mapping[str, Any], call: Call) -> Path | None:
    if params.get("dir") is None:
        return None
    path = text(params, "dir")
    try:
        local = call.files.local_path(path)
    except NexaflowError as error:
        raise failure(error) from error
    if not local.is_dir():
        raise ActionError(f"`dir` {path} is no directory of the file space", type="not-found")
    return local


def _masked(value: Any, call: Call) -> Any:
    """Every text within, masked; after parsing, as escapes could hide a secret before it."""
    if isinstance(value, str):
        return call.log.mask(value)
    if isinstance(value, list):
        return [_masked(item, call) for item in value]
    if isinstance(value, dict):
        return {call.log.mask(name): _masked(item, call) for name, item in value.items()}
    return value


def _best_effort(form: str | None, capture: Capture, call: Call) -> Any:
    if form is None:
        return None
    try:
        return _masked(parse(capture.value(), form), call)
    except ActionError:
        return None


ACTION = Action(
    name="shell",
    summary="Run a script; `run: TEXT` is short for it.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["script"],
        "properties": {
            "script": {
                "type": "string",
                "description": "What to run. No expressions: values arrive by `env` of the step.",
            },
            "shell": {
                "oneOf": [
                    {"enum": list(SHELLS)},
                    {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
                ],
                "default": "sh",
                "description": "What runs it: `sh` (/bin/sh -e -c), `bash` (-eo pipefail -c), "
                "`python` (python3 -c), or a program with arguments that the script is added to.",
            },
            "dir": {
                "type": "string",
                "description": "Directory to start in, a path of the file space; without it the "
                "run's own scratch directory.",
            },
            "output": {
                "enum": list(FORMS),
                "description": "How to read stdout as the step's output: `text` (without the "
                "newlines at its end), `json`, or `lines`.",
            },
        },
    },
    run=_run,
    output="Stdout as `output` declares it; without that, the key=value lines (or key<<END blocks) "
    "written to the file $NEXAFLOW_OUTPUT, which are also the step's `values`.",
    example="""\
- id: count
  run: |
    wc -w < "$FILE"
    echo "size=$(stat -c %s "$FILE")" >> "$NEXAFLOW_OUTPUT"
  env: {FILE: "${{ event.local_path }}"}
  output: text
""",
)

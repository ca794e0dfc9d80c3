"""Why a process failed or never began, in a sentence that names the cause."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nexaflow_cli.actions.base import ActionError
from nexaflow_cli.actions.params import invalid

_ONE_STRING = 128 * 1024  # Linux: MAX_ARG_STRLEN, for one argument or variable


def failed(status: int, last_line: str, output: Any) -> ActionError:
    """The failure that an exit status means.

    Args:
        status: what the process ended with; negative for a signal.
        last_line: what it said last on stderr.
        output: what it had printed by then.
    """
    code = status
    if status < 0:
        code = 128 - status  # what a shell would say of a child that ended so
        said = f"killed by {_signal_name(-status)}"
    elif status > 128 and (name := _signal_name(status - 128, "")):
        said = f"exit code {status} (a command was killed by {name})"
    else:
        said = f"exit code {status}"
    message = f"{said}: {last_line}" if last_line else said
    return ActionError(message, type="exit", process_exit_code=code, output=output)


def _signal_name(number: int, unknown: str = "signal {}") -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return unknown.format(number)


def not_started(
    error: OSError | ValueError,
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: Path,
    where: str,
) -> ActionError:
    """The failure that an error of starting a process means.

    Args:
        error: as `run_process` raised it.
        argv: what was to run; the script is last.
        env: the environment it was to get.
        cwd: the directory it was to start in.
        where: what the user calls that directory.
    """
    program = argv[0]
    if isinstance(error, ValueError):
        return invalid(_bad_text(env) or f"the script cannot be passed to {program}: {error}")
    if error.filename is not None and os.fspath(error.filename) == str(cwd) != program:
        return ActionError(f"cannot start in {where}: {error.strerror}", type="start")
    if error.errno == errno.ENOENT:
        return ActionError(
            f"command not found: {program} is not on the daemon's PATH",
            type="start",
            process_exit_code=127,
        )
    if error.errno == errno.EACCES:
        return ActionError(
            f"not executable: {program} may not be run by the daemon's user",
            type="start",
            process_exit_code=126,
        )
    if error.errno == errno.E2BIG:
        return invalid(_too_long(argv[-1], env))
    return ActionError(f"cannot start {program}: {error.strerror}", type="start")


def _bad_text(env: Mapping[str, str]) -> str | None:
    for name, value in env.items():
        if not name or "=" in name or "\0" in name:
            return f"{name!r} is no name for an environment variable"
        if "\0" in value:
            return f"the environment variable {name} holds a NUL character: no process can get it"
    return None


def _too_long(script: str, env: Mapping[str, str]) -> str:
    largest = max(env, key=lambda name: len(env[name]), default="")
    if len(script) >= len(env.get(largest, "")):
        return (
            "the script is too long to pass to a process (128 KiB on Linux): "
            "put it into a file and run that"
        )
    length = len(os.fsencode(env[largest]))
    which = f"the environment variable {largest} ({length:,} bytes)"
    if length < _ONE_STRING:
        which = f"the environment, with {which} as its largest,"
    return (
        f"{which} is too long to pass to a process: "
        "write it to a file with file.write and pass its path"
    )

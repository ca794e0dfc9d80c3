"""The one place where an error becomes words and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

from nexaflow_cli.cli import console, state
from nexaflow_cli.cli.framework import ClickException, Exit, NoArgsIsHelpError, UsageError
from nexaflow_cli.errors import NexaflowError

USAGE = 2
INTERRUPTED = 130


def run(command: Any, arguments: list[str]) -> int:
    """Run a command line and return its exit code; nothing is raised, nothing is left unsaid."""
    state.reset()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = _guarded(command, arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has seen enough. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _guarded(command: Any, arguments: list[str]) -> int:
    try:
        with command.make_context("nexaflow", list(arguments)) as context:
            command.invoke(context)
        return 0
    except Exit as end:
        return end.exit_code
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, EOFError):
        console.err.line()
        return INTERRUPTED
    except NoArgsIsHelpError as error:
        return _help(error, arguments)
    except ClickException as error:
        console.error(_sentence(error.format_message()), _usage_hint(error))
        return error.exit_code
    except NexaflowError as error:
        if state.options.debug:
            trace(error)
        console.error(error.message, error.hint)
        return error.exit_code
    except Exception as error:
        if state.options.debug:
            trace(error)
        if isinstance(error, OSError) and error.strerror:
            where = f"{error.filename}: " if error.filename else ""
            console.error(f"{where}{error.strerror}")
            return 1
        console.error(
            f"this should not have happened: {type(error).__name__}: {error}",
            "run the command again with --debug, and report what it prints",
        )
        return 1


def trace(error: BaseException) -> None:
    """Print the traceback of an error."""
    import traceback

    console.err.raw("".join(traceback.format_exception(error)))


def _help(error: NoArgsIsHelpError, arguments: list[str]) -> int:
    """A noun without a verb is a mistake; the bare program name is a question."""
    assert error.ctx is not None
    text = error.ctx.get_help()
    if error.ctx.parent is None and not arguments:
        console.out.line(text)
        return 0
    console.err.line(text)
    return USAGE


def _sentence(message: str) -> str:
    text = " ".join(message.split()).rstrip(".").replace(". Did you mean", "; did you mean")
    return text[:1].lower() + text[1:]


def _usage_hint(error: ClickException) -> str:
    if isinstance(error, UsageError) and error.ctx is not None:
        return f"{error.ctx.command_path} --help"
    return ""

"""What the shell may offer next: the answer to `nexaflow __complete WORD…`.

The last word is the one under the cursor, perhaps empty. The answer is a line for each candidate,
its value and a description with a tab between them; or the one line `:files`, which leaves the
word to the shell's own completion of file names.
"""

import sys
from typing import Any

from typer._click.shell_completion import _resolve_context, _resolve_incomplete

from nexaflow_cli.cli.app import command
from nexaflow_cli.cli.text import clean

FILES = ":files"
_LOCAL = ("FILE", "DIR", "PATH…")


def answer(words: list[str]) -> int:
    """Print the candidates; nothing, if anything is wrong."""
    try:
        lines = candidates(words)
    except (Exception, SystemExit):
        # A prompt is no place for an error: the command itself will tell.
        return 0
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def candidates(words: list[str]) -> list[str]:
    """The lines of the answer.

    Args:
        words: after the program's name, up to the one under the cursor.
    """
    *before, incomplete = words or [""]
    # bash makes words of `--status=failed` at the sign of equality.
    before = [word for word in before if word != "="]
    if incomplete == "=":
        incomplete = ""
    root = command()
    context = _resolve_context(root, {}, "nexaflow", before)
    if context.command is root and any(not word.startswith("-") for word in before[-1:]):
        return []
    wanted, incomplete = _resolve_incomplete(context, list(before), incomplete)
    found = wanted.shell_complete(context, incomplete)
    if not found and _is_local(wanted):
        return [FILES]
    return [
        f"{clean(item.value)}\t{clean(item.help or '')}"
        for item in found
        if str(item.value).startswith(incomplete)
    ]


def _is_local(wanted: Any) -> bool:
    """Whether a parameter takes the name of a local file."""
    if getattr(wanted, "_custom_shell_complete", None) is not None:
        return False
    return str(getattr(wanted, "metavar", "")) in _LOCAL

"""The reference of the command line, made from the commands themselves.

`python -m nexaflow_cli.cli.generate` writes `docs/cli.md` and the files of `completions/`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nexaflow_cli.cli.app import command
from nexaflow_cli.cli.framework import arguments, option_rows, placeholder
from nexaflow_cli.cli.registry import COMMANDS, SECTIONS
from nexaflow_cli.cli.shells import FILE_NAMES, SCRIPTS

_HEAD = """\
# The command line

Made from the program by `python -m nexaflow_cli.cli.generate`; do not edit.

Data goes to standard output, everything else to standard error. Global options may stand before
or after the command. Every command that reads takes `-o table|wide|json|yaml|name`.

| exit code | meaning |
| --- | --- |
| 0 | it went well |
| 1 | the thing failed: a run failed, a file is invalid, a plan has changes with `--exit-code` |
| 2 | the command line is wrong |
| 3 | no daemon answers |
| 4 | not allowed: no key, a wrong key, or one that may not do this |
| 5 | there is no such thing |
| 6 | the thing is not in a state that allows this |
| 130 | interrupted by Ctrl-C |
"""


def contexts() -> Iterator[tuple[Any, Any]]:
    """Every command with its context: the root, then each noun and its verbs, in order."""
    root = command()
    top = root.context_class(root, info_name="nexaflow")
    yield root, top
    for entry in COMMANDS:
        found = root.get_command(top, entry.name)
        yield from _walk(found, entry.name, top)


def _walk(found: Any, name: str, parent: Any) -> Iterator[tuple[Any, Any]]:
    context = found.context_class(found, info_name=name, parent=parent)
    yield found, context
    for verb, inner in getattr(found, "commands", {}).items():
        if not inner.hidden:
            yield from _walk(inner, verb, context)


def reference() -> str:
    """The text of `docs/cli.md`."""
    pages = {path_of(context): (found, context) for found, context in contexts()}
    root, top = pages.pop("nexaflow")
    parts = [_HEAD, "## Global options\n", _options(root, top)]
    for section in SECTIONS:
        parts.append(f"## {section}\n")
        for entry in COMMANDS:
            if entry.section == section:
                start = f"nexaflow {entry.name}"
                for path, (found, context) in pages.items():
                    if path == start or path.startswith(start + " "):
                        parts.append(_page(path, found, context))
    return "\n".join(parts)


def path_of(context: Any) -> str:
    """The words that call a command."""
    words: list[str] = []
    while context is not None:
        words.insert(0, str(context.info_name))
        context = context.parent
    return " ".join(words)


def _page(path: str, found: Any, context: Any) -> str:
    usage = " ".join(found.collect_usage_pieces(context))
    text = [f"### {path}\n", inspect.cleandoc(found.help or "") + "\n"]
    text.append(f"```\n{path} {usage}\n```\n")
    if options := _options(found, context):
        text.append(options)
    if found.epilog:
        text.append(f"```console\n{inspect.cleandoc(found.epilog)}\n```\n")
    return "\n".join(text)


def _options(found: Any, context: Any) -> str:
    rows = [(placeholder(param), param.help or "") for param in arguments(found)]
    rows += [row for row in option_rows(found, context) if not row[0].endswith("--help")]
    if not rows:
        return ""
    lines = [f"| `{name.strip()}` | {' '.join(text.split())} |" for name, text in rows]
    return "\n".join(["| | |", "| --- | --- |", *lines]).replace("NAME|FILE", "NAME\\|FILE") + "\n"


def write(root: Path) -> None:
    """Write everything that is made from the commands below `root`."""
    (root / "docs").mkdir(exist_ok=True)
    (root / "docs" / "cli.md").write_text(reference(), encoding="utf-8")
    (root / "completions").mkdir(exist_ok=True)
    for shell, name in FILE_NAMES.items():
        (root / "completions" / name).write_text(SCRIPTS[shell], encoding="utf-8")


if __name__ == "__main__":
    write(Path.cwd())

"""Every command: its help, its place in the registry, its completion, its page of the reference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Cli

from nexaflow_cli.cli import generate
from nexaflow_cli.cli.completing import candidates
from nexaflow_cli.cli.registry import COMMANDS, SECTIONS
from nexaflow_cli.cli.shells import FILE_NAMES, SCRIPTS

ROOT = Path(__file__).parents[2]
TREE = {generate.path_of(context): (found, context) for found, context in generate.contexts()}


def test_the_commands_of_this_release_are_there() -> None:
    nouns = {
        "workflows": "list get history stats errors pause resume delete",
        "runs": "list get logs watch cancel pause resume",
        "daemon": "start stop status logs",
        "actions": "list show",
        "events": "list",
        "completion": "bash zsh fish install",
    }
    single = "validate apply plan run serve schema demo init version write append cat ls cp mv rm"
    wanted = {f"nexaflow {name}" for name in single.split()}
    wanted |= {f"nexaflow {noun} {verb}" for noun in nouns for verb in nouns[noun].split()}
    assert wanted <= TREE.keys()


@pytest.mark.parametrize("path", TREE)
def test_help_has_a_summary_and_fits_80_columns(path: str, cli: Cli) -> None:
    shown = cli(*path.split()[1:], "--help")
    assert (shown.code, shown.err) == (0, "")
    usage, _, rest = shown.out.partition("\n\n")
    assert usage.startswith(f"Usage: {path} ")
    assert rest.strip()
    assert [line for line in shown.out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("path", [path for path, (found, _) in TREE.items() if found.params])
def test_every_option_and_argument_is_explained(path: str) -> None:
    found, _ = TREE[path]
    assert [param.name for param in found.params if not param.help] == []


LEAVES = [path for path, (found, _) in TREE.items() if not hasattr(found, "commands")]


@pytest.mark.parametrize("path", LEAVES)
def test_every_command_shows_an_example_of_itself(path: str) -> None:
    found, _ = TREE[path]
    assert found.help.strip().endswith(".")
    assert any(path.removeprefix("nexaflow ") in line for line in found.epilog.splitlines())


@pytest.mark.parametrize("path", LEAVES)
def test_every_example_is_a_command_line_that_parses(path: str) -> None:
    import shlex

    found, _ = TREE[path]
    for line in found.epilog.splitlines():
        _, marker, rest = line.partition("nexaflow ")
        assert marker
        command = rest.split("   ")[0]
        for stop in (" | ", " > ", ")"):
            command = command.split(stop)[0]
        words = shlex.split(command)
        root, top = TREE["nexaflow"]
        name, inner, left = root.resolve_command(top, words)
        context = top
        while hasattr(inner, "commands"):
            context = inner.context_class(inner, info_name=name, parent=context)
            name, inner, left = inner.resolve_command(context, left)
        inner.make_context(name, list(left), parent=context)


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_the_registry_says_what_the_command_says(entry: Any) -> None:
    found, _ = TREE[f"nexaflow {entry.name}"]
    assert found.help.splitlines()[0] == entry.summary
    assert entry.section in SECTIONS


@pytest.mark.parametrize(("shell", "name"), FILE_NAMES.items())
def test_the_committed_completions_are_those_of_the_program(shell: str, name: str) -> None:
    text = (ROOT / "completions" / name).read_text(encoding="utf-8")
    assert text == SCRIPTS[shell], "run: python -m nexaflow_cli.cli.generate"


def test_the_committed_reference_is_that_of_the_program() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert text == generate.reference(), "run: python -m nexaflow_cli.cli.generate"


def values(lines: list[str]) -> list[str]:
    return [line.partition("\t")[0] for line in lines]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["work"], ["workflows"]),
        (["runs", ""], ["list", "get", "logs", "watch", "cancel", "pause", "resume"]),
        (["runs", "list", "--st"], ["--status"]),
        (["runs", "list", "--status", "f"], ["failed"]),
        (["runs", "list", "--status", "=", "f"], ["failed"]),
        (["--ur"], ["--url"]),
        (["validate", ""], [":files"]),
        (["write", "/a", "--input", ""], [":files"]),
        (["nonsense", ""], []),
    ],
)
def test_completion_offers_what_can_follow(words: list[str], offered: list[str]) -> None:
    assert values(candidates(words)) == offered


def test_completion_describes_what_it_offers() -> None:
    assert "workflows\tList workflows, look into one, pause or delete it." in candidates(["wo"])


def test_completion_is_silent_without_a_daemon(cli: Cli) -> None:
    assert candidates(["workflows", "get", ""]) == []


def test_completion_offers_workflow_files_for_run(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "a.yaml").touch()
    (tmp_path / "flows" / "notes.txt").touch()
    assert values(candidates(["run", "fl"])) == ["flows/"]
    assert values(candidates(["run", "flows/"])) == ["flows/a.yaml"]


BASH = """
source {script}
compopt() {{ :; }}
COMP_WORDS=(nexaflow {words}); COMP_CWORD={at}
_nexaflow
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "at", "offered"),
    [
        ("workf", 1, ["workflows"]),
        ("runs pa", 2, ["pause"]),
        ("daemon st", 2, ["start", "stop", "status"]),
    ],
)
def test_bash_offers_what_the_program_answers(
    tmp_path: Path, words: str, at: int, offered: list[str]
) -> None:
    program = tmp_path / "nexaflow"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m nexaflow_cli "$@"\n')
    program.chmod(0o755)
    script = ROOT / "completions" / "nexaflow.bash"
    code = BASH.format(script=script, words=words, at=at)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == offered

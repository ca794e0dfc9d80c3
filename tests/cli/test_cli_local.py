"""Commands that need no daemon: validate, run FILE, init, schema, actions, completion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from command_line import Cli

GOOD = "name: {0}\nsteps:\n  - id: a\n    run: echo {0}\n"
BAD = "name: bad\nsteps:\n  - id: a\n    run: echo\n    timout: 3s\n  - id: a\n    action: shel\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_files_without_problems_are_counted(cli: Cli, here: Path) -> None:
    (here / "one.yaml").write_text(GOOD.format("one"))
    (here / "deep").mkdir()
    (here / "deep" / "two.yml").write_text(f"{GOOD.format('two')}---\n{GOOD.format('three')}")
    (here / ".hidden").mkdir()
    (here / ".hidden" / "bad.yaml").write_text(BAD)
    (here / "notes.txt").write_text(BAD)
    shown = cli("validate", ".", "one.yaml")
    assert (shown.code, shown.out) == (0, "")
    assert shown.err == "2 files checked, 3 workflows: no problems\n"


def test_every_problem_is_shown_in_its_place(cli: Cli, here: Path) -> None:
    (here / "bad.yaml").write_text(BAD)
    shown = cli("validate", "bad.yaml")
    assert shown.code == 1
    for place in ("bad.yaml:5:5: error", "bad.yaml:6:9: error", "bad.yaml:7:13: error"):
        assert place in shown.out
    assert "    5 |     timout: 3s\n      |     ^^^^^^\n" in shown.out
    assert "did you mean `timeout`?" in shown.out
    assert shown.err == "1 file checked: 3 errors in 1 file\n"


def test_problems_as_json_and_for_github(cli: Cli, here: Path) -> None:
    (here / "bad.yaml").write_text(BAD)
    shown = cli("validate", "bad.yaml", "--format", "json")
    rows = json.loads(shown.out)
    assert shown.code == 1
    assert [(row["line"], row["column"]) for row in rows] == [(5, 5), (6, 9), (7, 13)]
    annotations = cli("validate", "bad.yaml", "--format", "github").out.splitlines()
    assert annotations[0].startswith("::error file=bad.yaml,line=5,col=5,")


def test_a_file_that_is_not_text_is_told_where(cli: Cli, here: Path) -> None:
    (here / "latin.yaml").write_bytes("name: ok\n# Stra\u00dfe\n".encode("latin-1"))
    shown = cli("validate", "latin.yaml")
    assert shown.code == 1
    assert "latin.yaml:2:7: error[not-utf-8]: the file is not UTF-8 text: byte 0xdf" in shown.out


def test_a_directory_without_workflows_is_a_mistake(cli: Cli, here: Path) -> None:
    shown = cli("validate", ".")
    assert (shown.code, shown.out) == (2, "")
    assert "there is no workflow file (*.yaml, *.yml) in ." in shown.err


def test_many_files_are_checked_on_all_processors(cli: Cli, here: Path) -> None:
    for number in range(300):
        (here / f"{number}.yaml").write_text(GOOD.format(f"flow-{number}"))
    (here / "150.yaml").write_text(BAD)
    shown = cli("validate", ".")
    assert shown.code == 1
    assert shown.out.count("150.yaml:") == 3
    assert shown.err == "300 files checked: 3 errors in 1 file\n"


def test_a_file_is_run_here_and_now(cli: Cli, here: Path) -> None:
    (here / "hi.yaml").write_text(
        "name: hi\ninputs: {who: {type: string}}\nsteps:\n"
        "  - {id: a, run: 'echo \"hi $W\"', env: {W: '${{ inputs.who }}'}, output: text}\n"
        "output: ${{ steps.a.output }}\n"
    )
    shown = cli("run", "hi.yaml", "-i", "who=you")
    assert (shown.code, shown.err) == (0, "")
    assert "  a | hi you\n" in shown.out
    assert shown.out.endswith("output: hi you\n")
    run = json.loads(cli("run", "hi.yaml", "-i", "who=you", "-o", "json").out)
    assert (run["status"], run["output"]) == ("success", "hi you")
    assert cli("run", "hi.yaml", "-i", "whom=you").code == 2


def test_a_directory_is_not_run(cli: Cli, here: Path) -> None:
    (here / "flows").mkdir()
    (here / "flows" / "hi.yaml").write_text(GOOD.format("hi"))
    shown = cli("run", "flows/")
    assert (shown.code, shown.out) == (2, "")
    assert "error: flows is a directory, and one file can be run at a time\n" in shown.err


def test_a_file_that_fails_is_1(cli: Cli, here: Path) -> None:
    (here / "no.yaml").write_text("name: no\nsteps: [{id: a, run: exit 3}]\n")
    shown = cli("run", "no.yaml")
    assert shown.code == 1
    assert "✗ failed in " in shown.out
    assert ": step a: exit code 3" in shown.out


def test_an_invalid_file_is_not_run(cli: Cli, here: Path) -> None:
    (here / "bad.yaml").write_text(BAD)
    shown = cli("run", "bad.yaml")
    assert (shown.code, shown.out) == (1, "")
    assert "bad.yaml:5:5: error" in shown.err
    assert "error: bad.yaml is not a valid workflow file" in shown.err


def test_what_init_writes_is_valid_and_runs(cli: Cli, here: Path) -> None:
    assert cli("init", "project").code == 0
    assert cli("validate", "project/workflows").code == 0
    shown = cli("run", "project/workflows/hello.yaml", "-i", "name=Ada")
    assert shown.code == 0
    assert "output: Hello, Ada!\n" in shown.out
    job = yaml.safe_load((here / "project/.github/workflows/nexaflow.yaml").read_text())
    commands = [step.get("run", "") for step in job["jobs"]["validate"]["steps"]]
    assert "nexaflow validate --format github workflows/" in commands


def test_init_leaves_what_is_there(cli: Cli, here: Path) -> None:
    (here / "workflows").mkdir()
    (here / "workflows" / "hello.yaml").write_text("mine")
    shown = cli("init")
    assert shown.code == 0
    assert "= workflows/hello.yaml is there already\n" in shown.out
    assert (here / "workflows" / "hello.yaml").read_text() == "mine"
    (here / "file").touch()
    assert cli("init", "file").code == 6


def test_the_schema_is_the_committed_one(cli: Cli) -> None:
    path = Path(__file__).parents[2] / "schemas" / "workflow.schema.json"
    shown = cli("schema")
    assert shown.out == path.read_text(encoding="utf-8")
    assert yaml.safe_load(cli("schema", "-o", "yaml").out) == json.loads(shown.out)
    assert cli("schema", "-o", "xml").code == 2


def test_each_action_is_shown(cli: Cli) -> None:
    names = cli("actions", "list", "-o", "name").out.split()
    assert {"shell", "http.request", "file.copy", "set", "log", "fail", "wait"} <= set(names)
    for name in names:
        shown = cli("actions", "show", name)
        assert shown.code == 0
        assert shown.out.startswith(f"action  {name}\n")
        assert "\nexample:\n" in shown.out
        assert json.loads(cli("actions", "show", name, "-o", "json").out)["name"] == name


@pytest.mark.parametrize(
    ("shell", "path"),
    [
        ("bash", "data/bash-completion/completions/nexaflow"),
        ("zsh", "data/zsh/site-functions/_nexaflow"),
        ("fish", "config/fish/completions/nexaflow.fish"),
    ],
)
def test_completion_is_installed_where_the_shell_looks(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch, shell: str, path: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(here / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here / "config"))
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    assert cli("completion", "install").out == f"{here / path}\n"
    assert (here / path).read_text() == cli("completion", shell).out


def test_a_shell_without_completion_is_a_mistake(cli: Cli) -> None:
    shown = cli("completion", "install", "tcsh")
    assert (shown.code, shown.out) == (2, "")
    assert "one of: bash, zsh, fish" in shown.err

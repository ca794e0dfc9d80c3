"""`nexaflow completion`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from nexaflow_cli.cli import console
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.framework import group, verb
from nexaflow_cli.cli.shells import SCRIPTS
from nexaflow_cli.errors import UsageError

app = group("Set up completion in your shell.")


@verb(app, "install", "nexaflow completion install", "nexaflow completion install zsh")
def install(
    shell: Annotated[
        str | None, typer.Argument(metavar="[SHELL]", help="bash, zsh or fish; by default yours.")
    ] = None,
) -> None:
    """Write the completion script where your shell looks for it."""
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in SCRIPTS:
        known = ", ".join(SCRIPTS)
        raise UsageError(
            f"there is no completion for {name!r}" if name else "which shell is it?",
            hint=f"nexaflow completion install SHELL, one of: {known}",
        )
    path = target(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPTS[name], encoding="utf-8")
    out.line(str(path))
    console.note(_NEXT[name].format(folder=path.parent))


@verb(app, "bash", "source <(nexaflow completion bash)")
def bash() -> None:
    """Print the script for bash."""
    out.raw(SCRIPTS["bash"])


@verb(app, "zsh", 'nexaflow completion zsh > "${fpath[1]}/_nexaflow"')
def zsh() -> None:
    """Print the script for zsh."""
    out.raw(SCRIPTS["zsh"])


@verb(app, "fish", "nexaflow completion fish > ~/.config/fish/completions/nexaflow.fish")
def fish() -> None:
    """Print the script for fish."""
    out.raw(SCRIPTS["fish"])


def target(shell: str) -> Path:
    """Where the user's own completion scripts of a shell are."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    if shell == "bash":
        return data / "bash-completion" / "completions" / "nexaflow"
    if shell == "zsh":
        return data / "zsh" / "site-functions" / "_nexaflow"
    return config / "fish" / "completions" / "nexaflow.fish"


_NEXT = {
    "bash": "written; it works in new shells (with the package bash-completion)",
    "zsh": "written; if it does not work in a new shell, add to ~/.zshrc:\n"
    "fpath+=({folder}); autoload -U compinit; compinit",
    "fish": "written; it works in new shells",
}

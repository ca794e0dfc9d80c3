"""Typer's command classes, with what this program adds to them.

Commands of the root are imported when they are asked for, global options may stand after the
command as well as before it, and help is plain text with examples kept as they are written.
Everything that is used from inside Typer is named here and nowhere else.
"""

import copy
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from typer import Exit
from typer._click.core import ParameterSource
from typer._click.exceptions import ClickException, NoArgsIsHelpError, UsageError
from typer._click.formatting import HelpFormatter
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from nexaflow_cli.cli import state
from nexaflow_cli.cli.coercion import simplify
from nexaflow_cli.cli.registry import COMMANDS, SECTIONS, Entry

__all__ = [
    "ClickException",
    "Command",
    "Exit",
    "Group",
    "NoArgsIsHelpError",
    "RootGroup",
    "UsageError",
    "arguments",
    "examples",
    "group",
    "option_rows",
    "placeholder",
    "single",
    "verb",
]

CONTEXT = {"help_option_names": ["-h", "--help"]}


Function = TypeVar("Function", bound=Callable[..., Any])


def examples(*lines: str) -> str:
    """The text under a command's help that shows how to call it."""
    return "\n".join(lines)


def verb(
    app: typer.Typer, name: str, *shown: str, hidden: bool = False
) -> Callable[[Function], Function]:
    """Register a function as a command; `shown` are command lines that show its use."""
    return app.command(
        name, cls=Command, epilog=examples(*shown), context_settings=CONTEXT, hidden=hidden
    )


def single() -> typer.Typer:
    """A Typer application for commands of the root."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def group(help: str) -> typer.Typer:
    """A Typer application for the verbs of one noun."""
    return typer.Typer(
        cls=Group,
        help=help,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=CONTEXT,
    )


def _shared(context: typer.Context) -> list[Any]:
    """Hidden copies of the root's options, for a command to accept in its own place."""
    root = context.find_root().command
    if context.command is root:
        return []
    found = []
    for param in root.params:
        if param.name in state.Options.__slots__:
            param = copy.copy(param)
            param.hidden = True  # type: ignore[attr-defined]
            found.append(param)
    return found


class _Shaped:
    """What commands and groups have in common."""

    epilog: str | None
    _shared_params: list[Any] | None = None

    def get_params(self, ctx: Any) -> list[Any]:
        if self._shared_params is None:
            self._shared_params = _shared(ctx)
            for param in super().get_params(ctx):  # type: ignore[misc]
                simplify(param)
        return [*super().get_params(ctx), *self._shared_params]  # type: ignore[misc]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]
        for param in self._shared_params or []:
            value = ctx.params.pop(param.name, None)
            if ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE:
                setattr(state.options, param.name, value)
        return rest

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        pieces = ["[OPTIONS]", *map(placeholder, arguments(self))]
        return [*pieces, self.subcommand_metavar] if isinstance(self, TyperGroup) else pieces

    def format_options(self, ctx: Any, formatter: HelpFormatter) -> None:
        if rows := [(placeholder(param), param.help or "") for param in arguments(self)]:
            with formatter.section("Arguments"):
                formatter.write_dl(rows)
        if rows := option_rows(self, ctx):
            with formatter.section("Options"):
                formatter.write_dl(rows)
        if isinstance(self, TyperGroup):
            self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: HelpFormatter) -> None:
        if self.epilog:
            formatter.write_paragraph()
            formatter.write_heading("Examples")
            for line in inspect.cleandoc(self.epilog).splitlines():
                formatter.write(f"  {line}".rstrip() + "\n")


class Command(_Shaped, TyperCommand):
    """A command of ours."""


class Group(_Shaped, TyperGroup):
    """A noun with its verbs."""

    command_class = Command


class RootGroup(Group):
    """The root: knows every command by name, and imports a command's module when it is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [entry.name for entry in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands:
            entry = next((entry for entry in COMMANDS if entry.name == cmd_name), None)
            if entry is None:
                return None
            self.commands[cmd_name] = load(entry)
        return self.commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        try:
            return self._click_resolve_command(ctx, args)
        except UsageError as error:
            from difflib import get_close_matches

            names = [entry.name for entry in COMMANDS]
            if close := get_close_matches(args[0], names, n=1):
                error.message = f"{error.message.rstrip('.')}; did you mean {close[0]!r}?"
            raise

    def format_commands(self, ctx: Any, formatter: HelpFormatter) -> None:
        for section in SECTIONS:
            rows = [(entry.name, entry.summary) for entry in COMMANDS if entry.section == section]
            with formatter.section(section):
                formatter.write_dl(rows, col_spacing=2)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        from typer._click.shell_completion import CompletionItem

        found = [
            CompletionItem(entry.name, help=entry.summary)
            for entry in COMMANDS
            if entry.name.startswith(incomplete)
        ]
        return found or TyperCommand.shell_complete(self, ctx, incomplete)


def load(entry: Entry) -> Any:
    """Import the module of a command of the root and make the command of its application."""
    import importlib

    app = importlib.import_module(f"nexaflow_cli.cli.{entry.module}").app
    # Typer makes a bare command of an application with one verb; a noun stays a noun.
    found = get_group(app) if app.info.cls is Group else get_command(app)
    if entry.verb and isinstance(found, TyperGroup):
        found = found.commands[entry.name]
    found.name = entry.name
    return found


def arguments(command: Any) -> list[Any]:
    """The positional parameters of a command."""
    return [param for param in command.params if param.param_type_name == "argument"]


def placeholder(argument: Any) -> str:
    """An argument as the usage line shows it."""
    name = str(argument.display_name_raw)
    return name if argument.required or name.startswith("[") else f"[{name}]"


def option_rows(command: Any, context: Any) -> list[tuple[str, str]]:
    """The options of a command as its help shows them: names and meaning."""
    records = [
        param.get_help_record(context)
        for param in command.get_params(context)
        if param.param_type_name == "option"
    ]
    return [record for record in records if record is not None]

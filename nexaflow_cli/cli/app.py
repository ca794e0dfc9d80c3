"""The root of the command line and its global options."""

from typing import Annotated, Any

import typer
from typer.main import get_command

from nexaflow_cli.cli import state
from nexaflow_cli.cli.framework import CONTEXT, RootGroup, examples

app = typer.Typer(
    cls=RootGroup,
    name="nexaflow",
    help="Workflow automation as YAML: checked in CI, run by one small durable daemon.",
    epilog=examples(
        "nexaflow demo                    see it work",
        "nexaflow init                    write a first workflow",
        "nexaflow daemon start            start the daemon in the background",
        "nexaflow apply workflows/        give it your workflows",
        "nexaflow run hello --follow      start one and watch it",
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
)


def _version(asked: bool) -> None:
    if asked:
        from nexaflow_cli import __version__

        typer.echo(f"nexaflow {__version__}")
        raise typer.Exit


@app.callback()
def root(
    url: Annotated[
        str | None,
        typer.Option(help="Address of the daemon (or NEXAFLOW_URL).", metavar="URL"),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(help="Key to show there (or NEXAFLOW_API_KEY).", metavar="KEY"),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour (or NO_COLOR).")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    state.options.url = url
    state.options.api_key = api_key
    state.options.debug = debug
    state.options.no_color = no_color


def command() -> Any:
    """The root command, made of the application."""
    return get_command(app)

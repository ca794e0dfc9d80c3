"""`nexaflow schema`."""

from typing import Annotated

import typer

from nexaflow_cli.cli import render
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.framework import single, verb
from nexaflow_cli.errors import UsageError

app = single()


@verb(app, "schema", "nexaflow schema > workflow.schema.json", "nexaflow schema -o yaml")
def schema(
    format: Annotated[
        str, typer.Option("--output", "-o", metavar="FORMAT", help="json or yaml.")
    ] = "json",
) -> None:
    """Print the JSON Schema of workflow files, for editors and checks."""
    import json

    from nexaflow_cli.spec.schema import schema_text

    if format == "json":
        out.raw(schema_text())
    elif format == "yaml":
        render.print_yaml(json.loads(schema_text()))
    else:
        raise UsageError(
            f"invalid value for '--output' / '-o': {format!r} is not one of json, yaml",
            hint="nexaflow schema --help",
        )

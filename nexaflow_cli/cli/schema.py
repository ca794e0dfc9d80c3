"""`nexaflow schema`."""

from typing import Annotated, Any

import typer

from nexaflow_cli.cli import render
from nexaflow_cli.cli.framework import single, verb

app = single()


@verb(
    app,
    "schema",
    "nexaflow schema > workflow.schema.json",
    "nexaflow schema -o yaml",
)
def schema(
    format: Annotated[
        str, typer.Option("--output", "-o", metavar="FORMAT", help="json or yaml.")
    ] = "json",
) -> None:
    """Print the JSON Schema of workflow files, for editors and checks."""
    from nexaflow_cli.spec import schema as spec_schema

    found: Any = spec_schema.workflow_schema()
    if format == "yaml":
        render.print_yaml(found)
    else:
        render.print_json(found)

"""`nexaflow serve`."""

from pathlib import Path
from typing import Annotated

import typer

from nexaflow_cli import config
from nexaflow_cli.cli.framework import single, verb

app = single()

DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", metavar="DIR", help="Where everything is kept (or NEXAFLOW_DATA_DIR)."
    ),
]
HostOption = Annotated[str, typer.Option("--host", metavar="HOST", help="Address to listen on.")]
PortOption = Annotated[
    int, typer.Option("--port", "-p", min=1, max=65535, metavar="PORT", help="Port to listen on.")
]


@verb(
    app,
    "serve",
    "nexaflow serve",
    "nexaflow serve --port 9000 --data-dir /var/lib/nexaflow",
)
def serve(
    host: HostOption = config.DEFAULT_HOST,
    port: PortOption = config.DEFAULT_PORT,
    data_dir: DataDirOption = None,
    log_level: Annotated[
        str, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")
    ] = "info",
) -> None:
    """Run the daemon in this terminal, until Ctrl-C or SIGTERM."""
    from nexaflow_cli.cli import state
    from nexaflow_cli.server.serve import serve as run

    settings = config.DaemonSettings(data_dir=config.data_dir(data_dir), host=host, port=port)
    level = "debug" if state.options.debug else log_level
    raise typer.Exit(run(settings, log_level=level))

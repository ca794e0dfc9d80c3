"""`nexaflow demo`."""

from typing import Annotated

import typer

from nexaflow_cli.cli.framework import single, verb

app = single()


@verb(app, "demo", "nexaflow demo", "nexaflow demo --keep")
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the daemon and its files for you to play with.")
    ] = False,
) -> None:
    """See real workflows run, in under a minute.

    Starts a daemon in a scratch directory, applies example workflows, drops real files, shows the
    runs live and their history, and cleans up.
    """
    from nexaflow_cli.cli.demonstration import Demonstration

    with Demonstration(keep=keep) as show:
        show.play()

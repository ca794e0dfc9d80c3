"""`nexaflow demo`."""

from nexaflow_cli.cli.framework import single, verb

app = single()


@verb(app, "demo", "nexaflow demo")
def demo() -> None:
    """See real workflows run, in under a minute."""

"""`nexaflow version`."""

from typing import Any

from nexaflow_cli import __version__
from nexaflow_cli.cli import state
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.framework import single, verb
from nexaflow_cli.cli.options import FormatOption
from nexaflow_cli.cli.render import Format, show_one
from nexaflow_cli.cli.text import clean
from nexaflow_cli.errors import NexaflowError

app = single()


@verb(app, "version", "nexaflow version", "nexaflow version -o json")
def version(format: FormatOption = Format.table) -> None:
    """Show the versions of this program and of the daemon."""
    import platform

    found: dict[str, Any] = {
        "version": __version__,
        "python": platform.python_version(),
        "url": state.connection().url,
        "daemon": _daemon(),
    }

    def draw(wide: bool) -> None:
        out.line(f"nexaflow  {__version__} (Python {found['python']})")
        said = found["daemon"] or "does not answer"
        out.line(f"daemon    {clean(said)} at {clean(found['url'])}")

    show_one(found, format, draw, name="version")


def _daemon() -> str | None:
    try:
        with state.client(timeout=2.0, attempts=1) as client:
            return str(client.get("/health")["version"])
    except (NexaflowError, KeyError, ValueError):
        return None

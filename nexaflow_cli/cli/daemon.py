"""`nexaflow daemon`: the daemon in the background."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nexaflow_cli import config
from nexaflow_cli.cli import background, console, facts, render, state
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.framework import group, verb
from nexaflow_cli.cli.options import FormatOption
from nexaflow_cli.cli.render import Format
from nexaflow_cli.cli.serve import DataDirOption
from nexaflow_cli.cli.status import style
from nexaflow_cli.cli.text import clean, clean_log
from nexaflow_cli.errors import NotFoundError, UnreachableError

app = group("Start, stop and look at the daemon in the background.")


@verb(app, "start", "nexaflow daemon start", "nexaflow daemon start --port 9000 --data-dir ./data")
def start(
    host: Annotated[
        str | None, typer.Option(metavar="HOST", help="Address to listen on; as in --url.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", min=1, max=65535, metavar="PORT", help="As in --url."),
    ] = None,
    data_dir: DataDirOption = None,
    format: FormatOption = Format.table,
) -> None:
    """Start the daemon, and return when it answers."""
    settings = background.settings_for(
        state.connection().url, host, port, config.data_dir(data_dir)
    )
    found = background.running(settings)
    if found is None:
        found = background.start(settings)
        word = "started"
    else:
        word = "already running"

    def draw(wide: bool) -> None:
        out.line(f"daemon {word}: {found['url']} (pid {found['pid']})")
        out.flush()
        console.note(f"data in {found['data_dir']}, log in {found['log']}")

    render.show_one(found, format, draw, name="url")


@verb(app, "stop", "nexaflow daemon stop", "nexaflow daemon stop --data-dir ./data")
def stop(
    data_dir: DataDirOption = None,
    timeout: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to wait for its end.")
    ] = 30.0,
) -> None:
    """Stop the daemon; runs under way go on when it is started again."""
    found = _ours(data_dir)
    background.stop(found, timeout)
    out.line(f"daemon stopped: {clean(found['url'])} (pid {found['pid']})")


@verb(app, "status", "nexaflow daemon status", "nexaflow daemon status -o json")
def status(format: FormatOption = Format.table) -> None:
    """Tell whether the daemon answers; exit code 3 if it does not."""
    with state.client(timeout=5.0) as client:
        health = client.get("/health")
    connection = state.connection()
    left = background.credential(connection.url) or {}
    item: dict[str, Any] = {
        "url": connection.url,
        "status": health["status"],
        "version": health.get("version"),
        "pid": left.get("pid"),
        "data_dir": left.get("data_dir"),
        "checks": health.get("checks") or {},
    }

    def draw(wide: bool) -> None:
        checks = item["checks"]
        told = [f"{name} {_short(result)}" for name, result in checks.items()]
        facts.show(
            [
                ("daemon", clean(item["url"])),
                ("status", out.paint(clean(item["status"]), style(item["status"]))),
                ("version", clean(item["version"])),
                ("pid", item["pid"] and str(item["pid"])),
                ("data", item["data_dir"] and clean(item["data_dir"])),
                ("checks", clean(", ".join(told))),
            ]
        )

    render.show_one(item, format, draw, name="url")


@verb(app, "logs", "nexaflow daemon logs", "nexaflow daemon logs -n 200 -f")
def logs(
    data_dir: DataDirOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, metavar="N", help="How many.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more comes.")] = False,
) -> None:
    """Print the end of the log of a daemon started in the background."""
    directory = config.data_dir(data_dir)
    left = background.credential(state.connection().url) if data_dir is None else None
    if left:
        directory = Path(left["data_dir"])
    path = background.log_path(directory)
    if not path.exists():
        raise NotFoundError(
            f"there is no log {path}", hint="nexaflow daemon start writes one; serve does not"
        )
    for line in background.tail(path, lines, follow=follow):
        out.line(clean_log(line))
        out.flush()


def _ours(data_dir: Path | None) -> dict[str, Any]:
    if data_dir is not None:
        directory = config.data_dir(data_dir)
        found = background.of_directory(directory)
        what = f"for {directory}"
    else:
        url = state.connection().url
        found = background.credential(url)
        what = f"at {url}"
    if found is None or not background.is_ours(int(found["pid"])):
        raise UnreachableError(f"no daemon of yours runs {what}", hint="nexaflow daemon status")
    return found


def _short(result: Any) -> str:
    if isinstance(result, dict):
        return str(result.get("status", "ok" if result.get("ok", True) else "failed"))
    return str(result)

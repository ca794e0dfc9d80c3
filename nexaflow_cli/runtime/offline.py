"""One workflow run at once in this process: the same parts, a directory of its own, no triggers."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.errors import InvalidError
from nexaflow_cli.runtime.daemon import Daemon

OnFrame = Callable[[dict[str, Any]], None]


def run_file(
    text: str,
    filename: str,
    inputs: Mapping[str, Any],
    on_frame: OnFrame,
    data_dir: Path | None = None,
) -> dict[str, Any]:
    """Run the workflow in `text` to its end.

    Args:
        filename: what diagnostics call the text.
        on_frame: given the frames of the live socket as they come.
        data_dir: keeps files and history there; by default in a directory that is removed.

    Returns:
        The run with its steps.

    Raises:
        InvalidError: the definition or the inputs are wrong; nothing was run.
    """
    if data_dir is not None:
        return asyncio.run(_run(text, filename, inputs, on_frame, data_dir))
    with tempfile.TemporaryDirectory(prefix="nexaflow-", ignore_cleanup_errors=True) as scratch:
        return asyncio.run(_run(text, filename, inputs, on_frame, Path(scratch)))


async def _run(
    text: str, filename: str, inputs: Mapping[str, Any], on_frame: OnFrame, data_dir: Path
) -> dict[str, Any]:
    settings = DaemonSettings(data_dir=data_dir)
    daemon = Daemon(replace(settings, grace=1.0), triggers=False)
    await daemon.start()
    try:
        applied = await daemon.workflows.apply([(filename, text)], author="run")
        names = [change["name"] for change in applied["changes"]]
        if len(names) != 1:
            raise InvalidError(
                f"{filename} defines {len(names)} workflows, and one can be run at a time",
                hint="put the one to run into a file of its own",
            )
        run = await daemon.runs.start(names[0], inputs, by="cli")
        _cancel_on_signals(daemon, run["id"])
        async for frame in daemon.live.follow(run["id"], logs=True):
            on_frame(frame)
        return await daemon.runs.get(run["id"])
    finally:
        await daemon.stop()


def _cancel_on_signals(daemon: Daemon, run_id: str) -> None:
    """Ctrl-C cancels the run, so that `on_cancel` and `finally` have their turn; twice ends it."""
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[Any]] = []

    def cancel(number: signal.Signals) -> None:
        tasks.append(loop.create_task(daemon.runs.cancel(run_id, f"cancelled by {number.name}")))
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, cancel, number)
        except (ValueError, RuntimeError):  # not in the main thread: its owner has the signals
            return

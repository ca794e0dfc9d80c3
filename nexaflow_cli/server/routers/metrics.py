"""Figures for Prometheus."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from nexaflow_cli import __version__
from nexaflow_cli.runtime.daemon import Daemon
from nexaflow_cli.server.routing import Routes, daemon_of

routes = Routes("metrics", "Figures for Prometheus.")
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_STATUSES = ("success", "failed", "cancelled", "queued", "running", "paused")


@routes.add("GET", "/metrics", "Read the daemon's figures", answer=_TEXT)
async def metrics(request: Request) -> Response:
    """In Prometheus' text format. Needs a key: names of workflows are in it."""
    daemon = daemon_of(request)
    stats = [await daemon.workflows.stats(name) for name in await _names(daemon)]
    text = "\n".join(_lines(daemon, stats, request.app.state.sockets)) + "\n"
    return Response(text, media_type="text/plain; version=0.0.4")


async def _names(daemon: Daemon) -> list[str]:
    names: list[str] = []
    cursor: str | None = None
    while True:
        page = await daemon.workflows.list(1000, cursor)
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            return names


def _lines(daemon: Daemon, stats: list[dict[str, Any]], sockets: int) -> Iterator[str]:
    yield from _metric("info", "gauge", "The version that runs.")
    yield f'nexaflow_info{{version="{__version__}"}} 1'
    yield from _metric("uptime_seconds", "gauge", "Since the daemon was ready.")
    yield f"nexaflow_uptime_seconds {time.time() - daemon.started_at:.3f}"
    yield from _metric("active_runs", "gauge", "Runs in memory.")
    yield f"nexaflow_active_runs {daemon.active_runs}"
    yield from _metric("commits_total", "counter", "Groups of writes made durable.")
    yield f"nexaflow_commits_total {daemon.commits}"
    yield from _metric("live_sockets", "gauge", "Watchers connected.")
    yield f"nexaflow_live_sockets {sockets}"
    yield from _metric("resident_memory_bytes", "gauge", "Memory of the daemon's process.")
    yield f"nexaflow_resident_memory_bytes {_resident()}"
    yield from _metric("runs", "gauge", "Runs of each workflow in use, by status.")
    for row in stats:
        for status in _STATUSES:
            labels = f'workflow="{row["workflow"]}",status="{status}"'
            yield f"nexaflow_runs{{{labels}}} {row[status]}"
    yield from _metric("run_duration_mean_seconds", "gauge", "Of ended runs, by workflow.")
    for row in stats:
        mean = row["avg_duration_ms"] / 1000
        yield f'nexaflow_run_duration_mean_seconds{{workflow="{row["workflow"]}"}} {mean}'


def _metric(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP nexaflow_{name} {about}"
    yield f"# TYPE nexaflow_{name} {kind}"


def _resident() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")

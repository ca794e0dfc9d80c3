"""Every noun of the API, and every socket. A new one is a module, and a line here."""

from collections.abc import Awaitable, Callable

from starlette.websockets import WebSocket

from nexaflow_cli.server.routers import (
    events,
    files,
    health,
    legacy,
    live,
    metrics,
    runs,
    transfers,
    workflows,
)
from nexaflow_cli.server.routing import Routes

# `transfers` before `files`: its fixed paths lie where any path could.
REGISTRY: tuple[Routes, ...] = (
    health.routes,
    workflows.routes,
    runs.routes,
    transfers.routes,
    files.routes,
    events.routes,
    metrics.routes,
    legacy.routes,
)

SOCKETS: dict[str, Callable[[WebSocket], Awaitable[None]]] = {
    live.PATH: live.live,
}

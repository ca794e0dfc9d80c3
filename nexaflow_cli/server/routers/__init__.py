"""Every noun of the API. A new one is a module with `routes`, and a line here."""

from nexaflow_cli.server.routers import (
    events,
    files,
    health,
    legacy,
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

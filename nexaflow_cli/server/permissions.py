"""What each route and socket needs. What is not named here does not start, let alone answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from starlette.routing import BaseRoute, Route, WebSocketRoute

from nexaflow_cli.server.roles import Permission as P

SOCKET: Final = "SOCKET"
"""Stands where routes have their method."""

PUBLIC: Final = None
"""Answers without a key. Whoever adds one says here what it gives away."""

NEEDS: dict[tuple[str, str], P | None] = {
    ("GET", "/health"): PUBLIC,  # up or not, and the version; all else in it is health's own
    ("GET", "/metrics"): P.SYSTEM_READ,
    ("GET", "/openapi.json"): P.SYSTEM_READ,
    ("GET", "/api/v2/workflows"): P.WORKFLOWS_READ,
    ("POST", "/api/v2/workflows/apply"): P.WORKFLOWS_WRITE,
    ("GET", "/api/v2/workflows/{name}"): P.WORKFLOWS_READ,
    ("DELETE", "/api/v2/workflows/{name}"): P.WORKFLOWS_WRITE,
    ("POST", "/api/v2/workflows/{name}/pause"): P.WORKFLOWS_OPERATE,
    ("POST", "/api/v2/workflows/{name}/resume"): P.WORKFLOWS_OPERATE,
    ("GET", "/api/v2/workflows/{name}/history"): P.RUNS_READ,
    ("GET", "/api/v2/workflows/{name}/stats"): P.RUNS_READ,
    ("GET", "/api/v2/workflows/{name}/errors"): P.RUNS_READ,
    ("GET", "/api/v2/runs"): P.RUNS_READ,
    ("POST", "/api/v2/runs"): P.RUNS_START,
    ("GET", "/api/v2/runs/{run}"): P.RUNS_READ,
    ("GET", "/api/v2/runs/{run}/logs"): P.RUNS_READ,
    ("POST", "/api/v2/runs/{run}/cancel"): P.RUNS_OPERATE,
    ("POST", "/api/v2/runs/{run}/pause"): P.RUNS_OPERATE,
    ("POST", "/api/v2/runs/{run}/resume"): P.RUNS_OPERATE,
    ("GET", "/api/v2/files"): P.FILES_READ,
    ("POST", "/api/v2/files/copy"): P.FILES_WRITE,
    ("POST", "/api/v2/files/move"): P.FILES_WRITE,
    ("POST", "/api/v2/files/read-many"): P.FILES_READ,
    ("GET", "/api/v2/files/{path:path}"): P.FILES_READ,
    ("HEAD", "/api/v2/files/{path:path}"): P.FILES_READ,
    ("PUT", "/api/v2/files/{path:path}"): P.FILES_WRITE,
    ("POST", "/api/v2/files/{path:path}"): P.FILES_WRITE,
    ("DELETE", "/api/v2/files/{path:path}"): P.FILES_WRITE,
    ("GET", "/api/v2/events"): P.EVENTS_READ,
    (SOCKET, "/api/v2/live"): P.RUNS_READ,
    **{
        (method, "/api/v1/{rest:path}"): P.SYSTEM_READ
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    },
}


def names(route: BaseRoute) -> list[tuple[str, str]]:
    """The names under which a route stands in the table.

    Raises:
        TypeError: it is of a kind that the gate does not know, and so would not guard.
    """
    if isinstance(route, WebSocketRoute):
        return [(SOCKET, route.path)]
    if isinstance(route, Route):
        return [(method, route.path) for method in sorted(route.methods or ())]
    raise TypeError(f"{type(route).__name__} cannot be put behind the gate")


def check(routes: Iterable[BaseRoute]) -> None:
    """See that table and application name the same routes.

    Raises:
        TypeError: they differ.
    """
    found = {name for route in routes for name in names(route)}
    if found != NEEDS.keys():
        raise TypeError(f"routes without permission, or none for one: {found ^ NEEDS.keys()}")

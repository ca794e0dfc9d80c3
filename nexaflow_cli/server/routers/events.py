"""Events: the durable facts that start runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from nexaflow_cli.server.responses import Json
from nexaflow_cli.server.routing import API, Cursor, Limit, Routes, daemon_of

routes = Routes("events", "What happened, and what it started.")


@routes.add("GET", f"{API}/events", "List events", answer="EventPage")
async def list_events(
    request: Request,
    type: Annotated[
        str | None, Query(max_length=200, description="Only of this type, as `file.created`.")
    ] = None,
    path: Annotated[str | None, Query(max_length=8192, description="Only about this file.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The newest first, each with its cause and the runs it started."""
    return Json(await daemon_of(request).events.list(type, path, limit, cursor))

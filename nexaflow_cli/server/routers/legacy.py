"""API v1, which has ended."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from nexaflow_cli.errors import GoneError
from nexaflow_cli.server.gate import MIGRATION_GUIDE
from nexaflow_cli.server.routing import Routes

routes = Routes("v1", "Ended.")


@routes.add(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    "/api/v1/{rest:path}",
    "API v1 has ended",
    answer=None,
    hidden=True,
)
async def api_v1(request: Request) -> Response:
    raise GoneError(
        f"API v1 has ended: {request.method} {request.url.path} is gone, and /api/v2 is there",
        hint=f"{MIGRATION_GUIDE} tells how to move",
    )

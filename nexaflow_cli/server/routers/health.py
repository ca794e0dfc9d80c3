"""Whether the daemon works."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from nexaflow_cli.server.responses import Json
from nexaflow_cli.server.routing import Routes, daemon_of

routes = Routes("health", "Whether the daemon works.")


@routes.add(
    "GET",
    "/health",
    "Prove that the daemon can write",
    answer="Health",
    about_answer="`ok`, once a write was made durable; `degraded` with the reason otherwise.",
)
async def health(request: Request) -> Response:
    """Needs no key. Answers 503 with the same body if nothing can be saved."""
    found = await daemon_of(request).health()
    return Json(found, 200 if found["checks"].get("database") == "ok" else 503)

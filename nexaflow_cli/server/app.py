"""The application: routes of every noun, behind one gate, over one daemon."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute

from nexaflow_cli.errors import NexaflowError
from nexaflow_cli.runtime.daemon import Daemon
from nexaflow_cli.server import openapi, permissions, problems
from nexaflow_cli.server.auth import Keyring
from nexaflow_cli.server.bodies import LARGE_AT_ONCE
from nexaflow_cli.server.gate import Gate
from nexaflow_cli.server.origin import is_loopback
from nexaflow_cli.server.responses import Json
from nexaflow_cli.server.routers import REGISTRY, SOCKETS
from nexaflow_cli.server.routing import Routes, StrictRoute

_own = Routes("api", "The API itself.")


@_own.add("GET", "/openapi.json", "Describe the API", answer=None, hidden=True)
async def openapi_json(request: Request) -> Response:
    return Json(openapi.describe(request.app))


def create_app(daemon: Daemon) -> FastAPI:
    """The ASGI application of a daemon that has been started, or is before it serves.

    Raises:
        TypeError: a route has no permission in the table, or a permission no route.
    """
    app = FastAPI(
        title="NexaFlow",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            NexaflowError: problems.on_error,
            RequestValidationError: problems.on_invalid,
            HTTPException: problems.on_http,
        },
    )
    app.state.daemon = daemon
    app.state.large_bodies = asyncio.Semaphore(LARGE_AT_ONCE)
    app.state.sockets = 0
    app.router.route_class = StrictRoute
    # Flat, as the gate walks them: a route inside another router would be hidden from it.
    for routes in (*REGISTRY, _own):
        for path, endpoint, options in routes.found:
            app.router.add_api_route(path, endpoint, **options)
    for path, endpoint in SOCKETS.items():
        app.router.routes.append(WebSocketRoute(path, endpoint))
    permissions.check(app.routes)
    app.add_middleware(
        Gate,
        routes=app.routes,
        identify=Keyring(daemon.local_key).identify,
        local_only=is_loopback(daemon.settings.host),
    )
    app.add_middleware(problems.Boundary)
    return app

"""Refusals and failures as problem documents (RFC 9457), and nothing of the inside in them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nexaflow_cli.errors import InvalidError, NexaflowError, UnauthenticatedError, UsageError
from nexaflow_cli.server.wording import field_problems

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
MAX_DETAIL = 2000
TOLD = 3


def document(status: int, detail: str, code: str, hint: str = "", **more: Any) -> dict[str, Any]:
    """A problem as data; `more` are members of its own."""
    if len(detail) > MAX_DETAIL:
        detail = detail[:MAX_DETAIL] + "…"
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if hint:
        body["hint"] = hint
    return body | more


def response(
    status: int,
    detail: str,
    code: str,
    hint: str = "",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """A problem as an answer."""
    body = orjson.dumps(document(status, detail, code, hint, **more))
    return Response(body, status, headers, MEDIA_TYPE)


def from_error(error: NexaflowError) -> Response:
    """The answer that an error of our tree means."""
    headers = {}
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = 'Bearer realm="nexaflow"'
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    return response(error.status, error.message, error.code, error.hint, headers, **error.details())


def from_fields(found: Sequence[Mapping[str, Any]]) -> NexaflowError:
    """One error for all that a schema found wrong with a request."""
    problems = field_problems(found)
    detail = "; ".join(problem["message"] for problem in problems[:TOLD])
    if len(problems) > TOLD:
        detail += f"; and {len(problems) - TOLD} more"
    kind = InvalidError if problems[0]["in"] == "body" else UsageError
    return kind(detail, hint="GET /openapi.json describes every request")


async def on_error(_: Request, error: Exception) -> Response:
    """Handles errors of our tree."""
    assert isinstance(error, NexaflowError)
    return from_error(error)


async def on_invalid(_: Request, error: Exception) -> Response:
    """Handles requests that do not fit the signature of their route."""
    assert isinstance(error, RequestValidationError)
    return from_error(from_fields(error.errors()))


async def on_http(request: Request, error: Exception) -> Response:
    """Handles what the framework itself refuses."""
    assert isinstance(error, HTTPException)
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return response(error.status_code, detail, "usage", headers=error.headers)


class Boundary:
    """The outermost layer of ours: what nobody expected ends here, in the log and with an id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:
            if type(error).__name__ == "ClientDisconnected":
                return  # the server's own word for the same; it has no public name
            mark = secrets.token_hex(4)
            logger.exception("error %s in %s %s", mark, scope.get("method", "WS"), scope["path"])
            if not begun:
                await _unexpected(mark)(scope, receive, send)
            elif scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011, "reason": f"error {mark}"})
            # An answer that has begun stays without its end, which tells that it is not whole.


def _unexpected(mark: str) -> Response:
    return response(
        500,
        f"something went wrong in the daemon; its log tells what, under {mark}",
        "internal",
        "nexaflow daemon logs",
        id=mark,
    )

"""The one gate before every route and socket: denies unless the table and the key say yes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nexaflow_cli.errors import (
    NexaflowError,
    NotAllowedError,
    NotFoundError,
    UnauthenticatedError,
)
from nexaflow_cli.server import notice, problems
from nexaflow_cli.server.auth import Identity, allowed, bearer
from nexaflow_cli.server.origin import is_local_name, is_same_origin
from nexaflow_cli.server.permissions import NEEDS, PUBLIC, SOCKET
from nexaflow_cli.server.roles import Permission, least_role

MIGRATION_GUIDE = "https://github.com/nexaflow/nexaflow-cli/blob/main/docs/migration.md"

Headers = dict[bytes, bytes]
_HEADERS = frozenset({b"host", b"origin", b"authorization", notice.HEADER})
_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_V1 = "/api/v1/"


class Gate:
    """ASGI middleware. Leaves the `Identity` of who asks in the scope, for the routes.

    Args:
        routes: of the application; where a request leads is decided before it gets there.
        identify: whose key a token is, or None.
        local_only: the daemon listens on loopback, so its `Host` must be a local name.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Sequence[BaseRoute],
        identify: Callable[[str], Identity | None],
        *,
        local_only: bool,
    ) -> None:
        self._app = app
        self._routes = routes
        self._identify = identify
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            return  # there is no lifespan to take part in, and nothing else is served
        headers = {name: value for name, value in scope["headers"] if name in _HEADERS}
        if told := notice.mismatch(headers.get(notice.HEADER)):
            send = _with_notice(send, told)
        try:
            refusal = self._refusal(scope, headers)
        except NexaflowError as error:
            refusal = problems.from_error(error)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        self._check_browser(scope, headers)
        found, methods = self._find(scope)
        if found is not None and NEEDS[found] is PUBLIC:
            return None
        identity = self._authenticate(scope, headers)
        if found is None:
            return _nowhere(scope, methods)
        need = NEEDS[found]
        assert isinstance(need, Permission)
        if not allowed(identity, need):
            raise NotAllowedError(
                f"{identity.name} has the role {identity.role}, which does not hold {need}",
                hint=f"a key with the role {least_role(need)} does",
            )
        scope["identity"] = identity
        return None

    def _check_browser(self, scope: Scope, headers: Headers) -> None:
        host = headers.get(b"host")
        if self._local_only and host is not None and not is_local_name(host):
            raise NotAllowedError(
                "the Host header names another machine than this one, where the daemon listens",
                hint="use http://127.0.0.1 or http://localhost as its address",
            )
        origin = headers.get(b"origin")
        if scope["type"] == "websocket" and origin and not is_same_origin(origin, host):
            raise NotAllowedError("a page of another origin may not open this socket")

    def _find(self, scope: Scope) -> tuple[tuple[str, str] | None, set[str]]:
        """The name of the route that will take the request, or the methods its path would take."""
        kind = SOCKET if scope["type"] == "websocket" else scope["method"]
        methods: set[str] = set()
        for route in self._routes:
            match, _ = route.matches(scope)
            if match is Match.FULL:
                return (kind, route.path), methods  # type: ignore[attr-defined]
            if match is Match.PARTIAL and isinstance(route, Route):
                methods |= route.methods or set()
        return None, methods

    def _authenticate(self, scope: Scope, headers: Headers) -> Identity:
        token = bearer(headers.get(b"authorization"))
        identity = None if token is None else self._identify(token)
        if identity is not None:
            return identity
        if scope["path"].startswith(_V1):
            hint = f"API v1 has ended; {MIGRATION_GUIDE} tells how to move to v2 and its keys"
        elif token is None:
            hint = "set NEXAFLOW_API_KEY, or run as the user who runs the daemon"
        else:
            hint = (
                "check --api-key or NEXAFLOW_API_KEY; on the daemon's own machine its user "
                "needs neither"
            )
        message = "no key came with the request" if token is None else "the key is not known here"
        raise UnauthenticatedError(message, hint=hint)


def _nowhere(scope: Scope, methods: set[str]) -> Response:
    path = scope["path"]
    if methods:
        allow = ", ".join(sorted(methods))
        detail = f"{scope['method']} is not possible on {path}"
        return problems.response(405, detail, "usage", f"possible: {allow}", {"Allow": allow})
    if scope["type"] == "http" and (SOCKET, path) in NEEDS:
        detail = f"{path} is a WebSocket, and this request does not ask for one"
        return problems.response(426, detail, "usage", headers={"Upgrade": "websocket"})
    return problems.from_error(
        NotFoundError(f"there is nothing at {path}", hint="GET /openapi.json names all there is")
    )


def _with_notice(send: Send, told: str) -> Send:
    async def telling(message: Message) -> None:
        if message["type"] in _STARTS:
            MutableHeaders(scope=message).append("X-Nexaflow-Notice", told)
        await send(message)

    return telling

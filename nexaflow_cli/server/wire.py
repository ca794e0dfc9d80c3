"""The HTTP server of the process: uvicorn, without its process-wide habits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import h11
import orjson
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import Server

from nexaflow_cli import __version__
from nexaflow_cli.server import problems

MAX_CONNECTIONS = 1024
KEEP_ALIVE = 75
"""Seconds; longer than clients keep idle connections, so that they, not we, close them."""

HEAD_SECONDS = 30.0
PING_EVERY = 20.0


class HttpProtocol(H11Protocol):
    """Tells in our own form, too, what is no HTTP at all, and gives a request's head its time."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            self.app = _busy
        self._time_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._time_head()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        super().connection_lost(exc)

    def _time_head(self) -> None:
        """Let a head that has not come in full come within HEAD_SECONDS of its first byte."""
        if self.conn.their_state is not h11.IDLE:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.conn.their_state is h11.IDLE:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        body = orjson.dumps(
            problems.document(
                400,
                "this is not an HTTP/1.1 request, or its headers are larger than 64 KiB",
                "usage",
            )
        )
        headers = [
            (b"content-type", problems.MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Stands in for the application while too many connections are open."""
    answer = problems.response(
        503,
        f"{MAX_CONNECTIONS} connections are open, and that is the most",
        "unavailable",
        "try again in a moment",
        {"Retry-After": "1", "Connection": "close"},
    )
    await answer(scope, receive, send)


class SocketProtocol(WebSocketsSansIOProtocol):
    """Drops a peer that answers no ping, instead of waiting for it to read what it is owed."""

    async def send(self, message: Any) -> None:
        await super().send(message)
        # uvicorn takes a handshake that was refused with a body for one that was forgotten.
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()


class HttpServer(Server):
    """Serves on a socket that is bound already, until `leave`.

    Signals, the loop and logging are left to who runs it.

    Args:
        grace: seconds that requests under way get at the end.
    """

    def __init__(self, app: ASGIApp, *, grace: float) -> None:
        super().__init__(
            Config(
                app,
                lifespan="off",
                http=HttpProtocol,
                ws=SocketProtocol,
                ws_per_message_deflate=False,
                ws_ping_interval=PING_EVERY,
                ws_ping_timeout=PING_EVERY,
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                headers=[("X-Nexaflow-Version", __version__)],
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=max(1, round(grace)),
            )
        )
        self.ready = asyncio.Event()
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Take no more connections, end those there are, and return from `serve`."""
        self.should_exit = True
        self._leaving.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._refresh()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        # Uvicorn's own wakes up ten times a second; the date is all that needs it, once.
        while not self._leaving.is_set():
            self._refresh()
            try:
                async with asyncio.timeout(1.0):
                    await self._leaving.wait()
            except TimeoutError:
                continue

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def _refresh(self) -> None:
        date = (b"date", formatdate(time.time(), usegmt=True).encode())
        self.server_state.default_headers = [date, *self.config.encoded_headers]

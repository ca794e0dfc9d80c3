"""The live socket: what happens in runs, as it is committed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from typing import Any, cast

import orjson
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from nexaflow_cli.errors import NexaflowError, UnavailableError, UsageError
from nexaflow_cli.server import problems
from nexaflow_cli.server.routing import API, daemon_of

Frame = dict[str, Any]

PATH = f"{API}/live"

MAX_SOCKETS = 256
CLOSE_ENDED = 1000
CLOSE_BEHIND = 1013
"""Try again later: the watcher fell too far behind; `after` its last `seq` it goes on."""

_KNOWN = frozenset({"run", "after", "logs"})
_TRUTH = {"1": True, "true": True, "0": False, "false": False}


async def live(socket: WebSocket) -> None:
    """`?run=ID&after=SEQ&logs=1`; refuses before the handshake, with a problem."""
    state = socket.app.state
    try:
        run, after, logs = _asked(socket)
        if state.sockets >= MAX_SOCKETS:
            raise UnavailableError(
                f"{MAX_SOCKETS} live sockets are open, and that is the most",
                hint="close one, or read GET /api/v2/runs instead",
            )
        daemon = daemon_of(socket)
        if run is not None:
            await daemon.runs.must_exist(run)
    except NexaflowError as error:
        await socket.send_denial_response(problems.from_error(error))
        return
    state.sockets += 1
    try:
        await socket.accept()
        following = cast(AsyncGenerator[Frame, None], daemon.live.follow(run, after, logs))
        async with aclosing(following) as frames:
            await _until_either(_send(socket, frames), _listen(socket))
    except WebSocketDisconnect:
        pass  # they left while something was on its way to them
    finally:
        state.sockets -= 1


async def _send(socket: WebSocket, frames: AsyncIterator[Frame]) -> None:
    frame: Frame = {}
    seq = None
    async for frame in frames:
        seq = frame.get("seq", seq)
        await socket.send({"type": "websocket.send", "text": orjson.dumps(frame).decode()})
    if frame.get("type") == "end":
        await socket.close(CLOSE_ENDED, "the run has ended")
    else:
        where = "" if seq is None else f" with after={seq}"
        await socket.close(CLOSE_BEHIND, f"too far behind, or stopping: come back{where}")


async def _listen(socket: WebSocket) -> None:
    """Take, and pass over, what a watcher says, until it leaves."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _until_either(*parts: Awaitable[None]) -> None:
    """Run all until one has ended; its error, if it has one, is raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def _asked(connection: HTTPConnection) -> tuple[str | None, int | None, bool]:
    query = connection.query_params
    for name in query.keys() - _KNOWN:
        raise UsageError(
            f"query parameter {name[:60]!r} is not known here", hint="known: run, after, logs"
        )
    after, logs = query.get("after"), query.get("logs", "0")
    if after is not None and not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise UsageError(f"query parameter 'after': {after[:60]!r} is not the number of a frame")
    if logs not in _TRUTH:
        raise UsageError(f"query parameter 'logs': {logs[:60]!r} is neither 1 nor 0")
    # After nothing is from the start, which brings what was printed so far too.
    return query.get("run"), int(after or 0) or None, _TRUTH[logs]

"""The live stream: order, interruptions, refusals; against a real WebSocket server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.sync.server import ServerConnection, serve

from nexaflow_cli import errors
from nexaflow_cli.client.live import InOrder, LiveStream
from nexaflow_cli.config import Connection

Handler = Callable[[ServerConnection, dict[str, str]], None]


@contextmanager
def live_server(*handlers: Handler, refuse: Any = None) -> Iterator[tuple[Connection, list[Any]]]:
    """Each connection is handled by the next handler; the queries asked are kept."""
    left, asked = list(handlers), []

    def handle(socket: ServerConnection) -> None:
        query = {k: v[0] for k, v in parse_qs(urlsplit(socket.request.path).query).items()}
        asked.append((urlsplit(socket.request.path).path, query, socket.request.headers))
        left.pop(0)(socket, query)

    def check(socket: ServerConnection, request: Any) -> Response | None:
        return refuse

    with serve(handle, "127.0.0.1", 0, process_request=check) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Connection(f"http://127.0.0.1:{server.socket.getsockname()[1]}", "nxk_k"), asked
        finally:
            server.shutdown()
            thread.join()


def fact(seq: int, kind: str = "step.started", at: float = 0.0) -> dict[str, Any]:
    return {"seq": seq, "type": "fact", "run": "r", "kind": kind, "at": at or seq, "data": {}}


def log(n: int, at: float = 0.0) -> dict[str, Any]:
    return {"type": "log", "run": "r", "n": n, "at": at or n, "step": "s", "text": f"line {n}"}


END = {"type": "end", "run": "r", "status": "success"}


def says(*frames: dict[str, Any]) -> Handler:
    def handle(socket: ServerConnection, query: dict[str, str]) -> None:
        for frame in frames:
            socket.send(json.dumps(frame))

    return handle


def test_a_run_is_told_to_its_end() -> None:
    with live_server(says(fact(1), fact(2), END)) as (connection, asked):
        assert list(LiveStream(connection, run="r")) == [fact(1), fact(2), END]
    path, query, headers = asked[0]
    assert (path, query) == ("/api/v2/live", {"run": "r", "logs": "1"})
    assert headers["Authorization"] == "Bearer nxk_k"


def test_a_broken_stream_goes_on_after_the_last_fact_and_repeats_nothing() -> None:
    reasons: list[str] = []
    with live_server(says(fact(1), fact(2)), says(fact(2), fact(3), END)) as (connection, asked):
        stream = LiveStream(connection, run="r", on_break=reasons.append)
        assert list(stream) == [fact(1), fact(2), fact(3), END]
    assert [query.get("after") for _, query, _ in asked] == [None, "2"]
    assert len(reasons) == 1


def test_lines_said_while_there_was_no_connection_are_fetched() -> None:
    with live_server(says(fact(1), log(7)), says(log(9), END)) as (connection, _):
        stream = LiveStream(connection, run="r", missed=lambda n: [log(n), log(8)])
        assert list(stream) == [fact(1), log(7), log(8), log(9), END]


def test_a_daemon_that_came_back_is_shown_its_new_key() -> None:
    with live_server(says(fact(1)), says(fact(2), END)) as (connection, asked):
        stream = LiveStream(connection, run="r", again=lambda: replace(connection, api_key="new"))
        assert list(stream) == [fact(1), fact(2), END]
    keys = [headers["Authorization"] for _, _, headers in asked]
    assert keys == ["Bearer nxk_k", "Bearer new"]


def test_a_daemon_that_does_not_come_back_ends_the_stream() -> None:
    with live_server(says(fact(1))) as (connection, _):
        frames = iter(LiveStream(connection, run="r", patience=0.2))
        assert next(frames) == fact(1)
    with pytest.raises(errors.UnreachableError):
        next(frames)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "not-found", errors.NotFoundError),
        (401, "unauthenticated", errors.UnauthenticatedError),
    ],
)
def test_a_refusal_is_the_error_it_stands_for(
    status: int, code: str, kind: type[Exception]
) -> None:
    body = json.dumps({"detail": "why", "code": code}).encode()
    headers = Headers(
        {"Content-Type": "application/problem+json", "Content-Length": str(len(body))}
    )
    refusal = Response(status, "No", headers, body)
    with live_server(refuse=refusal) as (connection, _), pytest.raises(kind, match="why"):
        next(iter(LiveStream(connection, run="r")))


@pytest.mark.parametrize(
    ("came", "told"),
    [
        pytest.param(
            [log(1, 10), log(2, 30), fact(1, at=5), fact(2, at=20), fact(3, at=40)],
            [fact(1, at=5), log(1, 10), fact(2, at=20), log(2, 30), fact(3, at=40)],
            id="lines of the past are put among its facts",
        ),
        pytest.param(
            [log(1, 10), fact(1, at=5), None],
            [fact(1, at=5), log(1, 10)],
            id="silence ends the past",
        ),
        pytest.param(
            [log(1, 10), fact(1, at=5), log(2, 11)],
            [fact(1, at=5), log(1, 10), log(2, 11)],
            id="a new line comes after the lines of the past",
        ),
        pytest.param(
            [log(1, 10), fact(1, at=5), END],
            [fact(1, at=5), log(1, 10), END],
            id="nothing is left when the run ends",
        ),
        pytest.param([None, log(1), None, log(2)], [log(1), log(2)], id="new lines are not held"),
    ],
)
def test_the_past_is_told_in_the_order_of_time(
    came: list[dict[str, Any] | None], told: list[dict[str, Any]]
) -> None:
    order = InOrder()
    assert [frame for each in came for frame in order.take(each)] == told
    assert list(order.take(None)) == []

"""Requests to a daemon: what is sent, what is repeated, what an error becomes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest
from scripted_server import Answer, Script

from nexaflow_cli import __version__, errors
from nexaflow_cli.client.http import HttpClient
from nexaflow_cli.client.problems import ForeignError, RejectedError
from nexaflow_cli.config import Connection


def problem(status: int, code: str, **more: object) -> Answer:
    body = {"type": "about:blank", "title": "x", "status": status, "detail": "why", "code": code}
    return Answer(status, body | more, type="application/problem+json")


def test_a_request_shows_its_key_and_its_version(server: Script) -> None:
    server.say(Answer(body={"name": "a"}))
    with HttpClient(server.connection) as client:
        assert client.get("workflows/a", limit=3, cursor=None) == {"name": "a"}
    (asked,) = server.asked
    assert asked.path == "/api/v2/workflows/a?limit=3"
    assert asked.headers["Authorization"] == "Bearer nxk_secret"
    assert asked.headers["X-Nexaflow-Client"] == f"nexaflow-cli/{__version__}"


def test_pages_follow_the_cursor_up_to_the_limit(server: Script) -> None:
    server.say(
        Answer(body={"items": [1, 2], "next": "c1"}),
        Answer(body={"items": [3, 4], "next": "c2"}),
    )
    with HttpClient(server.connection) as client:
        assert list(client.pages("runs", limit=3, status="failed")) == [1, 2, 3]
    assert [asked.path for asked in server.asked] == [
        "/api/v2/runs?limit=3&status=failed",
        "/api/v2/runs?limit=1&cursor=c1&status=failed",
    ]


@pytest.mark.parametrize(
    ("answer", "kind", "exit_code"),
    [
        (problem(422, "invalid"), errors.InvalidError, 1),
        (problem(400, "usage"), errors.UsageError, 2),
        (problem(401, "unauthenticated"), errors.UnauthenticatedError, 4),
        (problem(403, "not-allowed"), errors.NotAllowedError, 4),
        (problem(404, "not-found"), errors.NotFoundError, 5),
        (problem(404, "file-not-found"), errors.NexaflowFileNotFoundError, 5),
        (problem(404, "something-new"), errors.NotFoundError, 5),
        (problem(409, "conflict"), errors.ConflictError, 6),
        (problem(410, "gone"), errors.GoneError, 1),
        (problem(413, "too-large"), errors.TooLargeError, 1),
        (problem(500, "error"), errors.NexaflowError, 1),
    ],
)
def test_a_problem_becomes_the_error_it_stands_for(
    server: Script, answer: Answer, kind: type[errors.NexaflowError], exit_code: int
) -> None:
    server.say(answer)
    with HttpClient(server.connection) as client, pytest.raises(kind) as caught:
        client.post("runs", {})
    assert type(caught.value) is kind
    assert caught.value.message == "why"
    assert caught.value.exit_code == exit_code


def test_diagnostics_come_with_the_error(server: Script) -> None:
    server.say(problem(422, "invalid", hint="look", diagnostics=[{"code": "x", "line": 3}]))
    with HttpClient(server.connection) as client, pytest.raises(RejectedError) as caught:
        client.post("workflows/apply", {})
    assert caught.value.diagnostics == [{"code": "x", "line": 3}]
    assert caught.value.hint == "look"


def test_an_answer_of_another_program_is_told_as_such(server: Script) -> None:
    server.say(Answer(404, b"<html>no</html>", type="text/html"))
    with HttpClient(server.connection) as client, pytest.raises(ForeignError) as caught:
        client.get("workflows")
    assert caught.value.exit_code == 3
    assert "not as a NexaFlow daemon does" in caught.value.message
    assert server.url in caught.value.message


@pytest.mark.parametrize("path", ["files/in/../a.txt", "workflows/..", "files/./a", "/a/.."])
def test_a_path_that_climbs_is_not_sent(server: Script, path: str) -> None:
    with HttpClient(server.connection) as client, pytest.raises(errors.UsageError):
        client.get(path)
    assert server.asked == []


def test_nobody_there_is_told_with_the_address_and_the_command_to_try() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with (
        HttpClient(Connection(url, None)) as client,
        pytest.raises(errors.UnreachableError) as caught,
    ):
        client.get("workflows")
    assert caught.value.message == f"no daemon answers at {url} (connection refused)"
    assert caught.value.hint == "nexaflow daemon start"


def test_silence_ends_with_the_timeout() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        client = HttpClient(Connection(url, None), timeout=0.05, attempts=1)
        with client, pytest.raises(errors.UnreachableError, match="did not answer in time"):
            client.get("workflows")


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://x", "http://", "/run/daemon.sock"])
def test_what_is_no_address_is_a_mistake_of_the_caller(url: str) -> None:
    with pytest.raises(errors.UsageError, match="is not the address of a daemon"):
        HttpClient(Connection(url, None))


@pytest.mark.parametrize("first", [Answer(drop=True), problem(503, "unavailable")])
def test_a_repeatable_request_is_repeated(server: Script, first: Answer) -> None:
    server.say(first, first, Answer(body={"ok": True}))
    with HttpClient(server.connection) as client:
        assert client.get("workflows") == {"ok": True}
    assert len(server.asked) == 3


def test_repeats_end(server: Script) -> None:
    server.say(problem(503, "unavailable", detail="later"))
    client = HttpClient(server.connection, attempts=3)
    with client, pytest.raises(errors.UnavailableError, match="later"):
        client.get("workflows")
    assert len(server.asked) == 3


@pytest.mark.parametrize("first", [Answer(drop=True), problem(503, "unavailable")])
def test_a_request_that_acts_is_sent_once(server: Script, first: Answer) -> None:
    server.say(first, Answer(body={}))
    with HttpClient(server.connection) as client, pytest.raises(errors.NexaflowError):
        client.post("files/move", {"from": "/a", "to": "/b"})
    assert len(server.asked) == 1


def test_a_request_that_the_daemon_knows_again_is_repeated(server: Script) -> None:
    server.say(Answer(drop=True), Answer(201, {"id": "r1"}))
    with HttpClient(server.connection) as client:
        body = {"workflow": "a", "idempotency_key": "k"}
        assert client.post("runs", body, repeatable=True) == {"id": "r1"}
    assert [json.loads(asked.body) for asked in server.asked] == [body, body]


def test_content_that_comes_in_pieces_is_sent_once(server: Script) -> None:
    server.say(Answer(drop=True), Answer(body={}))
    with HttpClient(server.connection) as client, pytest.raises(errors.UnreachableError):
        client.request("PUT", "files/a", content=iter([b"one ", b"two"]))
    assert [asked.body for asked in server.asked] == [b"one two"]


def test_a_refused_connection_is_tried_again_even_for_a_request_that_acts(
    server: Script,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = HttpClient(Connection(f"http://127.0.0.1:{port}", None), attempts=3)
    tries = 0
    send = client._http.send

    def counted(*args: object, **kwargs: object) -> object:
        nonlocal tries
        tries += 1
        return send(*args, **kwargs)

    client._http.send = counted
    with client, pytest.raises(errors.UnreachableError):
        client.post("runs", {})
    assert tries == 3


def test_a_download_is_read_piece_by_piece_and_its_error_is_read(server: Script) -> None:
    server.say(Answer(body=b"x" * 300_000, type="application/octet-stream"))
    with HttpClient(server.connection) as client:
        with client.stream("GET", "files/a") as response:
            assert sum(map(len, response.iter_bytes(1000))) == 300_000
        server.say(problem(404, "file-not-found"))
        server.answers.pop(0)
        with pytest.raises(errors.NexaflowFileNotFoundError), client.stream("GET", "files/b"):
            pass


def test_httpx_is_imported_without_its_command_line() -> None:
    code = """
import sys
from nexaflow_cli.client.http import HttpClient
heavy = {"rich", "click", "pygments", "tenacity", "websockets"} & sys.modules.keys()
assert not heavy, heavy
assert "httpx._main" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)

"""Input that means harm, or nothing at all."""

from __future__ import annotations

import socket
import threading

import pytest
from served import Served


def exchange(served: Served, *pieces: bytes) -> bytes:
    """What the server says to these bytes, until it closes the line."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
            line.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has heard enough
        answer = b""
        try:
            while piece := line.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def head(served: Served, *lines: str, method: str = "POST", path: str = "/api/v2/runs") -> bytes:
    key = f"Authorization: Bearer {served.daemon.local_key}"
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: localhost", key, *lines, "", ""]
    ).encode()


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=range(11),
)
def test_what_is_no_http_is_told_so(served: Served, line: bytes) -> None:
    answer = exchange(served, line)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")) or answer == b""
    if answer:
        assert b"application/problem+json" in answer
    assert served.stranger.get("/health").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"workflow": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"workflow": "\\ud800"}',
        b'{"workflow": "a\x00b"}',
        b'{"workflow": NaN}',
        b"\xff\xfe{}",
        b'{"workflow": "' + b"a" * 100_000 + b'"}',
        b"null",
        b"1e999",
        b'{"workflow": "x", "workflow": "y"}',
    ],
    ids=range(11),
)
def test_odd_json_is_refused_with_a_sentence(served: Served, body: bytes) -> None:
    answer = served.http.post("/api/v2/runs", content=body)
    assert answer.status_code in {400, 404, 422}
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) < 3000


@pytest.mark.parametrize("sized", [True, False], ids=["sized", "chunked"])
def test_a_body_without_end_is_cut_off(served: Served, sized: bool) -> None:
    piece = b" " * 1_000_000
    if sized:
        start = head(served, "Content-Length: 10000000000")
        answer = exchange(served, start, *[piece] * 3)
    else:
        start = head(served, "Transfer-Encoding: chunked")
        answer = exchange(served, start, *[b"f4240\r\n" + piece + b"\r\n"] * 20)
    assert b" 413 " in answer.split(b"\r\n")[0]


def test_a_body_before_the_key_is_known_is_not_kept(served: Served) -> None:
    start = (
        b"PUT /api/v2/files/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n"
    )
    answer = exchange(served, start, b"x" * 100_000)
    assert b" 401 " in answer.split(b"\r\n")[0]
    assert not (served.daemon.settings.files_dir / "x").exists()


def test_a_long_name_is_not_repeated_in_full(served: Served) -> None:
    for path in ("/api/v2/runs/", "/api/v2/workflows/", "/"):
        answer = served.http.get(path + "x" * 30_000)
        assert answer.status_code in {400, 404}
        assert len(answer.content) < 5000


def test_lines_in_what_is_told_are_one_line_in_the_headers(served: Served) -> None:
    answer = served.http.get("/api/v2/x%0d%0aSet-Cookie:%20a=b")
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


def test_many_at_once_are_all_answered(served: Served) -> None:
    import http.client

    seen: list[int] = []

    def ask() -> None:
        line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        for _ in range(10):
            line.request("POST", "/api/v2/runs", b"{", {"Authorization": "Bearer " + key})
            answer = line.getresponse()
            answer.read()
            seen.append(answer.status)
        line.close()

    key = served.daemon.local_key
    threads = [threading.Thread(target=ask) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [400] * 400


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: loc"], ids=["silent", "half"])
def test_a_head_that_does_not_come_is_not_waited_for(
    served: Served, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nexaflow_cli.server.wire.HEAD_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line:
        line.sendall(begun)
        assert line.recv(1) == b""


def test_a_body_that_does_not_come_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nexaflow_cli.server.bodies.BODY_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as line:
        line.sendall(head(served, "Content-Length: 10") + b"{")
        assert b" 400 " in line.recv(100).split(b"\r\n")[0]


def test_over_the_most_connections_the_answer_is_to_come_again(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as other:
        other.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        other.recv(1)
        monkeypatch.setattr("nexaflow_cli.server.wire.MAX_CONNECTIONS", 1)
        answer = exchange(served, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b" 503 " in answer.split(b"\r\n")[0]
    assert b"application/problem+json" in answer
    assert b"retry-after: 1" in answer.lower()

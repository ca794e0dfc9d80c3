"""`http.request` against a real server on this machine."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from actions_bench import SECRET, Bench

from nexaflow_cli.actions import registry
from nexaflow_cli.actions.base import ActionError, Limits
from nexaflow_cli.actions.http_answer import as_value, expected


class Handler(BaseHTTPRequestHandler):
    """Answers by the path that is asked for, and tells what it was asked."""

    protocol_version = "HTTP/1.1"
    other: ClassVar[str] = ""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        words = parts.path.strip("/").split("/")
        getattr(self, f"on_{words[0]}", self.on_echo)(*words[1:])

    do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, body: bytes, kind: str = "", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def on_long(self) -> None:
        self.answer(b"x" * 196 + b" " + SECRET.encode(), "text/plain", 500)

    def on_echo(self, *_: str) -> None:
        length = int(self.headers.get("Content-Length", 0))
        told = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        self.answer(json.dumps(told).encode(), "application/json")

    def on_status(self, status: str) -> None:
        self.answer(b"sorry,\n  no\n", "text/plain", int(status), Retry_After="7")

    def on_problem(self) -> None:
        self.answer(b'{"detail": "no such thing"}', "application/problem+json", 404)

    def on_date(self) -> None:
        self.answer(b"", "", 503, Retry_After="Fri, 01 May 2026 08:01:00 GMT")

    def on_bytes(self, kind: str) -> None:
        bodies = {
            "latin": ("grüß".encode("latin-1"), "text/plain; charset=iso-8859-1"),
            "image": (b"\x89PNG\x00", "image/png"),
            "broken": (b"{not json", "application/json"),
            "empty": (b"", ""),
            "many": (b"x" * 5000, "text/plain"),
        }
        self.answer(*bodies[kind])

    def on_bomb(self) -> None:
        body = gzip.compress(bytes(50_000_000))
        self.answer(body, "text/plain", Content_Encoding="gzip")

    def on_loop(self) -> None:
        self.answer(b"", "", 302, Location="/loop")

    def on_away(self) -> None:
        self.answer(b"", "", 307, Location=f"{self.other}/echo")

    def on_near(self) -> None:
        self.answer(b"", "", 302, Location="/echo?near=1")

    def on_ftp(self) -> None:
        self.answer(b"", "", 302, Location="ftp://example.com/x")

    def on_cookie(self) -> None:
        self.answer(b"", "", 200, Set_Cookie="session=abc; Path=/")

    def on_silence(self) -> None:
        self.rfile.read(1)  # until the other side gives up

    def on_cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"half")
        self.close_connection = True

    def on_nothing(self) -> None:
        self.close_connection = True


def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    yield from serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler))


@pytest.fixture(scope="module")
def server(other: str) -> Iterator[str]:
    Handler.other = other
    yield from serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler))


def ask(bench: Bench, url: str, **params: Any) -> Any:
    async def main() -> Any:
        try:
            return await bench.do("http.request", {"url": url, **params})
        finally:
            await registry.close()

    return asyncio.run(main())


def failed(bench: Bench, url: str, **params: Any) -> ActionError:
    with pytest.raises(ActionError) as caught:
        ask(bench, url, **params)
    return caught.value


def test_the_answer_is_told_whole(bench: Bench, server: str) -> None:
    got = ask(bench, f"{server}/echo?a=1", query={"b": [1, True], "c": None, "d": "ü&"})
    assert got["status"] == 200
    assert got["headers"]["content-type"] == "application/json"
    assert got["url"] == f"{server}/echo?a=1&b=1&b=true&d=%C3%BC%26"
    assert got["encoding"] == "json"
    assert got["body"]["path"] == "/echo?a=1&b=1&b=true&d=%C3%BC%26"
    assert got["body"]["headers"]["user-agent"].startswith("nexaflow/")
    assert isinstance(got["elapsed_ms"], int)


@pytest.mark.parametrize(
    ("params", "kind", "body"),
    [
        ({"json": {"a": [1, "ü"]}}, "application/json", '{"a":[1,"ü"]}'),
        ({"json": None}, "application/json", "null"),
        (
            {"form": {"a": ["1", 2], "b": "ü &"}},
            "application/x-www-form-urlencoded",
            "a=1&a=2&b=%C3%BC+%26",
        ),
        ({"body": "ü"}, "text/plain; charset=utf-8", "ü"),
        ({"body": "<a/>", "headers": {"content-type": "text/xml"}}, "text/xml", "<a/>"),
    ],
)
def test_bodies(bench: Bench, server: str, params: dict[str, Any], kind: str, body: str) -> None:
    told = ask(bench, f"{server}/echo", method="POST", **params)["body"]
    assert (told["method"], told["headers"]["content-type"], told["body"]) == ("POST", kind, body)


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ({"bearer": "t0k"}, "Bearer t0k"),
        (
            {"basic": {"username": "me", "password": "pä:ss"}},
            "Basic " + base64.b64encode("me:pä:ss".encode()).decode(),
        ),
    ],
)
def test_auth(bench: Bench, server: str, auth: dict[str, Any], header: str) -> None:
    told = ask(bench, f"{server}/echo", auth=auth, headers={"X-Count": 5})["body"]
    assert told["headers"]["authorization"] == header
    assert told["headers"]["x-count"] == "5"


@pytest.mark.parametrize(
    ("kind", "encoding", "body"),
    [
        ("latin", "text", "grüß"),
        ("image", "base64", "iVBORwA="),
        ("broken", "text", "{not json"),
        ("empty", "text", ""),
    ],
)
def test_the_body_is_what_it_can_be(
    bench: Bench, server: str, kind: str, encoding: str, body: str
) -> None:
    got = ask(bench, f"{server}/bytes/{kind}")
    assert (got["encoding"], got["body"]) == (encoding, body)


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(400, False), (404, False), (408, True), (425, True), (429, True), (500, True), (503, True)],
)
def test_other_statuses_fail(bench: Bench, server: str, status: int, retryable: bool) -> None:
    error = failed(bench, f"{server}/status/{status}?key={SECRET}")
    assert error.message.startswith(f"GET {server}/status/{status} answered {status} ")
    assert error.message.endswith(": sorry, no")
    assert (error.type, error.http_status, error.retryable) == ("http", status, retryable)
    assert error.retry_after == 7
    assert (error.output["status"], error.output["body"]) == (status, "sorry,\n  no\n")


@pytest.mark.parametrize("charset", ["punycode", "Puny_Code", "idna", "unicode_escape", "hex", "x"])
def test_an_answer_cannot_choose_a_codec_that_is_no_charset(charset: str) -> None:
    import httpx

    kind = {"Content-Type": f"text/plain; charset={charset}"}
    answer = httpx.Response(200, headers=kind)
    body = b"x" * 300_000 + b"-" + b"k0a" * 100_000
    assert as_value(answer, body) == ("base64", base64.b64encode(body).decode())


def test_a_secret_in_the_answer_is_masked_before_it_is_cut(bench: Bench, server: str) -> None:
    error = failed(bench, f"{server}/long")
    assert error.message.endswith(" ***")
    assert "hunter" not in error.message


def test_a_problem_document_gives_the_words(bench: Bench, server: str) -> None:
    error = failed(bench, f"{server}/problem")
    assert error.message == f"GET {server}/problem answered 404 Not Found: no such thing"


def test_retry_after_may_be_a_date(bench: Bench, server: str) -> None:
    assert failed(bench, f"{server}/date").retry_after == 60


@pytest.mark.parametrize(
    ("rules", "good", "bad"),
    [
        (["2xx"], [200, 299], [199, 300]),
        (200, [200], [201]),
        ([404, "500-502"], [404, 500, 502], [200, 503]),
        ("3XX", [301], [200]),
    ],
)
def test_what_is_expected(rules: Any, good: list[int], bad: list[int]) -> None:
    accepts = expected(rules)
    assert all(map(accepts, good))
    assert not any(map(accepts, bad))


@pytest.mark.parametrize("rule", ["ok", "6xx", "300-200", 99, "200-", None])
def test_what_cannot_be_expected(rule: Any) -> None:
    with pytest.raises(ActionError, match="`expect`: "):
        expected([rule])


def test_an_expected_failure_is_a_success(bench: Bench, server: str) -> None:
    assert ask(bench, f"{server}/status/404", expect=["2xx", 404])["status"] == 404
    assert failed(bench, f"{server}/echo", expect=[201]).http_status == 200


def test_answers_have_a_limit_also_when_packed(bench: Bench, server: str) -> None:
    bench.limits = Limits(output=4096)
    for path in ("bytes/many", "bomb"):
        error = failed(bench, f"{server}/{path}")
        assert error.message.startswith("the answer of 127.0.0.1 is more than 4 KiB")
        assert (error.type, error.retryable) == ("too-large", False)


def test_save_to_takes_the_body_to_a_file(bench: Bench, server: str) -> None:
    bench.limits = Limits(output=4096)
    got = ask(bench, f"{server}/bytes/many", save_to="/got/many.txt")
    assert (got["encoding"], got["body"], got["file"]["size"]) == ("file", None, 5000)
    assert bench.files.local_path("/got/many.txt").read_bytes() == b"x" * 5000


def test_redirects_are_followed_within_bounds(bench: Bench, server: str) -> None:
    got = ask(bench, f"{server}/near", headers={"X-Key": SECRET}, auth={"bearer": "t"})
    assert got["url"] == f"{server}/echo?near=1"
    assert got["body"]["headers"]["x-key"] == SECRET
    assert got["body"]["headers"]["authorization"] == "Bearer t"
    error = failed(bench, f"{server}/loop", max_redirects=3)
    assert error.message == f"GET {server}/loop redirects more than 3 times"
    assert failed(bench, f"{server}/near", follow_redirects=False).http_status == 302


def test_keys_do_not_follow_to_another_origin(bench: Bench, server: str, other: str) -> None:
    told = ask(
        bench,
        f"{server}/away",
        method="POST",
        json={"a": 1},
        headers={"X-Key": SECRET, "Accept": "text/x"},
        auth={"bearer": SECRET},
    )
    headers = told["body"]["headers"]
    assert told["url"] == f"{other}/echo"
    assert not {"x-key", "authorization"} & set(headers)
    assert (headers["accept"], told["body"]["body"]) == ("text/x", '{"a":1}')
    assert headers["host"] == urlsplit(other).netloc


def test_no_cookie_goes_from_step_to_step(bench: Bench, server: str) -> None:
    async def main() -> Any:
        await bench.do("http.request", {"url": f"{server}/cookie"})
        told = await bench.do("http.request", {"url": f"{server}/echo"})
        await registry.close()
        return told["body"]["headers"]

    assert "cookie" not in asyncio.run(main())


@pytest.mark.parametrize(
    ("params", "cause"),
    [
        ({"url": "ftp://example.com"}, "`url` must begin with http:// or https://, not ftp:"),
        ({"url": "file:///etc/passwd"}, "`url` must begin with http:// or https://, not file:"),
        ({"url": "example.com"}, "`url` must begin with http:// or https://, not nothing:"),
        ({"url": "http://"}, "`url` names no host"),
        ({"url": "http://x:port/"}, "`url` is no address"),
        ({"url": "http://x/", "method": "BREW"}, "`method` must be one of GET, HEAD"),
        ({"url": "http://x/", "json": 1, "body": "a"}, "give one body only, not `json` and `body`"),
        (
            {"url": "http://x/", "auth": {"bearer": "a"}, "headers": {"authorization": "b"}},
            "give `auth` or the header Authorization, not both",
        ),
        ({"url": "http://x/", "timeout": "soon"}, "`timeout`: "),
    ],
)
def test_wrong_parameters_send_nothing(bench: Bench, params: dict[str, Any], cause: str) -> None:
    error = failed(bench, **params)
    assert error.message.startswith(cause)
    assert (error.type, error.retryable) == ("invalid", False)


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX-Evil: 1", f"{SECRET}\u20ac", f"{SECRET}\0"])
def test_headers_cannot_be_smuggled_in(bench: Bench, server: str, value: str) -> None:
    error = failed(bench, f"{server}/echo", headers={"X-Key": value})
    assert error.message.endswith("a header holds characters that HTTP does not allow")
    assert SECRET not in str(error)
    assert error.type == "invalid"


def test_a_redirect_leads_to_no_other_scheme(bench: Bench, server: str) -> None:
    assert failed(bench, f"{server}/ftp").type == "invalid"


def test_nobody_there(bench: Bench) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        error = failed(bench, f"http://127.0.0.1:{port}/x")
    assert error.message == (
        f"GET http://127.0.0.1:{port}/x: connection refused by 127.0.0.1:{port}: "
        "nothing listens there"
    )
    assert (error.type, error.retryable) == ("connection", True)


def test_unknown_host(bench: Bench) -> None:
    error = failed(bench, "http://nobody.invalid/x?key=1")
    assert error.message.startswith(
        "GET http://nobody.invalid/x: no address is known for the host nobody.invalid ("
    )
    assert (error.type, error.retryable) == ("connection", True)


def test_silence_ends_with_the_timeout(bench: Bench, server: str) -> None:
    error = failed(bench, f"{server}/silence", timeout="200ms")
    assert error.message == f"GET {server}/silence: no whole answer within 0.2 s"
    assert (error.type, error.retryable) == ("timeout", True)


@pytest.mark.parametrize("path", ["cut", "nothing"])
def test_a_broken_answer_can_be_retried(bench: Bench, server: str, path: str) -> None:
    error = failed(bench, f"{server}/{path}")
    assert error.message.startswith(f"GET {server}/{path}: connection to 127.0.0.1:")
    assert (error.type, error.retryable) == ("connection", True)


def test_certificates_are_checked_unless_told_otherwise(bench: Bench, server: str) -> None:
    secure = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    serve = serving(secure)
    url = next(serve).replace("http:", "https:")
    try:
        error = failed(bench, f"{url}/echo")
        assert "the TLS certificate of 127.0.0.1:" in error.message
        assert (error.type, error.retryable) == ("tls", False)
        assert ask(bench, f"{url}/echo", verify=False)["status"] == 200
        error = failed(bench, f"{server.replace('http:', 'https:')}/echo")
        assert "TLS failed with 127.0.0.1:" in error.message
    finally:
        next(serve, None)


def test_a_cancelled_request_leaves_nothing(bench: Bench) -> None:
    async def main() -> None:
        asked, left = asyncio.Event(), asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            asked.set()
            await reader.read()
            left.set()
            writer.close()

        async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            request = bench.do("http.request", {"url": f"http://127.0.0.1:{port}/"})
            task = asyncio.create_task(request)
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await left.wait()
        await registry.close()

    asyncio.run(asyncio.wait_for(main(), 20))

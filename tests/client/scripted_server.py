"""A real HTTP server on a real socket that answers as a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nexaflow_cli.config import Connection


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """One answer to give; `drop` closes the connection instead."""

    status: int = 200
    body: Any = None
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False


class Script:
    """The server's script: answers in order, the last one again and again."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer] = []
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        self.connection = Connection(self.url, "nxk_secret")

    def say(self, *answers: Answer) -> None:
        self.answers.extend(answers)

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _handler(script: Callable[[], Script]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size) if size else self._chunked()
            script().asked.append(Asked(self.command, self.path, dict(self.headers), body))
            answer = script().next()
            if answer.drop:
                self.close_connection = True
                return
            data = (
                answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            )
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.type)
            self.send_header("Content-Length", str(len(data)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def _chunked(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return b""
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


@contextmanager
def scripted() -> Iterator[Script]:
    """A running server with an empty script."""
    script: Script
    running = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lambda: script))
    running.daemon_threads = True
    script = Script(running)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield script
    finally:
        running.shutdown()
        running.server_close()
        thread.join()

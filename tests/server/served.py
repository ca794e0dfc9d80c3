"""A real daemon behind the real server, on a free port, in a thread of the test process."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from websockets.sync.client import ClientConnection, connect

from nexaflow_cli.config import DaemonSettings
from nexaflow_cli.runtime.daemon import Daemon
from nexaflow_cli.server.app import create_app
from nexaflow_cli.server.listener import bind
from nexaflow_cli.server.wire import HttpServer

SPEAK = """
name: speak
inputs: {word: {type: string, default: hello}}
steps:
  - {id: say, run: 'echo "$WORD"', env: {WORD: "${{ inputs.word }}"}}
"""
ARRIVE = """
name: arrive
triggers: [{event: file.created, pattern: "/in/*.txt"}]
steps:
  - {id: note, action: set, with: {values: {path: "${{ event.path }}"}}}
"""
SLEEP = """
name: sleep
steps:
  - {id: rest, action: wait, with: {duration: 1h}}
  - {id: after, action: log, with: {message: awake}}
"""
BREAK = """
name: break
steps: [{id: stop, action: fail, with: {message: no way on}}]
"""


class Served:
    """What a test holds of it."""

    def __init__(self, daemon: Daemon, app: FastAPI, loop: asyncio.AbstractEventLoop, port: int):
        self.daemon, self.app, self._loop, self.port = daemon, app, loop, port
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {daemon.local_key}"}, timeout=30
        )
        self.stranger = httpx.Client(base_url=self.url, timeout=30)

    def do(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Run something on the daemon's own loop, and return what it does."""

        async def call() -> Any:
            return await work()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(30)

    def apply(self, *sources: str) -> httpx.Response:
        documents = [{"filename": f"{i}.yaml", "source": text} for i, text in enumerate(sources)]
        return self.http.post("/api/v2/workflows/apply", json={"documents": documents})

    def start(self, workflow: str, **inputs: Any) -> str:
        answer = self.http.post("/api/v2/runs", json={"workflow": workflow, "inputs": inputs})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def watch(self, query: str, **headers: str) -> ClientConnection:
        shown = {"Authorization": f"Bearer {self.daemon.local_key}", **headers}
        return connect(
            f"ws://127.0.0.1:{self.port}/api/v2/live?{query}",
            additional_headers={name: text for name, text in shown.items() if text},
            proxy=None,
        )

    def finished(self, run: str) -> dict[str, Any]:
        """The run, once it has ended."""
        with self.watch(f"run={run}") as socket:
            for text in socket:
                if json.loads(text)["type"] == "end":
                    break
        found: dict[str, Any] = self.http.get(f"/api/v2/runs/{run}").json()
        return found


@contextmanager
def serving(data_dir: Path, **settings: Any) -> Iterator[Served]:
    """A served daemon for the length of a block."""
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    made: list[Served] = []
    failed: list[BaseException] = []
    up, down = threading.Event(), threading.Event()

    async def live() -> None:
        daemon = Daemon(DaemonSettings(data_dir, port=port, grace=1.0, **settings))
        await daemon.start()
        app = create_app(daemon)
        server = HttpServer(app, grace=1.0)
        task = asyncio.create_task(server.serve([listener]))
        await server.ready.wait()
        made.append(Served(daemon, app, asyncio.get_running_loop(), port))
        up.set()
        await asyncio.to_thread(down.wait)
        server.leave()
        await task
        await daemon.stop()

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as error:
            failed.append(error)
        finally:
            up.set()

    thread = threading.Thread(target=run)
    thread.start()
    up.wait()
    try:
        if failed:
            raise failed[0]
        yield made[0]
    finally:
        if made:
            made[0].http.close()
            made[0].stranger.close()
        down.set()
        thread.join()
        if failed:
            raise failed[0]

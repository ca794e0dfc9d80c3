"""The child's half of a conversation in JSON lines (standard library only: peers import it).

A request is `{"op": NAME, ...arguments}`, a reply `{"ok": RESULT}` or `{"error": TEXT}`. Replies
leave by a private copy of standard output; whatever a library prints goes to standard error.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, TextIO

Handlers = dict[str, Callable[..., Any]]
AsyncHandlers = dict[str, Callable[..., Awaitable[Any]]]


def _private_stdout() -> TextIO:
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return out


def _reply(out: TextIO, message: dict[str, Any]) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def serve(handlers: Handlers) -> None:
    """Answer requests with plain functions until standard input ends."""
    out = _private_stdout()
    _reply(out, {"ok": "ready"})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            _reply(out, {"ok": handlers[request.pop("op")](**request)})
        except Exception:
            _reply(out, {"error": traceback.format_exc()})


async def serve_async(handlers: AsyncHandlers) -> None:
    """Answer requests with coroutine functions on this loop until standard input ends."""
    out = _private_stdout()
    _reply(out, {"ok": "ready"})
    while line := await asyncio.to_thread(sys.stdin.readline):
        request = json.loads(line)
        try:
            _reply(out, {"ok": await handlers[request.pop("op")](**request)})
        except Exception:
            _reply(out, {"error": traceback.format_exc()})

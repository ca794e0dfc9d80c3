"""The content of a file as an answer, piece by piece, whole or in part."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import BinaryIO

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from nexaflow_cli.files.status import FileStat
from nexaflow_cli.server import problems
from nexaflow_cli.server.fileinfo import headers

PIECE = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Download(Response):
    """Sends an open file and closes it.

    Args:
        file: open for reading, at its start.
        status: what is known of it; no more than its size is sent, if it grows meanwhile.
        asked: the headers of the request.
    """

    media_type = "application/octet-stream"

    def __init__(self, file: BinaryIO, status: FileStat, asked: Mapping[str, str]) -> None:
        self._file = file
        self._start, self._end = 0, status.size
        told = dict(headers(status.path, status.etag, status.modified))
        code = 200
        wanted = _wanted(asked.get("range"), status.size)
        if _names(asked.get("if-none-match"), status.etag):
            code, self._end = 304, 0
        elif wanted is not None and asked.get("if-range", status.etag) == status.etag:
            self._start, self._end = wanted
            code = 206 if self._start < self._end else 416
            span = f"{self._start}-{self._end - 1}" if code == 206 else "*"
            told["Content-Range"] = f"bytes {span}/{status.size}"
        if code != 304:
            told["Content-Length"] = str(max(0, self._end - self._start))
        super().__init__(None, code, told)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if self.status_code == 416:
                refusal = problems.response(
                    416, "the file ends before that range", "usage",
                    headers={"Content-Range": self.headers["content-range"]},
                )  # fmt: skip
                await refusal(scope, receive, send)
                return
            await self._send(send)
        finally:
            self._file.close()

    async def _send(self, send: Send) -> None:
        left = self._end - self._start
        if self._start:
            self._file.seek(self._start)
        # The first piece before the first word: a disk that fails then still gets its own answer.
        piece = await self._read(left)
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        while piece:
            left -= len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
            if left <= 0:
                return
            piece = await self._read(left)
        # Shorter than it was: the server sees the gap and breaks the connection, as it should.
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read(self, left: int) -> bytes:
        if left <= 0:
            return b""
        return await asyncio.to_thread(self._file.read, min(PIECE, left))


def _wanted(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end of the one range asked for; None: the whole. Several are not served."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found.group() == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    start, end = int(first), (int(last) + 1 if last else size)
    return None if last and end <= start else (start, max(min(end, size), 0))


def _names(header: str | None, etag: str) -> bool:
    """Whether an `If-None-Match` names this version."""
    if header is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or etag in tags

"""One file of the file space: read, write, append, delete."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import unquote

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from nexaflow_cli.errors import NotFoundError
from nexaflow_cli.server.bodies import check_declared, is_small, whole_body
from nexaflow_cli.server.download import Download
from nexaflow_cli.server.fileinfo import headers, info
from nexaflow_cli.server.responses import Json
from nexaflow_cli.server.routing import API, Routes, daemon_of

routes = Routes("files", "The file space: ordinary files under virtual paths.")

APPEND_BYTES = 16 * 1024 * 1024
PIECE = 256 * 1024
_PREFIX = f"{API}/files/".encode()
_ONE = f"{API}/files/{{path:path}}"
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

FilePath = Annotated[str, Path(description="Path in the file space, without its first slash.")]


@routes.add("GET", _ONE, "Read a file", answer=_BYTES, about_answer="The content.")
async def read_file(request: Request, path: FilePath) -> Response:
    """Honours `Range` (one range) with `If-Range`, and `If-None-Match`."""
    file, status = await daemon_of(request).files.open_read(_path(request))
    return Download(file, status, request.headers)


@routes.add("HEAD", _ONE, "Look at a file", answer=None, about_answer="Its size and its ETag.")
async def head_file(request: Request, path: FilePath) -> Response:
    """What GET would answer, without the content."""
    found = await daemon_of(request).files.stat(_path(request))
    told = dict(headers(found.path, found.etag, found.modified))
    told["Content-Length"] = str(found.size)
    return Response(None, 200, told, "application/octet-stream")


@routes.add("PUT", _ONE, "Write a file", answer="FileInfo", body=_BYTES)
async def write_file(request: Request, path: FilePath) -> Response:
    """Replaces the whole content, at once for whoever reads it. A body that breaks off or is too
    large changes nothing."""
    daemon = daemon_of(request)
    limit, target = daemon.settings.body_bytes, _path(request)
    check_declared(request, limit)
    if is_small(request):
        done = await daemon.files.write(target, await whole_body(request, limit))
    else:
        done = await daemon.files.write_stream(target, _pieces(request), limit=limit)
    return Json(info(done))


@routes.add("POST", _ONE, "Append to a file", answer="FileInfo", body=_BYTES)
async def append_file(request: Request, path: FilePath) -> Response:
    """Adds to the end in one write, at most 16 MiB; the file is made if it is not there."""
    daemon, target = daemon_of(request), _path(request)
    limit = min(APPEND_BYTES, daemon.settings.body_bytes)
    if is_small(request):
        done = await daemon.files.append(target, await whole_body(request, limit))
    else:
        async with request.app.state.large_bodies:
            done = await daemon.files.append(target, await whole_body(request, limit))
    return Json(info(done))


@routes.add("DELETE", _ONE, "Delete a file", answer=None, status=204)
async def delete_file(request: Request, path: FilePath) -> Response:
    """A symlink is removed itself, its target is not."""
    await daemon_of(request).files.delete(_path(request))
    return Response(status_code=204)


def _path(request: Request) -> str:
    """The virtual path, from the bytes of the address: what is not UTF-8 must not be guessed."""
    raw: bytes = request.scope["raw_path"]
    if not raw.startswith(_PREFIX):
        raise NotFoundError(
            "the address of a file begins with /api/v2/files/, written as it is",
            hint="escape only what follows",
        )
    return "/" + unquote(raw[len(_PREFIX) :].decode("ascii"), errors="surrogateescape")


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces of some size, as each is a trip to a thread and the disk."""
    waiting = bytearray()
    async for chunk in request.stream():
        waiting += chunk
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)

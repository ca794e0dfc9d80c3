"""What concerns several files at once: list, copy, move, read many."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from nexaflow_cli.errors import TooLargeError
from nexaflow_cli.server.bodies import ReadMany, Transfer, json_body
from nexaflow_cli.server.fileinfo import info
from nexaflow_cli.server.responses import Json
from nexaflow_cli.server.routing import API, Cursor, Limit, Routes, daemon_of

routes = Routes("files", "The file space: ordinary files under virtual paths.")
READ_MANY_BYTES = 32 * 1024 * 1024


@routes.add("GET", f"{API}/files", "List files", answer="FilePage")
async def list_files(
    request: Request,
    pattern: Annotated[
        str, Query(min_length=1, max_length=8192, description="A glob, such as `/in/**/*.txt`.")
    ] = "/**",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Ordered by path. `*` stays in one folder, `**` crosses folders, `{a,b}` are
    alternatives."""
    files = daemon_of(request).files
    found = await files.list(pattern, after=cursor or "", limit=limit + 1)
    chosen = found[:limit]
    following = chosen[-1].path if len(found) > limit else None
    return Json({"items": [info(file) for file in chosen], "next": following})


@routes.add("POST", f"{API}/files/copy", "Copy a file", answer="FileInfo", body=Transfer)
async def copy_file(request: Request) -> Response:
    """Over what is at the target, if there is something."""
    asked = await json_body(request, Transfer)
    return Json(info(await daemon_of(request).files.copy(asked.source, asked.target)))


@routes.add("POST", f"{API}/files/move", "Move a file", answer="FileInfo", body=Transfer)
async def move_file(request: Request) -> Response:
    """Over what is at the target, if there is something."""
    asked = await json_body(request, Transfer)
    return Json(info(await daemon_of(request).files.move(asked.source, asked.target)))


@routes.add(
    "POST", f"{API}/files/read-many", "Read several files", answer="Contents", body=ReadMany
)
async def read_many_files(request: Request) -> Response:
    """Each content in base64, in the order asked; together at most 32 MiB."""
    asked = await json_body(request, ReadMany)
    files = daemon_of(request).files
    left = READ_MANY_BYTES
    items = []
    slots = request.app.state.large_bodies
    async with slots:
        for path in asked.paths:
            try:
                content = await files.read(path, limit=left)
            except TooLargeError as error:
                raise TooLargeError(
                    f"the files are larger than {READ_MANY_BYTES:,} bytes together, at {path!r}",
                    hint="ask for fewer at a time, or for each by itself",
                ) from error
            left -= len(content)
            items.append({"path": path, "content": b64encode(content).decode()})
        return Json({"items": items})

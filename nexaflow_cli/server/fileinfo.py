"""A file as answers tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nexaflow_cli.actions.base import FileInfo
from nexaflow_cli.runtime.times import iso


def info(file: FileInfo) -> dict[str, Any]:
    """A file as JSON."""
    return {
        "path": file.path,
        "size": file.size,
        "modified_at": iso(file.modified),
        "etag": file.etag,
    }


def headers(path: str, etag: str, modified: float) -> Mapping[str, str]:
    """What goes with the content of a file.

    A browser is told to save it and not to guess what it is: files are anybody's, and must not
    act as pages of this address.
    """
    name = quote(path.rpartition("/")[2], safe="")
    return {
        "ETag": etag,
        "X-Modified-At": iso(modified) or "",
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }

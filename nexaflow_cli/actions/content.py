"""Content of files and messages: text, JSON or base64 in `with` and in outputs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from nexaflow_cli.actions.base import ActionError, FileInfo, failure
from nexaflow_cli.actions.params import flag, invalid
from nexaflow_cli.errors import NexaflowError

FORMS = ("content", "json", "base64")

WRITE_PROPERTIES: Mapping[str, Any] = {
    "content": {"type": "string", "description": "Text to write, as UTF-8."},
    "json": {"description": "Data to write as JSON, with a newline at its end."},
    "base64": {"type": "string", "description": "Bytes to write, in base64."},
    "indent": {
        "type": "boolean",
        "default": False,
        "description": "Whether `json` is indented for people.",
    },
}
"""Schema of the ways to give content; exactly one of the first three."""

ONE_FORM: list[Mapping[str, Any]] = [{"required": [form]} for form in FORMS]


def content(params: Mapping[str, Any]) -> bytes:
    """The bytes that `content`, `json` or `base64` mean.

    Raises:
        ActionError: none or several are given, or one does not fit.
    """
    given = [form for form in FORMS if form in params]
    if len(given) != 1:
        raise invalid("give one of `content`, `json` and `base64`, and only one")
    value = params[given[0]]
    if given[0] == "json":
        return to_json(value, indent=flag(params, "indent", False)) + b"\n"
    if given[0] == "content" and isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise invalid(f"`{given[0]}` must be text; for other data use `json`")
    if given[0] == "base64":
        return from_base64("base64", value)
    return value.encode("utf-8", "replace")


def to_json(value: Any, *, indent: bool = False) -> bytes:
    """Data as JSON.

    Raises:
        ActionError: it holds what JSON cannot.
    """
    import orjson

    option = orjson.OPT_NON_STR_KEYS | (orjson.OPT_INDENT_2 if indent else 0)
    try:
        return orjson.dumps(value, option=option)
    except TypeError as error:
        raise invalid(f"`json` cannot be written: {error}") from None


def from_base64(name: str, text: str) -> bytes:
    """The bytes of a base64 text; white space in it is ignored.

    Raises:
        ActionError: it is no base64.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(f"`{name}` is no base64") from None


def described(info: FileInfo) -> dict[str, Any]:
    """A file as a step's output shows it."""
    from datetime import UTC, datetime

    modified = datetime.fromtimestamp(info.modified, UTC).isoformat(timespec="milliseconds")
    return {
        "path": info.path,
        "name": info.path.rpartition("/")[2],
        "size": info.size,
        "modified_at": modified.replace("+00:00", "Z"),
        "etag": info.etag,
    }


FILE_OUTPUT = "`{path, name, size, modified_at, etag}` of the file"


@asynccontextmanager
async def file_errors(doing: str) -> AsyncIterator[None]:
    """Turn errors of the file space into failures of the step that say what it was doing."""
    try:
        yield
    except NexaflowError as error:
        raise failure(error) from error
    except OSError as error:
        cause = error.strerror or str(error)
        raise ActionError(f"cannot {doing}: {cause}", type="io") from error

"""`file.read`: the content of a file as a value."""

from __future__ import annotations

import base64
from typing import Any

from nexaflow_cli.actions.base import Action, ActionError, Call
from nexaflow_cli.actions.content import file_errors
from nexaflow_cli.actions.json_data import load_json
from nexaflow_cli.actions.params import choice, text
from nexaflow_cli.actions.sizes import size
from nexaflow_cli.errors import TooLargeError

FORMS = ("text", "json", "lines", "base64")


async def _run(params: dict[str, Any], call: Call) -> Any:
    path = text(params, "path")
    form = choice(params, "as", FORMS, "text")
    limit = call.limits.output
    async with file_errors(f"read {path}"):
        try:
            data = await call.files.read(path, limit=limit)
        except TooLargeError:
            raise ActionError(
                f"{path} is more than {size(limit)}, the most a step's output may be; "
                "hand on its path instead, and let a shell step read it",
                type="too-large",
                retryable=False,
            ) from None
    if form == "base64":
        return base64.b64encode(data).decode()
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ActionError(
            f"{path} is not UTF-8 text (byte {error.start}); read it `as: base64`",
            type="content",
            retryable=False,
        ) from None
    if form == "text":
        return content
    if form == "lines":
        return content.splitlines()
    return _json(path, content)


def _json(path: str, content: str) -> Any:
    try:
        return load_json(content)
    except ValueError as error:
        raise ActionError(f"{path} is not JSON: {error}", type="content") from None


ACTION = Action(
    name="file.read",
    summary="Read a file of the file space.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {
            "path": {"type": "string", "description": "Which file, as a path of the file space."},
            "as": {
                "enum": list(FORMS),
                "default": "text",
                "description": "What to make of it: `text` (UTF-8), `json`, `lines`, or `base64` "
                "for any bytes.",
            },
        },
    },
    run=_run,
    output="The content, as `as` says; at most as much as a step's output may be (1 MiB).",
    example="""\
- id: settings
  action: file.read
  with:
    path: /workspace/settings.json
    as: json
""",
)

"""`file.write`: content given as text, JSON or base64 into a file."""

from __future__ import annotations

from typing import Any

from nexaflow_cli.actions.base import Action, Call
from nexaflow_cli.actions.content import (
    FILE_OUTPUT,
    ONE_FORM,
    WRITE_PROPERTIES,
    content,
    described,
    file_errors,
)
from nexaflow_cli.actions.params import text


async def _run(params: dict[str, Any], call: Call) -> dict[str, Any]:
    path = text(params, "path")
    data = content(params)
    async with file_errors(f"write {path}"):
        return described(await call.files.write(path, data))


ACTION = Action(
    name="file.write",
    summary="Write a file of the file space, replacing what was there.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "oneOf": ONE_FORM,
        "properties": {
            "path": {"type": "string", "description": "Which file, as a path of the file space."},
            **WRITE_PROPERTIES,
        },
    },
    run=_run,
    output=f"{FILE_OUTPUT}, as it is now.",
    example="""\
- id: keep
  action: file.write
  with:
    path: /workspace/results/${{ event.name }}.json
    json: {words: "${{ steps.count.output | int }}"}
""",
)

"""`file.append`: content given as text, JSON or base64 into a file."""

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
    async with file_errors(f"append to {path}"):
        return described(await call.files.append(path, data))


ACTION = Action(
    name="file.append",
    summary="Add to the end of a file of the file space, made if it is not there.",
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
- id: journal
  action: file.append
  with:
    path: /workspace/journal.jsonl
    json: {path: "${{ event.path }}", at: "${{ run.started_at }}"}
""",
)

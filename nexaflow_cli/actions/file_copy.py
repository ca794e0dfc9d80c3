"""`file.copy`: a file to another path."""

from __future__ import annotations

from typing import Any

from nexaflow_cli.actions.base import Action, Call
from nexaflow_cli.actions.content import FILE_OUTPUT, described, file_errors
from nexaflow_cli.actions.params import text


async def _run(params: dict[str, Any], call: Call) -> dict[str, Any]:
    source, target = text(params, "from"), text(params, "to")
    async with file_errors(f"copy {source} to {target}"):
        return described(await call.files.copy(source, target))


ACTION = Action(
    name="file.copy",
    summary="Copy a file of the file space, replacing what was there.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["from", "to"],
        "properties": {
            "from": {"type": "string", "description": "The file there is."},
            "to": {"type": "string", "description": "The path it is to have, with its name."},
        },
    },
    run=_run,
    output=f"{FILE_OUTPUT} at its new path.",
    example="""\
- id: keep_copy
  action: file.copy
  with:
    from: ${{ event.path }}
    to: /workspace/archive/${{ event.name }}
""",
)

"""`file.delete`: a file away."""

from __future__ import annotations

from typing import Any

from nexaflow_cli.actions.base import Action, Call
from nexaflow_cli.actions.content import file_errors
from nexaflow_cli.actions.params import flag, text
from nexaflow_cli.errors import NexaflowFileNotFoundError


async def _run(params: dict[str, Any], call: Call) -> dict[str, Any]:
    path = text(params, "path")
    missing_ok = flag(params, "missing_ok", False)
    async with file_errors(f"delete {path}"):
        try:
            await call.files.delete(path)
        except NexaflowFileNotFoundError:
            if not missing_ok:
                raise
            return {"path": path, "deleted": False}
    return {"path": path, "deleted": True}


ACTION = Action(
    name="file.delete",
    summary="Delete a file of the file space.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {
            "path": {"type": "string", "description": "Which file, as a path of the file space."},
            "missing_ok": {
                "type": "boolean",
                "default": False,
                "description": "Whether it is fine if there is no such file.",
            },
        },
    },
    run=_run,
    output="`{path, deleted}`; `deleted` is false if there was none and `missing_ok` is set.",
    example="""\
- id: clear
  action: file.delete
  with:
    path: /workspace/tmp/${{ event.name }}
    missing_ok: true
""",
)

"""`file.list`: the files that match a pattern."""

from __future__ import annotations

from typing import Any

from nexaflow_cli.actions.base import Action, ActionError, Call
from nexaflow_cli.actions.content import described, file_errors
from nexaflow_cli.actions.params import text, whole

_MOST = 10_000


async def _run(params: dict[str, Any], call: Call) -> list[dict[str, Any]]:
    pattern = text(params, "pattern")
    most = whole(params, "limit", 1000)
    async with file_errors(f"list {pattern}"):
        found = await call.files.list(pattern)
    if len(found) > most:
        raise ActionError(
            f"{len(found):,} files match {pattern}, more than `limit` ({most:,})",
            type="too-large",
            retryable=False,
        )
    return [described(info) for info in sorted(found, key=lambda info: info.path)]


ACTION = Action(
    name="file.list",
    summary="List the files that match a pattern.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["pattern"],
        "properties": {
            "pattern": {
                "type": "string",
                "description": "A glob: * in one folder, ** across folders, {a,b}, ?, [a-z].",
            },
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": _MOST,
                "default": 1000,
                "description": "Most files; with more the step fails rather than miss some.",
            },
        },
    },
    run=_run,
    output="A list of `{path, name, size, modified_at, etag}`, by path; empty if nothing matches.",
    example="""\
- id: reports
  action: file.list
  with:
    pattern: /workspace/reports/**/*.csv
""",
)

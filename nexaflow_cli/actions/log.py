"""`log`: one message into the run's log."""

from __future__ import annotations

from typing import Any

from nexaflow_cli.actions.base import Action, Call
from nexaflow_cli.actions.params import choice

LEVELS = ("debug", "info", "warning", "error")


def _run(params: dict[str, Any], call: Call) -> None:
    message = params.get("message")
    if not isinstance(message, str):
        import orjson

        # A list or mapping is worth logging too; as JSON it reads the same everywhere.
        message = orjson.dumps(message, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
    call.log.line(message, level=choice(params, "level", LEVELS, "info"))


ACTION = Action(
    name="log",
    summary="Write a message into the log of the run.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["message"],
        "properties": {
            "message": {"description": "What to say; anything but text is written as JSON."},
            "level": {
                "enum": list(LEVELS),
                "default": "info",
                "description": "How serious it is.",
            },
        },
    },
    run=_run,
    output="Nothing.",
    example="""\
- id: say
  action: log
  with:
    message: "Got ${{ event.path }}, ${{ event.size }} bytes"
    level: info
""",
)

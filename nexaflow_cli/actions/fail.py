"""`fail`: end the step, and so the run, in failure."""

from __future__ import annotations

from typing import Any

from nexaflow_cli.actions.base import Action, ActionError, Call
from nexaflow_cli.actions.params import flag, text


def _run(params: dict[str, Any], call: Call) -> None:
    raise ActionError(
        call.log.mask(text(params, "message")),
        type=text(params, "type", "failed"),
        retryable=flag(params, "retryable", False),
    )


ACTION = Action(
    name="fail",
    summary="Fail with a message of your own.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["message"],
        "properties": {
            "message": {"type": "string", "description": "Why; shown in the history."},
            "type": {
                "type": "string",
                "default": "failed",
                "description": "The kind of failure that `retry_on.errors` can name.",
            },
            "retryable": {
                "type": "boolean",
                "default": False,
                "description": "Whether the step's retries apply; without it there are none.",
            },
        },
    },
    run=_run,
    pure=True,
    output="None: the step fails.",
    example="""\
- id: refuse
  if: ${{ inputs.amount < 0 }}
  action: fail
  with:
    message: "An amount cannot be negative: ${{ inputs.amount }}"
""",
)

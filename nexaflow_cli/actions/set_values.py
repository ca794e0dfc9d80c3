"""`set`: computed values under a step's name."""

from __future__ import annotations

from typing import Any

from nexaflow_cli.actions.base import Action, Call
from nexaflow_cli.actions.params import mapping


def _run(params: dict[str, Any], call: Call) -> dict[str, Any]:
    return dict(mapping(params, "values"))


ACTION = Action(
    name="set",
    summary="Compute values once and give them a name.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["values"],
        "properties": {
            "values": {
                "type": "object",
                "description": "Names and their values; expressions keep their type.",
            },
        },
    },
    run=_run,
    pure=True,
    output="The mapping `values`, rendered: `steps.ID.output.NAME`.",
    example="""\
- id: totals
  action: set
  with:
    values:
      net: ${{ steps.read.output.amount }}
      gross: ${{ steps.read.output.amount * 1.19 }}
""",
)

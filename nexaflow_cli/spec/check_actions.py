"""Actions that exist, and parameters that fit them as far as they are known now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexaflow_cli.spec.findings import Findings
from nexaflow_cli.spec.nearest import did_you_mean
from nexaflow_cli.spec.outline import Block, every_step
from nexaflow_cli.spec.schema import ValueSchema

_MAX_SHOWN = 20
_compiled: dict[int, tuple[Mapping[str, Any], ValueSchema]] = {}


def check_actions(
    blocks: Mapping[str, Block], actions: Mapping[str, Mapping[str, Any]], findings: Findings
) -> None:
    """Check `action` and `with` of every step.

    Args:
        blocks: the steps.
        actions: name to the JSON Schema of `with`; if empty, nothing is known and all is taken.
        findings: takes what is wrong.
    """
    if not actions:
        return
    for step in every_step(blocks):
        name = step.raw.get("action")
        if not isinstance(name, str) or findings.is_broken((*step.path, "action")):
            continue
        schema = actions.get(name)
        if schema is None:
            hint = did_you_mean(name, actions) or "`nexaflow actions list` shows all"
            shown = name if len(name) <= 60 else name[:60] + "…"
            findings.add("unknown-action", f"no action `{shown}`", (*step.path, "action"), hint)
            continue
        given = step.raw.get("with", {})
        if not isinstance(given, Mapping):
            continue
        # A missing parameter is told where the others are, or at the action if there are none.
        place = (*step.path, "with") if "with" in step.raw else (*step.path, "action")
        for problem in _schema(schema).problems(given, lenient=True)[:_MAX_SHOWN]:
            message = problem.message
            if problem.code == "missing-key" and not problem.path:
                message = f"{message} from `with` of `{name}`"
            findings.add(
                problem.code, message, (*place, *problem.path), problem.hint, of_key=problem.of_key
            )


def _schema(schema: Mapping[str, Any]) -> ValueSchema:
    # Kept by identity, with the schema itself so that its identity stays taken.
    known = _compiled.get(id(schema))
    if known is None or known[0] is not schema:
        if len(_compiled) > 1000:
            _compiled.clear()
        known = _compiled[id(schema)] = (schema, ValueSchema(schema))
    return known[1]

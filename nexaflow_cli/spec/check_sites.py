"""Goes to every place of a document that may hold an expression, and to those that may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexaflow_cli.spec.check_names import ROOTS, NameCheck, Site
from nexaflow_cli.spec.findings import Findings
from nexaflow_cli.spec.outline import Block, StepNode, every_step
from nexaflow_cli.spec.places import Path
from nexaflow_cli.spec.template import ExpressionError, Part, has_expression, split

_BASE = frozenset(("event", "inputs", "steps", "run", "workflow"))
_EARLY = frozenset(("event", "inputs", "run", "workflow"))


def check_sites(
    data: Mapping[str, Any], blocks: Mapping[str, Block], names: NameCheck, findings: Findings
) -> None:
    """Check all expressions of a document."""
    triggers = data.get("triggers")
    for index, trigger in enumerate(triggers if isinstance(triggers, list) else []):
        if isinstance(trigger, Mapping) and "if" in trigger:
            site = Site(frozenset(("event", "workflow")), phase="trigger")
            names.condition(trigger["if"], ("triggers", index, "if"), site)
    names.value(data.get("env"), ("env",), Site(_EARLY | {"secrets"}, phase="env"))
    for step in every_step(blocks):
        _check_step(step, names, findings)
    names.value(data.get("output"), ("output",), Site(_BASE, phase="output"))
    for key in ("description", "labels"):
        _no_expression(data.get(key), (key,), findings)


def _check_step(step: StepNode, names: NameCheck, findings: Findings) -> None:
    phase = _phase(step)
    around = _loop_names(step)
    outside = Site(_BASE | around, step, phase)
    raw, path = step.raw, step.path
    own = {"item", "index", step.variable} if step.is_loop else set()
    inside = Site(_BASE | around | own | {"env", "secrets"}, step, phase)
    names.condition(raw.get("if"), (*path, "if"), outside)
    _check_loop(step, around, findings)
    items = raw.get("for_each")
    if isinstance(items, str) and not has_expression(items):
        findings.add(
            "wrong-type",
            "`for_each` must be a list or an expression",
            (*path, "for_each"),
            f"write ${{{{ {items.strip()[:60]} }}}} if it is one",
        )
    names.value(items, (*path, "for_each"), outside)
    cases = raw.get("switch")
    for index, case in enumerate(cases if isinstance(cases, list) else []):
        if isinstance(case, Mapping):
            place = (*path, "switch", index)
            names.condition(case.get("if"), (*place, "if"), outside)
            if "else" in case and isinstance(cases, list) and index < len(cases) - 1:
                message = "no case after `else` can be reached"
                findings.add("unreachable-case", message, (*place, "else"), of_key=True)
    params = raw.get("with")
    if raw.get("action") == "shell" and isinstance(params, Mapping):
        _check_script(params.get("script"), (*path, "with", "script"), findings)
        params = {key: value for key, value in params.items() if key != "script"}
    _check_script(raw.get("run"), (*path, "run"), findings)
    names.value(params, (*path, "with"), inside)
    for key in ("env", "dir"):
        names.value(raw.get(key), (*path, key), inside)
    for key in ("name", "shell", "action"):
        _no_expression(raw.get(key), (*path, key), findings)


def _phase(step: StepNode) -> str:
    block = step.block
    while block.owner is not None:
        block = block.owner.block
    return block.kind


def _loop_names(step: StepNode) -> frozenset[str]:
    """What the for_each steps around this one define."""
    names: set[str] = set()
    owner = step.block.owner
    while owner is not None:
        if owner.is_loop:
            names |= {"item", "index", owner.variable}
        owner = owner.block.owner
    return frozenset(names)


def _check_loop(step: StepNode, around: frozenset[str], findings: Findings) -> None:
    if not step.is_loop:
        return
    name = step.variable
    path = (*step.path, "as")
    if "as" in step.raw and name != "item" and name in ROOTS:
        findings.add("shadowed-name", f"`{name}` has a meaning of its own", path, "take another")
    elif "as" in step.raw and name in around:
        message = f"`{name}` is the item of a for_each around this one already"
        findings.add("shadowed-name", message, path, "take another name")
    elif "as" not in step.raw and "item" in around:
        findings.add(
            "shadowed-name",
            "`item` of this for_each hides the one around it",
            (*step.path, "for_each"),
            "name one of them with `as`",
            of_key=True,
            severity="warning",
        )


def _check_script(text: Any, path: Path, findings: Findings) -> None:
    """Text pasted into a script is how a file's name becomes a command."""
    if not isinstance(text, str) or not has_expression(text):
        return
    try:
        parts = split(text)
    except ExpressionError as error:
        start, length = error.offset, error.length
        _in_script(text, start, max(length, 3), "…", path, findings)
        return
    for part in parts:
        if isinstance(part, Part) and not findings.is_full():
            start = text.rindex("${{", 0, part.offset)
            _in_script(text, start, 3, part.source, path, findings)


def _in_script(
    text: str, start: int, length: int, source: str, path: Path, findings: Findings
) -> None:
    shown = source if len(source) <= 60 else source[:60] + "…"
    findings.add_inside(
        "expression-in-script",
        "a script takes no expressions: a value could become a command",
        path,
        text,
        start,
        length,
        f'pass it by env: `env: {{VALUE: "${{{{ {shown} }}}}"}}`, and use "$VALUE" in the script',
    )


def _no_expression(raw: Any, path: Path, findings: Findings) -> None:
    pending = [(raw, path)]
    while pending:
        value, place = pending.pop()
        if isinstance(value, str):
            if has_expression(value):
                message = "expressions are not evaluated here"
                findings.add("expression-ignored", message, place, severity="warning")
        elif isinstance(value, Mapping):
            pending.extend((item, (*place, key)) for key, item in value.items())
        elif isinstance(value, list):
            pending.extend((item, (*place, index)) for index, item in enumerate(value))

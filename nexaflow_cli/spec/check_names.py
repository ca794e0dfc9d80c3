"""Names in expressions: each must exist, and have a value by the time it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nexaflow_cli.spec.check_steps import Order
from nexaflow_cli.spec.expressions import (
    ExpressionError,
    Reference,
    compile_condition,
    inspect_text,
    references,
)
from nexaflow_cli.spec.findings import Findings
from nexaflow_cli.spec.nearest import did_you_mean
from nexaflow_cli.spec.outline import StepNode
from nexaflow_cli.spec.places import Path
from nexaflow_cli.spec.template import has_expression

STEP_FIELDS = ("output", "values", "status", "error", "attempts")
RUN_FIELDS = ("id", "created_at", "started_at", "status", "error")
WORKFLOW_FIELDS = ("name", "version", "labels")
ROOTS = ("event", "inputs", "steps", "run", "workflow", "env", "secrets", "item", "index")


@dataclass(frozen=True, slots=True)
class Site:
    """A place that holds expressions, and what those may see.

    Args:
        roots: first names that exist here.
        step: the step whose turn it is; None outside of steps.
        phase: `steps` or the handler it is part of; `trigger`, `env` or `output` outside of steps.
    """

    roots: frozenset[str]
    step: StepNode | None = None
    phase: str = "steps"


class NameCheck:
    """Checks every expression of one document.

    Args:
        data: the document.
        order: its steps.
        findings: takes what is wrong.
    """

    def __init__(self, data: Mapping[str, Any], order: Order, findings: Findings) -> None:
        inputs = data.get("inputs")
        self._inputs = list(inputs) if isinstance(inputs, Mapping) else []
        env = data.get("env")
        self._env = list(env) if isinstance(env, Mapping) else []
        self._manual = not data.get("triggers")
        self._order = order
        self._findings = findings
        self._said_empty = False

    def condition(self, raw: Any, path: Path, site: Site) -> None:
        """Check an `if`."""
        if not isinstance(raw, str):
            return
        try:
            compile_condition(raw)
            found = references(raw, condition=True)
        except ExpressionError as error:
            self._malformed(error, path, raw)
            return
        self._references(found, path, raw, site)

    def value(self, raw: Any, path: Path, site: Site) -> None:
        """Check data that holds expressions in any of its texts."""
        pending: list[tuple[Any, Path]] = [(raw, path)]
        while pending:
            item, place = pending.pop()
            if isinstance(item, str):
                if has_expression(item):
                    self._text(item, place, site)
            elif isinstance(item, Mapping):
                for key, inner in item.items():
                    if has_expression(key):
                        self._findings.add(
                            "expression-in-key",
                            "a key cannot hold an expression",
                            (*place, key),
                            of_key=True,
                        )
                    pending.append((inner, (*place, key)))
            elif isinstance(item, list):
                pending.extend((inner, (*place, index)) for index, inner in enumerate(item))

    def _text(self, text: str, path: Path, site: Site) -> None:
        found, errors = inspect_text(text)
        for error in errors:
            self._malformed(error, path, text)
        self._references(found, path, text, site)

    def _malformed(self, error: ExpressionError, path: Path, text: str) -> None:
        self._findings.add_inside(
            "expression-syntax", error.message, path, text, error.offset, error.length, error.hint
        )

    def _references(self, found: Iterable[Reference], path: Path, text: str, site: Site) -> None:
        for reference in found:
            if self._findings.is_full():
                return
            problem = self._problem(reference, site)
            if problem is None:
                continue
            code, message, index, hint = problem
            name, offset = reference.names[index], reference.offsets[index]
            severity = "warning" if code == "empty-event" else "error"
            self._findings.add_inside(
                code,
                message,
                path,
                text,
                offset,
                len(name),
                hint,
                severity=severity,  # type: ignore[arg-type]
            )

    def _problem(self, reference: Reference, site: Site) -> tuple[str, str, int, str] | None:
        """Code, message, which name of the chain is meant, and hint."""
        names = reference.names
        root = names[0]
        if root not in site.roots:
            return self._bad_root(root, site)
        if root == "event":
            return self._empty_event()
        if len(names) == 1:
            return None
        second = names[1]
        known = {
            "inputs": self._inputs,
            "run": RUN_FIELDS,
            "workflow": ("name",) if site.phase == "trigger" else WORKFLOW_FIELDS,
            "env": self._env_names(site),
        }.get(root)
        if known is not None and second not in known:
            what = {"inputs": "input", "env": "variable"}.get(root, f"field of `{root}`")
            code = {"inputs": "unknown-input"}.get(root, "unknown-name")
            return code, f"no {what} `{second}`", 1, did_you_mean(second, known)
        if root == "steps":
            return self._step(names, site)
        return None

    def _bad_root(self, root: str, site: Site) -> tuple[str, str, int, str]:
        if root == "secrets":
            hint = "pass them to the action there, so that no output can show them"
            return "secret-not-allowed", "secrets are for `with` and `env` of a step", 0, hint
        if root in ("item", "index"):
            in_loop = site.step is not None and site.step.is_loop
            hint = "the `if` of a for_each step is asked once, before its items" if in_loop else ""
            return "unknown-name", f"`{root}` exists inside a for_each only", 0, hint
        if root in ROOTS:
            return "unknown-name", f"`{root}` is not known here", 0, self._known(site)
        return "unknown-name", f"unknown name `{root}`", 0, did_you_mean(root, site.roots)

    def _known(self, site: Site) -> str:
        return "known: " + ", ".join(sorted(site.roots))

    def _empty_event(self) -> tuple[str, str, int, str] | None:
        if not self._manual or self._said_empty:
            return None
        self._said_empty = True
        message = "this workflow has no trigger, so `event` is empty"
        return "empty-event", message, 0, "use `inputs`, or add a trigger"

    def _env_names(self, site: Site) -> list[str]:
        names = list(self._env)
        if site.step is not None and isinstance(site.step.raw.get("env"), Mapping):
            names.extend(site.step.raw["env"])
        return names

    def _step(self, names: tuple[str, ...], site: Site) -> tuple[str, str, int, str] | None:
        name = names[1]
        target = self._order.by_id.get(name)
        if target is None:
            return "unknown-step", f"no step `{name}`", 1, did_you_mean(name, self._order.by_id)
        if problem := self._not_yet(target, site):
            return "step-not-run", problem[0], 1, problem[1]
        if len(names) > 2 and names[2] not in STEP_FIELDS:
            hint = did_you_mean(names[2], STEP_FIELDS)
            return "unknown-name", f"a step has no `{names[2]}`", 2, hint
        return None

    def _not_yet(self, target: StepNode, site: Site) -> tuple[str, str] | None:
        """Why `target` has no result that can be seen at `site`, and what to do."""
        around: dict[int, int] = {}
        own = site.step
        while own is not None:
            around[id(own.block)] = own.index
            own = own.block.owner
        name = target.id
        current = target
        while True:
            block = current.block
            if id(block) in around:
                place = around[id(block)]
                if place == current.index:
                    return self._same_place(target, current, site)
                if self._order.is_before(block, current.index, place):
                    return None
                if current is target:
                    hint = f"add it to `needs`, or move this step after `{name}`"
                    return f"`{name}` may not have run when this is evaluated", hint
                hint = f"it is inside `{current.id}`, which does not run before this"
                return f"`{name}` may not have run when this is evaluated", hint
            if block.kind == "body" and block.owner is not None:
                outer = block.owner.id
                hint = f"`steps.{outer}.output` is the list of what its items gave"
                return f"`{name}` is inside the for_each `{outer}` and not seen outside it", hint
            if block.owner is None:
                return self._other_phase(target, block.kind, site)
            current = block.owner

    def _same_place(
        self, target: StepNode, current: StepNode, site: Site
    ) -> tuple[str, str] | None:
        if target is site.step:
            return f"`{target.id}` is this step itself, which has no result yet", ""
        if current is site.step:
            return f"`{target.id}` is inside this step, which has not begun", ""
        if target is current:
            return f"`{target.id}` is around this step and not done yet", ""
        return f"`{target.id}` is in another branch of `{current.id}` than this", ""

    def _other_phase(self, target: StepNode, kind: str, site: Site) -> tuple[str, str] | None:
        if kind == "steps" and site.phase != "steps":
            return None
        if site.phase == "finally" and kind != "steps":
            return None
        if kind != "steps":
            return f"`{target.id}` is part of `{kind}`, which runs later or not at all", ""
        return f"`{target.id}` may not have run when this is evaluated", ""

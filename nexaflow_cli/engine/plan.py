"""A workflow compiled for execution: blocks of nodes that know what they wait for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nexaflow_cli.spec.expressions import Condition, Value, compile_condition, compile_value
from nexaflow_cli.spec.model import ActionCall, Body, ForEach, Group, Retry, Step, Switch, Workflow

HANDLERS = ("on_success", "on_failure", "on_cancel", "finally")


@dataclass(slots=True, eq=False)
class Block:
    """Steps that are opened together: a list in the file."""

    nodes: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Node:
    """One step as the engine sees it; `index` is its place in its block."""

    id: str
    index: int
    kind: str
    step: Step
    retry: Retry
    timeout: float | None
    condition: Condition | None = None
    needs: int = 0
    dependents: list[Node] = field(default_factory=list)
    # action
    action: str = ""
    params: Value | None = None
    env: Value | None = None
    # switch: one (condition, block) a case; group: one block
    cases: list[Condition] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    # for_each: `body` is a node of its own, once for each item
    items: Value | None = None
    body: Node | None = None
    var: str = "item"
    max_parallel: int = 1


@dataclass(slots=True, eq=False)
class Plan:
    """Everything the engine needs of one version of a workflow."""

    workflow: Workflow
    main: Block
    handlers: dict[str, Block]
    output: Value | None
    env: Value
    by_id: dict[str, Node]

    def block(self, phase: str) -> Block:
        """The steps of a phase: `steps`, or one of `HANDLERS`."""
        return self.main if phase == "steps" else self.handlers[phase]


def compile_plan(workflow: Workflow) -> Plan:
    """Compile a checked workflow; O(steps + needs)."""
    by_id: dict[str, Node] = {}
    handlers = {
        name: _block(steps, workflow, by_id)
        for name, steps in (
            ("on_success", workflow.on_success),
            ("on_failure", workflow.on_failure),
            ("on_cancel", workflow.on_cancel),
            ("finally", workflow.finally_),
        )
        if steps
    }
    main = _block(workflow.steps, workflow, by_id)
    output = None if workflow.output is None else compile_value(workflow.output)
    return Plan(workflow, main, handlers, output, compile_value(dict(workflow.env)), by_id)


def _block(steps: tuple[Step, ...], workflow: Workflow, by_id: dict[str, Node]) -> Block:
    block = Block()
    local: dict[str, Node] = {}
    for index, step in enumerate(steps):
        node = _node(step, index, workflow, by_id)
        if step.condition is not None:
            node.condition = compile_condition(step.condition)
        needs = step.needs
        if needs is None:
            needs = (steps[index - 1].id,) if index else ()
        node.needs = len(set(needs))
        local[step.id] = by_id[step.id] = node
        block.nodes.append(node)
    for index, step in enumerate(steps):
        needs = step.needs
        if needs is None:
            needs = (steps[index - 1].id,) if index else ()
        for need in dict.fromkeys(needs):
            local[need].dependents.append(local[step.id])
    return block


def _node(
    step: Step, index: int, workflow: Workflow, by_id: dict[str, Node], body: Body | None = None
) -> Node:
    body = step.body if body is None else body
    node = Node(step.id, index, _kind(body), step, step.retry or workflow.retry, step.timeout)
    match body:
        case ActionCall(action, params, env):
            node.action = action
            node.params = compile_value(_plain(params))
            node.env = compile_value(_plain(env)) if env else None
        case Group(steps):
            node.blocks = [_block(steps, workflow, by_id)]
        case Switch(cases):
            node.cases = [compile_condition(case.condition) for case in cases]
            node.blocks = [_block(case.steps, workflow, by_id) for case in cases]
        case ForEach(items, inner, var, max_parallel):
            node.items = compile_value(items)
            node.var, node.max_parallel = var, max_parallel
            node.body = _node(step, 0, workflow, by_id, inner)
            # The limit of a for_each is for the whole of it; its items have none of their own.
            node.body.timeout = None
    return node


def _kind(body: Body) -> str:
    match body:
        case ActionCall():
            return "action"
        case Group():
            return "group"
        case Switch():
            return "switch"
        case ForEach():
            return "for_each"


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    return dict(value)

"""Small builders, so that a test shows the workflow it speaks of and nothing else."""

from __future__ import annotations

from typing import Any

from nexaflow_cli.spec.model import (
    ActionCall,
    Case,
    ForEach,
    Group,
    Retry,
    Step,
    Switch,
    Workflow,
)

NEVER = Retry(max_attempts=1)


def times(attempts: int, wait: float = 1.0, **more: Any) -> Retry:
    """A retry rule with a constant wait."""
    return Retry(max_attempts=attempts, backoff_seconds=wait, backoff_multiplier=1.0, **more)


def act(id: str, **more: Any) -> Step:
    """A step that calls an action."""
    return Step(id, ActionCall("work"), **more)


def group(id: str, *steps: Step, **more: Any) -> Step:
    return Step(id, Group(steps), **more)


def switch(id: str, *cases: tuple[Any, list[Step]], **more: Any) -> Step:
    """Cases as (condition, steps)."""
    return Step(id, Switch(tuple(Case(when, tuple(steps)) for when, steps in cases)), **more)


def each(
    id: str,
    items: Any,
    *body: Step,
    max_parallel: int = 1,
    var: str = "item",
    **more: Any,
) -> Step:
    """A for_each over an action or, with `body`, over a group of steps."""
    inner = Group(body) if body else ActionCall("work")
    return Step(id, ForEach(items, inner, var, max_parallel), **more)


def flow(*steps: Step, **more: Any) -> Workflow:
    return Workflow("flow", steps, **more)

"""Workflows, outcomes and schedules drawn by chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from building import act, each, group, switch, times
from hypothesis import strategies as st
from simulator import Behaviour, Hang, Simulator, Sleep, fail, ok

from nexaflow_cli.spec.model import Step, Workflow

MAX_DEPTH = 3
ITEMS = "${{ inputs.items }}"
INPUTS = {"yes": True, "no": False, "items": ["x", "y", "z"]}


@dataclass
class Case:
    """A workflow, and what its attempts do: rows of behaviours by step id."""

    workflow: Workflow
    rows: dict[str, list[list[Behaviour]]]

    def table(self) -> Callable[[str, int], Behaviour]:
        def behaviour(key: str, failures: int) -> Behaviour:
            # The items of a for_each differ, and always in the same way.
            rows = self.rows[key.rpartition(".")[2].partition("[")[0]]
            row = rows[sum(map(ord, key)) % len(rows)]
            return row[min(failures, len(row) - 1)]

        return behaviour

    def simulator(self) -> Simulator:
        return Simulator(self.workflow, self.table(), inputs=INPUTS)


class _Drawer:
    """Draws one case. A calm one ends alike in whatever order its attempts report."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any], calm: bool) -> None:
        self.draw = draw
        self.calm = calm
        self.rows: dict[str, list[list[Behaviour]]] = {}
        self.count = 0
        self.budget = 14

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def often(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) < percent)

    def steps(self, depth: int, most: int) -> list[Step]:
        made: list[Step] = []
        for _ in range(self.draw(st.integers(1, most))):
            if made and self.count >= self.budget:
                break
            made.append(self.step(depth, [step.id for step in made]))
        return made

    def step(self, depth: int, before: list[str]) -> Step:
        self.count += 1
        id = f"s{self.count}"
        more: dict[str, Any] = {"continue_on_error": self.often(30)}
        if self.often(60):
            more["needs"] = tuple(self.draw(st.sets(st.sampled_from(before)))) if before else ()
        if self.often(15):
            more["condition"] = self.one(True, False, "inputs.yes", "inputs.no")
        if self.often(4) and (not self.calm or more["continue_on_error"]):
            more["condition"] = "inputs.missing"
        if self.often(40):
            more["retry"] = times(self.one(1, 2, 3), self.one(0, 1, 5))
        if not self.calm and self.often(20):
            more["timeout"] = self.one(1, 3, 8)
        if not self.calm and self.often(20):
            more["on_interrupt"] = "fail"
        kind = "action"
        if depth < MAX_DEPTH and self.count < self.budget and self.often(45):
            kind = self.one("group", "switch", "each", "each_group")
        if kind == "group":
            return group(id, *self.steps(depth + 1, 4), **more)
        if kind == "switch":
            cases = [
                (self.one(True, False, "inputs.yes"), self.steps(depth + 1, 2))
                for _ in range(self.draw(st.integers(1, 2)))
            ]
            return switch(id, *cases, **more)
        items = self.one(ITEMS, [], [1, 2, 3, 4, 5], [1])
        if not self.calm and self.often(5):
            items = "${{ inputs.yes }}"
        if kind == "each_group":
            body = self.steps(depth + 1, 3)
            return each(id, items, *body, max_parallel=self.one(1, 2, 3), **more)
        attempts = more["retry"].max_attempts if "retry" in more else 1
        self.rows[id] = [self.row(attempts, more) for _ in range(self.draw(st.integers(1, 2)))]
        if kind == "each":
            return each(id, items, max_parallel=self.one(1, 2, 3), **more)
        return act(id, **more)

    def row(self, attempts: int, more: dict[str, Any]) -> list[Behaviour]:
        if self.calm:
            failures = self.draw(st.integers(0, attempts - 1))
            if more["continue_on_error"] and self.often(40):
                failures = attempts
            return [*[fail()] * failures, self.one(ok(), ok(1, k="v"), Sleep(2, "slept"))]
        kinds = (ok(1), ok([2], k="v"), fail(), fail(retryable=False), Sleep(2, "w"), Sleep(0))
        row = [self.one(*kinds, ok(3), ok()) for _ in range(self.draw(st.integers(1, 3)))]
        if self.often(10):
            row[0] = Hang()
        return row


@st.composite
def cases(draw: Callable[[st.SearchStrategy[Any]], Any], calm: bool = False) -> Case:
    """A workflow with its outcomes."""
    drawer = _Drawer(draw, calm)
    steps = tuple(drawer.steps(1, 5))
    more: dict[str, Any] = {}
    for name in ("on_success", "on_failure", "on_cancel", "finally_"):
        if drawer.often(30):
            drawer.budget += 3
            more[name] = tuple(drawer.steps(2, 2))
    if not calm and drawer.often(20):
        more["timeout"] = drawer.one(2, 6, 20)
    if drawer.often(30):
        output = "inputs.missing" if not calm and drawer.often(30) else "steps.s1.output"
        more["output"] = "${{ " + output + " }}"
    workflow = Workflow("flow", steps, max_parallel=drawer.one(1, 2, 3, 32), **more)
    return Case(workflow, drawer.rows)


schedules = st.lists(st.integers(0, 2**16), max_size=60)
"""Numbers of which each chooses one of the moves that are possible then."""

"""A step costs the same in a run of 10,000 steps as in one of 20.

Lines of the engine are counted, not seconds; in a large run those of some reports, as
counting is slow.
"""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from building import act, each, flow, group, times

import nexaflow_cli.engine
from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.decide import Start, decide
from nexaflow_cli.engine.fold import apply
from nexaflow_cli.engine.plan import Plan, compile_plan
from nexaflow_cli.engine.report import Failed, Outcome, Succeeded, Suspended, ended
from nexaflow_cli.engine.state import RunState
from nexaflow_cli.spec.model import Step, Workflow

ENGINE = str(Path(nexaflow_cli.engine.__file__).parent)
SMALL, LARGE, EVERY = 20, 10_000, 29
BOUND = 1.3


class Lines:
    """Counts the lines of the engine that are executed."""

    def __init__(self, every: int = 1) -> None:
        self.count = 0
        self.sampled = 0
        self.turns = 0
        self._every = every
        self._own: dict[str, bool] = {}

    def sample(self, work: Callable[[Any, Any], None], state: RunState, fact: f.Fact) -> None:
        """Do the work, and count what it costs if it is its turn."""
        self.turns += 1
        if self.turns % self._every:
            work(state, fact)
        else:
            self.sampled += 1
            with self:
                work(state, fact)

    @property
    def total(self) -> float:
        return self.count * self.turns / self.sampled

    def __enter__(self) -> Lines:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *exc: object) -> None:
        sys.settrace(self._before)

    def _call(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any] | None:
        name = frame.f_code.co_filename
        own = self._own.get(name)
        if own is None:
            own = self._own[name] = name.startswith(ENGINE)
        return self._line if own else None

    def _line(self, frame: FrameType, event: str, arg: Any) -> Callable[..., Any]:
        if event == "line":
            self.count += 1
        return self._line


class World:
    """Drives a run with as little of its own as can be; attempts report in turn."""

    def __init__(
        self, plan: Plan, outcome: Callable[[RunState, str], Outcome], every: int = 1
    ) -> None:
        self.state = RunState(plan, "run-1", inputs={"n": 1})
        self.outcome = outcome
        self.journal: list[f.Fact] = []
        self.running: deque[tuple[str, int]] = deque()
        self.now = 0.0
        self.start, self.steps = Lines(), Lines(every)

    def step(self, state: RunState, fact: f.Fact | None) -> None:
        if fact is not None:
            apply(state, fact)
            self.journal.append(fact)
        decision = decide(state, self.now)
        self.journal += decision.facts
        for command in decision.commands:
            if isinstance(command, Start):
                self.running.append((command.step.key, command.attempt))

    def begin(self) -> World:
        with self.start:
            self.step(self.state, f.RunStarted(self.now))
        return self

    def report(self, outcome: Outcome | None = None) -> None:
        key, attempt = self.running.popleft()
        outcome = outcome or self.outcome(self.state, key)
        fact = ended(self.state, key, attempt, outcome, self.now, 0.5)
        assert fact is not None
        self.steps.sample(self.step, self.state, fact)

    def run(self) -> World:
        self.begin()
        while not self.state.ended:
            if self.running:
                self.report()
            else:
                due = self.state.next_due()
                assert due is not None
                self.now = due
                self.step(self.state, None)
        return self


def wide(n: int) -> Workflow:
    return flow(*(act(f"s{i}", needs=()) for i in range(n)))


def deep(n: int) -> Workflow:
    return flow(*(act(f"s{i}") for i in range(n)))


def tangled(n: int) -> Workflow:
    """Each step needs three of the steps before it, near ones and far ones."""
    chance = random.Random(7)
    steps = []
    for i in range(n):
        needs = {f"s{chance.randrange(i)}" for _ in range(3)} if i else ()
        steps.append(act(f"s{i}", needs=tuple(needs)))
    return flow(*steps)


def joined(n: int) -> Workflow:
    """All at once, and one that waits for all of them."""
    steps = [act(f"s{i}", needs=()) for i in range(n - 1)]
    return flow(*steps, act("last", needs=tuple(step.id for step in steps)))


def conditional(n: int) -> Workflow:
    return flow(
        *(act(f"s{i}", condition="inputs.n == 1", timeout=60, retry=times(3)) for i in range(n))
    )


def items(n: int) -> Workflow:
    return flow(each("e", [*range(n)], max_parallel=8))


def items_of_groups(n: int) -> Workflow:
    return flow(each("e", [*range(n // 2)], act("a"), act("b"), max_parallel=8))


def groups(n: int) -> Workflow:
    return flow(
        *(group(f"g{i}", act(f"a{i}"), needs=(), timeout=60) for i in range(n // 2)),
    )


def failing_groups(n: int) -> Workflow:
    """Halts, one a group, beside thousands that wait."""

    def one(i: int) -> Step:
        bad = act(f"bad{i}", retry=times(1))
        return group(f"g{i}", bad, needs=(), continue_on_error=True)

    waits = [act(f"wait{i}", needs=()) for i in range(n // 2)]
    return flow(*waits, *(one(i) for i in range(n // 4)), retry=times(2, 60))


def outcome(state: RunState, key: str) -> Outcome:
    if key.startswith("wait"):
        return Suspended(1e6)
    if key.startswith("bad"):
        return Failed({"type": "exit", "message": "broke"})
    return Succeeded({"rows": 5})


def once_more(state: RunState, key: str) -> Outcome:
    """Each step fails once."""
    if state.steps[key].failures == 0:
        return Failed({"type": "exit", "message": "broke"})
    return Succeeded(1)


SHAPES = [
    (wide, outcome),
    (deep, outcome),
    (tangled, outcome),
    (joined, outcome),
    (conditional, once_more),
    (items, outcome),
    (items_of_groups, outcome),
    (groups, outcome),
    (failing_groups, outcome),
]


def costs(
    shape: Callable[[int], Workflow], n: int, outcome: Callable[[RunState, str], Outcome]
) -> tuple[float, float]:
    """Lines of the engine for each step of a run, and for each of its replay."""
    plan = compile_plan(shape(n))
    every = 1 if n == SMALL else EVERY
    world = World(plan, outcome, every).run()
    assert world.state.status == "success"
    assert len(world.state.steps) >= n // 2
    replay = Lines(every)
    again = RunState(plan, "run-1", inputs={"n": 1})
    for fact in world.journal:
        if isinstance(fact, f.StepFact):
            replay.sample(apply, again, fact)
        else:
            apply(again, fact)
    return (world.start.count + world.steps.total) / n, replay.total / n


@pytest.mark.parametrize(("shape", "outcome"), SHAPES, ids=[s.__name__ for s, _ in SHAPES])
def test_the_cost_of_a_step_does_not_grow_with_its_run(
    shape: Callable[[int], Workflow], outcome: Callable[[RunState, str], Outcome]
) -> None:
    run, replay = costs(shape, SMALL, outcome)
    large_run, large_replay = costs(shape, LARGE, outcome)
    assert large_run / run <= BOUND
    assert large_replay / replay <= BOUND


def test_one_failure_among_thousands_that_wait_costs_once_what_they_are() -> None:
    def cost(n: int) -> float:
        waits = (act(f"wait{i}", needs=()) for i in range(n))
        world = World(compile_plan(flow(act("bad", needs=()), *waits)), outcome).begin()
        bad = world.running.popleft()
        while world.running:
            world.report()
        world.running.append(bad)
        with Lines() as lines:
            world.report()
        assert world.state.status == "failed"
        return (lines.count + world.steps.count) / n

    assert cost(5_000) <= cost(50) * BOUND


def test_compiling_costs_the_same_for_each_step() -> None:
    def cost(n: int) -> float:
        workflow = tangled(n)
        with Lines() as lines:
            compile_plan(workflow)
        return lines.count / n

    assert cost(2_000) <= cost(40) * BOUND


def test_a_step_that_waits_has_one_timer_however_often_the_run_is_looked_at() -> None:
    world = World(compile_plan(flow(act("wait"))), outcome).begin()
    world.report(Suspended(50.0))
    for now in range(50):
        world.now = float(now)
        world.step(world.state, None)
    assert len(world.state._timers) == 1

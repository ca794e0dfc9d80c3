"""Drives the engine as a daemon would, without one: a virtual clock, a table of outcomes.

A test, or a schedule drawn by chance, decides in which order attempts report, when time passes,
and when somebody cancels, pauses or pulls the plug. Facts pass through JSON, as in the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine import report
from nexaflow_cli.engine.decide import Start, decide
from nexaflow_cli.engine.fold import apply, replay
from nexaflow_cli.engine.plan import compile_plan
from nexaflow_cli.engine.report import Failed, Outcome, Succeeded, Suspended
from nexaflow_cli.engine.state import RunState, StepState
from nexaflow_cli.engine.transitions import RunStatus
from nexaflow_cli.spec.model import Workflow

STOPPED = Failed({"type": "stopped", "message": "stopped"})


class Hang:
    """An attempt that goes on until it is stopped."""


class Sleep:
    """An attempt that makes its step wait for so many seconds."""

    def __init__(self, seconds: float, output: Any = None) -> None:
        self.seconds = seconds
        self.output = output


Behaviour = Outcome | Hang | Sleep
Table = Mapping[str, Sequence[Behaviour]]


def ok(output: Any = None, **values: str) -> Succeeded:
    return Succeeded(output, values or None)


def fail(message: str = "broke", **more: Any) -> Failed:
    return Failed({"type": "exit", "message": message, **more})


def roundtrip(fact: f.Fact) -> f.Fact:
    """The fact as the journal gives it back."""
    return f.from_data(fact.kind, orjson.loads(orjson.dumps(f.to_data(fact))))


class Simulator:
    """One run. `table` has, by step key, what its attempts do, by how often it failed so far.

    The last entry holds for all later attempts; a step that is not in the table succeeds.
    """

    def __init__(
        self,
        workflow: Workflow,
        table: Table | Callable[[str, int], Behaviour] | None = None,
        *,
        inputs: Mapping[str, Any] | None = None,
        chance: float = 0.5,
    ) -> None:
        self.plan = compile_plan(workflow)
        self.inputs = inputs or {}
        self.chance = chance
        self._table = table or {}
        self.now = 1000.0
        self.journal: list[f.Fact] = []
        self.attempts: dict[str, int] = {}
        self.stopping: set[str] = set()
        self.begun: list[str] = []
        self.state = self._new()

    # What a test does.

    def start(self) -> Simulator:
        return self.record(f.RunStarted(self.now))

    def report(self, key: str, outcome: Outcome | None = None) -> Simulator:
        """The attempt under way of a step ends, by the table unless `outcome` says how."""
        attempt = self.attempts[key]
        if outcome is None:
            outcome = self.outcome(key)
        assert outcome is not None, f"{key} hangs"
        del self.attempts[key]
        self.stopping.discard(key)
        fact = report.ended(self.state, key, attempt, outcome, self.now, self.chance)
        return self.record(fact) if fact is not None else self

    def advance(self, seconds: float) -> Simulator:
        """Time passes; what falls due on the way is decided in its moment."""
        until = self.now + seconds
        while (due := self.state.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.decide()
        self.now = until
        return self

    def tick(self) -> Simulator:
        """Time passes until the next timer is due."""
        due = self.state.next_due()
        assert due is not None, "nothing is due"
        self.now = max(self.now, due)
        return self.decide()

    def cancel(self, reason: str = "enough") -> Simulator:
        return self.record(f.RunCancelRequested(self.now, "ann", reason))

    def pause(self) -> Simulator:
        return self.record(f.RunPaused(self.now))

    def resume(self) -> Simulator:
        return self.record(f.RunResumed(self.now))

    def crash(self, keep: int | None = None) -> Simulator:
        """The process ends and another goes on; `keep` facts of the journal were committed."""
        self.journal = self.journal[:keep]
        self.attempts.clear()
        self.stopping.clear()
        self.state = replay(self._new(), map(roundtrip, self.journal))
        state = self.state
        if state.status is RunStatus.QUEUED and state.cancelling is None:
            return self.start()
        if state.ended:
            return self
        lost = [report.interrupted(state, step, self.now) for step in state.executing.values()]
        return self.record(*lost)

    def finish(self, limit: int = 100_000) -> Simulator:
        """Attempts report in the order of their starts, time passes, until nothing is left."""
        for _ in range(limit):
            able = self.able()
            if able:
                self.report(able[0])
            elif self.state.next_due() is not None and not self.state.ended:
                self.tick()
            else:
                return self
        raise AssertionError("the run does not come to an end")

    def run(self) -> Simulator:
        return self.start().finish()

    # What a test looks at.

    def able(self) -> list[str]:
        """Steps whose attempt can report now."""
        return [key for key in self.attempts if self.outcome(key) is not None]

    def outcome(self, key: str) -> Outcome | None:
        """How the attempt under way ends by itself; None: it does not."""
        if key in self.stopping:
            return STOPPED
        behaviour = self.behaviour(key)
        if isinstance(behaviour, Hang):
            return None
        if isinstance(behaviour, Sleep):
            return Suspended(self.now + behaviour.seconds, behaviour.output)
        return behaviour

    def behaviour(self, key: str) -> Behaviour:
        failures = self.state.steps[key].failures
        if callable(self._table):
            return self._table(key, failures)
        row = self._table.get(key, (ok(),))
        return row[min(failures, len(row) - 1)]

    @property
    def status(self) -> str:
        return str(self.state.status)

    @property
    def error(self) -> dict[str, Any]:
        return self.state.error or {}

    @property
    def under_way(self) -> list[str]:
        return sorted(self.attempts)

    def step(self, key: str) -> StepState:
        return self.state.steps[key]

    def statuses(self, *keys: str) -> str:
        """The statuses of the steps, in one line."""
        return " ".join(str(self.state.steps[key].status) for key in keys)

    def kinds(self, key: str) -> list[str]:
        """The facts of a step."""
        return [x.kind[5:] for x in self.journal if isinstance(x, f.StepFact) and x.step == key]

    @property
    def phases(self) -> list[str]:
        return [x.phase for x in self.journal if isinstance(x, f.PhaseBegan)]

    # How it works.

    def _new(self) -> RunState:
        return RunState(self.plan, "run-1", inputs=self.inputs, created_at=1000.0)

    def record(self, *facts: f.Fact) -> Simulator:
        for fact in facts:
            apply(self.state, fact)
            self.journal.append(fact)
        return self.decide()

    def decide(self) -> Simulator:
        decision = decide(self.state, self.now)
        self.journal += decision.facts
        for command in decision.commands:
            key = command.step.key
            if isinstance(command, Start):
                assert key not in self.attempts, f"two attempts of {key} at once"
                self.attempts[key] = command.attempt
                self.begun.append(key)
            else:
                assert self.attempts[key] == command.attempt, f"{key} is stopped and not running"
                self.stopping.add(key)
        return self


def snapshot(state: RunState) -> dict[str, Any]:
    """Everything that is known of a run, field by field, as plain data."""

    def frame_of(frame: Any) -> Any:
        if frame is None:
            return None
        return {
            "owner": frame.owner.key if frame.owner is not None else None,
            "prefix": frame.prefix,
            "states": [step.key for step in frame.states],
            "remaining": list(frame.remaining),
            "open": frame.open,
            "halted": frame.halted,
            "settled": frame.settled,
            "failure": frame.failure,
            "under_way": sorted(frame.under_way),
            "items": frame.items,
            "next_item": frame.next_item,
            "failed_items": frame.failed_items,
        }

    def step_of(step: StepState) -> dict[str, Any]:
        seen = {name: getattr(step, name) for name in StepState.__slots__}
        seen["node"] = step.node.id
        seen["frame"] = frame_of(step.frame)
        seen["inner"] = frame_of(step.inner)
        seen["status"] = str(step.status)
        if step.item_scope is not None:
            seen["item_scope"] = {k: v for k, v in step.item_scope.items() if k != "steps"}
        return seen

    hidden = {"plan", "frame", "steps", "executing", "ready", "settled", "halts"}
    hidden |= {"_timers", "_timer_count", "names", "scope"}
    seen = {name: value for name, value in vars(state).items() if name not in hidden}
    seen["status"] = str(state.status)
    seen["frame"] = frame_of(state.frame)
    seen["executing"] = sorted(state.executing)
    seen["steps"] = {key: step_of(step) for key, step in state.steps.items()}
    seen["names"] = sorted(state.names)
    if not state.ended:
        seen["next_due"] = state.next_due()
        seen["ready"] = sorted(
            {step.key for step in state.ready if step.may_begin and not step.frame.why_halted()}
        )
    plain: dict[str, Any] = orjson.loads(orjson.dumps(seen, default=str))
    return plain

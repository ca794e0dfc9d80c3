"""What holds of every run at every moment, whatever happens to it."""

from __future__ import annotations

from collections import defaultdict

from simulator import Simulator, roundtrip, snapshot

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.decide import decide
from nexaflow_cli.engine.fold import replay
from nexaflow_cli.engine.state import Frame, RunState, StepState

TOOK_ITS_TURN = (f.StepStarted, f.StepExpanded, f.StepSkipped)
ENDS = (f.StepSucceeded, f.StepCancelled, f.StepSkipped)


def check_moment(run: Simulator) -> None:
    """After every decision: nothing is stuck, nothing is forgotten, all limits hold."""
    state = run.state
    assert set(run.attempts) == set(state.executing)
    assert len(state.executing) <= state.plan.workflow.max_parallel
    for step in state.steps.values():
        _check_frame(step.frame)
        if step.inner is not None:
            _check_frame(step.inner)
    if state.ended:
        assert not state.executing
        open_steps = [s.key for s in state.steps.values() if not s.ended and s.started_at]
        assert not open_steps, "begun and never ended"
    elif state.status == "running":
        assert state.executing or state.next_due() is not None, "stuck"
        if state.ready:
            assert len(state.executing) == state.plan.workflow.max_parallel


def _check_frame(frame: Frame) -> None:
    owner = frame.owner
    if frame.items is not None and owner is not None:
        assert len(frame.under_way) <= owner.node.max_parallel
        assert frame.next_item <= len(frame.items)
        return
    under_way = {s.key for s in frame.states if s.started_at is not None and not s.ended}
    assert set(frame.under_way) == under_way
    left = [s for s in frame.states if not s.ended or s.status == "cancelled"]
    assert frame.open == len(left)


def check_replay(run: Simulator) -> None:
    """The journal alone gives the same state, field by field, and the same decisions."""
    again = replay(run._new(), map(roundtrip, run.journal))
    decision = decide(again, run.now)
    assert not decision.facts, "a replay decides what was decided before"
    assert not decision.commands
    assert snapshot(again) == snapshot(run.state)


def check_journal(run: Simulator) -> None:
    """What the facts tell in their order."""
    state = run.state
    running: set[str] = set()
    succeeded: set[str] = set()
    ended: set[str] = set()
    begun: set[str] = set()
    may_start: set[str] = set()
    halted: list[Frame] = []
    items: dict[str, list[int]] = defaultdict(list)
    for fact in run.journal:
        if not isinstance(fact, f.StepFact):
            continue
        key = fact.step
        step = state.steps[key]
        if isinstance(fact, TOOK_ITS_TURN):
            assert key not in ended, f"{key} begins after its end"
            for frame in _frames(step):
                assert frame not in halted, f"{key} begins after a failure around it"
            _check_needs(step, ended)
        if isinstance(fact, f.StepStarted):
            assert key not in running
            assert key not in succeeded, f"{key} begins again after its success"
            if step.node.step.on_interrupt == "fail" and key in begun:
                assert key in may_start, f"{key} was to run at most once"
            may_start.discard(key)
            running.add(key)
        if isinstance(fact, f.StepStarted | f.StepExpanded) and key not in begun:
            begun.add(key)
            owner = step.frame.owner
            if step.frame.items is not None and owner is not None:
                assert step.index == len(items[owner.key]), "items begin in their order"
                items[owner.key].append(step.index)
        if not isinstance(fact, f.StepStarted | f.StepExpanded | f.StepStopping):
            running.discard(key)
        if isinstance(fact, f.StepSucceeded):
            succeeded.add(key)
        if isinstance(fact, f.StepFailed):
            may_start.add(key)
            if fact.retry_at is None:
                ended.add(key)
                if not step.tolerated:
                    halted.append(step.frame)
        if isinstance(fact, ENDS):
            assert key not in ended
            ended.add(key)
        assert len(running) <= state.plan.workflow.max_parallel
    assert running == set(state.executing)


def _frames(step: StepState) -> list[Frame]:
    frames, frame = [], step.frame
    while frame is not None:
        frames.append(frame)
        frame = frame.owner.frame if frame.owner is not None else None
    return frames


def _check_needs(step: StepState, ended: set[str]) -> None:
    for other in step.frame.states:
        if step.node in other.node.dependents:
            assert other.key in ended, f"{step.key} begins before {other.key} is done"


def check_end(run: Simulator) -> None:
    """How the run ended follows from how its steps ended."""
    state = run.state
    assert state.ended
    for step in state.steps.values():
        if step.inner is not None and step.status == "success":
            assert _all_fine(step.inner), f"{step.key} is a success and not all in it is"
        if step.status == "failed":
            assert step.error is not None
            assert step.error["type"]
    asked = any(isinstance(x, f.RunCancelRequested) for x in run.journal)
    after = {"success": "on_success", "failed": "on_failure", "cancelled": "on_cancel"}
    begun = [x for x in run.journal if isinstance(x, f.PhaseBegan)]
    for phase in begun:
        assert phase.phase in {"finally", after[phase.status]}
    assert [x.phase for x in begun] == sorted({x.phase for x in begun}, key=_place)
    if state.started_at is not None and run.plan.handlers.get("finally") is not None:
        assert run.phases[-1:] == ["finally"]
    if state.status == "success":
        assert state.error is None
        assert state.frame is not None
        assert _all_fine(state.frame)
    else:
        assert state.error is not None
        assert state.status == "failed" or asked
        origin = state.error.get("step")
        if origin is not None:
            assert state.steps[origin].status == "failed"
            assert state.steps[origin].error is not None
            assert "step" not in (state.steps[origin].error or {}), "the origin is innermost"


def _place(phase: str) -> int:
    return ["on_success", "on_failure", "on_cancel", "finally"].index(phase)


def _all_fine(frame: Frame) -> bool:
    return all(
        step.status in {"success", "skipped"} or (step.status == "failed" and step.tolerated)
        for step in frame.states
    )


def ending(state: RunState) -> dict[str, object]:
    """How a run ended, without when and after how many attempts."""
    return {
        "status": str(state.status),
        "output": state.output,
        "error": state.error,
        "steps": {
            step.key: (str(step.status), step.output, step.values, step.failures, step.error)
            for step in sorted(state.steps.values(), key=lambda step: step.key)
        },
    }

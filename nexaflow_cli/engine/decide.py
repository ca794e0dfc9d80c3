"""State to what happens next: new facts, and the commands that rest on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.fold import apply
from nexaflow_cli.engine.plan import HANDLERS
from nexaflow_cli.engine.state import Frame, RunState, StepState
from nexaflow_cli.engine.transitions import RunStatus, StepStatus
from nexaflow_cli.spec.durations import format_duration
from nexaflow_cli.spec.expressions import ExpressionError

MAX_ITEMS = 100_000


@dataclass(slots=True)
class Start:
    """Run an attempt of this step's action."""

    step: StepState
    attempt: int


@dataclass(slots=True)
class Stop:
    """End the attempt that is under way, because of `timeout` or `cancel`."""

    step: StepState
    attempt: int
    reason: str


Command = Start | Stop


@dataclass(slots=True)
class Decision:
    """Facts to append, already taken into the state, and what to do once they are durable."""

    facts: list[f.Fact] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)


def decide(state: RunState, now: float, *, starts: bool = True) -> Decision:
    """Decide everything that follows from the state at the time `now`.

    Args:
        state: updated in place by the facts that are decided.
        now: seconds since the epoch; timers due by then have fired.
        starts: False to begin no attempts, where the process is about to end.
    """
    decision = Decision()

    def record(fact: f.Fact) -> None:
        apply(state, fact)
        decision.facts.append(fact)

    if state.status is RunStatus.QUEUED and state.cancelling is not None:
        error = {"type": "cancelled", "message": state.cancelling}
        record(f.RunFinished(now, RunStatus.CANCELLED, error))
    if state.frame is None or state.ended:
        return decision
    for kind, step in state.pop_due(now):
        _fire(state, kind, step, now, record, decision)
    while not state.ended:
        if state.halts:
            _stop_inside(state, state.halts.popleft(), now, record, decision)
        elif state.settled:
            _settled(state, state.settled.popleft(), now, record)
        elif state.ready and starts and state.status is RunStatus.RUNNING:
            if len(state.executing) >= state.plan.workflow.max_parallel:
                break
            _begin(state, state.ready.popleft(), now, record, decision)
        else:
            break
    return decision


Record = Callable[[f.Fact], None]


def _fire(
    state: RunState,
    kind: str,
    step: StepState | None,
    now: float,
    record: Record,
    decision: Decision,
) -> None:
    """A timer is due."""
    if step is None:
        record(f.RunTimedOut(now))
    elif kind == "timeout":
        if step.status is StepStatus.SUSPENDED:
            record(f.StepFailed(now, step.key, step.attempt, timeout_error(step)))
        else:
            record(f.StepStopping(now, step.key, step.attempt, "timeout"))
            if step.status is StepStatus.RUNNING:
                decision.commands.append(Stop(step, step.attempt, "timeout"))
    elif step.status is StepStatus.SUSPENDED:
        record(f.StepSucceeded(now, step.key, step.attempt, step.output))
    else:
        step.due = None
        state.ready.append(step)


def _begin(
    state: RunState, step: StepState, now: float, record: Record, decision: Decision
) -> None:
    """A step's turn has come: skip it, open it, or start its action."""
    if not step.may_begin or step.frame.why_halted():
        return
    node = step.node
    first = step.started_at is None
    try:
        asks = first and node.condition is not None and step.item_scope is None
        if asks and node.condition is not None and not node.condition.holds(step.scope):
            record(f.StepSkipped(now, step.key, "its condition is false"))
            return
        if node.kind == "action":
            attempt = step.attempt + 1
            record(f.StepStarted(now, step.key, attempt))
            decision.commands.append(Start(step, attempt))
        elif node.kind == "for_each":
            record(f.StepExpanded(now, step.key, items=_items(step)))
        elif node.kind == "switch":
            for index, condition in enumerate(node.cases):
                if condition.holds(step.scope):
                    record(f.StepExpanded(now, step.key, case=index))
                    return
            record(f.StepSkipped(now, step.key, "no case applies"))
        else:
            record(f.StepExpanded(now, step.key))
    except ExpressionError as error:
        problem = {"type": "expression", "message": str(error), "retryable": False}
        record(f.StepFailed(now, step.key, step.attempt, problem))


def _items(step: StepState) -> list[Any]:
    """The items of a for_each, as JSON data; a mapping gives its key and value pairs."""
    assert step.node.items is not None
    items = step.node.items.render(step.scope)
    if isinstance(items, dict):
        items = [{"key": key, "value": value} for key, value in items.items()]
    if not isinstance(items, list):
        raise ExpressionError(f"for_each needs a list, and this is {_kind_of(items)}")
    if len(items) > MAX_ITEMS:
        raise ExpressionError(f"for_each has {len(items):,} items; the limit is {MAX_ITEMS:,}")
    return items


def _kind_of(value: Any) -> str:
    names = {str: "text", bool: "true or false", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _stop_inside(
    state: RunState, frame: Frame, now: float, record: Record, decision: Decision
) -> None:
    """A frame was halted: end what waits in it and, unless it halted by failure, what runs."""
    why = frame.why_halted() or "cancel"
    reason = halt_reason(state, why)
    for step in list(frame.begun()):
        if step.status is StepStatus.RUNNING:
            if why != "failure" and step.stopping is None:
                record(f.StepStopping(now, step.key, step.attempt, why))
                decision.commands.append(Stop(step, step.attempt, why))
        elif step.status is not StepStatus.OPEN:
            record(f.StepCancelled(now, step.key, reason))


def halt_reason(state: RunState, why: str | None) -> str:
    """Why a step was cancelled, for people; `why` is what halted its frame."""
    reasons = {"failure": "another step failed", "timeout": "out of time"}
    return reasons.get(why or "", state.cancelling or "cancelled")


def _settled(state: RunState, frame: Frame, now: float, record: Record) -> None:
    """Nothing is under way in a frame any more: its step, or the phase of the run, is over."""
    step = frame.owner
    if step is None:
        if frame is state.frame:
            _phase_over(state, frame, now, record)
        return
    if step.status is not StepStatus.OPEN:
        return
    if frame.failure is not None:
        # Even if it was out of time later: the first error is the one to know.
        record(f.StepFailed(now, step.key, step.attempt, _blame(frame.failure)))
    elif step.stopping == "timeout":
        record(f.StepFailed(now, step.key, step.attempt, timeout_error(step)))
    elif frame.open:
        record(f.StepCancelled(now, step.key, halt_reason(state, frame.why_halted())))
    elif frame.failed_items:
        message = f"{frame.failed_items:,} of {len(frame.items or ()):,} items failed"
        error = {"type": "items", "message": message, "retryable": False}
        record(f.StepFailed(now, step.key, step.attempt, error))
    else:
        record(f.StepSucceeded(now, step.key, step.attempt))


def _blame(failure: tuple[str, f.Error]) -> f.Error:
    """The error with the step in which it arose."""
    key, error = failure
    return {**error, "step": error.get("step", key)}


def timeout_error(step: StepState) -> f.Error:
    """The error of a step that was out of time."""
    limit = format_duration(step.node.timeout or 0)
    return {"type": "timeout", "message": f"still running after {limit}, its timeout"}


# Phases: the steps, then the handlers for how they ended, then `finally`, then the end.


def _phase_over(state: RunState, frame: Frame, now: float, record: Record) -> None:
    status, error = _outcome(state, frame)
    done = state.phase
    if done == "steps":
        # The output is computed before the handlers, so that a bad one is a failure they see.
        status, error, _ = _with_output(state, status, error)
        following = [f"on_{_SUFFIX[status]}", "finally"]
    else:
        following = ["finally"] if done != "finally" else []
    for phase in following:
        if phase in HANDLERS and phase in state.plan.handlers:
            record(f.PhaseBegan(now, phase, status, error))
            return
    record(f.RunFinished(now, *_with_output(state, status, error)))


_SUFFIX = {"success": "success", "failed": "failure", "cancelled": "cancel"}


def _outcome(state: RunState, frame: Frame) -> tuple[str, f.Error | None]:
    """How the run stands after a phase: a handler's failure counts unless worse is known."""
    before = state.outcome
    if before is not None and before[0] != RunStatus.SUCCESS:
        return before
    if before is None and state.cancelling is not None and frame.halted == "cancel":
        return RunStatus.CANCELLED, {"type": "cancelled", "message": state.cancelling}
    if frame.failure is not None:
        return RunStatus.FAILED, _blame(frame.failure)
    if before is None and state.timed_out:
        limit = format_duration(state.plan.workflow.timeout or 0)
        message = f"the run was still going after {limit}, its timeout"
        return RunStatus.FAILED, {"type": "timeout", "message": message}
    if frame.halted == "cancel":
        message = state.cancelling or "cancelled"
        return RunStatus.CANCELLED, {"type": "cancelled", "message": message}
    return RunStatus.SUCCESS, None


def _with_output(
    state: RunState, status: str, error: f.Error | None
) -> tuple[str, f.Error | None, Any]:
    """How the run stands with its output, whose expressions may be what fails."""
    if status != RunStatus.SUCCESS or state.plan.output is None:
        return status, error, None
    try:
        return status, error, state.plan.output.render(state.scope)
    except ExpressionError as problem:
        error = {"type": "expression", "message": f"output: {problem}"}
        return RunStatus.FAILED, error, None

"""Facts to state: one fact at a time, at a cost that does not grow with the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.scope import StepNames
from nexaflow_cli.engine.state import RunState, StepState
from nexaflow_cli.engine.transitions import (
    IllegalTransition,
    RunStatus,
    StepStatus,
    next_run_status,
    next_step_status,
)


def apply(state: RunState, fact: f.Fact) -> None:
    """Take one fact into the state.

    Raises:
        IllegalTransition: the fact cannot follow what is known; the state is then unusable.
    """
    if isinstance(fact, f.StepFact):
        step = state.steps.get(fact.step)
        if step is None:
            raise IllegalTransition(f"{fact.kind} names the unknown step {fact.step}")
        step.status = next_step_status(step.status, fact.kind, fact.step)
        _STEP[type(fact)](state, step, fact)
    else:
        state.status = next_run_status(state.status, fact.kind)
        _RUN[type(fact)](state, fact)


def replay(state: RunState, history: Iterable[f.Fact]) -> RunState:
    """Take a whole journal into a new state."""
    for fact in history:
        apply(state, fact)
    return state


# Facts about the run.


def _run_started(state: RunState, fact: f.RunStarted) -> None:
    state.started_at = state.run_view["started_at"] = fact.at
    if state.plan.workflow.timeout is not None:
        state.set_timer(fact.at + state.plan.workflow.timeout, "run_timeout", None)
    state.frame = state.open_block(state.plan.main, None, "", state.scope)
    if state.cancelling is not None:
        state.halt(state.frame, "cancel")


def _run_paused(state: RunState, fact: f.RunPaused) -> None:
    pass


def _run_resumed(state: RunState, fact: f.RunResumed) -> None:
    if state.started_at is None:
        state.status = RunStatus.QUEUED


def _run_cancel_requested(state: RunState, fact: f.RunCancelRequested) -> None:
    state.cancelling = fact.reason or "cancelled"
    if state.started_at is None:
        state.status = RunStatus.QUEUED
    elif state.frame is not None:
        state.halt(state.frame, "cancel")


def _run_timed_out(state: RunState, fact: f.RunTimedOut) -> None:
    state.timed_out = True
    if state.frame is not None:
        state.halt(state.frame, "timeout")


def _phase_began(state: RunState, fact: f.PhaseBegan) -> None:
    state.phase = fact.phase
    if state.outcome is None or fact.status != state.outcome[0]:
        state.outcome = (fact.status, fact.error)
    state.run_view["status"], state.run_view["error"] = str(fact.status), fact.error
    state.frame = state.open_block(state.plan.block(fact.phase), None, "", state.scope)


def _run_finished(state: RunState, fact: f.RunFinished) -> None:
    state.status = RunStatus(fact.status)
    state.ended = True
    state.error, state.output = fact.error, fact.output


# Facts about a step.


def _step_started(state: RunState, step: StepState, fact: f.StepStarted) -> None:
    state.begin(step, fact.at)
    state.executing[step.key] = step
    step.attempt = fact.attempt
    step.stopping = step.due = None
    if step.node.timeout is not None:
        state.set_timer(fact.at + step.node.timeout, "timeout", step)


def _step_expanded(state: RunState, step: StepState, fact: f.StepExpanded) -> None:
    state.begin(step, fact.at)
    node = step.node
    if node.timeout is not None:
        state.set_timer(fact.at + node.timeout, "timeout", step)
    if node.kind == "for_each":
        step.inner = state.open_items(step, fact.items or [])
        return
    if fact.case is not None:
        step.reason = f"case {fact.case + 1}"
    block = node.blocks[fact.case or 0]
    if step.item_scope is None:
        step.inner = state.open_block(block, step, step.frame.prefix, step.scope)
    else:
        # An item has names of its own: its steps are not seen from outside it.
        scope = {**step.item_scope, "steps": StepNames(step.scope["steps"])}
        step.inner = state.open_block(block, step, step.key + ".", scope)


def _step_suspended(state: RunState, step: StepState, fact: f.StepSuspended) -> None:
    state.executing.pop(step.key, None)
    step.due, step.output = fact.until, fact.output
    state.set_timer(fact.until, "due", step)
    if step.frame.why_halted():
        state.halts.append(step.frame)


def _step_succeeded(state: RunState, step: StepState, fact: f.StepSucceeded) -> None:
    state.executing.pop(step.key, None)
    if step.inner is None:
        step.output, step.values = fact.output, fact.values
    elif step.inner.items is None:
        # What its steps gave is in their facts; a for_each has collected it already.
        step.output = {inner.node.id: inner.output for inner in step.inner.states}
    state.end(step)


def _step_failed(state: RunState, step: StepState, fact: f.StepFailed) -> None:
    state.executing.pop(step.key, None)
    step.error = fact.error
    if step.node.kind != "for_each":
        step.output = None  # of a for_each, what its other items gave stays useful
    if step.node.kind == "action":
        step.failures += 1
    if fact.retry_at is None:
        state.end(step)
        return
    step.status = StepStatus.RETRYING
    step.due = fact.retry_at
    state.set_timer(fact.retry_at, "due", step)


def _step_interrupted(state: RunState, step: StepState, fact: f.StepInterrupted) -> None:
    state.executing.pop(step.key, None)
    step.interruptions += 1
    state.ready.append(step)
    if step.frame.why_halted():
        state.halts.append(step.frame)


def _step_skipped(state: RunState, step: StepState, fact: f.StepSkipped) -> None:
    step.reason = fact.reason
    state.end(step)


def _step_stopping(state: RunState, step: StepState, fact: f.StepStopping) -> None:
    step.stopping = fact.reason
    if step.inner is not None:
        state.halt(step.inner, fact.reason)


def _step_cancelled(state: RunState, step: StepState, fact: f.StepCancelled) -> None:
    state.executing.pop(step.key, None)
    step.reason = fact.reason
    step.output = None
    state.end(step)


_RUN: dict[type[f.Fact], Callable[[RunState, Any], None]] = {
    f.RunStarted: _run_started,
    f.RunPaused: _run_paused,
    f.RunResumed: _run_resumed,
    f.RunCancelRequested: _run_cancel_requested,
    f.RunTimedOut: _run_timed_out,
    f.PhaseBegan: _phase_began,
    f.RunFinished: _run_finished,
}

_STEP: dict[type[f.Fact], Callable[[RunState, StepState, Any], None]] = {
    f.StepStarted: _step_started,
    f.StepExpanded: _step_expanded,
    f.StepSuspended: _step_suspended,
    f.StepSucceeded: _step_succeeded,
    f.StepFailed: _step_failed,
    f.StepInterrupted: _step_interrupted,
    f.StepSkipped: _step_skipped,
    f.StepStopping: _step_stopping,
    f.StepCancelled: _step_cancelled,
}

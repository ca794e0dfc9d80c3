"""What the end of an attempt means: the fact to record, by the step's own rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.decide import halt_reason, timeout_error
from nexaflow_cli.engine.retry import next_attempt
from nexaflow_cli.engine.state import RunState, StepState
from nexaflow_cli.engine.transitions import StepStatus

MAX_INTERRUPTIONS = 10


@dataclass(slots=True)
class Succeeded:
    """The attempt is done."""

    output: Any = None
    values: dict[str, str] | None = None


@dataclass(slots=True)
class Suspended:
    """The attempt is done, and the step succeeds with `output` at `until`."""

    until: float
    output: Any = None


@dataclass(slots=True)
class Failed:
    """The attempt failed, or was stopped."""

    error: f.Error


Outcome = Succeeded | Suspended | Failed


def ended(
    state: RunState, key: str, attempt: int, outcome: Outcome, now: float, chance: float
) -> f.Fact | None:
    """The fact that the end of an attempt makes; None: nobody waits for this attempt any more.

    Args:
        now: seconds since the epoch.
        chance: in [0, 1); chooses within the jitter of a retry.
    """
    step = running_step(state, key, attempt)
    if step is None:
        return None
    match outcome:
        case Succeeded(output, values):
            return f.StepSucceeded(now, key, attempt, output, values or None)
        case Suspended() if step.stopping is not None:
            # It was told to stop and would go on waiting.
            return failed(state, step, {"type": "stopped", "message": "stopped"}, now, chance)
        case Suspended(until, output):
            return f.StepSuspended(now, key, attempt, until, output)
        case Failed(error):
            return failed(state, step, error, now, chance)


def running_step(state: RunState, key: str, attempt: int) -> StepState | None:
    """The step, if this attempt of it is what the run waits for; None: the report is stale."""
    step = state.steps.get(key)
    if step is None or step.status is not StepStatus.RUNNING or step.attempt != attempt:
        return None
    return step


def failed(state: RunState, step: StepState, error: f.Error, now: float, chance: float) -> f.Fact:
    """The attempt failed with `error`; `chance` in [0, 1) chooses within the jitter."""
    if step.stopping == "cancel":
        return f.StepCancelled(now, step.key, state.cancelling or "cancelled")
    if step.stopping == "timeout":
        if step.frame.halted_by("timeout"):
            return f.StepCancelled(now, step.key, "out of time")
        error = timeout_error(step)
    retry_at = None
    if not step.frame.why_halted():
        retry_at = next_attempt(step.node.retry, step.failures + 1, error, now, chance)
    return f.StepFailed(now, step.key, step.attempt, error, retry_at)


def interrupted(state: RunState, step: StepState, now: float) -> f.Fact:
    """The process ended during the attempt: `on_interrupt` says what that means."""
    if step.stopping is not None:
        return failed(state, step, {"type": "stopped", "message": "stopped"}, now, 0.5)
    halted = step.frame.why_halted()
    if halted:
        why = "interrupted" if halted == "failure" else halt_reason(state, halted)
        return f.StepCancelled(now, step.key, why)
    message = "the daemon ended while this attempt ran"
    if step.node.step.on_interrupt == "fail":
        message += ", and on_interrupt says that it is not repeated"
    elif step.interruptions >= MAX_INTERRUPTIONS:
        message += f", for the {step.interruptions + 1}th time"
    else:
        return f.StepInterrupted(now, step.key, step.attempt)
    error = {"type": "interrupted", "message": message, "retryable": False}
    return f.StepFailed(now, step.key, step.attempt, error)

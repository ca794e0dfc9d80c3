"""Which fact may follow which status: the one place where an illegal one is found."""

from __future__ import annotations

from enum import StrEnum


class StepStatus(StrEnum):
    PENDING = "pending"  # waits for its needs, or for a free place
    RUNNING = "running"  # an attempt of an action is under way
    RETRYING = "retrying"  # an attempt failed; the next is due at a known time
    SUSPENDED = "suspended"  # the attempt is done, the step ends at a known time
    OPEN = "open"  # made of steps, and they are under way
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED_STEP = frozenset(
    {StepStatus.SUCCESS, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELLED}
)
ENDED_RUN = frozenset({RunStatus.SUCCESS, RunStatus.FAILED, RunStatus.CANCELLED})
OPEN_RUN = frozenset(RunStatus) - ENDED_RUN

_S = StepStatus

STEP_TRANSITIONS: dict[tuple[StepStatus, str], StepStatus] = {
    (_S.PENDING, "step.skipped"): _S.SKIPPED,
    (_S.PENDING, "step.started"): _S.RUNNING,
    (_S.PENDING, "step.expanded"): _S.OPEN,
    (_S.PENDING, "step.failed"): _S.FAILED,  # its condition or its items could not be computed
    (_S.RUNNING, "step.succeeded"): _S.SUCCESS,
    (_S.RUNNING, "step.failed"): _S.FAILED,
    (_S.RUNNING, "step.suspended"): _S.SUSPENDED,
    (_S.RUNNING, "step.stopping"): _S.RUNNING,
    (_S.RUNNING, "step.interrupted"): _S.PENDING,
    (_S.RUNNING, "step.cancelled"): _S.CANCELLED,
    (_S.PENDING, "step.cancelled"): _S.CANCELLED,  # interrupted before, and not tried again
    (_S.RETRYING, "step.started"): _S.RUNNING,
    (_S.RETRYING, "step.cancelled"): _S.CANCELLED,
    (_S.RETRYING, "step.failed"): _S.FAILED,
    (_S.SUSPENDED, "step.succeeded"): _S.SUCCESS,
    (_S.SUSPENDED, "step.failed"): _S.FAILED,
    (_S.SUSPENDED, "step.cancelled"): _S.CANCELLED,
    (_S.OPEN, "step.stopping"): _S.OPEN,
    (_S.OPEN, "step.succeeded"): _S.SUCCESS,
    (_S.OPEN, "step.failed"): _S.FAILED,
    (_S.OPEN, "step.cancelled"): _S.CANCELLED,
}

_R = RunStatus

RUN_TRANSITIONS: dict[tuple[RunStatus, str], RunStatus] = {
    (_R.QUEUED, "run.started"): _R.RUNNING,
    (_R.QUEUED, "run.cancel_requested"): _R.QUEUED,
    (_R.QUEUED, "run.paused"): _R.PAUSED,
    (_R.RUNNING, "run.paused"): _R.PAUSED,
    (_R.PAUSED, "run.resumed"): _R.RUNNING,
    (_R.RUNNING, "run.cancel_requested"): _R.RUNNING,
    (_R.PAUSED, "run.cancel_requested"): _R.RUNNING,
    (_R.RUNNING, "run.timed_out"): _R.RUNNING,
    (_R.PAUSED, "run.timed_out"): _R.RUNNING,
    (_R.RUNNING, "run.phase"): _R.RUNNING,
    (_R.PAUSED, "run.phase"): _R.PAUSED,
    (_R.RUNNING, "run.finished"): _R.RUNNING,
    (_R.PAUSED, "run.finished"): _R.PAUSED,
    (_R.QUEUED, "run.finished"): _R.QUEUED,  # cancelled before it began
}


class IllegalTransition(Exception):
    """A fact that cannot follow what is known: a defect, or a damaged journal."""


def next_step_status(status: StepStatus, kind: str, key: str) -> StepStatus:
    """The status of step `key` after a fact of `kind`.

    Raises:
        IllegalTransition: the table has no such transition.
    """
    try:
        return STEP_TRANSITIONS[status, kind]
    except KeyError:
        raise IllegalTransition(f"{kind} cannot follow {status} in step {key}") from None


def next_run_status(status: RunStatus, kind: str) -> RunStatus:
    """The status of the run after a fact of `kind`; `run.finished` sets its own.

    Raises:
        IllegalTransition: the table has no such transition.
    """
    try:
        return RUN_TRANSITIONS[status, kind]
    except KeyError:
        raise IllegalTransition(f"{kind} cannot follow {status} in a run") from None

"""What can have happened in a run: the vocabulary of the journal.

Every fact carries `at`, seconds since the epoch. Facts are never changed once written, so a
field may be added with a default but none may change its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, ClassVar

Error = dict[str, Any]
"""`type` and `message`, with `exit_code`, `http_status` and such where they apply."""


@dataclass(slots=True)
class Fact:
    """Base of all facts."""

    kind: ClassVar[str]
    at: float


@dataclass(slots=True)
class RunStarted(Fact):
    kind: ClassVar[str] = "run.started"


@dataclass(slots=True)
class RunPaused(Fact):
    kind: ClassVar[str] = "run.paused"
    by: str = ""


@dataclass(slots=True)
class RunResumed(Fact):
    kind: ClassVar[str] = "run.resumed"
    by: str = ""


@dataclass(slots=True)
class RunCancelRequested(Fact):
    kind: ClassVar[str] = "run.cancel_requested"
    by: str = ""
    reason: str = ""


@dataclass(slots=True)
class RunTimedOut(Fact):
    kind: ClassVar[str] = "run.timed_out"


@dataclass(slots=True)
class PhaseBegan(Fact):
    """The steps before are over, with this outcome; the handlers of `phase` begin."""

    kind: ClassVar[str] = "run.phase"
    phase: str
    status: str
    error: Error | None = None


@dataclass(slots=True)
class RunFinished(Fact):
    kind: ClassVar[str] = "run.finished"
    status: str
    error: Error | None = None
    output: Any = None


@dataclass(slots=True)
class StepFact(Fact):
    """A fact about one step, named by its key: `extract`, `notify[3]`, `outer[1].inner`."""

    step: str


@dataclass(slots=True)
class StepStarted(StepFact):
    kind: ClassVar[str] = "step.started"
    attempt: int


@dataclass(slots=True)
class StepExpanded(StepFact):
    """A step made of steps began: `items` of a for_each, or the `case` a switch took."""

    kind: ClassVar[str] = "step.expanded"
    items: list[Any] | None = None
    case: int | None = None


@dataclass(slots=True)
class StepSuspended(StepFact):
    """The attempt is done; the step succeeds with `output` at `until`."""

    kind: ClassVar[str] = "step.suspended"
    attempt: int
    until: float
    output: Any = None


@dataclass(slots=True)
class StepSucceeded(StepFact):
    kind: ClassVar[str] = "step.succeeded"
    attempt: int
    output: Any = None
    values: dict[str, str] | None = None


@dataclass(slots=True)
class StepFailed(StepFact):
    """An attempt failed; the step has failed too unless `retry_at` says when it is tried again."""

    kind: ClassVar[str] = "step.failed"
    attempt: int
    error: Error
    retry_at: float | None = None


@dataclass(slots=True)
class StepInterrupted(StepFact):
    """The process ended while the attempt ran; nobody knows how far it came. It is tried again."""

    kind: ClassVar[str] = "step.interrupted"
    attempt: int


@dataclass(slots=True)
class StepSkipped(StepFact):
    kind: ClassVar[str] = "step.skipped"
    reason: str


@dataclass(slots=True)
class StepStopping(StepFact):
    """A running attempt was told to stop, because of `timeout` or `cancel`."""

    kind: ClassVar[str] = "step.stopping"
    attempt: int
    reason: str


@dataclass(slots=True)
class StepCancelled(StepFact):
    kind: ClassVar[str] = "step.cancelled"
    reason: str


FACTS: dict[str, type[Fact]] = {
    fact.kind: fact
    for fact in (
        RunStarted,
        RunPaused,
        RunResumed,
        RunCancelRequested,
        RunTimedOut,
        PhaseBegan,
        RunFinished,
        StepStarted,
        StepExpanded,
        StepSuspended,
        StepSucceeded,
        StepFailed,
        StepInterrupted,
        StepSkipped,
        StepStopping,
        StepCancelled,
    )
}


_NAMES = {kind: tuple(f.name for f in fields(fact)) for kind, fact in FACTS.items()}
_READ = {kind: attrgetter(*names) for kind, names in _NAMES.items()}


def to_data(fact: Fact) -> dict[str, Any]:
    """The fact's fields as JSON data, without its kind."""
    kind = fact.kind
    values = _READ[kind](fact)
    return dict(zip(_NAMES[kind], values, strict=True)) if len(_NAMES[kind]) > 1 else {"at": values}


def from_data(kind: str, data: dict[str, Any]) -> Fact:
    """The fact that has these fields.

    Raises:
        ValueError: no fact has this kind, or the data does not fit it: the journal was written
            by a newer version or is damaged.
    """
    try:
        return FACTS[kind](**data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"cannot read a fact of kind {kind!r}: {error}") from None

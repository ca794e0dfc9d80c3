"""A workflow as plain immutable data: what `load` makes of a YAML document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Raw = Any
"""JSON-like data in which strings may hold `${{ … }}` expressions."""


@dataclass(frozen=True, slots=True)
class RetryFilter:
    """Which failures a rule speaks of; a failure matches if any listed member does."""

    exit_codes: tuple[int, ...] = ()
    http_statuses: tuple[int, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and when a failed step is tried again; times in seconds."""

    max_attempts: int = 1
    backoff_seconds: float = 1.0
    backoff_multiplier: float = 2.0
    max_backoff_seconds: float = 300.0
    jitter: float = 0.0
    retry_on: RetryFilter | None = None
    give_up_on: RetryFilter | None = None


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """Starts a run for each event of `event` whose path matches `pattern`."""

    event: str
    pattern: str | None = None
    condition: Raw = None
    recursive: bool = False


@dataclass(frozen=True, slots=True)
class ScheduleTrigger:
    """Starts a run at each tick of a crontab(5) line, or every so many seconds."""

    cron: str | None = None
    every: float | None = None
    timezone: str | None = None
    condition: Raw = None


Trigger = EventTrigger | ScheduleTrigger


@dataclass(frozen=True, slots=True)
class ActionCall:
    """One use of an action. `run: TEXT` is action `shell` with `params["script"]`."""

    action: str
    params: Mapping[str, Raw] = field(default_factory=dict)
    env: Mapping[str, Raw] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Group:
    """Steps that belong together: done when all are."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One branch of a switch; `else` is a case whose condition is True."""

    condition: Raw
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Switch:
    """The first case whose condition holds runs; none holding is a skip."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class ForEach:
    """The body once for each item, `max_parallel` at a time, in the order of the items."""

    items: Raw
    body: ActionCall | Group
    var: str = "item"
    max_parallel: int = 1


Body = ActionCall | Group | Switch | ForEach


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of work. `needs` None means: after the step before it in its list."""

    id: str
    body: Body
    name: str | None = None
    condition: Raw = None
    needs: tuple[str, ...] | None = None
    timeout: float | None = None
    retry: Retry | None = None
    continue_on_error: bool = False
    on_interrupt: Literal["retry", "fail"] = "retry"


@dataclass(frozen=True, slots=True)
class Workflow:
    """A checked definition. `digest` names its meaning: same digest, same version."""

    name: str
    steps: tuple[Step, ...]
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    inputs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    env: Mapping[str, Raw] = field(default_factory=dict)
    timeout: float | None = None
    retry: Retry = Retry()
    max_parallel: int = 32
    on_success: tuple[Step, ...] = ()
    on_failure: tuple[Step, ...] = ()
    on_cancel: tuple[Step, ...] = ()
    finally_: tuple[Step, ...] = ()
    output: Raw = None
    digest: str = ""

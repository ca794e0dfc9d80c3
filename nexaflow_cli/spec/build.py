"""A checked document's data as a `Workflow`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nexaflow_cli.spec.durations import parse_duration
from nexaflow_cli.spec.model import (
    ActionCall,
    Body,
    Case,
    EventTrigger,
    ForEach,
    Group,
    Retry,
    RetryFilter,
    ScheduleTrigger,
    Step,
    Switch,
    Trigger,
    Workflow,
)


def digest_of(data: Any) -> str:
    """SHA-256, as hexadecimal, of the data as canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def build(data: Mapping[str, Any]) -> Workflow:
    """The workflow that the data describes; the data must have passed all checks."""
    retry = _retry(data.get("retry"), Retry())
    return Workflow(
        name=data["name"],
        steps=_steps(data["steps"], retry),
        description=data.get("description", ""),
        labels=dict(data.get("labels", {})),
        triggers=tuple(_trigger(trigger) for trigger in data.get("triggers", ())),
        inputs=dict(data.get("inputs", {})),
        env=dict(data.get("env", {})),
        timeout=_seconds(data.get("timeout")),
        retry=retry,
        max_parallel=data.get("max_parallel", 32),
        on_success=_steps(data.get("on_success", ()), retry),
        on_failure=_steps(data.get("on_failure", ()), retry),
        on_cancel=_steps(data.get("on_cancel", ()), retry),
        finally_=_steps(data.get("finally", ()), retry),
        output=data.get("output"),
        digest=digest_of(data),
    )


def _seconds(value: Any) -> float | None:
    return None if value is None else parse_duration(value)


def _retry(data: Mapping[str, Any] | None, base: Retry) -> Retry:
    if not data:
        return base
    return Retry(
        max_attempts=data.get("max_attempts", base.max_attempts),
        backoff_seconds=float(data.get("backoff_seconds", base.backoff_seconds)),
        backoff_multiplier=float(data.get("backoff_multiplier", base.backoff_multiplier)),
        max_backoff_seconds=float(data.get("max_backoff_seconds", base.max_backoff_seconds)),
        jitter=float(data.get("jitter", base.jitter)),
        retry_on=_filter(data["retry_on"]) if "retry_on" in data else base.retry_on,
        give_up_on=_filter(data["give_up_on"]) if "give_up_on" in data else base.give_up_on,
    )


def _filter(data: Mapping[str, Any]) -> RetryFilter:
    return RetryFilter(
        exit_codes=tuple(data.get("exit_codes", ())),
        http_statuses=tuple(data.get("http_statuses", ())),
        errors=tuple(data.get("errors", ())),
    )


def _trigger(data: Mapping[str, Any]) -> Trigger:
    if "event" in data:
        return EventTrigger(
            event=data["event"],
            pattern=data.get("pattern"),
            condition=data.get("if"),
            recursive=data.get("recursive", False),
        )
    schedule = data.get("schedule")
    every = schedule["every"] if isinstance(schedule, Mapping) else data.get("every")
    return ScheduleTrigger(
        cron=schedule if isinstance(schedule, str) else None,
        every=_seconds(every),
        timezone=data.get("timezone"),
        condition=data.get("if"),
    )


def _steps(data: Any, retry: Retry) -> tuple[Step, ...]:
    return tuple(_step(step, retry) for step in data)


def _step(data: Mapping[str, Any], retry: Retry) -> Step:
    needs = data.get("needs")
    return Step(
        id=data["id"],
        body=_body(data, retry),
        name=data.get("name"),
        condition=data.get("if"),
        needs=None if needs is None else tuple(needs),
        timeout=_seconds(data.get("timeout")),
        # What a step leaves out of its own retry comes from the workflow's.
        retry=_retry(data["retry"], retry) if "retry" in data else None,
        continue_on_error=data.get("continue_on_error", False),
        on_interrupt=data.get("on_interrupt", "retry"),
    )


def _body(data: Mapping[str, Any], retry: Retry) -> Body:
    if "switch" in data:
        cases = (
            Case(True if "else" in case else case["if"], _steps(case["steps"], retry))
            for case in data["switch"]
        )
        return Switch(tuple(cases))
    inner: ActionCall | Group
    inner = Group(_steps(data["steps"], retry)) if "steps" in data else _call(data)
    if "for_each" not in data:
        return inner
    return ForEach(
        items=data["for_each"],
        body=inner,
        var=data.get("as", "item"),
        max_parallel=data.get("max_parallel", 1),
    )


def _call(data: Mapping[str, Any]) -> ActionCall:
    env = dict(data.get("env", {}))
    if "action" in data:
        return ActionCall(data["action"], dict(data.get("with", {})), env)
    params = {"script": data["run"]}
    params.update({key: data[key] for key in ("shell", "dir", "output") if key in data})
    return ActionCall("shell", params, env)

"""Values with a grammar of their own: durations, schedules, timezones, patterns, inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexaflow_cli.spec.cron import parse_cron, parse_timezone
from nexaflow_cli.spec.durations import parse_duration
from nexaflow_cli.spec.findings import Findings
from nexaflow_cli.spec.outline import Block, every_step
from nexaflow_cli.spec.patterns import compile_pattern
from nexaflow_cli.spec.places import Path
from nexaflow_cli.spec.regexes import check_regex
from nexaflow_cli.spec.schema import ValueSchema

MAX_TIMEOUT = 365 * 86400.0
MIN_INTERVAL = 1.0


def check_values(data: Mapping[str, Any], blocks: Mapping[str, Block], findings: Findings) -> None:
    """Check such values in all of a document."""
    _timeout(data, (), findings)
    for step in every_step(blocks):
        _timeout(step.raw, step.path, findings)
    triggers = data.get("triggers")
    for index, trigger in enumerate(triggers if isinstance(triggers, list) else []):
        if isinstance(trigger, Mapping):
            _trigger(trigger, ("triggers", index), findings)
    inputs = data.get("inputs")
    for name, schema in (inputs if isinstance(inputs, Mapping) else {}).items():
        if isinstance(schema, Mapping) and isinstance(name, str):
            _input(name, schema, bool(triggers), findings)


def _duration(raw: Any, path: Path, least: float, most: float, findings: Findings) -> None:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return
    if isinstance(raw, str) and "${{" in raw:
        findings.add("invalid-duration", "a duration here cannot be an expression", path)
        return
    try:
        seconds = parse_duration(raw)
    except ValueError as error:
        findings.add("invalid-duration", str(error), path)
        return
    if not least <= seconds <= most:
        limits = "at least 1s" if seconds < least and least == 1 else "above 0 and at most a year"
        findings.add("invalid-duration", f"this duration must be {limits}", path)


def _timeout(raw: Mapping[str, Any], path: Path, findings: Findings) -> None:
    if "timeout" in raw:
        _duration(raw["timeout"], (*path, "timeout"), 0.001, MAX_TIMEOUT, findings)


def _trigger(trigger: Mapping[str, Any], path: Path, findings: Findings) -> None:
    schedule = trigger.get("schedule")
    every = schedule.get("every") if isinstance(schedule, Mapping) else trigger.get("every")
    if isinstance(schedule, str):
        _parsed("invalid-schedule", parse_cron, schedule, (*path, "schedule"), findings)
    elif every is not None:
        place = (*path, "schedule", "every") if isinstance(schedule, Mapping) else (*path, "every")
        _duration(every, place, MIN_INTERVAL, MAX_TIMEOUT, findings)
        if "timezone" in trigger and isinstance(schedule, Mapping):
            message = "`timezone` means nothing for a fixed interval"
            findings.add("no-effect", message, (*path, "timezone"), of_key=True, severity="warning")
    timezone = trigger.get("timezone")
    if isinstance(timezone, str):
        _timezone(timezone, (*path, "timezone"), findings)
    pattern = trigger.get("pattern")
    if isinstance(pattern, str) and pattern:
        _parsed("invalid-pattern", compile_pattern, pattern, (*path, "pattern"), findings)
    event = trigger.get("event")
    if isinstance(event, str):
        _event(event, (*path, "event"), findings)


FILE_EVENTS = ("file.created", "file.updated", "file.deleted", "file.moved")


def _event(event: str, path: Path, findings: Findings) -> None:
    """A name that only looks like one of the file space's own would never come."""
    if event.startswith("file.") and event not in FILE_EVENTS:
        from nexaflow_cli.spec.nearest import did_you_mean

        hint = did_you_mean(event, FILE_EVENTS)
        findings.add("unknown-event", f"there is no event `{event}`", path, hint)


def _parsed(code: str, parse: Any, text: str, path: Path, findings: Findings) -> None:
    try:
        parse(text)
    except ValueError as error:
        findings.add(code, str(error), path)


def _timezone(name: str, path: Path, findings: Findings) -> None:
    try:
        parse_timezone(name)
    except ValueError as error:
        from zoneinfo import available_timezones

        from nexaflow_cli.spec.nearest import nearest

        near = nearest(name, sorted(available_timezones()))
        hint = f"did you mean `{near}`?" if near else ""
        findings.add("invalid-timezone", str(error), path, hint)


def _input(name: str, schema: Mapping[str, Any], triggered: bool, findings: Findings) -> None:
    path: Path = ("inputs", name)
    before = len(findings.found)
    _regexes(schema, path, findings)
    if "default" not in schema:
        if triggered:
            findings.add(
                "input-needs-default",
                f"the input `{name}` has no default, and a trigger gives no inputs",
                path,
                "add `default:`",
                of_key=True,
            )
        return
    if len(findings.found) > before or findings.is_broken_below(path):
        return
    try:
        compiled = ValueSchema(schema)
    except ValueError as error:
        findings.add("invalid-input", str(error), path)
        return
    for problem in compiled.problems(schema["default"])[:5]:
        message = f"the default does not fit its own schema: {problem.message}"
        findings.add("invalid-default", message, (*path, "default", *problem.path))


def _regexes(schema: Any, path: Path, findings: Findings) -> None:
    if not isinstance(schema, Mapping):
        return
    if isinstance(schema.get("pattern"), str):
        try:
            check_regex(schema["pattern"])
        except ValueError as error:
            findings.add("invalid-regex", str(error), (*path, "pattern"))
    _regexes(schema.get("items"), (*path, "items"), findings)
    _regexes(schema.get("additionalProperties"), (*path, "additionalProperties"), findings)
    properties = schema.get("properties")
    for key, inner in (properties if isinstance(properties, Mapping) else {}).items():
        _regexes(inner, (*path, "properties", key), findings)

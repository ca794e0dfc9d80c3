"""The JSON that the API, `-o json` and scripts see: runs, workflows, events."""

from __future__ import annotations

from typing import Any

from nexaflow_cli.runtime.catalogue import Entry
from nexaflow_cli.runtime.times import duration_ms, iso
from nexaflow_cli.spec.durations import format_duration
from nexaflow_cli.spec.model import EventTrigger, ScheduleTrigger, Trigger
from nexaflow_cli.store.runs import RunRow


def run(row: RunRow) -> dict[str, Any]:
    """A run without its steps."""
    return {
        "id": row.id,
        "workflow": row.workflow,
        "version": row.version,
        "status": row.status,
        "trigger": row.trigger,
        "created_at": iso(row.created_at),
        "started_at": iso(row.started_at),
        "finished_at": iso(row.finished_at),
        "duration_ms": duration_ms(row.started_at, row.finished_at),
        "wake_at": iso(row.wake_at),
        "inputs": row.inputs,
        "output": row.output,
        "error": row.error,
    }


def history_row(row: RunRow) -> dict[str, Any]:
    """A run as `workflows history` and the SDK's `get_workflow_history` give it."""
    shape = run(row)
    del shape["wake_at"]
    return {
        **shape,
        "timestamp": shape["started_at"] or shape["created_at"],
        "file": row.path,
        "duration": shape["duration_ms"],
    }


def workflow(entry: Entry, last_run: RunRow | None) -> dict[str, Any]:
    """A workflow as lists show it."""
    spec = entry.plan.workflow
    last = None
    if last_run is not None:
        last = {
            "id": last_run.id,
            "status": last_run.status,
            "started_at": iso(last_run.started_at or last_run.created_at),
        }
    return {
        "name": spec.name,
        "version": entry.row.version,
        "status": entry.row.status,
        "description": spec.description,
        "labels": dict(spec.labels),
        "trigger": ", ".join(trigger_text(t) for t in spec.triggers) or "manual",
        "triggers": [trigger(t) for t in spec.triggers],
        "inputs": {name: dict(schema) for name, schema in spec.inputs.items()},
        "created_at": iso(entry.row.created_at),
        "updated_at": iso(entry.row.updated_at),
        "last_run": last,
    }


def trigger_text(value: Trigger) -> str:
    """A trigger in a few words: `file.created /in/*.txt`, `30 2 * * 1-5 Europe/Berlin`."""
    match value:
        case EventTrigger():
            return f"{value.event} {value.pattern}" if value.pattern else value.event
        case ScheduleTrigger():
            if value.every is not None:
                return f"every {format_duration(value.every)}"
            return f"{value.cron} {value.timezone}" if value.timezone else str(value.cron)


def trigger(value: Trigger) -> dict[str, Any]:
    match value:
        case EventTrigger():
            shape: dict[str, Any] = {"event": value.event, "pattern": value.pattern}
            if value.recursive:
                shape["recursive"] = True
        case ScheduleTrigger():
            shape = {"schedule": value.cron or f"every {format_duration(value.every or 0)}"}
            shape["timezone"] = value.timezone
    if value.condition is not None:
        shape["if"] = value.condition
    return shape

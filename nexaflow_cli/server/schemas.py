"""The shapes of answers, for the API's description. Read only when that is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_MAYBE_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
_TIME: Schema = {"type": "string", "format": "date-time"}
_MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
_OBJECT: Schema = {"type": "object"}
_MAYBE_OBJECT: Schema = {"type": ["object", "null"]}
_TRUTH: Schema = {"type": "boolean"}
_ANY: Schema = {}

_RUN_STATUS: Schema = {
    "type": "string",
    "enum": ["queued", "running", "waiting", "paused", "success", "failed", "cancelled"],
}
_STEP_STATUS: Schema = {
    "type": "string",
    "enum": ["pending", "queued", "running", "waiting", "success", "failed", "skipped",
             "cancelled", "interrupted"],
}  # fmt: skip


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _about(schema: Schema, description: str) -> Schema:
    return schema | {"description": description}


def _object(description: str, fields: Schema, optional: Iterable[str] = ()) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": fields,
        "required": [name for name in fields if name not in set(optional)],
    }


def _page(of: str) -> Schema:
    following = _about(_MAYBE_TEXT, "The cursor of the next page; null: this is the last.")
    return _object(f"Some of a list of {of}.", {"items": _list(_ref(of)), "next": following})


_DURATION = _about(_MAYBE_COUNT, "In ms, from start to end.")
_RUN: Schema = {
    "id": _TEXT,
    "workflow": _TEXT,
    "version": _about(_COUNT, "Of the workflow; the run keeps it."),
    "status": _RUN_STATUS,
    "trigger": _about(_OBJECT, "What started it: `type`, and what goes with that."),
    "created_at": _TIME,
    "started_at": _MAYBE_TIME,
    "finished_at": _MAYBE_TIME,
    "duration_ms": _DURATION,
    "wake_at": _about(_MAYBE_TIME, "When a waiting run goes on."),
    "inputs": _OBJECT,
    "output": _ANY,
    "error": _about(_MAYBE_OBJECT, "`type`, `message`, and the `step` it comes from."),
}
_ATTEMPT = _object(
    "One attempt of a step.",
    {
        "attempt": _COUNT,
        "status": _STEP_STATUS,
        "error": _MAYBE_OBJECT,
        "retry_at": _MAYBE_TIME,
        "started_at": _MAYBE_TIME,
        "finished_at": _MAYBE_TIME,
        "duration_ms": _DURATION,
    },
)
_WORKFLOW: Schema = {
    "name": _TEXT,
    "version": _COUNT,
    "status": {"type": "string", "enum": ["active", "paused"]},
    "description": _TEXT,
    "labels": _OBJECT,
    "trigger": _about(_TEXT, "The triggers in a few words, such as `file.created /in/*.txt`."),
    "triggers": _list(_OBJECT),
    "inputs": _about(_OBJECT, "JSON Schema of each input, by name."),
    "created_at": _MAYBE_TIME,
    "updated_at": _MAYBE_TIME,
    "last_run": _about(_MAYBE_OBJECT, "`id`, `status`, `started_at`."),
}

COMPONENTS: dict[str, Schema] = {
    "Problem": _object(
        "What is wrong (RFC 9457).",
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": _COUNT,
            "detail": _about(_TEXT, "One sentence that names the thing and the cause."),
            "code": _about(_TEXT, "Stable; for programs."),
            "hint": _about(_TEXT, "What to try."),
            "diagnostics": _list(_ref("Diagnostic")),
            "id": _about(_TEXT, "Under which the daemon's log tells more."),
        },
        ("hint", "diagnostics", "id"),
    ),
    "Diagnostic": _object(
        "Something found in a definition.",
        {
            "code": _TEXT,
            "severity": {"type": "string", "enum": ["error", "warning"]},
            "message": _TEXT,
            "file": _TEXT,
            "line": _COUNT,
            "column": _COUNT,
            "hint": _MAYBE_TEXT,
        },
        ("hint",),
    ),
    "Health": _object(
        "How the daemon is.",
        {
            "status": {"type": "string", "enum": ["ok", "degraded"]},
            "version": _TEXT,
            "checks": _OBJECT,
        },
    ),
    "Change": _object(
        "What became of one definition.",
        {
            "name": _TEXT,
            "version": _about(_MAYBE_COUNT, "Null for one that a dry run would create."),
            "change": {"type": "string", "enum": ["created", "updated", "unchanged", "deleted"]},
        },
    ),
    "Applied": _object(
        "What an apply did, or would do.",
        {"changes": _list(_ref("Change")), "diagnostics": _list(_ref("Diagnostic"))},
    ),
    "Workflow": _object(
        "A workflow in use.",
        {**_WORKFLOW, "source": _about(_TEXT, "Its YAML; not in lists.")},
        ("source",),
    ),
    "WorkflowPage": _page("Workflow"),
    "Run": _object("A run.", _RUN),
    "RunPage": _page("Run"),
    "Step": _object(
        "A step of a run.",
        {
            "key": _about(_TEXT, "Unique in the run: `extract`, `notify[3]`, `outer[1].inner`."),
            "id": _TEXT,
            "name": _MAYBE_TEXT,
            "kind": _TEXT,
            "action": _MAYBE_TEXT,
            "parent": _about(_MAYBE_TEXT, "The key of the step it is in."),
            "status": _STEP_STATUS,
            "attempt": _COUNT,
            "started_at": _MAYBE_TIME,
            "finished_at": _MAYBE_TIME,
            "duration_ms": _DURATION,
            "output": _ANY,
            "values": _MAYBE_OBJECT,
            "error": _MAYBE_OBJECT,
            "reason": _about(_MAYBE_TEXT, "Why it was skipped, or which case was taken."),
            "wake_at": _MAYBE_TIME,
            "attempts": _list(_ATTEMPT),
        },
    ),
    "RunDetail": _object(
        "A run with its steps.",
        {
            **_RUN,
            "event": _MAYBE_OBJECT,
            "steps": _list(_ref("Step")),
            "cancel_requested": _TRUTH,
        },
    ),
    "HistoryRow": _object(
        "A run, as the history of its workflow shows it.",
        {
            **{name: schema for name, schema in _RUN.items() if name != "wake_at"},
            "timestamp": _about(_TIME, "When it started, or was created."),
            "file": _about(_MAYBE_TEXT, "Path of the file that started it."),
            "duration": _DURATION,
        },
    ),
    "HistoryPage": _page("HistoryRow"),
    "Stats": _object(
        "A workflow in figures.",
        {
            "workflow": _TEXT,
            "total": _COUNT,
            "success": _COUNT,
            "failed": _COUNT,
            "cancelled": _COUNT,
            "running": _COUNT,
            "queued": _COUNT,
            "paused": _COUNT,
            "success_rate": _about({"type": "number"}, "Percent of those that ended by themselves"),
            "avg_duration_ms": _COUNT,
            "errors": _COUNT,
            "last_run_at": _MAYBE_TIME,
        },
    ),
    "FailedAttempt": _object(
        "An attempt of a step that failed.",
        {
            "timestamp": _TIME,
            "run": _TEXT,
            "step": _TEXT,
            "attempt": _COUNT,
            "type": _MAYBE_TEXT,
            "error": _MAYBE_TEXT,
            "retry_at": _MAYBE_TIME,
        },
    ),
    "ErrorPage": _page("FailedAttempt"),
    "LogLine": _object(
        "A line that a step printed, or that was said about it.",
        {
            "n": _COUNT,
            "at": _MAYBE_TEXT,
            "step": _MAYBE_TEXT,
            "attempt": _MAYBE_COUNT,
            "stream": _TEXT,
            "level": _MAYBE_TEXT,
            "text": _TEXT,
        },
    ),
    "LogPage": _object(
        "Some of what a run printed.",
        {
            "items": _list(_ref("LogLine")),
            "next": _about(_MAYBE_COUNT, "The `after` of the next page; null: no more now."),
            "done": _about(_TRUTH, "There will be no more."),
        },
    ),
    "FileInfo": _object(
        "A file.", {"path": _TEXT, "size": _COUNT, "modified_at": _TIME, "etag": _TEXT}
    ),
    "FilePage": _page("FileInfo"),
    "Contents": _object(
        "Files with their contents.",
        {
            "items": _list(
                _object(
                    "One of them.",
                    {"path": _TEXT, "content": _TEXT | {"contentEncoding": "base64"}},
                )
            )
        },
    ),
    "Event": _object(
        "Something that happened.",
        {
            "id": _TEXT,
            "type": _TEXT,
            "path": _MAYBE_TEXT,
            "data": _ANY,
            "time": _TIME,
            "cause": _about(_ANY, "What brought it about; null: nothing of ours."),
            "runs": _list(_TEXT),
        },
    ),
    "EventPage": _page("Event"),
}

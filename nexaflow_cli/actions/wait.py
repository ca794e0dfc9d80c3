"""`wait`: let time pass without holding anything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from nexaflow_cli.actions.base import Action, Call, Suspend
from nexaflow_cli.actions.params import invalid, seconds

# Later than any wait that is meant, and still a date that every layer can print.
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def _moment(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        raise invalid("`until` must be a time such as 2026-05-01T08:00:00Z or seconds since 1970")
    try:
        return float(value)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise invalid(f"`until` is no ISO 8601 time: {value!r}") from None
    if moment.tzinfo is None:
        raise invalid(f"`until` needs an offset, as in {value.strip()}Z: {value!r} has none")
    return moment.timestamp()


def _run(params: dict[str, Any], call: Call) -> Suspend:
    if ("duration" in params) == ("until" in params):
        raise invalid("`wait` takes `duration` or `until`, one of the two")
    if "duration" in params:
        until = call.now().timestamp() + seconds(params, "duration")
    else:
        until = _moment(params["until"])
    if not 0 <= until <= _LATEST:  # NaN and infinity fail this too
        raise invalid("the wait ends outside the years 1970 to 9999")
    at = datetime.fromtimestamp(until, UTC).isoformat(timespec="milliseconds")
    return Suspend(until, {"until": at.replace("+00:00", "Z")})


ACTION = Action(
    name="wait",
    summary="Wait for a duration or until a time; nothing is held meanwhile.",
    schema={
        "type": "object",
        "additionalProperties": False,
        "oneOf": [{"required": ["duration"]}, {"required": ["until"]}],
        "properties": {
            "duration": {
                "type": ["string", "number"],
                "description": "How long, as `90s`, `1h30m`, or a number of seconds.",
            },
            "until": {
                "type": ["string", "number"],
                "description": "When to go on: ISO 8601 with offset, or seconds since 1970.",
            },
        },
    },
    run=_run,
    pure=True,
    output="`{until}`: the time at which it went on, in UTC. A time in the past goes on at once.",
    example="""\
- id: cool_down
  action: wait
  with:
    duration: 10m
""",
)

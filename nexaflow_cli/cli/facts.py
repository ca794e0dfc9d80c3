"""One thing told in full: labels on the left, what is known on the right."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from nexaflow_cli.cli import times
from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.status import style
from nexaflow_cli.cli.text import clean

Pairs = Iterable[tuple[str, str | None]]


def show(pairs: Pairs) -> None:
    """Print labelled lines; what is unknown is left out."""
    known = [(label, text) for label, text in pairs if text]
    width = max((len(label) for label, _ in known), default=0)
    for label, text in known:
        out.line(f"{out.paint(label.ljust(width), 'muted')}  {text}")


def status(value: Any) -> str:
    """A status in its colour."""
    return out.paint(clean(value), style(str(value)))


def moment(text: Any) -> str | None:
    """A timestamp as local time, with its distance from now."""
    found = times.parse(text)
    if found is None:
        return None
    return f"{times.local(found)} ({times.ago(found, datetime.now(UTC))})"


def value(data: Any) -> str:
    """JSON data on one line; text as it is."""
    return clean(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False))


def workflow(item: Any, wide: bool) -> None:
    """One workflow."""
    labels = item.get("labels") or {}
    last = item.get("last_run")
    show(
        [
            ("workflow", out.paint(clean(item["name"]), "strong") + f" v{item['version']}"),
            ("status", status(item["status"])),
            ("description", clean(item.get("description") or "")),
            ("labels", clean(", ".join(f"{key}={text}" for key, text in labels.items()))),
            ("triggers", clean(item.get("trigger") or "manual")),
            ("created", moment(item.get("created_at"))),
            ("updated", moment(item.get("updated_at"))),
            ("last run", last and f"{status(last['status'])} {clean(last['id'])}"),
        ]
    )
    if inputs := item.get("inputs") or {}:
        out.line(out.paint("inputs", "muted"))
    for name, schema in inputs.items():
        kind = schema.get("type", "any")
        choice = f" ({', '.join(map(str, schema['enum']))})" if "enum" in schema else ""
        default = f", default {value(schema['default'])}" if "default" in schema else ""
        told = f": {clean(schema['description'])}" if schema.get("description") else ""
        out.line(f"  -i {clean(name)}=<{clean(kind)}>{clean(choice)}{default}{told}")
    if wide and item.get("source"):
        out.line()
        for line in item["source"].splitlines():
            out.line(clean(line))


def stats(item: Any) -> None:
    """The counts of one workflow."""
    average = item.get("avg_duration_ms")
    rate = item.get("success_rate")
    show(
        [
            ("workflow", out.paint(clean(item["workflow"]), "strong")),
            ("runs", str(item["total"])),
            ("success", _count(item, "success", "good")),
            ("failed", _count(item, "failed", "bad")),
            ("cancelled", _count(item, "cancelled", "warn")),
            ("running", _count(item, "running", "busy")),
            ("paused", _count(item, "paused", "warn")),
            ("queued", _count(item, "queued", "")),
            ("success rate", None if rate is None else f"{rate}%"),
            ("average", None if average is None else times.duration(average)),
            ("errors", str(item.get("errors", 0))),
            ("last run", moment(item.get("last_run_at"))),
        ]
    )


def _count(item: Any, key: str, style_: str) -> str:
    count = item.get(key, 0)
    return out.paint(str(count), style_ if count else "muted")

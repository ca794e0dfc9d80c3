"""A run's steps as its journal tells them: what `runs get` shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.plan import Node, Plan
from nexaflow_cli.runtime.times import duration_ms, iso

Row = dict[str, Any]


def steps(plan: Plan | None, journal: Iterable[f.Fact]) -> list[Row]:
    """One row a step that the journal or the plan knows, in the order of the file.

    The items of a for_each follow it. Steps of the plan that have not begun have the status
    `pending`; without a plan only steps with facts are shown.
    """
    found: dict[str, Row] = {}
    for fact in journal:
        if isinstance(fact, f.StepFact):
            row = found.get(fact.step)
            if row is None:
                row = found[fact.step] = _row(fact.step, plan)
            _TELL[type(fact)](row, fact)
    ordered = _in_order(found, plan)
    for row in ordered:
        row["duration_ms"] = duration_ms(row["_start"], row["_end"])
        row["started_at"], row["finished_at"] = iso(row.pop("_start")), iso(row.pop("_end"))
        for attempt in row["attempts"]:
            attempt["duration_ms"] = duration_ms(attempt["_start"], attempt["_end"])
            attempt["started_at"] = iso(attempt.pop("_start"))
            attempt["finished_at"] = iso(attempt.pop("_end"))
    return ordered


def _row(key: str, plan: Plan | None) -> Row:
    name = key.rpartition(".")[2]
    node_id = name.partition("[")[0]
    node = plan.by_id.get(node_id) if plan is not None else None
    if node is not None and name.endswith("]"):
        node = node.body
    return {
        "key": key,
        "id": node_id,
        "name": node.step.name if node is not None else None,
        "kind": node.kind if node is not None else "action",
        "action": node.action or None if node is not None else None,
        "parent": None,
        "status": "pending",
        "attempt": 0,
        "output": None,
        "values": None,
        "error": None,
        "reason": None,
        "wake_at": None,
        "attempts": [],
        "_start": None,
        "_end": None,
    }


def _in_order(found: dict[str, Row], plan: Plan | None) -> list[Row]:
    """Depth first through the plan; items in the order of their numbers."""
    if plan is None:
        return list(found.values())
    ordered: list[Row] = []
    items: dict[str, int] = {}
    for key in found:
        if key.endswith("]"):
            owner, _, index = key[:-1].rpartition("[")
            items[owner] = max(items.get(owner, 0), int(index) + 1)

    def add(node: Node, prefix: str, parent: str | None) -> None:
        key = prefix + node.id
        row = found.get(key) or _row(key, plan)
        row["parent"] = parent
        ordered.append(row)
        below(node, key, prefix)

    def below(node: Node, key: str, prefix: str) -> None:
        if node.body is not None:
            for index in range(items.get(key, 0)):
                item_key = f"{key}[{index}]"
                row = found.get(item_key)
                if row is not None:
                    row["parent"] = key
                    ordered.append(row)
                    for block in node.body.blocks:
                        for inner in block.nodes:
                            add(inner, item_key + ".", item_key)
            return
        for index, block in enumerate(node.blocks):
            for inner in block.nodes:
                # Of a switch, only the case that was taken, unless none has been yet.
                if node.kind != "switch" or found.get(key, {}).get("case") == index:
                    add(inner, prefix, key)

    for node in plan.main.nodes:
        add(node, "", None)
    for phase, block in plan.handlers.items():
        for node in block.nodes:
            if node.id in found:
                add(node, "", None)
                ordered[-1]["phase"] = phase
    return ordered


def _started(row: Row, fact: f.StepStarted) -> None:
    row["status"], row["attempt"], row["wake_at"] = "running", fact.attempt, None
    if row["_start"] is None:
        row["_start"] = fact.at
    row["attempts"].append(
        {"attempt": fact.attempt, "status": "running", "error": None, "retry_at": None}
        | {"_start": fact.at, "_end": None}
    )


def _end_attempt(row: Row, status: str, at: float, **more: Any) -> None:
    if row["attempts"] and row["attempts"][-1]["_end"] is None:
        row["attempts"][-1].update(status=status, _end=at, **more)


def _ended(row: Row, status: str, at: float) -> None:
    row["status"], row["_end"], row["wake_at"] = status, at, None


def _expanded(row: Row, fact: f.StepExpanded) -> None:
    row["status"], row["_start"] = "running", fact.at
    if fact.case is not None:
        row["case"], row["reason"] = fact.case, f"case {fact.case + 1}"
    if fact.items is not None:
        row["items"] = len(fact.items)


def _suspended(row: Row, fact: f.StepSuspended) -> None:
    row["status"], row["wake_at"] = "waiting", iso(fact.until)


def _succeeded(row: Row, fact: f.StepSucceeded) -> None:
    row["output"], row["values"], row["error"] = fact.output, fact.values, None
    _end_attempt(row, "success", fact.at)
    _ended(row, "success", fact.at)


def _failed(row: Row, fact: f.StepFailed) -> None:
    row["error"] = fact.error
    _end_attempt(row, "failed", fact.at, error=fact.error, retry_at=iso(fact.retry_at))
    if fact.retry_at is None:
        _ended(row, "failed", fact.at)
    else:
        row["status"], row["wake_at"] = "waiting", iso(fact.retry_at)


def _interrupted(row: Row, fact: f.StepInterrupted) -> None:
    row["status"] = "interrupted"
    _end_attempt(row, "interrupted", fact.at)


def _skipped(row: Row, fact: f.StepSkipped) -> None:
    row["reason"] = fact.reason
    _ended(row, "skipped", fact.at)


def _stopping(row: Row, fact: f.StepStopping) -> None:
    row["reason"] = f"stopping: {fact.reason}"


def _cancelled(row: Row, fact: f.StepCancelled) -> None:
    row["reason"] = fact.reason
    _end_attempt(row, "cancelled", fact.at)
    _ended(row, "cancelled", fact.at)


_TELL: dict[type[f.Fact], Callable[[Row, Any], None]] = {
    f.StepStarted: _started,
    f.StepExpanded: _expanded,
    f.StepSuspended: _suspended,
    f.StepSucceeded: _succeeded,
    f.StepFailed: _failed,
    f.StepInterrupted: _interrupted,
    f.StepSkipped: _skipped,
    f.StepStopping: _stopping,
    f.StepCancelled: _cancelled,
}

"""A run as the live stream tells it: the picture kept, the lines printed, the rows chosen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from nexaflow_cli.cli.console import out
from nexaflow_cli.cli.follow import PlainWatcher, conclude, exit_code
from nexaflow_cli.cli.liveview import choose
from nexaflow_cli.cli.progress import Progress, StepRow
from nexaflow_cli.cli.times import clock

AT_NINE = clock(datetime.fromtimestamp(9.0, UTC))


def fact(kind: str, step: str | None = None, at: float = 0.0, **data: Any) -> dict[str, Any]:
    base = {"seq": 1, "type": "fact", "run": "r1", "workflow": "sort"}
    return {**base, "kind": kind, "step": step, "at": at, "data": data}


def log(text: str, step: str = "a") -> dict[str, Any]:
    return {
        "type": "log",
        "run": "r1",
        "n": 1,
        "at": 1.0,
        "step": step,
        "stream": "stdout",
        "text": text,
    }


def told(*frames: dict[str, Any]) -> Progress:
    progress = Progress()
    for frame in frames:
        progress.feed(frame)
    return progress


def test_a_run_from_start_to_end() -> None:
    run = told(
        fact("run.started", at=10.0),
        fact("step.started", "a", at=10.0, attempt=1),
        fact("step.succeeded", "a", at=11.5, attempt=1, output=3),
        fact("run.finished", at=12.0, status="success", output={"x": 1}),
        {"type": "end", "run": "r1", "status": "success"},
    )
    assert (run.run, run.workflow, run.status, run.output) == ("r1", "sort", "success", {"x": 1})
    assert run.seconds(99.0) == 2.0
    assert (run.steps["a"].status, run.steps["a"].seconds(99.0)) == ("success", 1.5)


@pytest.mark.parametrize(
    ("frames", "status", "note"),
    [
        ([("step.started", {"attempt": 1})], "running", ""),
        ([("step.suspended", {"attempt": 1, "until": 9.0})], "waiting", f"until {AT_NINE}"),
        (
            [("step.failed", {"attempt": 1, "error": {"message": "no"}, "retry_at": 2.5})],
            "waiting",
            "again in 2.5s: no",
        ),
        ([("step.failed", {"attempt": 3, "error": {"message": "no"}})], "failed", "no"),
        (
            [("step.skipped", {"reason": "its condition is false"})],
            "skipped",
            "its condition is false",
        ),
        ([("step.cancelled", {"reason": "out of time"})], "cancelled", "out of time"),
        ([("step.interrupted", {"attempt": 1})], "interrupted", ""),
        ([("step.expanded", {"items": [1, 2]})], "running", "2 items"),
        ([("step.expanded", {"case": 0})], "running", "case 1"),
        (
            [
                ("step.failed", {"attempt": 1, "error": {"message": "no"}, "retry_at": 1}),
                ("step.started", {"attempt": 2}),
            ],
            "running",
            "",
        ),
    ],
)
def test_what_a_fact_makes_of_a_step(
    frames: list[tuple[str, dict[str, Any]]], status: str, note: str
) -> None:
    run = told(*(fact(kind, "a", **data) for kind, data in frames))
    assert (run.steps["a"].status, run.steps["a"].note) == (status, note)


def test_steps_inside_others_are_told_with_them() -> None:
    assert [StepRow(key).depth for key in ("a", "a[0]", "a[0].b", "a[0].b[1]")] == [0, 1, 2, 3]


def test_words_of_steps_cannot_steer_the_terminal() -> None:
    run = told(log("\x1b[2J\x1b[31mred\x1b[0m\x07"), fact("step.skipped", "a", reason="\x1b[2J"))
    assert run.tail[0][2] == "red\\x07"
    assert run.steps["a"].note == "\\x1b[2J"


def test_one_line_a_thing_that_happens(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = PlainWatcher(out)
    for frame in (
        fact("run.started"),
        fact("step.started", "a", attempt=1),
        log("hello"),
        fact("step.failed", "a", 1.0, attempt=1, error={"message": "no"}, retry_at=3.0),
        fact("step.started", "a", 3.0, attempt=2),
        fact("step.succeeded", "a", 4.0, attempt=2),
        fact("step.skipped", "b", reason="its condition is false"),
        fact("run.finished", at=4.0, status="success", output="done"),
    ):
        watcher.feed(frame)
    assert conclude(watcher.progress, out) == 0
    lines = [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()[:-2]]
    assert lines == [
        "run started",
        "● a started",
        "  a | hello",
        "◌ a waiting: again in 2s: no",
        "● a started (attempt 2)",
        "✓ a success in 4.0s",
        "– b skipped: its condition is false",
    ]


def test_the_end_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    run = told(
        fact("run.started", at=1.0),
        fact("run.finished", at=3.0, status="failed", error={"message": "exit code 3"}),
    )
    assert conclude(run, out) == 1
    assert capsys.readouterr().out == "✗ failed in 2.0s: exit code 3\n"


@pytest.mark.parametrize(("status", "code"), [("success", 0), ("failed", 1), ("cancelled", 1)])
def test_the_end_has_an_exit_code(status: str, code: int) -> None:
    assert exit_code(status) == code


def test_when_room_is_short_open_and_failed_steps_stay() -> None:
    rows = [StepRow(f"s{n}", "success", finished=1.0) for n in range(50)]
    rows[3].status = "failed"
    rows[40].finished = None
    keys = [row.key for row in choose(rows, 6)]
    assert keys == ["s3", "s40", "s47", "s48", "s49"]
    assert choose(rows, 100) == rows

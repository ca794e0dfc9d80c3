"""Which fact may follow which status: every pair is in the table or refused."""

from __future__ import annotations

import itertools

import pytest
from building import act, flow
from simulator import Simulator, roundtrip

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.fold import apply
from nexaflow_cli.engine.transitions import (
    ENDED_RUN,
    ENDED_STEP,
    OPEN_RUN,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
    IllegalTransition,
    RunStatus,
    StepStatus,
    next_run_status,
    next_step_status,
)

STEP_KINDS = [kind for kind in f.FACTS if kind.startswith("step.")]
RUN_KINDS = [kind for kind in f.FACTS if kind.startswith("run.")]

STEP_SPEC = {
    "pending": "started expanded skipped failed cancelled",
    "running": "succeeded failed suspended stopping interrupted cancelled",
    "retrying": "started failed cancelled",
    "suspended": "succeeded failed cancelled",
    "open": "stopping succeeded failed cancelled",
    "success": "",
    "failed": "",
    "skipped": "",
    "cancelled": "",
}
RUN_SPEC = {
    "queued": "started cancel_requested paused finished",
    "running": "paused cancel_requested timed_out phase finished",
    "paused": "resumed cancel_requested timed_out phase finished",
    "waiting": "",
    "success": "",
    "failed": "",
    "cancelled": "",
}


@pytest.mark.parametrize(("status", "kind"), [*itertools.product(StepStatus, STEP_KINDS)])
def test_a_step_takes_the_facts_of_the_table_and_no_other(status: StepStatus, kind: str) -> None:
    if kind.removeprefix("step.") in STEP_SPEC[status].split():
        assert next_step_status(status, kind, "s") is STEP_TRANSITIONS[status, kind]
    else:
        with pytest.raises(IllegalTransition, match=f"{kind} cannot follow {status} in step s"):
            next_step_status(status, kind, "s")


@pytest.mark.parametrize(("status", "kind"), [*itertools.product(RunStatus, RUN_KINDS)])
def test_a_run_takes_the_facts_of_the_table_and_no_other(status: RunStatus, kind: str) -> None:
    if kind.removeprefix("run.") in RUN_SPEC[status].split():
        assert next_run_status(status, kind) is RUN_TRANSITIONS[status, kind]
    else:
        with pytest.raises(IllegalTransition, match=f"{kind} cannot follow {status} in a run"):
            next_run_status(status, kind)


def test_what_has_ended_takes_nothing() -> None:
    assert not [pair for pair in STEP_TRANSITIONS if pair[0] in ENDED_STEP]
    assert not [pair for pair in RUN_TRANSITIONS if pair[0] in ENDED_RUN]
    assert set(RunStatus) == ENDED_RUN | OPEN_RUN


def test_every_status_of_a_step_can_be_reached_and_left() -> None:
    reached = {StepStatus.PENDING, StepStatus.RETRYING} | set(STEP_TRANSITIONS.values())
    assert reached == set(StepStatus)
    assert {status for status, _ in STEP_TRANSITIONS} == set(StepStatus) - ENDED_STEP


def test_every_kind_of_fact_is_in_a_table_and_has_a_fold() -> None:
    spoken = {kind for _, kind in STEP_TRANSITIONS} | {kind for _, kind in RUN_TRANSITIONS}
    assert spoken == set(f.FACTS)


def test_a_fact_about_a_step_that_is_not_there_is_refused() -> None:
    run = Simulator(flow(act("a"))).start()
    with pytest.raises(IllegalTransition, match="unknown step b"):
        apply(run.state, f.StepSucceeded(0.0, "b", 1))


@pytest.mark.parametrize(
    "fact",
    [
        f.RunStarted(1.0),
        f.RunFinished(2.0, "failed", {"type": "exit", "message": "no"}, None),
        f.StepExpanded(3.0, "e", items=[1, {"a": None}]),
        f.StepSucceeded(4.0, "e[0].a", 2, [1], {"k": "v"}),
        f.StepFailed(5.0, "a", 1, {"type": "exit", "message": "no"}, 9.0),
    ],
    ids=lambda fact: fact.kind,
)
def test_a_fact_comes_back_from_the_journal_as_it_was(fact: f.Fact) -> None:
    assert roundtrip(fact) == fact


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("step.danced", {"at": 1.0}),
        ("step.started", {"at": 1.0, "step": "a"}),
        ("step.started", {"at": 1.0, "step": "a", "attempt": 1, "mood": "good"}),
    ],
)
def test_a_fact_that_cannot_be_read_is_an_error(kind: str, data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"cannot read a fact of kind '{kind}'"):
        f.from_data(kind, data)

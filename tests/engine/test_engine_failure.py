"""What a failure does: to its step, to what runs beside it, to what is around it."""

from __future__ import annotations

import pytest
from building import act, each, flow, group, switch, times
from simulator import Hang, Simulator, Sleep, fail, ok

from nexaflow_cli.spec.model import Step


def test_a_failing_step_fails_the_run_and_nothing_after_it_begins() -> None:
    run = Simulator(flow(act("a"), act("b"), act("c")), {"b": [fail("no disk")]}).run()
    assert run.status == "failed"
    assert run.error == {"type": "exit", "message": "no disk", "step": "b"}
    assert run.statuses("a", "b", "c") == "success failed pending"


def test_what_runs_beside_a_failure_may_finish_and_nothing_follows_it() -> None:
    steps = act("a"), act("b", needs=()), act("c", needs=("b",))
    run = Simulator(flow(*steps), {"a": [fail()]}).start().report("a")
    assert (run.status, run.under_way) == ("running", ["b"])
    run.report("b")
    assert (run.status, run.statuses("b", "c")) == ("failed", "success pending")


def test_waits_and_retries_beside_a_failure_are_cancelled() -> None:
    steps = [act(key, needs=(), retry=times(3, 60)) for key in ("wait", "again", "bad")]
    table = {"wait": [Sleep(60)], "again": [fail()], "bad": [fail(retryable=False)]}
    run = Simulator(flow(*steps), table).start().report("wait").report("again")
    assert run.statuses("wait", "again") == "suspended retrying"
    run.report("bad")
    assert run.statuses("wait", "again", "bad") == "cancelled cancelled failed"
    assert run.step("wait").reason == run.step("again").reason == "another step failed"
    assert (run.status, run.error["step"]) == ("failed", "bad")


def test_a_failure_beside_a_failure_is_not_tried_again_nor_waited_for() -> None:
    steps = [act(key, needs=(), retry=times(3, 60)) for key in ("one", "two", "three")]
    table = {"one": [fail(retryable=False)], "two": [fail("later")], "three": [Sleep(60)]}
    run = Simulator(flow(*steps), table).start().report("one").report("two").report("three")
    assert run.statuses("one", "two", "three") == "failed failed cancelled"
    assert (run.status, run.error["step"], run.error["message"]) == ("failed", "one", "broke")


def test_with_continue_on_error_the_others_go_on() -> None:
    steps = act("a", continue_on_error=True), act("b")
    run = Simulator(flow(*steps, output="${{ steps.a.error.message }}"), {"a": [fail("so")]}).run()
    assert (run.status, run.statuses("a", "b")) == ("success", "failed success")
    assert (run.state.output, run.error) == ("so", {})


NESTED = [
    group("g", act("bad"), act("after")),
    switch("g", (True, [act("bad"), act("after")])),
    group("g", group("h", group("i", act("bad"))), act("after")),
]


@pytest.mark.parametrize("step", NESTED, ids=["group", "switch", "deep"])
def test_a_failure_inside_fails_what_is_around_and_the_error_names_its_origin(step: Step) -> None:
    run = Simulator(flow(step, act("z")), {"bad": [fail("why")]}).run()
    assert (run.status, run.statuses("g", "z")) == ("failed", "failed pending")
    assert run.begun == ["bad"]
    assert run.error == run.step("g").error == {"type": "exit", "message": "why", "step": "bad"}


@pytest.mark.parametrize("tolerant", ["g", "h", "bad"])
def test_a_failure_stops_at_the_first_that_tolerates_it(tolerant: str) -> None:
    def named(id: str) -> dict[str, bool]:
        return {"continue_on_error": id == tolerant}

    inner = act("bad", **named("bad"))
    steps = group("g", group("h", inner, **named("h")), **named("g")), act("z")
    run = Simulator(flow(*steps), {"bad": [fail()]}).run()
    failed = [key for key in ("bad", "h", "g") if run.statuses(key) == "failed"]
    assert failed == ["bad", "h", "g"][: ["bad", "h", "g"].index(tolerant) + 1]
    assert (run.status, run.statuses("z")) == ("success", "success")


def test_a_failure_inside_a_group_halts_that_group_first_then_what_is_beside_it() -> None:
    steps = (
        group("g", act("bad"), act("slow", needs=()), needs=()),
        act("beside", needs=()),
        act("then", needs=("beside",)),
    )
    run = Simulator(flow(*steps), {"bad": [fail()]}).start().report("bad").report("beside")
    # The group has not failed before all in it has ended, so that the rest may go on until then.
    assert run.under_way == ["slow", "then"]
    run.report("slow")
    assert run.statuses("g", "then") == "failed running"
    assert run.report("then").status == "failed"


def test_composites_that_did_not_finish_beside_a_failure_are_cancelled() -> None:
    steps = group("g", act("a"), act("b"), needs=()), act("bad", needs=())
    run = Simulator(flow(*steps), {"bad": [fail()]}).start().report("bad").report("a")
    assert run.statuses("g", "a", "b") == "cancelled success pending"
    assert run.step("g").reason == "another step failed"
    run = Simulator(flow(*steps), {"bad": [fail()]}).start().report("a").report("bad").report("b")
    assert (run.status, run.statuses("g")) == ("failed", "success")


@pytest.mark.parametrize(
    "step",
    [
        act("s", condition="inputs.nothing.here"),
        act("s", condition="steps.a.output.deep.down"),
        switch("s", ("inputs.nothing", [act("x")])),
        each("s", "${{ inputs.nothing }}"),
        each("s", "${{ steps.a.output }}"),
        group("s", act("x"), condition="1 / 0 > 1"),
    ],
    ids=["condition", "deep", "case", "items", "not-a-list", "division"],
)
def test_an_expression_that_cannot_be_computed_is_a_failure_that_is_not_tried_again(
    step: Step,
) -> None:
    run = Simulator(flow(act("a"), step, retry=times(5)), {"a": [ok("text")]}).run()
    assert (run.status, run.error["type"], run.error["step"]) == ("failed", "expression", "s")
    assert run.kinds("s") == ["failed"]
    assert run.error["message"]


def test_an_expression_that_fails_can_be_tolerated() -> None:
    run = Simulator(flow(act("a", condition="inputs.no", continue_on_error=True), act("b"))).run()
    assert (run.status, run.statuses("a", "b")) == ("success", "failed success")


def test_an_output_that_cannot_be_computed_fails_the_run_before_its_handlers() -> None:
    workflow = flow(
        act("a"), output="${{ inputs.no }}", on_success=(act("yes"),), on_failure=(act("no"),)
    )
    run = Simulator(workflow).run()
    assert (run.status, run.error["type"], run.phases) == ("failed", "expression", ["on_failure"])
    assert run.error["message"].startswith("output: ")


def test_an_output_that_fails_only_after_the_handlers_still_ends_the_run() -> None:
    output = "${{ 1 // (run.status == 'running') }}"
    run = Simulator(flow(act("a"), output=output, finally_=(act("f"),))).run()
    assert (run.status, run.error["type"]) == ("failed", "expression")


# Retries.


def test_a_failed_attempt_is_tried_again_when_due() -> None:
    run = Simulator(flow(act("a", retry=times(3, 10))), {"a": [fail(), fail(), ok(7)]}).start()
    run.report("a")
    assert (run.statuses("a"), run.under_way, run.state.next_due()) == ("retrying", [], 1010.0)
    assert run.advance(9.9).under_way == []
    assert run.advance(0.1).under_way == ["a"]
    run.report("a").advance(10).report("a")
    assert (run.status, run.step("a").attempt, run.step("a").output) == ("success", 3, 7)


def test_after_the_last_attempt_the_step_has_failed() -> None:
    run = Simulator(flow(act("a", retry=times(3))), {"a": [fail("1"), fail("2"), fail("3")]}).run()
    assert run.kinds("a") == ["started", "failed"] * 3
    assert (run.status, run.error["message"]) == ("failed", "3")


def test_a_step_without_a_rule_has_the_one_of_its_workflow() -> None:
    steps = act("a"), act("b", retry=times(1))
    run = Simulator(flow(*steps, retry=times(2)), {"a": [fail(), ok()], "b": [fail()]}).run()
    assert (run.step("a").attempt, run.step("b").attempt) == (2, 1)


def test_a_waiting_retry_leaves_its_place_to_others() -> None:
    steps = act("a", retry=times(2, 60)), act("b", needs=())
    run = Simulator(flow(*steps, max_parallel=1), {"a": [fail(), ok()]}).start()
    assert run.report("a").under_way == ["b"]


def test_a_retry_that_is_due_waits_for_a_free_place() -> None:
    steps = act("a", retry=times(2, 5)), act("b", needs=())
    run = Simulator(flow(*steps, max_parallel=1), {"a": [fail(), ok()]}).start().report("a")
    assert run.advance(60).under_way == ["b"]
    assert run.report("b").under_way == ["a"]


def test_a_report_of_an_attempt_that_nobody_waits_for_changes_nothing() -> None:
    from nexaflow_cli.engine.report import ended

    run = Simulator(flow(act("a", retry=times(2, 5))), {"a": [fail(), ok()]}).start()
    run.report("a").advance(5)
    for key, attempt in (("a", 1), ("a", 3), ("b", 1)):
        assert ended(run.state, key, attempt, ok(), run.now, 0.5) is None
    assert ended(run.state, "a", 2, ok(), run.now, 0.5) is not None
    run.report("a")
    assert ended(run.state, "a", 2, ok(), run.now, 0.5) is None


# Waits.


def test_a_wait_ends_with_its_output_when_its_time_has_come() -> None:
    run = Simulator(flow(act("w"), act("z")), {"w": [Sleep(30, "slept")]}).start().report("w")
    assert (run.statuses("w"), run.under_way) == ("suspended", [])
    assert run.advance(29).under_way == []
    assert run.advance(1).under_way == ["z"]
    assert run.step("w").output == "slept"


def test_a_wait_does_not_take_a_place() -> None:
    steps = act("w"), act("b", needs=())
    run = Simulator(flow(*steps, max_parallel=1), {"w": [Sleep(30)], "b": [Hang()]}).start()
    assert run.report("w").under_way == ["b"]


def test_a_wait_until_a_time_that_has_passed_is_over_at_once() -> None:
    run = Simulator(flow(act("w"), act("z")), {"w": [Sleep(-5)]}).start().report("w")
    assert run.under_way == ["z"]

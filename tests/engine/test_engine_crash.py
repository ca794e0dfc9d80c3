"""What the end of a process means: for attempts under way, for waits, for retries."""

from __future__ import annotations

import pytest
from building import act, each, flow, group, times
from simulator import Hang, Simulator, Sleep, fail, ok, snapshot

from nexaflow_cli.engine.report import MAX_INTERRUPTIONS
from nexaflow_cli.spec.model import Step


def test_an_attempt_under_way_is_made_again() -> None:
    run = Simulator(flow(act("a"), act("b"))).start().report("a").crash()
    assert (run.under_way, run.step("b").attempt) == (["b"], 2)
    assert run.finish().status == "success"
    assert run.kinds("b") == ["started", "interrupted", "started", "succeeded"]
    assert run.begun == ["a", "b", "b"]


def test_an_interruption_is_not_a_failure() -> None:
    run = Simulator(flow(act("a", retry=times(2, 5))), {"a": [fail(), ok()]}).start().crash()
    run.report("a").advance(5).crash().report("a")
    assert (run.status, run.step("a").failures, run.step("a").attempt) == ("success", 1, 4)


def test_at_most_once_means_that_an_interruption_is_a_failure() -> None:
    step = act("a", on_interrupt="fail", retry=times(5))
    run = Simulator(flow(step, on_failure=(act("no"),))).start().crash()
    assert run.statuses("a") == "failed"
    assert run.finish().phases == ["on_failure"]
    assert (run.error["type"], run.error["step"]) == ("interrupted", "a")
    assert run.kinds("a") == ["started", "failed"]


def test_an_attempt_that_is_interrupted_again_and_again_fails() -> None:
    run = Simulator(flow(act("a"))).start()
    for _ in range(MAX_INTERRUPTIONS):
        assert run.crash().under_way == ["a"]
    assert run.crash().status == "failed"
    assert run.error["message"].endswith(f"for the {MAX_INTERRUPTIONS + 1}th time")


def test_a_retry_is_due_when_it_was_due_before() -> None:
    run = Simulator(flow(act("a", retry=times(2, 60))), {"a": [fail(), ok()]}).start().report("a")
    run.advance(20).crash()
    assert (run.under_way, run.state.next_due()) == ([], 1060.0)
    assert run.advance(39).under_way == []
    assert run.advance(1).under_way == ["a"]


def test_a_retry_that_fell_due_in_the_meantime_begins_at_once() -> None:
    run = Simulator(flow(act("a", retry=times(2, 60))), {"a": [fail(), ok()]}).start().report("a")
    run.now += 600
    assert run.crash().under_way == ["a"]


def test_retries_are_not_hastened_by_what_happens_beside_them() -> None:
    steps = act("a", retry=times(2, 60)), act("b", needs=(), retry=times(2, 10))
    table = {"a": [fail(), ok()], "b": [fail(), ok()]}
    run = Simulator(flow(*steps), table).start().report("a").report("b").crash().advance(10)
    assert run.under_way == ["b"]
    assert run.crash().under_way == ["b"]


def test_a_wait_goes_on() -> None:
    run = Simulator(flow(act("w"), act("z")), {"w": [Sleep(60, 5)]}).start().report("w").advance(20)
    run.crash()
    assert (run.under_way, run.state.next_due()) == ([], 1060.0)
    run.tick()
    assert (run.under_way, run.step("w").output) == (["z"], 5)


def test_timeouts_count_from_the_start_of_what_they_limit() -> None:
    inner = group("g", act("a"), timeout=60)
    run = Simulator(flow(inner, timeout=90), {"a": [Hang()]}).start().advance(30).crash()
    assert run.state.next_due() == 1060.0
    run.now += 600
    assert run.crash().statuses("a") == "cancelled" or run.stopping == {"a"}
    run.finish()
    assert (run.status, run.error["type"]) == ("failed", "timeout")


@pytest.mark.parametrize(
    ("steps", "limit"), [((group("g", act("a"), timeout=60),), None), ((act("a"),), 60)]
)
def test_what_was_done_in_time_is_not_out_of_time_because_of_a_crash(
    steps: tuple[Step, ...], limit: float | None
) -> None:
    run = Simulator(flow(*steps, timeout=limit)).run()
    run.now += 600
    done = [fact.kind for fact in run.journal].index("step.succeeded") + 1
    assert run.crash(done).status == "success"


@pytest.mark.parametrize("on_interrupt", ["retry", "fail"])
def test_a_stop_that_was_asked_for_is_done(on_interrupt: str) -> None:
    step = act("a", on_interrupt=on_interrupt, timeout=5)  # type: ignore[arg-type]
    hangs = {"a": [Hang()]}
    run = Simulator(flow(step), hangs).start().cancel("enough").crash()
    assert (run.status, run.statuses("a"), run.step("a").reason) == (
        "cancelled",
        "cancelled",
        "enough",
    )
    run = Simulator(flow(step), hangs).start().advance(5).crash()
    assert (run.status, run.error["type"]) == ("failed", "timeout")


def test_what_ran_beside_a_failure_is_not_made_again() -> None:
    steps = act("bad", needs=()), act("slow", needs=())
    run = Simulator(flow(*steps), {"bad": [fail()]}).start().report("bad").crash()
    assert (run.status, run.statuses("slow"), run.step("slow").reason) == (
        "failed",
        "cancelled",
        "interrupted",
    )


def test_two_attempts_of_which_one_fails_by_its_interruption() -> None:
    steps = act("a", on_interrupt="fail"), act("b", needs=()), act("c", needs=(), timeout=1)
    run = Simulator(flow(*steps), lambda key, failures: Hang()).start().advance(1).crash()
    assert run.status == "failed"
    assert run.statuses("a", "b") == "failed cancelled"


def test_a_paused_run_stays_paused_and_what_was_interrupted_waits() -> None:
    run = Simulator(flow(act("a"), act("b"))).start().pause().crash()
    assert (run.status, run.under_way, run.statuses("a")) == ("paused", [], "pending")
    assert run.cancel().status == "cancelled"
    run = Simulator(flow(act("a"), act("b"))).start().pause().crash().resume()
    assert (run.under_way, run.finish().status) == (["a"], "success")


def test_items_go_on_where_they_were() -> None:
    run = Simulator(flow(each("e", [1, 2, 3], act("x"), act("y")))).start()
    run.report("e[0].x").report("e[0].y").report("e[1].x").crash()
    assert run.under_way == ["e[1].y"]
    assert run.finish().begun[-3:] == ["e[1].y", "e[2].x", "e[2].y"]


def test_expressions_see_the_same_after_a_replay() -> None:
    steps = act("a"), act("w"), act("b", condition="steps.a.values.k == 'v' and inputs.n == 1")
    handler = act("last", condition="run.status == 'success'")
    table = {"a": [ok(1, k="v")], "w": [Sleep(60)]}
    workflow = flow(*steps, finally_=(handler,), output="${{ [run.status, steps.a.output] }}")
    run = Simulator(workflow, table, inputs={"n": 1}).start().report("a").report("w").crash()
    run.tick().report("b").crash().finish()
    assert run.statuses("b", "last") == "success success"
    assert run.state.output == ["success", 1]


def test_an_ended_run_stays_as_it_was() -> None:
    run = Simulator(flow(act("a"), finally_=(act("f"),)), {"a": [fail()]}).run()
    before = snapshot(run.state)
    assert snapshot(run.crash().state) == before
    assert run.decide().under_way == []

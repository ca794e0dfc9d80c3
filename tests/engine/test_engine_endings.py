"""Timeouts, cancellation, pauses, and the handlers that run when a run's steps are over."""

from __future__ import annotations

from typing import Any

import pytest
from building import act, each, flow, group, times
from simulator import STOPPED, Hang, Simulator, Sleep, fail, ok

from nexaflow_cli.engine import facts as f
from nexaflow_cli.engine.decide import Decision, decide
from nexaflow_cli.engine.report import Suspended

HANDLERS: dict[str, Any] = {
    "on_success": (act("yes"),),
    "on_failure": (act("no"),),
    "on_cancel": (act("stop"),),
    "finally_": (act("last"),),
}
HANGS = {"a": [Hang()]}

# Timeouts of steps.


def test_an_attempt_that_is_out_of_time_is_stopped_and_fails_when_it_has_ended() -> None:
    run = Simulator(flow(act("a", timeout=10)), HANGS).start().advance(9)
    assert run.stopping == set()
    run.advance(1)
    assert (run.stopping, run.statuses("a"), run.step("a").stopping) == (
        {"a"},
        "running",
        "timeout",
    )
    run.report("a")
    assert run.error == {
        "type": "timeout",
        "message": "still running after 10s, its timeout",
        "step": "a",
    }
    assert run.kinds("a") == ["started", "stopping", "failed"]


def test_an_attempt_that_succeeds_while_it_is_being_stopped_has_succeeded() -> None:
    run = Simulator(flow(act("a", timeout=10)), HANGS).start().advance(10).report("a", ok(3))
    assert (run.status, run.step("a").output) == ("success", 3)


def test_an_attempt_that_begins_to_wait_while_it_is_being_stopped_has_failed() -> None:
    run = Simulator(flow(act("a", timeout=10)), {"a": [Sleep(1e6)]}).start().advance(10)
    assert run.stopping == {"a"}
    assert run.report("a", Suspended(run.now + 1e6)).error["type"] == "timeout"


def test_the_limit_is_for_each_attempt_and_timeouts_are_tried_again() -> None:
    run = Simulator(flow(act("a", timeout=10, retry=times(2, 100))), HANGS).start()
    run.advance(10).report("a").advance(100)
    assert (run.under_way, run.stopping, run.step("a").attempt) == (["a"], set(), 2)
    run.advance(10).report("a")
    assert (run.status, run.now) == ("failed", 1120)


def test_a_wait_is_within_the_limit_of_its_step() -> None:
    run = Simulator(flow(act("a", timeout=10)), {"a": [Sleep(60)]}).start().report("a").advance(10)
    assert (run.status, run.error["type"]) == ("failed", "timeout")


def test_a_composite_that_is_out_of_time_stops_all_in_it() -> None:
    inner = [act("run", needs=()), act("wait", needs=()), act("again", needs=(), retry=times(2, 9))]
    steps = group("g", *inner, act("then"), timeout=5), act("z")
    table = {"run": [Hang()], "wait": [Sleep(60)], "again": [fail()]}
    run = Simulator(flow(*steps), table).start().report("wait").report("again").advance(5)
    assert (run.stopping, run.statuses("run", "wait", "again")) == (
        {"run"},
        "running cancelled cancelled",
    )
    run.report("run")
    assert run.statuses("g", "run", "then", "z") == "failed cancelled pending pending"
    assert (run.error["type"], run.error["step"]) == ("timeout", "g")
    assert {run.step(key).reason for key in ("run", "wait", "again")} == {"out of time"}


def test_a_composite_that_is_out_of_time_can_be_tolerated() -> None:
    steps = group("g", act("a"), timeout=5, continue_on_error=True), act("z")
    run = Simulator(flow(*steps), HANGS).run()
    assert (run.status, run.statuses("g", "z")) == ("success", "failed success")


def test_a_composite_that_is_done_in_time_does_not_fail_later() -> None:
    run = Simulator(flow(group("g", act("a"), timeout=5), act("w")), {"w": [Sleep(60)]}).run()
    assert (run.status, run.state.next_due()) == ("success", None)


def test_an_attempt_stopped_from_around_a_failed_group_has_no_timeout_of_its_own() -> None:
    inner = group("h", act("bad"), act("slow", needs=()))
    table = {"bad": [fail()], "slow": [Hang()]}
    run = Simulator(flow(group("g", inner, timeout=5)), table).start().report("bad").advance(5)
    run.report("slow")
    assert (run.statuses("slow"), run.step("slow").reason) == ("cancelled", "out of time")
    assert run.error == {"type": "exit", "message": "broke", "step": "bad"}


# The timeout of the run.


def test_a_run_that_is_out_of_time_stops_what_runs_and_fails() -> None:
    run = Simulator(flow(act("a"), act("b"), timeout=60, **HANDLERS), HANGS).start().advance(60)
    assert (run.stopping, run.status) == ({"a"}, "running")
    run.report("a").finish()
    assert (run.status, run.phases) == ("failed", ["on_failure", "finally"])
    assert run.error == {
        "type": "timeout",
        "message": "the run was still going after 1m, its timeout",
    }
    assert run.statuses("a", "b") == "cancelled pending"


def test_a_run_that_only_waits_fails_at_once_when_out_of_time() -> None:
    steps = group("g", act("w")), act("z")
    run = Simulator(flow(*steps, timeout=60), {"w": [Sleep(99)]}).run()
    assert (run.status, run.now, run.statuses("g", "w")) == ("failed", 1060, "cancelled cancelled")


def test_the_limit_of_a_run_is_not_for_its_handlers() -> None:
    workflow = flow(act("a"), timeout=60, finally_=(act("last"),))
    run = Simulator(workflow, {"last": [Sleep(600)]}).run()
    assert (run.status, run.now) == ("success", 1600)


def test_the_first_error_is_told_even_if_the_run_is_out_of_time_later() -> None:
    steps = act("a", needs=()), act("bad", needs=())
    run = Simulator(flow(*steps, timeout=60), {**HANGS, "bad": [fail()]}).start().report("bad")
    run.advance(60).report("a")
    assert (run.error["step"], run.statuses("a")) == ("bad", "cancelled")


# Cancellation.


def test_cancelling_stops_what_runs_and_waits_and_runs_the_handlers() -> None:
    steps = [act(key, needs=()) for key in ("a", "w")]
    run = Simulator(flow(*steps, act("z"), **HANDLERS), {**HANGS, "w": [Sleep(60)]}).start()
    run.report("w").cancel("no more")
    assert (run.stopping, run.statuses("a", "w"), run.status) == (
        {"a"},
        "running cancelled",
        "running",
    )
    run.report("a").finish()
    assert (run.status, run.phases, run.begun[2:]) == (
        "cancelled",
        ["on_cancel", "finally"],
        ["stop", "last"],
    )
    assert run.error == {"type": "cancelled", "message": "no more"}
    assert run.step("a").reason == run.step("w").reason == "no more"


def test_an_attempt_that_succeeds_while_the_run_is_cancelled_keeps_its_success() -> None:
    run = Simulator(flow(act("a"), act("b")), HANGS).start().cancel().report("a", ok(1))
    assert (run.status, run.statuses("a", "b")) == ("cancelled", "success pending")


def test_cancelling_reaches_into_everything() -> None:
    inner = each("e", [1, 2], group("h", act("a"), act("b", needs=())), max_parallel=2)
    run = Simulator(flow(group("g", inner)), lambda key, failures: Hang()).start().cancel()
    assert run.stopping == {"e[0].a", "e[0].b", "e[1].a", "e[1].b"}
    run.finish()
    assert run.status == "cancelled"
    assert {str(step.status) for step in run.state.steps.values()} == {"cancelled"}


def test_a_queued_run_that_is_cancelled_has_ended_at_once() -> None:
    run = Simulator(flow(act("a"), **HANDLERS)).cancel()
    assert (run.status, run.begun, run.phases) == ("cancelled", [], [])


def test_a_paused_queued_run_can_be_cancelled() -> None:
    assert Simulator(flow(act("a"))).pause().cancel().status == "cancelled"


def test_a_cancellation_is_not_lost_if_the_run_is_started_after_it() -> None:
    run = Simulator(flow(act("a")))
    run.record(f.RunCancelRequested(1000.0, "ann", "enough"), f.RunStarted(1000.0))
    assert (run.status, run.begun) == ("cancelled", [])


def test_cancelling_twice_is_cancelling_once() -> None:
    run = Simulator(flow(act("a"), **HANDLERS), HANGS).start().cancel("one").cancel("two")
    assert run.report("a").finish().phases == ["on_cancel", "finally"]


@pytest.mark.parametrize(
    ("phase", "left"), [("on_cancel", ["finally"]), ("finally", [])], ids=["on_cancel", "finally"]
)
def test_a_cancellation_during_handlers_halts_that_phase(phase: str, left: list[str]) -> None:
    name = {"on_cancel": "on_cancel", "finally": "finally_"}[phase]
    handlers = {**HANDLERS, name: (act("h"), act("more"))}
    run = Simulator(flow(act("a"), **handlers), {**HANGS, "h": [Hang()]}).start().cancel("one")
    run.report("a").finish()
    assert run.under_way == ["h"]
    run.cancel("two").finish()
    assert (run.status, run.statuses("h", "more")) == ("cancelled", "cancelled pending")
    assert run.error["message"] == "one"
    assert run.phases[run.phases.index(phase) + 1 :] == left


@pytest.mark.parametrize(
    ("table", "status", "phases"),
    [
        ({"yes": [Hang()]}, "cancelled", ["on_success", "finally"]),
        ({"a": [fail()], "no": [Hang()]}, "failed", ["on_failure", "finally"]),
    ],
)
def test_a_first_cancellation_during_handlers_does_not_hide_a_failure(
    table: dict[str, Any], status: str, phases: list[str]
) -> None:
    run = Simulator(flow(act("a"), **HANDLERS), table).run().cancel().finish()
    assert (run.status, run.phases) == (status, phases)


def test_a_run_that_is_cancelled_beside_a_failure_was_cancelled() -> None:
    steps = act("bad"), act("slow", needs=())
    run = Simulator(flow(*steps, **HANDLERS), {"bad": [fail()], "slow": [Hang()]}).start()
    run.report("bad").cancel().finish()
    assert (run.status, run.phases) == ("cancelled", ["on_cancel", "finally"])
    assert run.statuses("bad", "slow") == "failed cancelled"


# Pauses.


def test_a_paused_run_starts_nothing_and_lets_attempts_finish() -> None:
    run = Simulator(flow(act("a"), act("b"))).start().pause().report("a")
    assert (run.status, run.under_way, run.statuses("a")) == ("paused", [], "success")
    assert run.resume().under_way == ["b"]


def test_timers_fire_in_a_paused_run() -> None:
    steps = [act(key, needs=()) for key in ("w", "t")] + [act("again", needs=(), retry=times(2, 5))]
    table = {"w": [Sleep(5)], "t": [Hang()], "again": [fail(), ok()]}
    run = Simulator(flow(*steps), table).start().report("w").report("again").pause().advance(5)
    assert run.statuses("w", "again") == "success retrying"
    assert run.under_way == ["t"]
    assert run.resume().under_way == ["again", "t"]


def test_a_paused_run_times_out_and_goes_on_to_its_handlers() -> None:
    workflow = flow(act("a"), act("b"), timeout=60, on_failure=(act("no"),))
    run = Simulator(workflow).start().pause().report("a").advance(60)
    assert (run.status, run.under_way) == ("running", ["no"])


def test_cancelling_a_paused_run_ends_the_pause() -> None:
    run = Simulator(flow(act("a"), act("b"), **HANDLERS)).start().pause().report("a").cancel()
    assert (run.status, run.under_way) == ("running", ["stop"])


def test_a_pause_holds_between_phases() -> None:
    run = Simulator(flow(act("a"), **HANDLERS)).start().pause().report("a")
    assert (run.status, run.phases, run.under_way) == ("paused", ["on_success"], [])
    assert run.resume().finish().status == "success"


def test_the_last_step_of_a_paused_run_ends_it() -> None:
    assert Simulator(flow(act("a"))).start().pause().report("a").status == "success"


def test_a_run_paused_in_the_queue_is_queued_again() -> None:
    run = Simulator(flow(act("a"))).pause().resume()
    assert run.status == "queued"
    assert run.run().status == "success"


def test_a_process_that_is_about_to_end_begins_nothing() -> None:
    run = Simulator(flow(act("a"), act("b", needs=()), max_parallel=1)).start()
    decision = decide(run.state, run.now, starts=False)
    assert (decision.facts, decision.commands) == (Decision().facts, Decision().commands)


# Handlers.


@pytest.mark.parametrize(
    ("table", "status", "phases", "origin"),
    [
        ({}, "success", ["on_success", "finally"], None),
        ({"a": [fail()]}, "failed", ["on_failure", "finally"], "a"),
        ({"yes": [fail()]}, "failed", ["on_success", "finally"], "yes"),
        ({"last": [fail()]}, "failed", ["on_success", "finally"], "last"),
        ({"yes": [fail()], "last": [fail()]}, "failed", ["on_success", "finally"], "yes"),
        ({"a": [fail()], "no": [fail()]}, "failed", ["on_failure", "finally"], "a"),
        ({"a": [fail()], "no": [fail()], "last": [fail()]}, "failed", None, "a"),
    ],
)
def test_handlers_run_by_how_the_steps_ended_and_never_hide_the_first_error(
    table: dict[str, Any], status: str, phases: list[str] | None, origin: str | None
) -> None:
    run = Simulator(flow(act("a"), **HANDLERS), table).run()
    assert (run.status, run.error.get("step")) == (status, origin)
    assert run.phases == (phases or ["on_failure", "finally"])


def test_a_failing_handler_does_not_hide_the_cancellation() -> None:
    run = Simulator(flow(act("a"), **HANDLERS), {**HANGS, "stop": [fail()]}).start().cancel()
    assert (run.finish().status, run.error["type"]) == ("cancelled", "cancelled")


@pytest.mark.parametrize("present", [(), ("on_success",), ("on_failure",), ("finally_",)])
@pytest.mark.parametrize("failing", [False, True])
def test_handlers_that_are_not_there_are_passed_over(present: tuple[str], failing: bool) -> None:
    handlers = {name: HANDLERS[name] for name in present}
    run = Simulator(flow(act("a"), **handlers), {"a": [fail()]} if failing else {}).run()
    wanted = {"finally_", "on_failure" if failing else "on_success"}
    assert run.phases == [name.rstrip("_") for name in present if name in wanted]
    assert run.status == ("failed" if failing else "success")


def test_handlers_see_how_the_run_stands_and_what_its_steps_gave() -> None:
    handler = act("no", condition="run.status == 'failed' and run.error.step == 'b'")
    last = act("last", condition="steps.a.output == 1 and steps.no.status == 'success'")
    workflow = flow(act("a"), act("b"), on_failure=(handler,), finally_=(last,))
    run = Simulator(workflow, {"a": [ok(1)], "b": [fail()]}).run()
    assert run.statuses("no", "last") == "success success"


def test_handlers_are_steps_like_any_other() -> None:
    handler = each("e", [1, 2], act("x", retry=times(2)), continue_on_error=True)
    workflow = flow(act("a"), finally_=(group("g", handler), act("z", timeout=5)))
    run = Simulator(workflow, {"e[1].x": [fail()], "z": [Hang()]}).run()
    assert (run.status, run.error["step"]) == ("failed", "z")
    assert run.step("e[1].x").attempt == 2


def test_a_report_that_comes_while_a_step_is_stopped_for_a_cancellation_is_a_cancellation() -> None:
    step = act("a", retry=times(9))
    run = Simulator(flow(step), HANGS).start().cancel().report("a", STOPPED)
    assert run.kinds("a") == ["started", "stopping", "cancelled"]

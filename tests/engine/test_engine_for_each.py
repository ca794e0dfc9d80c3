"""for_each: the body once for each item, so many at a time, in the order of the items."""

from __future__ import annotations

from typing import Any

import pytest
from building import act, each, flow, group, times
from simulator import Hang, Simulator, Sleep, fail, ok

from nexaflow_cli.engine import decide as deciding


@pytest.mark.parametrize("most", [1, 2, 4, 9])
def test_items_run_in_order_so_many_at_a_time(most: int) -> None:
    run = Simulator(flow(each("e", [*range(6)], max_parallel=most))).start()
    for done in range(6):
        assert run.under_way == [f"e[{i}]" for i in range(done, min(6, done + most))]
        run.report(f"e[{done}]")
    assert (run.status, run.begun) == ("success", [f"e[{i}]" for i in range(6)])


def test_an_item_that_waits_for_its_retry_keeps_its_place() -> None:
    step = each("e", [1, 2, 3], max_parallel=2, retry=times(2, 60))
    run = Simulator(flow(step), {"e[0]": [fail(), ok()]}).start().report("e[0]")
    assert run.under_way == ["e[1]"]
    assert run.report("e[1]").under_way == ["e[2]"]


def test_outputs_are_collected_in_the_order_of_the_items() -> None:
    table = {f"e[{i}]": [ok(i * 10)] for i in range(3)}
    workflow = flow(each("e", [*"abc"], max_parallel=3), output="${{ steps.e.output }}")
    run = Simulator(workflow, table).start().report("e[2]").report("e[0]").report("e[1]")
    assert run.state.output == [0, 10, 20]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], []),
        ([1, "two", None], [1, "two", None]),
        ("${{ inputs.people }}", ["ann", "bob"]),
        (["${{ inputs.people[1] }}", "x"], ["bob", "x"]),
        ({"a": 1}, [{"key": "a", "value": 1}]),
        ("${{ inputs.ages }}", [{"key": "ann", "value": 30}, {"key": "bob", "value": 20}]),
    ],
)
def test_items_are_a_list_or_the_pairs_of_a_mapping(items: Any, expected: list[Any]) -> None:
    inputs = {"people": ["ann", "bob"], "ages": {"ann": 30, "bob": 20}}
    run = Simulator(flow(each("e", items, max_parallel=9)), inputs=inputs).start()
    assert [run.step(key).scope["item"] for key in run.under_way] == expected
    assert run.finish().status == "success"
    assert run.step("e").output == [None] * len(expected)


@pytest.mark.parametrize(
    ("items", "kind"),
    [("text", "text"), (7, "a number"), (True, "true or false"), (None, "null")],
)
def test_anything_else_is_an_error_that_says_what_it_is(items: Any, kind: str) -> None:
    run = Simulator(flow(each("e", items))).run()
    assert run.error["message"] == f"for_each needs a list, and this is {kind}"


def test_too_many_items_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "MAX_ITEMS", 3)
    assert Simulator(flow(each("e", [1, 2, 3]))).run().status == "success"
    message = Simulator(flow(each("e", [1, 2, 3, 4]))).run().error["message"]
    assert message == "for_each has 4 items; the limit is 3"


def test_an_item_sees_itself_its_number_and_the_steps_around() -> None:
    step = each("e", ["x", "y"], var="person", max_parallel=2)
    run = Simulator(flow(act("a"), step), {"a": [ok(5)]}).start().report("a")
    scope = run.step("e[1]").scope
    assert (scope["item"], scope["person"], scope["index"]) == ("y", "y", 1)
    assert scope["steps"]["a"]["output"] == 5


def test_steps_of_a_body_have_names_of_their_own_for_each_item() -> None:
    body = act("in"), act("out", condition="steps.in.output == item")
    run = Simulator(flow(each("e", [1, 2], *body)), {"e[0].in": [ok(1)], "e[1].in": [ok(7)]}).run()
    assert run.begun == ["e[0].in", "e[0].out", "e[1].in"]
    assert run.statuses("e[0].out", "e[1].out") == "success skipped"
    assert run.step("e").output == [{"in": 1, "out": None}, {"in": 7, "out": None}]
    assert set(run.state.names) == {"e"}


def test_for_each_nests_and_the_inner_names_hide_the_outer() -> None:
    inner = each("in", "${{ item.kids }}", max_parallel=2)
    items = [{"kids": [1, 2]}, {"kids": []}, {"kids": [3]}]
    run = Simulator(flow(each("out", items, inner, var="parent"))).start()
    assert run.under_way == ["out[0].in[0]", "out[0].in[1]"]
    scope = run.step("out[0].in[1]").scope
    assert (scope["item"], scope["index"], scope["parent"]) == (2, 1, items[0])
    assert run.finish().begun[-1] == "out[2].in[0]"
    assert run.step("out").output == [{"in": [None, None]}, {"in": []}, {"in": [None]}]


def test_each_item_is_tried_again_for_itself() -> None:
    step = each("e", [1, 2], retry=times(3, 5))
    run = Simulator(flow(step), {"e[0]": [fail(), ok()], "e[1]": [fail(), fail(), ok()]}).run()
    assert (run.status, run.step("e[0]").attempt, run.step("e[1]").attempt) == ("success", 2, 3)


def test_a_failing_item_halts_the_others() -> None:
    step = each("e", [1, 2, 3, 4], max_parallel=2)
    run = Simulator(flow(step, act("z")), {"e[0]": [fail("bad")]}).start().report("e[0]")
    assert run.under_way == ["e[1]"]
    run.report("e[1]")
    assert run.error == {"type": "exit", "message": "bad", "step": "e[0]"}
    assert run.begun == ["e[0]", "e[1]"]


def test_a_failing_step_of_a_body_names_itself() -> None:
    run = Simulator(flow(each("e", [1], act("in"))), {"e[0].in": [fail()]}).run()
    assert run.error["step"] == "e[0].in"
    assert run.statuses("e[0].in", "e[0]", "e") == "failed failed failed"


@pytest.mark.parametrize("most", [1, 3])
def test_with_continue_on_error_all_items_run_and_the_failed_are_null(most: int) -> None:
    step = each("e", [*range(4)], max_parallel=most, continue_on_error=True)
    table = {"e[0]": [ok(0)], "e[1]": [fail()], "e[2]": [fail()], "e[3]": [ok(3)]}
    run = Simulator(flow(step, act("z"), output="${{ steps.e.output }}"), table).run()
    assert (run.status, run.statuses("e", "z")) == ("success", "failed success")
    assert (run.step("e").error or {})["message"] == "2 of 4 items failed"
    assert run.state.output == [0, None, None, 3]


def test_an_item_that_fails_inside_a_body_is_tolerated_whole() -> None:
    step = each("e", [1, 2], act("a"), act("b"), continue_on_error=True)
    run = Simulator(flow(step), {"e[0].a": [fail()]}).run()
    assert (run.status, run.begun) == ("success", ["e[0].a", "e[1].a", "e[1].b"])
    assert run.step("e").output == [None, {"a": None, "b": None}]


def test_a_step_of_a_body_that_tolerates_its_failure_does_not_fail_the_item() -> None:
    step = each("e", [1, 2], act("a", continue_on_error=True), act("b"))
    run = Simulator(flow(step), {"e[0].a": [fail()]}).run()
    assert (run.status, run.statuses("e[0]", "e")) == ("success", "success success")


def test_the_timeout_is_for_all_items_together() -> None:
    step = each("e", [1, 2, 3], max_parallel=2, timeout=10)
    run = Simulator(flow(step), {"e[1]": [Hang()]}).start().advance(6).report("e[0]").advance(4)
    assert run.stopping == {"e[1]", "e[2]"}
    run.report("e[1]").report("e[2]")
    assert run.statuses("e", "e[0]", "e[1]", "e[2]") == "failed success cancelled cancelled"
    assert (run.error["type"], run.error["step"]) == ("timeout", "e")


def test_an_item_that_waits_is_cancelled_at_the_timeout() -> None:
    run = Simulator(flow(each("e", [1, 2], timeout=10)), {"e[0]": [Sleep(99)]}).start()
    run.report("e[0]").advance(10)
    assert (run.status, run.statuses("e", "e[0]")) == ("failed", "failed cancelled")
    assert run.step("e[0]").reason == "out of time"


def test_items_beside_a_failure_elsewhere_are_not_begun() -> None:
    steps = each("e", [1, 2, 3], needs=()), act("bad", needs=())
    run = Simulator(flow(*steps), {"bad": [fail()]}).start().report("bad").report("e[0]")
    assert (run.status, run.statuses("e")) == ("failed", "cancelled")
    assert sorted(run.begun) == ["bad", "e[0]"]


def test_a_group_in_a_body_is_a_step_of_the_item() -> None:
    run = Simulator(flow(each("e", [1], group("g", act("a"), act("b"))))).run()
    assert run.begun == ["e[0].a", "e[0].b"]
    assert run.step("e").output == [{"g": {"a": None, "b": None}}]

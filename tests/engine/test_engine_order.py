"""In what order steps run: lists, needs, conditions, switches, limits."""

from __future__ import annotations

from typing import Any

import pytest
from building import act, each, flow, group, switch
from simulator import Simulator, fail, ok

from nexaflow_cli.spec.model import Step


def begun(*steps: Step, max_parallel: int = 32, **table: Any) -> str:
    return " ".join(Simulator(flow(*steps, max_parallel=max_parallel), table).run().begun)


def test_steps_run_one_after_the_other() -> None:
    run = Simulator(flow(act("a"), act("b"), act("c"))).start()
    assert run.under_way == ["a"]
    assert run.report("a").under_way == ["b"]
    assert run.report("b").under_way == ["c"]
    assert run.report("c").status == "success"


@pytest.mark.parametrize(
    ("steps", "waves"),
    [
        ([act("a"), act("b", needs=())], ["a b"]),
        ([act("a"), act("b", needs=()), act("c")], ["a b", "c"]),  # c: after b, not after a
        ([act("a"), act("b", needs=("a",)), act("c", needs=("a",))], ["a", "b c"]),
        (
            [act("a"), act("b", needs=()), act("c", needs=("a", "b")), act("d", needs=("a",))],
            ["a b", "c d"],
        ),
        ([act("a"), act("b", needs=("a", "a"))], ["a", "b"]),
        ([group("g", act("a"), act("b")), act("c", needs=())], ["a c", "b"]),
        ([group("g", act("a"), act("b")), act("c")], ["a", "b", "c"]),
        ([group("g", act("a"), act("b", needs=())), act("c")], ["a b", "c"]),
    ],
)
def test_a_step_begins_when_what_it_needs_is_done(steps: list[Step], waves: list[str]) -> None:
    run = Simulator(flow(*steps)).start()
    for wave in waves:
        assert run.under_way == wave.split()
        for key in run.under_way:
            run.report(key)
    assert run.status == "success"


def test_each_step_begins_as_soon_as_its_own_needs_are_done() -> None:
    steps = act("a"), act("b", needs=()), act("c", needs=("a",)), act("d", needs=("b", "c"))
    run = Simulator(flow(*steps)).start()
    assert run.report("a").under_way == ["b", "c"]
    assert run.report("c").under_way == ["b"]
    assert run.report("b").under_way == ["d"]


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_max_parallel_bounds_the_attempts_under_way(most: int) -> None:
    run = Simulator(flow(*(act(f"s{i}", needs=()) for i in range(7)), max_parallel=most)).start()
    for left in range(7, 0, -1):
        assert len(run.under_way) == min(most, left)
        run.report(run.able()[0])
    assert run.begun == [f"s{i}" for i in range(7)]  # in the order of the file


def test_max_parallel_holds_across_groups_and_items() -> None:
    steps = (
        group("g", act("a"), act("b", needs=()), needs=()),
        each("e", [1, 2, 3], max_parallel=3, needs=()),
    )
    run = Simulator(flow(*steps, max_parallel=2)).start()
    while not run.state.ended:
        assert len(run.under_way) <= 2
        run.report(run.able()[-1])
    assert run.status == "success"


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        (None, "success"),
        (True, "success"),
        (False, "skipped"),
        ("${{ inputs.yes }}", "success"),
        ("inputs.no", "skipped"),
        ("steps.a.output == 1", "success"),
        ("steps.a.output > 1", "skipped"),
        ("steps.a.status == 'success'", "success"),
        ("steps.a.values.color == 'red'", "success"),
    ],
)
def test_a_condition_decides_whether_a_step_runs(condition: Any, status: str) -> None:
    steps = act("a"), act("b", condition=condition), act("c")
    run = Simulator(flow(*steps), {"a": [ok(1, color="red")]}, inputs={"yes": True, "no": False})
    run.run()
    assert run.statuses("a", "b", "c") == f"success {status} success"
    assert run.status == "success"
    if status == "skipped":
        assert run.step("b").reason == "its condition is false"


@pytest.mark.parametrize("kind", ["group", "switch", "for_each"])
def test_a_composite_whose_condition_is_false_is_skipped_whole(kind: str) -> None:
    step = {
        "group": group("s", act("x"), condition=False),
        "switch": switch("s", (True, [act("x")]), condition=False),
        "for_each": each("s", [1], condition=False),
    }[kind]
    run = Simulator(flow(step, act("z"))).run()
    assert (run.begun, run.statuses("s", "z")) == (["z"], "skipped success")


@pytest.mark.parametrize(
    ("conditions", "taken"),
    [
        ([True], 0),
        ([False, True], 1),
        ([True, True], 0),
        ([False, "inputs.n == 3", True], 1),
        ([False, "inputs.n == 4", True], 2),
        ([False, False], None),
    ],
)
def test_a_switch_takes_the_first_case_that_applies(
    conditions: list[Any], taken: int | None
) -> None:
    cases = [(when, [act(f"c{i}")]) for i, when in enumerate(conditions)]
    run = Simulator(flow(switch("s", *cases), act("z")), inputs={"n": 3}).run()
    assert run.status == "success"
    if taken is None:
        assert run.statuses("s") == "skipped"
        assert (run.step("s").reason, run.begun) == ("no case applies", ["z"])
    else:
        assert run.begun == [f"c{taken}", "z"]
        assert run.step("s").reason == f"case {taken + 1}"


def test_a_skipped_step_satisfies_needs() -> None:
    steps = act("a", condition=False), act("b", needs=()), act("c", needs=("a", "b"))
    assert begun(*steps) == "b c"


def test_conditions_are_asked_once_when_the_turn_comes_not_at_each_attempt() -> None:
    from building import times

    step = act("a", condition="steps.a.attempts == 0", retry=times(3))
    run = Simulator(flow(step), {"a": [fail(), fail(), ok()]}).run()
    assert run.kinds("a") == ["started", "failed", "started", "failed", "started", "succeeded"]


def test_outputs_of_groups_and_switches_are_those_of_their_steps() -> None:
    steps = (
        group("g", act("a"), act("b", condition=False), act("c")),
        switch("s", (False, [act("x")]), (True, [act("y")])),
    )
    table = {"a": [ok(1)], "c": [ok([2])], "y": [ok("why")]}
    run = Simulator(flow(*steps, output={"g": "${{ steps.g.output.c }}"}), table).run()
    assert run.step("g").output == {"a": 1, "b": None, "c": [2]}
    assert run.step("s").output == {"y": "why"}
    assert run.state.output == {"g": [2]}


def test_steps_in_groups_and_cases_are_seen_from_outside_them() -> None:
    steps = group("g", act("a")), switch("s", ("steps.a.output == 5", [act("b")])), act("c")
    run = Simulator(flow(*steps, output="${{ steps.b.output }}"), {"a": [ok(5)], "b": [ok(6)]})
    assert run.run().state.output == 6


def test_groups_nest() -> None:
    steps = group("g", group("h", switch("s", (True, [group("i", act("a"))])), act("b")))
    run = Simulator(flow(steps), {"a": [ok(1)], "b": [ok(2)]}).run()
    assert run.step("g").output == {"h": {"s": {"i": {"a": 1}}, "b": 2}}


def test_the_scope_names_run_workflow_inputs_and_event() -> None:
    output = {
        "run": "${{ run.id }}",
        "status": "${{ run.status }}",
        "workflow": "${{ workflow.name }} ${{ workflow.version }}",
        "input": "${{ inputs.x }}",
    }
    run = Simulator(flow(act("a"), output=output), inputs={"x": [1]}).run()
    assert run.state.output == {
        "run": "run-1",
        "status": "running",
        "workflow": "flow 1",
        "input": [1],
    }

"""Any workflow, any order, any crash: nothing is stuck, repeated, forgotten or over a limit."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from invariants import check_end, check_journal, check_moment, check_replay, ending
from random_flows import Case, cases, schedules
from simulator import STOPPED, Simulator, ok

PACE = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MAX_MOVES = 3_000


def play(run: Simulator, schedule: list[int]) -> None:
    """Whatever can happen happens, as the numbers of the schedule choose."""
    crashes = cancels = 0
    for number in schedule:
        state = run.state
        if state.ended:
            return
        moves = [(run.report, key) for key in run.able() for _ in range(3)]
        if state.next_due() is not None:
            moves += [(run.tick, None), (run.tick, None)]
        moves.append((run.resume if state.status == "paused" else run.pause, None))
        if crashes < 3:
            moves += [(run.crash, number % 977), (run.crash, None)]
        if cancels < 2 and number % 3 == 0:
            moves.append((run.cancel, "enough"))
        move, value = moves[number % len(moves)]
        crashes += move == run.crash
        cancels += move == run.cancel
        if move == run.report and value in run.stopping and number % 2:
            run.report(value, ok("late"))  # it had ended before the stop came
        else:
            move(value) if value is not None else move()
        check_moment(run)


def drain(run: Simulator) -> None:
    """Bring the run to its end; only what hangs is cancelled."""
    for _ in range(MAX_MOVES):
        if run.state.ended:
            return
        able = run.able()
        if able:
            run.report(able[0])
        elif run.state.status == "paused":
            run.resume()
        elif run.state.next_due() is not None:
            run.tick()
        else:
            run.cancel()
        check_moment(run)
    raise AssertionError("the run does not come to an end")


def everything(case: Case, schedule: list[int]) -> None:
    run = case.simulator().start()
    check_moment(run)
    play(run, schedule)
    check_replay(run)
    drain(run)
    check_replay(run)
    check_journal(run)
    check_end(run)


@settings(PACE, max_examples=80)
@given(cases(), schedules)
def test_whatever_happens_to_a_run_it_keeps_its_promises(case: Case, schedule: list[int]) -> None:
    everything(case, schedule)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(PACE, max_examples=20_000)
@given(cases(), schedules)
def test_whatever_happens_to_a_run_it_keeps_its_promises_for_long(
    case: Case, schedule: list[int]
) -> None:
    everything(case, schedule)


@settings(PACE, max_examples=30)
@given(cases(), schedules, st.integers(0, 4))
def test_after_a_crash_at_any_fact_the_run_comes_to_an_end(
    case: Case, schedule: list[int], offset: int
) -> None:
    run = case.simulator().start()
    play(run, schedule)
    drain(run)
    for keep in range(offset, len(run.journal), 1 + len(run.journal) // 25):
        again = case.simulator()
        again.now = run.now + keep % 3
        again.journal = list(run.journal)
        again.crash(keep)
        check_moment(again)
        check_replay(again)
        drain(again)
        check_journal(again)
        check_end(again)
        assert again.journal[:keep] == run.journal[:keep], "history is append-only"


@settings(PACE, max_examples=50)
@given(cases(calm=True), st.lists(st.integers(0, 2**16), max_size=60))
def test_where_order_cannot_matter_it_does_not(case: Case, schedule: list[int]) -> None:
    straight = case.simulator().run()
    run = case.simulator().start()
    for number in schedule:
        able = run.able()
        if run.state.ended:
            break
        if number % 5 == 0:
            (run.resume if run.state.status == "paused" else run.pause)()
        elif able:
            run.report(able[number % len(able)])
        elif run.state.next_due() is not None:
            run.tick()
    drain(run)
    assert ending(run.state) == ending(straight.state)


@settings(PACE, max_examples=30)
@given(cases(calm=True), st.integers(0, 4))
def test_a_crash_at_any_fact_does_not_change_the_end(case: Case, offset: int) -> None:
    straight = case.simulator().run()
    expected = ending(straight.state)
    for keep in range(offset, len(straight.journal), 1 + len(straight.journal) // 25):
        run = case.simulator()
        run.now = straight.now
        run.journal = list(straight.journal)
        run.crash(keep).finish()
        assert ending(run.state) == expected
        check_journal(run)
        check_replay(run)


@settings(PACE, max_examples=30)
@given(cases(), schedules, st.integers(1, 9))
def test_stopped_attempts_that_report_in_any_way_change_nothing_of_the_end(
    case: Case, schedule: list[int], first: int
) -> None:
    """A run that is cancelled at any moment ends, and runs no step but its handlers'."""
    run = case.simulator().start()
    for number in schedule[:first]:
        able = run.able()
        if able:
            run.report(able[number % len(able)])
    if run.state.ended or run.phases:
        return
    run.cancel()
    begun = len(run.begun)
    while run.attempts and not run.phases:
        run.report(next(iter(run.attempts)), STOPPED)
    assert run.state.ended or run.phases
    if not run.phases:
        assert len(run.begun) == begun
        assert run.status == "cancelled"
    drain(run)
    check_end(run)

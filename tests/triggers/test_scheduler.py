"""The scheduler: every tick of every schedule, once, with a clock the test turns by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from nexaflow_cli.spec.model import ScheduleTrigger
from nexaflow_cli.triggers.schedule import Scheduler

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTELY = ScheduleTrigger(cron="* * * * *")
HOURLY = ScheduleTrigger(cron="0 * * * *")


class Desk:
    """A scheduler on a clock that stands still until it is set."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self.clock = clock
        self.ticks: list[tuple[str, int, str]] = []
        self.scheduler = Scheduler(self.take)

    def take(self, workflow: str, index: int, due: datetime) -> None:
        self.ticks.append((workflow, index, due.astimezone(UTC).strftime("%H:%M:%S")))

    async def pass_(self, **time: float) -> list[tuple[str, int, str]]:
        """Let time pass, have APScheduler look at the clock, and give what came of it."""
        self.ticks.clear()
        self.clock.shift(timedelta(**time))
        if self.scheduler._scheduler is not None:
            self.scheduler._scheduler.wakeup()
        await self.idle()
        return list(self.ticks)

    async def idle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        while self.scheduler._task is not None:
            await asyncio.sleep(0)


def play(story: Callable[[Desk], Awaitable[None]]) -> None:
    async def run() -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            desk = Desk(clock)
            await story(desk)
            desk.scheduler.stop()
            await asyncio.sleep(0)

    asyncio.run(run())


def test_each_tick_is_called_back_once() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.set("w", 0, MINUTELY)
        desk.scheduler.start()
        assert await desk.pass_(seconds=59) == []
        assert await desk.pass_(seconds=1) == [("w", 0, "12:01:00")]
        assert await desk.pass_(seconds=1) == []
        assert await desk.pass_(seconds=59) == [("w", 0, "12:02:00")]

    play(story)


def test_no_tick_is_dropped_when_the_clock_is_late() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.set("w", 0, MINUTELY)
        desk.scheduler.start()
        found = await desk.pass_(minutes=5, seconds=30)
        assert [due for _, _, due in found] == [f"12:0{minute}:00" for minute in range(1, 6)]

    play(story)


def test_a_clock_that_is_set_back_repeats_nothing() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.set("w", 0, MINUTELY)
        desk.scheduler.start()
        assert len(await desk.pass_(minutes=2)) == 2
        assert await desk.pass_(minutes=-2) == []
        assert await desk.pass_(minutes=2) == []
        assert await desk.pass_(minutes=1) == [("w", 0, "12:03:00")]

    play(story)


def test_in_the_hour_that_comes_twice_ticks_keep_their_order() -> None:
    async def story(desk: Desk) -> None:
        desk.clock.move_to(datetime(2026, 10, 25, 0, 20, tzinfo=UTC))
        for name, cron in (("a", "15 * * * *"), ("b", "30 * * * *")):
            desk.scheduler.set(name, 0, ScheduleTrigger(cron=cron, timezone="Europe/Berlin"))
        desk.scheduler.start()
        assert await desk.pass_(minutes=15) == [("b", 0, "00:30:00")]
        assert await desk.pass_(minutes=40) == [("a", 0, "01:15:00")]
        assert await desk.pass_(minutes=15) == [("b", 0, "01:30:00")]

    play(story)


def test_schedules_may_come_and_go_while_it_runs() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.start()
        await desk.pass_(seconds=0)
        desk.scheduler.set("w", 0, HOURLY)
        desk.scheduler.set("w", 1, MINUTELY)
        desk.scheduler.set("v", 0, MINUTELY)
        assert await desk.pass_(minutes=1) == [("w", 1, "12:01:00"), ("v", 0, "12:01:00")]
        desk.scheduler.remove("w")
        desk.scheduler.remove("w")
        assert await desk.pass_(minutes=1) == [("v", 0, "12:02:00")]
        desk.scheduler.set("v", 0, HOURLY)
        assert await desk.pass_(minutes=1) == []
        assert await desk.pass_(minutes=57) == [("v", 0, "13:00:00")]
        desk.scheduler.remove("v")
        assert desk.scheduler._lines == {}

    play(story)


def test_setting_a_schedule_again_keeps_its_ticks() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.set("w", 0, MINUTELY)
        desk.scheduler.start()
        await desk.pass_(seconds=30)
        desk.scheduler.set("w", 0, MINUTELY)
        assert await desk.pass_(seconds=30) == [("w", 0, "12:01:00")]

    play(story)


def test_ticks_since_a_moment_in_the_past_are_called_back_at_once() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.set("w", 0, MINUTELY, after=NOON - timedelta(minutes=2))
        desk.scheduler.start()
        assert await desk.pass_(seconds=1) == [("w", 0, "11:59:00"), ("w", 0, "12:00:00")]

    play(story)


def test_who_joins_a_timetable_gets_the_ticks_that_others_have_had() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.set("w", 0, MINUTELY)
        desk.scheduler.start()
        await desk.pass_(minutes=2)
        desk.scheduler.set("late", 0, MINUTELY, after=NOON)
        assert await desk.pass_(seconds=1) == [("late", 0, "12:01:00"), ("late", 0, "12:02:00")]
        desk.scheduler.set("early", 0, MINUTELY, after=NOON + timedelta(minutes=4))
        found = await desk.pass_(minutes=3)
        assert [due for name, _, due in found if name == "early"] == ["12:05:00"]
        assert [due for name, _, due in found if name == "late"] == [
            "12:03:00",
            "12:04:00",
            "12:05:00",
        ]

    play(story)


def test_the_next_tick_can_be_asked_for() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.set("w", 3, HOURLY)
        assert desk.scheduler.next("w", 3) == NOON + timedelta(hours=1)
        assert desk.scheduler.next("w", 0) is None
        desk.scheduler.start()
        await desk.pass_(hours=1)
        assert desk.scheduler.next("w", 3) == NOON + timedelta(hours=2)

    play(story)


def test_a_callback_that_fails_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(desk: Desk) -> None:
        def fail(workflow: str, index: int, due: datetime) -> None:
            if workflow == "bad":
                raise RuntimeError("broken")
            desk.take(workflow, index, due)

        desk.scheduler = Scheduler(fail)
        desk.scheduler.set("bad", 0, MINUTELY)
        desk.scheduler.set("good", 0, MINUTELY)
        desk.scheduler.start()
        assert await desk.pass_(minutes=1) == [("good", 0, "12:01:00")]

    play(story)
    assert "a tick of bad" in caplog.text


def test_a_malformed_schedule_is_refused_and_nothing_changes() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.set("w", 0, MINUTELY)
        with pytest.raises(ValueError, match="fields"):
            desk.scheduler.set("w", 0, ScheduleTrigger(cron="* *"))
        desk.scheduler.start()
        assert len(await desk.pass_(minutes=1)) == 1

    play(story)


def test_nothing_ticks_after_a_stop_and_a_new_start_goes_on() -> None:
    async def story(desk: Desk) -> None:
        desk.scheduler.set("w", 0, MINUTELY)
        desk.scheduler.start()
        await desk.pass_(seconds=1)
        desk.scheduler.stop()
        assert await desk.pass_(minutes=1) == []
        desk.scheduler.start()
        assert await desk.pass_(minutes=1) == [("w", 0, "12:01:00"), ("w", 0, "12:02:00")]

    play(story)


def test_ten_thousand_schedules_tick_together() -> None:
    async def story(desk: Desk) -> None:
        for number in range(10_000):
            desk.scheduler.set(f"w{number}", 0, MINUTELY)
        desk.scheduler.start()
        found = await desk.pass_(minutes=1)
        assert len(found) == len(set(found)) == 10_000
        assert len(desk.scheduler._lines) == 1

    play(story)


def test_the_real_clock_wakes_it() -> None:
    async def run() -> list[datetime]:
        ticks: list[datetime] = []
        second = asyncio.Event()

        def take(workflow: str, index: int, due: datetime) -> None:
            ticks.append(due)
            if len(ticks) == 2:
                second.set()

        scheduler = Scheduler(take)
        scheduler.set("w", 0, ScheduleTrigger(every=0.05))
        scheduler.start()
        await asyncio.wait_for(second.wait(), 20)
        scheduler.stop()
        return ticks

    first, second = asyncio.run(run())[:2]
    assert second - first == timedelta(seconds=0.05)

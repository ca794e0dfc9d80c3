"""The clock behind schedules: one APScheduler job that always knows when the next tick is due.

One job a schedule would make APScheduler sort, copy and log each of them: 10,000 that tick at
the same minute would be seconds late. What a late tick means is not decided here either; every
tick is handed on, however late it is noticed.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from nexaflow_cli.spec.model import ScheduleTrigger
from nexaflow_cli.triggers.ticks import due_between, next_tick, ticks_after

OnTick = Callable[[str, int, datetime], None]

_LONGEST_WAIT = timedelta(seconds=30)
"""Timers do not see it when somebody sets the clock, or the machine sleeps; a look at it does."""
_SLICE = 0.005
"""So many seconds of work, then the event loop gets its turn."""

_log = logging.getLogger(__name__)

_Key = tuple[str | None, float | None, str | None]
_Name = tuple[str, int]


@dataclass(slots=True, eq=False)
class _Line:
    """One timetable and who follows it; `due` is its first tick after `since`, once computed."""

    trigger: ScheduleTrigger
    since: datetime
    due: datetime | None = None
    followers: dict[_Name, datetime] = field(default_factory=dict)


class Scheduler:
    """Calls back at each tick of each schedule.

    Args:
        on_tick: called in the event loop with a workflow's name, the index of its trigger and
            the moment the tick was due, in UTC. It must not block.
        now: the clock, as aware datetimes.
    """

    def __init__(
        self, on_tick: OnTick, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._on_tick = on_tick
        self._now = now
        self._lines: dict[_Key, _Line] = {}
        self._names: dict[str, dict[int, _Key]] = {}
        self._heap: list[tuple[datetime, int, _Line]] = []
        self._pushed = 0
        self._fired: deque[tuple[_Name, datetime]] = deque()
        self._unknown: deque[_Line] = deque()
        self._task: asyncio.Task[None] | None = None
        self._scheduler: Any = None
        self._planned: datetime | None = None

    def set(
        self, workflow: str, index: int, trigger: ScheduleTrigger, after: datetime | None = None
    ) -> None:
        """Follow a schedule; what this workflow had at this index before is forgotten.

        Args:
            after: ticks later than this aware moment are called back, those that are already
                past at once; by default later than now.

        Raises:
            ValueError: the schedule is malformed.
        """
        start = (after or self._now()).astimezone(UTC)
        ticks_after(trigger, start)  # says what is wrong with it
        key = (trigger.cron, trigger.every, trigger.timezone)
        line = self._lines.get(key)
        if line is None:
            line = _Line(trigger, start)
            self._unknown.append(line)
        self._leave(workflow, index)
        if start < line.since:
            # Others follow this timetable already, and have had these ticks.
            past = due_between(trigger, start, line.since)
            self._fired.extend(((workflow, index), tick.astimezone(UTC)) for tick in past)
        line.followers[workflow, index] = start
        self._names.setdefault(workflow, {})[index] = key
        self._lines[key] = line
        self._work()

    def remove(self, workflow: str) -> None:
        """Follow no schedule of a workflow any more."""
        for index in list(self._names.get(workflow, ())):
            self._leave(workflow, index)

    def next(self, workflow: str, index: int) -> datetime | None:
        """When a schedule ticks next, in its timezone; None if never, or if it is not followed."""
        key = self._names.get(workflow, {}).get(index)
        if key is None:
            return None
        line = self._lines[key]
        return next_tick(line.trigger, line.since)

    def start(self) -> None:
        """Begin to tick, in the running event loop."""
        scheduler = AsyncIOScheduler(timezone=UTC, executors={"default": _Inline()})
        scheduler.start()
        self._scheduler = scheduler
        scheduler.add_job(
            self._work,
            trigger=_NextTick(self),
            id="ticks",
            misfire_grace_time=None,
            coalesce=True,  # one call hands on every tick that is due, each on its own
            max_instances=1_000,
        )
        self._work()

    def stop(self) -> None:
        """Tick no more; what is due from now on is for the next start to find."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def collect(self, now: datetime) -> datetime:
        """Take what is due by an aware moment off the timetables; when to look again.

        The heart of the APScheduler trigger, which is asked after each call for the next one.
        """
        while self._heap and self._heap[0][0] <= now:
            due, _, line = heapq.heappop(self._heap)
            if line.due != due or not line.followers:
                continue
            line.since, line.due = due, None
            self._fired.extend((name, due) for name, after in line.followers.items() if after < due)
            self._unknown.append(line)
        latest = now + _LONGEST_WAIT
        self._planned = min(self._heap[0][0], latest) if self._heap else latest
        return self._planned

    def _work(self) -> None:
        """Have all that is due handed on, and all that is unknown computed, soon."""
        if self._scheduler is None or self._task is not None:
            return
        if self._fired or self._unknown:
            self._task = asyncio.get_running_loop().create_task(self._hand_on())
        else:
            self._plan()

    async def _hand_on(self) -> None:
        """All callbacks first, as they are late already; then when their schedules are due next."""
        try:
            while self._fired or self._unknown:
                self._slice(time.perf_counter() + _SLICE)
                self._plan()
                await asyncio.sleep(0)
        finally:
            self._task = None

    def _slice(self, stop: float) -> None:
        while time.perf_counter() < stop:
            if self._fired:
                (workflow, index), due = self._fired.popleft()
                if index in self._names.get(workflow, ()):
                    self._call(workflow, index, due)
            elif self._unknown:
                self._compute(self._unknown.popleft())
            else:
                return

    def _call(self, workflow: str, index: int, due: datetime) -> None:
        try:
            self._on_tick(workflow, index, due)
        except Exception:
            _log.exception("a tick of %s, due at %s, could not be handed on", workflow, due)

    def _compute(self, line: _Line) -> None:
        if not line.followers:
            return
        tick = next_tick(line.trigger, line.since)
        # Two datetimes of one zone compare by what their clocks show, which goes back in autumn.
        line.due = None if tick is None else tick.astimezone(UTC)
        if line.due is not None:
            self._pushed += 1
            heapq.heappush(self._heap, (line.due, self._pushed, line))

    def _leave(self, workflow: str, index: int) -> None:
        indexes = self._names.get(workflow, {})
        key = indexes.pop(index, None)
        if key is None:
            return
        if not indexes:
            del self._names[workflow]
        line = self._lines[key]
        del line.followers[workflow, index]
        if not line.followers:
            # Its entry in the heap is passed over when it comes up.
            del self._lines[key]

    def _plan(self) -> None:
        """Have APScheduler look earlier than it means to, if something is due earlier."""
        if self._scheduler is None or self._planned is None or not self._heap:
            return
        due = self._heap[0][0]
        if due < self._planned:
            self._planned = due
            self._scheduler.modify_job("ticks", next_run_time=due)


class _Inline(BaseExecutor):  # type: ignore[misc]  # APScheduler has no types
    """Calls the job where it is, in the event loop: no thread, no task to be cancelled."""

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        job.func()
        asyncio.get_running_loop().call_soon(self._run_job_success, job.id, [])


class _NextTick(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Tells APScheduler when the earliest of all timetables is due."""

    __slots__ = ("_owner",)

    def __init__(self, owner: Scheduler) -> None:
        self._owner = owner

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """The next moment to look at the timetables."""
        return self._owner.collect(now)
